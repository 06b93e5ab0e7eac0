"""What the published plan says of a visit, and how a running session follows it: late at the door, longer there than
planned, and gone without ending.

Copied into the session at its start: a plan that is published later changes no session that is running. Being there is
no check-in: an arrival only ever brings a check-in nearer.
"""

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import MISSING, asdict, dataclass, fields
from enum import Enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.distances import metres_between
from fieldvisit.models import CrewMember, DayPlan, Place, Route, SafetySession, Stop, Visit
from fieldvisit.safety.deadlines import Moment, around, set_by_clock, sooner
from fieldvisit.safety.drafts import Told
from fieldvisit.safety.events import Entry, SafetyEventKind, append
from fieldvisit.safety.standing import lock_session
from fieldvisit.safety.stored import as_stored
from fieldvisit.safety.timers import Timers, seconds
from fieldvisit.together import together
from fieldvisit.vocabulary import DayPlanState, SafetyState

AWAY_M = 300
"""Farther from the door than this is no walk around the house."""
FRESH_S = 60
"""A position that is older says nothing of where the phone is now."""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """By the plan: when the crew is at the door, how long it travels there, how long it stays; and where that is.
    `over`: the visit has been reported or broken off."""

    arrive_at: str
    travel_s: int
    door_s: int
    lat: float | None
    lon: float | None
    over: bool = False

    @classmethod
    def of(cls, stop: Stop, place: Place) -> "Expected":
        return cls(
            arrive_at=stop.arrive_at.isoformat(),
            travel_s=stop.travel_s,
            door_s=round((stop.end_at - stop.begin_at).total_seconds()),
            lat=place.lat,
            lon=place.lon,
        )


SAID = {field.name for field in fields(Expected) if field.default is MISSING}


def expect(session: Session, row: SafetySession, visit: Visit) -> None:
    """Let the plan that is published feed the deadlines of a session that has just begun; one that does not hold this
    visit for this visitor changes nothing."""
    gathered = together(session)
    if gathered is not None:
        gathered.watched.add(visit.id)
    stop = session.scalar(_stop(row.visitor_id, visit.id))
    if stop is None:
        return
    row.expected = asdict(Expected.of(stop, session.get_one(Place, visit.place_id)))
    _follow(session, row, visit)


def follow_visit(session: Session, visit: Visit, *, present: Collection[uuid.UUID] | None = None) -> None:
    """Let the running sessions of a visit follow what has become of it: arrived at, arrived at after all not, over.

    Of the visitors who were `present`, or of everybody. Told again, or late, it changes nothing that it has changed.
    """
    gathered = together(session)
    if gathered is not None and visit.id not in gathered.watched:
        return
    with session.no_autoflush:
        running = session.scalars(
            sa.select(SafetySession.id)
            .where(SafetySession.visit_id == visit.id, SafetySession.state == SafetyState.ACTIVE)
            .order_by(SafetySession.id)
        ).all()
    for each in running:
        row = lock_session(session, each)
        if row.state is SafetyState.ACTIVE and row.expected and (present is None or row.visitor_id in present):
            happened = _follow(session, row, visit)
            if happened is not None:
                kind, at = happened
                append(session, row, Entry(kind=kind, at=at))


def _point(of: Told | Expected) -> tuple[float, float] | None:
    return None if of.lat is None or of.lon is None else (of.lat, of.lon)


class Spot(Enum):
    """Where a sign of the phone comes from, as seen from the door of the visit."""

    NO_DOOR = "no door was reached"
    UNKNOWN = "somewhere"
    AWAY = "far from it"
    THERE = "there"


def spot_of(row: SafetySession, told: Told) -> Spot:
    expected = _expected(row)
    if expected is None or row.door_until is None:
        return Spot.NO_DOOR
    here, there = _point(told), _point(expected)
    if told.age_s > FRESH_S or here is None or there is None:
        return Spot.UNKNOWN
    if metres_between(here, there) > AWAY_M:
        return Spot.AWAY
    return Spot.UNKNOWN if expected.over else Spot.THERE


def leaving(spot: Spot, timers: Timers, now: Moment, *, safe: bool) -> dict[str, Any]:
    """What a sign of the phone says of the session's end: far from a door that was reached, it is to be ended soon;
    back there, it need not. A visitor who says that all is well (`safe`) has the time for it anew."""
    if spot is Spot.NO_DOOR:
        return {}
    if spot is Spot.THERE:
        return {"leave_by": sa.null()}
    soon = now + seconds(timers.leave_s)
    # Of null and a moment the greatest is the moment: where nothing was due, nothing is.
    renewed = sa.func.greatest(SafetySession.leave_by, soon) if safe else sa.func.coalesce(SafetySession.leave_by)
    kept = sa.case((SafetySession.leave_by.is_not(None), renewed))
    return {"leave_by": sa.func.coalesce(kept, soon) if spot is Spot.AWAY else kept}


def _follow(session: Session, row: SafetySession, visit: Visit) -> tuple[SafetyEventKind, dt.datetime] | None:
    """The kind of what is new and when it was noticed; None where nothing is."""
    expected, timers = _expected(row), Timers.from_json(row.policy)
    if expected is None or expected.over:
        return None
    if visit.ended_at is not None:
        row.expected = {**(row.expected or {}), "over": True}
        at = set_by_clock(session, row, lambda now: _over(timers, now))
        return SafetyEventKind.VISIT_OVER, at
    if visit.arrived_at is not None:
        until = visit.arrived_at + dt.timedelta(seconds=expected.door_s)
        if row.door_until == until:
            return None
        return SafetyEventKind.ARRIVED, set_by_clock(session, row, lambda now: _at_the_door(timers, until, now))
    if row.arrive_by is not None:
        return None
    was_there = row.door_until is not None
    at = set_by_clock(session, row, lambda now: _on_the_way(timers, expected, now))
    return (SafetyEventKind.ARRIVAL_UNDONE, at) if was_there else None


def _on_the_way(timers: Timers, expected: Expected, now: Moment) -> dict[str, Any]:
    planned = sa.literal(dt.datetime.fromisoformat(expected.arrive_at), sa.DateTime(timezone=True))
    arrive_at = sa.func.greatest(planned, now + seconds(expected.travel_s))
    return {"arrive_by": arrive_at + seconds(timers.arrive_s), "door_until": sa.null(), "leave_by": sa.null()}


def _at_the_door(timers: Timers, until: dt.datetime, now: Moment) -> dict[str, Any]:
    planned_end = sa.literal(until, sa.DateTime(timezone=True))
    # A planned end that is past already is no deadline that anybody could have kept.
    ahead = around(timers, sa.case((planned_end > now, planned_end)))
    stored: dict[str, Moment] = {name: getattr(SafetySession, name) for name in ahead}
    return sooner(stored, ahead) | {"arrive_by": sa.null(), "door_until": planned_end}


def _over(timers: Timers, now: Moment) -> dict[str, Any]:
    return {
        "arrive_by": sa.null(),
        "door_until": sa.func.least(SafetySession.door_until, now),
        "leave_by": sa.func.least(SafetySession.leave_by, now + seconds(timers.leave_s)),
    }


def _expected(row: SafetySession) -> Expected | None:
    """None also where another version wrote it so that this one does not know what it says."""
    return as_stored(Expected, row.expected) if row.expected and row.expected.keys() >= SAID else None


def _stop(visitor_id: uuid.UUID, visit_id: uuid.UUID) -> sa.Select[Stop]:
    return (
        sa.select(Stop)
        .join(Route, Route.id == Stop.route_id)
        .join(DayPlan, DayPlan.id == Route.plan_id)
        .join(CrewMember, CrewMember.route_id == Route.id)
        .join(Visit, Visit.id == Stop.visit_id)
        .where(
            Visit.id == visit_id,
            Visit.plan_id == DayPlan.id,
            DayPlan.state == DayPlanState.PUBLISHED,
            CrewMember.visitor_id == visitor_id,
        )
        .limit(1)
    )
