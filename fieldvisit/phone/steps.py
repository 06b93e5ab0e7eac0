"""On the way and at the door: setting out, arriving, showing papers, checking identity.

A step that is told while it happens is judged at the server's `now`; one that is past by then is a fact (see
`fieldvisit.phone.late_steps`). A step that comes after a later one, from a second member of the crew, or from before
the visit was cancelled, is written down and moves nothing back.
"""

import datetime as dt
import uuid
from collections.abc import Callable, Set
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.conduct_parameters import Recorded
from fieldvisit.credentials import check_shown
from fieldvisit.decisions import AtTheDoor, decide, demand_allowed
from fieldvisit.errors import Refused
from fieldvisit.identity import amounts_open
from fieldvisit.ids import new_id
from fieldvisit.models import IdentityCheck, Visit, VisitEvent
from fieldvisit.phone.clocks import happened_at, is_late, is_live, stated_at
from fieldvisit.phone.drafts import ArrivalDraft, IdentityDraft, SetOutDraft, ShowingDraft
from fieldvisit.phone.late_steps import arrive_late, set_out_late
from fieldvisit.phone.lateness import happened_before_cancelling
from fieldvisit.phone.notes import AFTER_REPORT, ARRIVED, Outcome, entry_of, fix_of, flags_of, noted, present_of
from fieldvisit.phone.order import order_flags
from fieldvisit.phone.refusals import KEPT, at_the_door, keep_refusal
from fieldvisit.phone.routes import demand_its_day, demand_still_placed, get_own_stop, get_told_stop
from fieldvisit.phone.speed import speed_flags
from fieldvisit.phone.telling import EventDraft, Receipt, Teller, Telling, take
from fieldvisit.safety.incidents import demand_not_frozen
from fieldvisit.settlement import settle_again
from fieldvisit.together import write
from fieldvisit.visits import cancelled, demand_may_become, get_visit, move
from fieldvisit.vocabulary import CheckMoment, VisitState, WithdrawalReason

S = VisitState
# Where a step that comes late finds the visit.
BEYOND_SETTING_OUT = (S.UNDER_WAY, S.ARRIVED, S.REPORTED, S.CLOSED)
BEYOND_ARRIVING = (S.ARRIVED, S.REPORTED, S.CLOSED)


def set_out(session: Session, visit_id: uuid.UUID, draft: SetOutDraft, *, by: Teller, now: dt.datetime) -> Receipt:
    """The crew is on its way. Raises VisitCancelled with the reason, WrongState, NotThisDay, CaseTakenBack,
    OutOfOrder."""
    telling = Telling(kind="set_out", visit_id=visit_id, by=by, event_id=draft.event_id, body=draft)

    def act() -> Outcome:
        if is_late(draft, now):
            return set_out_late(session, telling, draft, now=now)
        visit = _own_visit(session, visit_id, by)
        event = entry_of(visit, telling, draft, now)
        if visit.state in BEYOND_SETTING_OUT or happened_before_cancelling(session, visit, stated_at(draft, now)):
            return noted(session, visit, event)
        demand_may_become(visit, S.UNDER_WAY)
        demand_still_placed(session, visit, now)
        demand_its_day(visit, now)
        stop = get_own_stop(session, by.visitor_id, visit_id)
        event.detail |= order_flags(session, stop, draft.order_reason)
        visit.under_way_at = happened_at(draft, now)
        return move(session, visit, S.UNDER_WAY, now=now, event=event).state, {}

    return take(session, telling, now=now, find=_finder(session, telling, draft, now), act=act)


def arrive(
    session: Session, visit_id: uuid.UUID, draft: ArrivalDraft, *, by: Teller, now: dt.datetime, geofence_m: int
) -> Receipt | Refused:
    """The crew is at the door, and the policy says whether it may be.

    Refused, and kept as evidence: with VisitCancelled and its reason, OutsideGeofence (unless the draft says why),
    NotThisDay, WrongState, CaseTakenBack, or Forbidden with the clauses in the way and what would be lawful instead.
    """
    telling = Telling(kind=ARRIVED, visit_id=visit_id, by=by, event_id=draft.event_id, body=draft)

    def act() -> Outcome:
        take_arrival = arrive_late if is_late(draft, now) else _arrive_live
        return take_arrival(session, telling, draft, by=by, now=now, geofence_m=geofence_m)

    find = _finder(session, telling, draft, now)
    if not is_live(draft, now):
        return take(session, telling, now=now, find=find, act=act)
    try:
        # What a refused arrival has written is undone: its id may be told again.
        with session.begin_nested():
            return take(session, telling, now=now, find=find, act=act)
    except KEPT as refusal:
        return keep_refusal(session, telling, draft, refusal, now=now)


def _arrive_live(
    session: Session, telling: Telling, draft: ArrivalDraft, *, by: Teller, now: dt.datetime, geofence_m: int
) -> Outcome:
    visit = _own_visit(session, telling.visit_id, by)
    late = happened_before_cancelling(session, visit, stated_at(draft, now))
    if visit.state not in BEYOND_ARRIVING and not late:
        demand_may_become(visit, S.ARRIVED)
    demand_still_placed(session, visit, now)
    stop = get_own_stop(session, by.visitor_id, telling.visit_id)
    present = present_of(session, stop, draft, by)
    flags = _demanded_inside(visit, draft, geofence_m)
    flags |= speed_flags(session, stop, by.visitor_id, at=happened_at(draft, now), distance_m=flags["distance_m"])
    event = entry_of(visit, telling, draft, now, present=[str(visitor_id) for visitor_id in sorted(present)], **flags)
    if late:
        visit.arrived_at = visit.arrived_at or happened_at(draft, now)
        return noted(session, visit, event, **flags)
    if visit.state in BEYOND_ARRIVING:
        if visit.state is S.ARRIVED:
            _judge_uncovered(session, visit, present, now=now, running=frozenset(draft.recording or ()))
        else:
            # Nobody judges it, and it opens nothing.
            event.detail[AFTER_REPORT] = True
        visit.arrived_at = visit.arrived_at or happened_at(draft, now)
        settle_again(session, visit, why=WithdrawalReason.TOLD_LATE, now=now)
        return noted(session, visit, event, **flags)
    demand_its_day(visit, now)
    demand_not_frozen(session, visit.place_id)
    if visit.state is not S.UNDER_WAY:
        # Of one that was set out for, the order was asked for then.
        event.detail |= order_flags(session, stop, draft.order_reason)
    _demand_lawful(session, visit, present, now=now, running=frozenset(draft.recording or ()))
    visit.arrived_at = happened_at(draft, now)
    return move(session, visit, S.ARRIVED, now=now, event=event).state, flags


def show_credential(
    session: Session, visit_id: uuid.UUID, draft: ShowingDraft, *, by: Teller, now: dt.datetime
) -> Receipt:
    """Papers were shown. What was wrong with them is recorded and told, never refused: it happened."""
    telling = Telling(kind="credential_shown", visit_id=visit_id, by=by, event_id=draft.event_id, body=draft)

    def act() -> Outcome:
        visit = _at_work(session, visit_id, draft, now)
        if is_late(draft, now) and visit.case is None:
            # Which papers the lender asks for is no longer known here; that some were shown is.
            return noted(session, visit, entry_of(visit, telling, draft, now), passed=False, faults={})
        if not is_late(draft, now):
            demand_still_placed(session, visit, now)
        check = check_shown(session, visit, by.visitor_id, draft.credential_ids, now=happened_at(draft, now))
        facts = {"check_id": str(check.id), "passed": check.passed, "faults": check.faults}
        return noted(session, visit, entry_of(visit, telling, draft, now, check_id=str(check.id)), **facts)

    return take(session, telling, now=now, find=lambda: get_told_stop(session, by.visitor_id, visit_id).visit, act=act)


def check_identity(
    session: Session, visit_id: uuid.UUID, draft: IdentityDraft, *, by: Teller, now: dt.datetime
) -> Receipt:
    """How it was established who is at the door. `amounts_shown` says whether the phone may now read the amounts."""
    telling = Telling(kind="identity_checked", visit_id=visit_id, by=by, event_id=draft.event_id, body=draft)

    def act() -> Outcome:
        visit = _at_work(session, visit_id, draft, now)
        check = IdentityCheck(
            id=new_id(),
            org_id=visit.org_id,
            lender_id=visit.lender_id,
            visit_id=visit.id,
            visitor_id=by.visitor_id,
            method=draft.method,
            result=draft.result,
            at=happened_at(draft, now),
        )
        write(session, check)
        if visit.state in (S.REPORTED, S.CLOSED):
            settle_again(session, visit, why=WithdrawalReason.TOLD_LATE, now=now)
        shown = visit.id in amounts_open(session, [visit], now=now)
        facts = {"result": draft.result.value, "amounts_shown": shown}
        event = entry_of(visit, telling, draft, now, check_id=str(check.id), result=draft.result.value)
        return noted(session, visit, event, **facts)

    return take(session, telling, now=now, find=lambda: get_told_stop(session, by.visitor_id, visit_id).visit, act=act)


def _finder(session: Session, telling: Telling, draft: EventDraft, now: dt.datetime) -> Callable[[], Visit]:
    """How the visit is found: on a route that stands, or, for what is past, on any that ever did."""

    def find() -> Visit:
        # Asked for here: what was taken before is known by its id, however long ago it happened.
        get_stop = get_told_stop if is_late(draft, now) else get_own_stop
        return get_stop(session, telling.by.visitor_id, telling.visit_id).visit

    return find


def _at_work(session: Session, visit_id: uuid.UUID, draft: EventDraft, now: dt.datetime) -> Visit:
    """The visit under lock. A phone without signal tells these before its arrival or after the report."""
    visit = get_visit(session, visit_id, lock=True)
    never_there = visit.state is S.CANCELLED and visit.arrived_at is None
    if never_there and not happened_before_cancelling(session, visit, stated_at(draft, now)):
        raise cancelled(visit)
    return visit


def _demanded_inside(visit: Visit, draft: ArrivalDraft, geofence_m: int) -> dict[str, Any]:
    """How far from the place. Raises OutsideGeofence, unless the draft says why."""
    fix = fix_of(visit, draft, geofence_m)
    if draft.outside_reason is None:
        fix.demand_inside()
    return flags_of(fix, draft)


def _own_visit(session: Session, visit_id: uuid.UUID, by: Teller) -> Visit:
    """The visit under lock, and on a route of this visitor's still: a plan published meanwhile may have moved it."""
    visit = get_visit(session, visit_id, lock=True)
    get_own_stop(session, by.visitor_id, visit_id)
    return visit


def _judge_uncovered(
    session: Session, visit: Visit, present: frozenset[uuid.UUID], *, now: dt.datetime, running: frozenset[Recorded]
) -> None:
    """Judge those at the door whom no judged arrival covers: who joins the others, who comes back when the time that
    was permitted is over, and everybody where all that was told was a fact by then. Raises what an arrival does."""
    since = now - dt.timedelta(seconds=visit.service_s)
    details = session.scalars(
        sa.select(VisitEvent.detail).where(
            VisitEvent.visit_id == visit.id,
            VisitEvent.kind == ARRIVED,
            VisitEvent.at >= max(since, visit.arrived_at or since),
            VisitEvent.detail["late"].is_(None),
        )
    )
    there = {uuid.UUID(visitor_id) for detail in details for visitor_id in detail["present"]}
    if not there:
        demand_its_day(visit, now)
        demand_not_frozen(session, visit.place_id)
    if not present <= there:
        _demand_lawful(session, visit, present | there, now=now, running=running)


def _demand_lawful(
    session: Session, visit: Visit, visitor_ids: Set[uuid.UUID], *, now: dt.datetime, running: frozenset[Recorded]
) -> None:
    span = at_the_door(visit, now)
    asked = AtTheDoor(visit=visit, span=span, visitor_ids=sorted(visitor_ids), recording=running)
    demand_allowed(decide(session, asked, moment=CheckMoment.DOOR, now=now))
