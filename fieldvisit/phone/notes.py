"""How a step is written into the history of its visit: by whom, when by which clock, how far the clocks differed."""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from fieldvisit.datums import Point
from fieldvisit.errors import InvalidValue
from fieldvisit.geofence import Fix, locate
from fieldvisit.models import Visit, VisitEvent
from fieldvisit.partners import people_at
from fieldvisit.phone.clocks import drift_of, happened_at, is_late
from fieldvisit.phone.drafts import ArrivalDraft
from fieldvisit.phone.telling import EventDraft, Teller, Telling
from fieldvisit.together import write
from fieldvisit.told_stops import ToldStop
from fieldvisit.visits import note_event
from fieldvisit.vocabulary import VisitState

ARRIVED = "arrived"
"""The kind of event that an arrival is. Its detail names who was at the door."""

AFTER_REPORT = "after_report"
"""In the detail of an arrival that was told when the visit was reported: it was not judged."""

type Outcome = tuple[VisitState, Mapping[str, Any]]


def entry_of(visit: Visit, telling: Telling, draft: EventDraft, now: dt.datetime, **detail: Any) -> VisitEvent:
    """The step as an entry of the visit's history, for the session to keep."""
    event = note_event(visit, telling.kind, now=now, **about_sending(draft, now), **detail)
    event.visitor_id, event.actor_id = telling.by.visitor_id, telling.by.account_id
    event.device_at = draft.device_at
    return event


def about_sending(draft: EventDraft, now: dt.datetime) -> dict[str, Any]:
    """How it was sent: the drift of the phone's clock, when it happened by ours, the battery."""
    told: dict[str, Any] = {}
    if draft.sent_at is not None:
        told |= {
            "drift_s": round(drift_of(draft, now).total_seconds()),
            "happened_at": happened_at(draft, now).isoformat(),
        }
    if is_late(draft, now):
        told["late"] = True
    if draft.battery_percent is not None:
        told["battery_percent"] = draft.battery_percent
    if draft.token_expired:
        told["token_expired"] = True
    return told


def noted(session: Session, visit: Visit, event: VisitEvent, **facts: Any) -> Outcome:
    """Written down, and nothing else is changed."""
    write(session, event)
    return visit.state, facts


def fix_of(visit: Visit, draft: ArrivalDraft, geofence_m: int) -> Fix:
    """How far the phone is from the place. Raises InvalidValue where nobody knows where that is."""
    place = visit.place
    if place.lat is None or place.lon is None:
        raise InvalidValue(path="place", reason="has no known point to be at")
    return locate(draft.position, Point(place.lat, place.lon), radius_m=place.geofence_m or geofence_m)


def flags_of(fix: Fix, draft: ArrivalDraft) -> dict[str, Any]:
    """The distance, never the position: where a debtor lives is not repeated in a history that many read."""
    outside = None if fix.inside or draft.outside_reason is None else draft.outside_reason.value
    flags = {
        "distance_m": fix.distance_m,
        "allowed_m": fix.allowed_m,
        "accuracy_m": draft.position.accuracy_m,
        "mock": draft.position.mock,
        "outside_reason": outside,
    }
    return flags | ({"datum_unfit": True} if draft.position.datum_unfit else {})


def present_of(session: Session, stop: ToldStop, draft: ArrivalDraft, by: Teller) -> frozenset[uuid.UUID]:
    """Who is at the door: everybody who is to be there, unless the draft says who is. Raises InvalidValue for somebody
    who does not go to this visit."""
    crew = people_at(session, stop)
    present = crew if draft.present is None else frozenset({*draft.present, by.visitor_id})
    if not present <= crew:
        raise InvalidValue(path="present", reason="names somebody who does not go to this visit")
    return present
