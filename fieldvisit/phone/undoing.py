"""Taking a step back, as far as the house lets one: a visit that is sent back before the door, an arrival that was
none."""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.field_rules import field_rules
from fieldvisit.models import IdentityCheck, Visit
from fieldvisit.phone.arrivals import arrival_of
from fieldvisit.phone.clocks import happened_at, is_late
from fieldvisit.phone.drafts import RejectionDraft, UndoDraft
from fieldvisit.phone.late_steps import still_waits
from fieldvisit.phone.notes import Outcome, entry_of, noted
from fieldvisit.phone.routes import get_own_stop, get_told_stop
from fieldvisit.phone.telling import Receipt, Teller, Telling, take
from fieldvisit.rejudging import rejudge
from fieldvisit.settlement import settle_again
from fieldvisit.together import write
from fieldvisit.told_stops import ToldStop
from fieldvisit.visits import BEGUN, WrongState, get_visit, give_back, move
from fieldvisit.vocabulary import NotDone, VisitState, WithdrawalReason


class NotInThisHouse(FieldVisitError):
    code, kind = "not_in_this_house", Kind.CONFLICT
    says = "The rules of the house do not let a visitor do this. Ask the office."


class TooLateToUndo(FieldVisitError):
    code, kind = "too_late_to_undo", Kind.CONFLICT
    says = (
        "The arrival at visit {reference} can no longer be undone: after {minutes} minutes, "
        "or once an identity was checked."
    )


def reject_visit(
    session: Session, visit_id: uuid.UUID, draft: RejectionDraft, *, by: Teller, now: dt.datetime
) -> Receipt:
    """Send a visit back before it has begun: it waits to be planned again. Raises NotInThisHouse, WrongState."""
    telling = Telling(kind="rejected", visit_id=visit_id, by=by, event_id=draft.event_id, body=draft)

    def act() -> Outcome:
        visit = get_visit(session, visit_id, lock=True)
        get_own_stop(session, by.visitor_id, visit_id)
        if not field_rules(session).may_reject:
            raise NotInThisHouse()
        if visit.state in BEGUN:
            raise WrongState(reference=visit.reference, state=visit.state, wanted=VisitState.ELIGIBLE)
        event = entry_of(visit, telling, draft, now, reason=draft.reason.value)
        return give_back(session, visit, NotDone.SENT_BACK, now=now, event=event).state, {}

    return take(session, telling, now=now, find=lambda: get_own_stop(session, by.visitor_id, visit_id).visit, act=act)


def undo_arrival(session: Session, visit_id: uuid.UUID, draft: UndoDraft, *, by: Teller, now: dt.datetime) -> Receipt:
    """The arrival was none: the wrong door, or a slip of the finger. Both stay in the history.

    Undone is what happened before; an arrival that happened after it counts, whichever was told first. Raises
    NotInThisHouse and TooLateToUndo for what is happening now, which is the business of the crew that has the visit;
    what is told afterwards is a fact.
    """
    telling = Telling(kind="arrival_undone", visit_id=visit_id, by=by, event_id=draft.event_id, body=draft)

    def find_stop() -> ToldStop:
        get_stop = get_told_stop if is_late(draft, now) else get_own_stop
        return get_stop(session, by.visitor_id, visit_id)

    def act() -> Outcome:
        visit = get_visit(session, visit_id, lock=True)
        stop = find_stop()
        if not is_late(draft, now):
            _demand_undoable(session, visit, at=happened_at(draft, now))
        event = entry_of(visit, telling, draft, now, reason=draft.reason.value)
        state, facts = noted(session, visit, event)
        arrived_at = arrival_of(session, visit)
        if state in (VisitState.ARRIVED, VisitState.REPORTED, VisitState.CLOSED, VisitState.CANCELLED):
            visit.arrived_at = arrived_at
            write(session)
        if state in (VisitState.REPORTED, VisitState.CLOSED):
            settle_again(session, visit, why=WithdrawalReason.ARRIVAL_UNDONE, now=now)
        # Told before its arrival it says that the crew is on its way; one that no longer has the visit says nothing.
        on_its_way = state is VisitState.PUBLISHED and still_waits(visit, stop, happened_at(draft, now))
        if on_its_way or (state is VisitState.ARRIVED and arrived_at is None):
            was_there = state is VisitState.ARRIVED
            state = move(session, visit, VisitState.UNDER_WAY, now=now, event=event).state
            if was_there and not is_late(draft, now):
                # What was told while the crew stood at the door left the visit to them; now it is ahead again. One that
                # was undone hours ago is as far as its crew has brought it since, and may be over.
                session.flush()
                rejudge(session, [visit.id], now=now, code="arrival_undone")
                state = visit.state
        return state, facts

    return take(session, telling, now=now, find=lambda: find_stop().visit, act=act)


def _demand_undoable(session: Session, visit: Visit, *, at: dt.datetime) -> None:
    minutes = field_rules(session).undo_minutes
    if minutes == 0:
        raise NotInThisHouse()
    if visit.arrived_at is None:
        return
    checked = sa.select(IdentityCheck.id).where(
        IdentityCheck.visit_id == visit.id, IdentityCheck.at >= visit.arrived_at
    )
    too_late = at - visit.arrived_at > dt.timedelta(minutes=minutes)
    if too_late or session.scalar(checked.limit(1)) is not None:
        raise TooLateToUndo(reference=visit.reference, minutes=minutes)
