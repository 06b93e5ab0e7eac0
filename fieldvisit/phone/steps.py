"""On the way and at the door: setting out, arriving, showing papers, checking identity.

The server's `now` decides everything; what the phone says of its own time is kept beside it. A step that comes late,
after a later one, from a second member of the crew, or from before the visit was cancelled, is written down and moves
nothing back.
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.credentials import check_shown
from fieldvisit.datums import Point
from fieldvisit.decisions import AtTheDoor, decide, demand_allowed
from fieldvisit.errors import InvalidValue, Refused
from fieldvisit.geofence import Fix, OutsideReason, Position, locate
from fieldvisit.identity import amounts_open
from fieldvisit.models import IdentityCheck, Stop, Visit, VisitEvent
from fieldvisit.phone.lateness import happened_before_cancelling
from fieldvisit.phone.refusals import KEPT, at_the_door, keep_refusal
from fieldvisit.phone.routes import demand_its_day, demand_still_placed, get_own_stop, get_told_stop
from fieldvisit.phone.telling import EventDraft, Receipt, Teller, Telling, take
from fieldvisit.visits import cancelled, demand_may_become, get_visit, move, note_event
from fieldvisit.vocabulary import CheckMoment, IdentityMethod, IdentityResult, VisitState

S = VisitState
# Where a step that comes late finds the visit.
BEYOND_SETTING_OUT = (S.UNDER_WAY, S.ARRIVED, S.REPORTED, S.CLOSED)
BEYOND_ARRIVING = (S.ARRIVED, S.REPORTED, S.CLOSED)

ARRIVED = "arrived"
"""The kind of event that an arrival is. Its detail names who was at the door."""

type Outcome = tuple[VisitState, Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class ArrivalDraft(EventDraft):
    """`present` are those of the crew who are at the door; None means all of them."""

    position: Position
    outside_reason: OutsideReason | None = None
    present: tuple[uuid.UUID, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class ShowingDraft(EventDraft):
    """Which papers were shown at the door, by their ids."""

    credential_ids: tuple[uuid.UUID, ...]


@dataclass(frozen=True, kw_only=True)
class IdentityDraft(EventDraft):
    method: IdentityMethod
    result: IdentityResult


def set_out(session: Session, visit_id: uuid.UUID, draft: EventDraft, *, by: Teller, now: dt.datetime) -> Receipt:
    """The crew is on its way. Raises VisitCancelled with the reason, WrongState, NotThisDay, CaseTakenBack."""
    telling = Telling(kind="set_out", visit_id=visit_id, by=by, event_id=draft.event_id, body=draft)

    def act() -> Outcome:
        visit = _own_visit(session, visit_id, by)
        event = _event(visit, telling, draft, now)
        if visit.state in BEYOND_SETTING_OUT or happened_before_cancelling(session, visit, draft.device_at):
            return _noted(session, visit, event)
        demand_may_become(visit, S.UNDER_WAY)
        demand_still_placed(session, visit)
        demand_its_day(visit, now)
        visit.under_way_at = now
        return move(session, visit, S.UNDER_WAY, now=now, event=event).state, {}

    return take(session, telling, now=now, find=lambda: get_own_stop(session, by.visitor_id, visit_id).visit, act=act)


def arrive(
    session: Session, visit_id: uuid.UUID, draft: ArrivalDraft, *, by: Teller, now: dt.datetime, geofence_m: int
) -> Receipt | Refused:
    """The crew is at the door, and the policy says whether it may be.

    Refused, and kept as evidence: with VisitCancelled and its reason, OutsideGeofence (unless the draft says why),
    NotThisDay, WrongState, CaseTakenBack, or Forbidden with the clauses in the way and what would be lawful instead.
    """
    telling = Telling(kind=ARRIVED, visit_id=visit_id, by=by, event_id=draft.event_id, body=draft)

    def act() -> Outcome:
        visit = _own_visit(session, visit_id, by)
        late = happened_before_cancelling(session, visit, draft.device_at)
        if visit.state not in BEYOND_ARRIVING and not late:
            demand_may_become(visit, S.ARRIVED)
        demand_still_placed(session, visit)
        present = _present(get_own_stop(session, by.visitor_id, visit_id), draft, by)
        flags = _flags(_fix(visit, draft, geofence_m), draft)
        event = _event(visit, telling, draft, now, present=[str(visitor_id) for visitor_id in sorted(present)], **flags)
        if late:
            visit.arrived_at = visit.arrived_at or now
            return _noted(session, visit, event, **flags)
        if visit.state in BEYOND_ARRIVING:
            _judge_newcomers(session, visit, present, now)
            return _noted(session, visit, event, **flags)
        demand_its_day(visit, now)
        _demand_lawful(session, visit, present, now)
        visit.arrived_at = now
        return move(session, visit, S.ARRIVED, now=now, event=event).state, flags

    try:
        # What a refused arrival has written is undone: its id may be told again.
        with session.begin_nested():
            return take(
                session, telling, now=now, find=lambda: get_own_stop(session, by.visitor_id, visit_id).visit, act=act
            )
    except KEPT as refusal:
        return keep_refusal(session, telling, draft, refusal, now=now)


def show_credential(
    session: Session, visit_id: uuid.UUID, draft: ShowingDraft, *, by: Teller, now: dt.datetime
) -> Receipt:
    """Papers were shown. What was wrong with them is recorded and told, never refused: it happened."""
    telling = Telling(kind="credential_shown", visit_id=visit_id, by=by, event_id=draft.event_id, body=draft)

    def act() -> Outcome:
        visit = _at_work(session, visit_id, draft)
        demand_still_placed(session, visit)
        check = check_shown(session, visit, by.visitor_id, draft.credential_ids, now=now)
        facts = {"check_id": str(check.id), "passed": check.passed, "faults": check.faults}
        return _noted(session, visit, _event(visit, telling, draft, now, check_id=str(check.id)), **facts)

    return take(session, telling, now=now, find=lambda: get_told_stop(session, by.visitor_id, visit_id).visit, act=act)


def check_identity(
    session: Session, visit_id: uuid.UUID, draft: IdentityDraft, *, by: Teller, now: dt.datetime
) -> Receipt:
    """How it was established who is at the door. `amounts_shown` says whether the phone may now read the amounts."""
    telling = Telling(kind="identity_checked", visit_id=visit_id, by=by, event_id=draft.event_id, body=draft)

    def act() -> Outcome:
        visit = _at_work(session, visit_id, draft)
        check = IdentityCheck(
            org_id=visit.org_id,
            lender_id=visit.lender_id,
            visit_id=visit.id,
            visitor_id=by.visitor_id,
            method=draft.method,
            result=draft.result,
            at=now,
        )
        session.add(check)
        session.flush()
        shown = visit.id in amounts_open(session, [visit], now=now)
        facts = {"result": draft.result.value, "amounts_shown": shown}
        event = _event(visit, telling, draft, now, check_id=str(check.id), result=draft.result.value)
        return _noted(session, visit, event, **facts)

    return take(session, telling, now=now, find=lambda: get_told_stop(session, by.visitor_id, visit_id).visit, act=act)


def _at_work(session: Session, visit_id: uuid.UUID, draft: EventDraft) -> Visit:
    """The visit under lock. A phone without signal tells these before its arrival or after the report."""
    visit = get_visit(session, visit_id, lock=True)
    never_there = visit.state is S.CANCELLED and visit.arrived_at is None
    if never_there and not happened_before_cancelling(session, visit, draft.device_at):
        raise cancelled(visit)
    return visit


def _event(visit: Visit, telling: Telling, draft: EventDraft, now: dt.datetime, **detail: Any) -> VisitEvent:
    event = note_event(visit, telling.kind, now=now, **detail)
    event.visitor_id, event.actor_id = telling.by.visitor_id, telling.by.account_id
    event.device_at = draft.device_at
    return event


def _noted(session: Session, visit: Visit, event: VisitEvent, **facts: Any) -> Outcome:
    session.add(event)
    session.flush()
    return visit.state, facts


def _fix(visit: Visit, draft: ArrivalDraft, geofence_m: int) -> Fix:
    place = visit.place
    if place.lat is None or place.lon is None:
        raise InvalidValue(path="place", reason="has no known point to be at")
    fix = locate(draft.position, Point(place.lat, place.lon), radius_m=geofence_m)
    if draft.outside_reason is None:
        fix.demand_inside()
    return fix


def _flags(fix: Fix, draft: ArrivalDraft) -> dict[str, Any]:
    """The distance, never the position: where a debtor lives is not repeated in a history that many read."""
    outside = None if fix.inside or draft.outside_reason is None else draft.outside_reason.value
    return {
        "distance_m": fix.distance_m,
        "allowed_m": fix.allowed_m,
        "accuracy_m": draft.position.accuracy_m,
        "mock": draft.position.mock,
        "outside_reason": outside,
    }


def _own_visit(session: Session, visit_id: uuid.UUID, by: Teller) -> Visit:
    """The visit under lock, and on a route of this visitor's still: a plan published meanwhile may have moved it."""
    visit = get_visit(session, visit_id, lock=True)
    get_own_stop(session, by.visitor_id, visit_id)
    return visit


def _present(stop: Stop, draft: ArrivalDraft, by: Teller) -> frozenset[uuid.UUID]:
    crew = frozenset(member.visitor_id for member in stop.route.members)
    present = crew if draft.present is None else frozenset({*draft.present, by.visitor_id})
    if not present <= crew:
        raise InvalidValue(path="present", reason="names somebody who does not ride this route")
    return present


def _judge_newcomers(session: Session, visit: Visit, present: frozenset[uuid.UUID], now: dt.datetime) -> None:
    """Raise Forbidden where somebody joins those at the door with whom the visit would not be lawful."""
    if visit.state is not S.ARRIVED:
        return
    details = session.scalars(
        sa.select(VisitEvent.detail).where(
            VisitEvent.visit_id == visit.id, VisitEvent.kind == ARRIVED, VisitEvent.at >= visit.arrived_at
        )
    )
    there = {uuid.UUID(visitor_id) for detail in details for visitor_id in detail["present"]}
    if not present <= there:
        _demand_lawful(session, visit, present | there, now)


def _demand_lawful(session: Session, visit: Visit, visitor_ids: Set[uuid.UUID], now: dt.datetime) -> None:
    asked = AtTheDoor(visit=visit, span=at_the_door(visit, now), visitor_ids=sorted(visitor_ids))
    demand_allowed(decide(session, asked, moment=CheckMoment.DOOR, now=now))
