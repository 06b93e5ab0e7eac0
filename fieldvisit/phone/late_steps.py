"""Steps that are facts by the time they are told: the phone had no signal when they were taken.

They are taken whatever the hour is now, since nothing that is answered changes them: judged as of their own time, with
what was wrong written down beside them. They open no amounts, and move a visit only as far as it would have gone then.
"""

import datetime as dt
from typing import Any

from sqlalchemy.orm import Session

from fieldvisit.compliance.conduct_parameters import Recorded
from fieldvisit.compliance.wallclock import local_day
from fieldvisit.decisions import AtTheDoor, decide
from fieldvisit.models import Case, Place, Visit
from fieldvisit.phone.arrivals import arrival_of
from fieldvisit.phone.clocks import happened_at
from fieldvisit.phone.drafts import ArrivalDraft
from fieldvisit.phone.notes import Outcome, entry_of, fix_of, flags_of, noted, present_of
from fieldvisit.phone.refusals import at_the_door
from fieldvisit.phone.routes import get_told_stop
from fieldvisit.phone.speed import speed_flags
from fieldvisit.phone.telling import EventDraft, Teller, Telling
from fieldvisit.settlement import settle_again
from fieldvisit.together import write
from fieldvisit.told_stops import ToldStop
from fieldvisit.visits import MOVES, get_visit, move
from fieldvisit.vocabulary import CheckMoment, Verdict, VisitState, WithdrawalReason

BEGUN_OR_OVER = (VisitState.ARRIVED, VisitState.REPORTED, VisitState.CLOSED, VisitState.CANCELLED)


def set_out_late(session: Session, telling: Telling, draft: EventDraft, *, now: dt.datetime) -> Outcome:
    """The crew had set out. A visit that still waits for it is on its way since then."""
    visit = get_visit(session, telling.visit_id, lock=True)
    stop = get_told_stop(session, telling.by.visitor_id, telling.visit_id)
    at = happened_at(draft, now)
    event = entry_of(visit, telling, draft, now)
    if not still_waits(visit, stop, at) or VisitState.UNDER_WAY not in MOVES[visit.state]:
        if visit.state in (VisitState.UNDER_WAY, *BEGUN_OR_OVER):
            visit.under_way_at = min(visit.under_way_at or at, at)
        return noted(session, visit, event)
    visit.under_way_at = at
    return move(session, visit, VisitState.UNDER_WAY, now=now, event=event).state, {}


def arrive_late(
    session: Session, telling: Telling, draft: ArrivalDraft, *, by: Teller, now: dt.datetime, geofence_m: int
) -> Outcome:
    """The crew had arrived. Raises InvalidValue for somebody who was not of it."""
    visit = get_visit(session, telling.visit_id, lock=True)
    stop = get_told_stop(session, by.visitor_id, telling.visit_id)
    at = happened_at(draft, now)
    flags = _flags(visit, draft, geofence_m)
    flags |= speed_flags(session, stop, by.visitor_id, at=at, distance_m=flags["distance_m"])
    waits = still_waits(visit, stop, at)
    present = present_of(session, stop, draft, by)
    judged = _judged(session, visit, present, at=at, running=frozenset(draft.recording or ())) if waits else {}
    names = [str(visitor_id) for visitor_id in sorted(present)]
    event = entry_of(visit, telling, draft, now, present=names, **flags, **judged)
    state, _ = noted(session, visit, event)
    arrived_at = arrival_of(session, visit)
    if waits and arrived_at is not None:
        visit.arrived_at = arrived_at
        return move(session, visit, VisitState.ARRIVED, now=now, event=event).state, flags
    if visit.state in BEGUN_OR_OVER:
        visit.arrived_at = arrived_at or visit.arrived_at
        write(session)
        settle_again(session, visit, why=WithdrawalReason.TOLD_LATE, now=now)
    return state, flags


def still_waits(visit: Visit, stop: ToldStop, at: dt.datetime) -> bool:
    """Whether the visit is where this crew left it: nobody has arrived, and no other plan or day has it."""
    place: Place | None = visit.place
    begins = visit.state in (VisitState.PUBLISHED, VisitState.UNDER_WAY)
    theirs = visit.plan_id == stop.route.plan_id and place is not None
    return begins and theirs and local_day(at, visit.place.zone) == visit.planned_on


def _flags(visit: Visit, draft: ArrivalDraft, geofence_m: int) -> dict[str, Any]:
    """How far from the place, where that is still known here."""
    place: Place | None = visit.place
    if place is None or place.lat is None:
        return {
            "distance_m": 0,
            "allowed_m": 0,
            "accuracy_m": draft.position.accuracy_m,
            "mock": draft.position.mock,
            "outside_reason": draft.outside_reason and draft.outside_reason.value,
            "place_unknown": True,
        }
    fix = fix_of(visit, draft, geofence_m)
    return flags_of(fix, draft) | ({} if fix.inside else {"outside": True})


def _judged(
    session: Session, visit: Visit, present: frozenset[Any], *, at: dt.datetime, running: frozenset[Recorded]
) -> dict[str, Any]:
    """What the policy said of it, as of then: the clauses in the way, if any were."""
    case: Case | None = visit.case
    if case is None:
        return {}
    asked = AtTheDoor(visit=visit, span=at_the_door(visit, at), visitor_ids=sorted(present), recording=running)
    decision = decide(session, asked, moment=CheckMoment.DOOR, now=at)
    if decision.verdict is Verdict.ALLOWED:
        return {}
    return {"unlawful": [clause.clause_id for clause in decision.deciding]}
