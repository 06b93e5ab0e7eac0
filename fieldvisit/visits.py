"""The life of a visit: who opens it, what moves it on, what ends it.

The moves are written once, in `MOVES`; everything that changes a state goes through `move`, on a row its caller has
locked: it refuses what the life does not know, counts the version and writes the event.
"""

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from fieldvisit.errors import FieldVisitError, Kind, NotFound
from fieldvisit.models import Visit, VisitEvent
from fieldvisit.vocabulary import VisitState

S = VisitState
LIVE = (S.REQUESTED, S.ELIGIBLE, S.PLANNED, S.PUBLISHED, S.UNDER_WAY, S.ARRIVED)
BEGUN = (S.UNDER_WAY, S.ARRIVED)

# From → where a visit may go. A phone may be late: arrival without setting out, a report without either, are lawful.
MOVES: dict[VisitState, frozenset[VisitState]] = {
    S.REQUESTED: frozenset({S.ELIGIBLE, S.CANCELLED, S.EXPIRED}),
    S.ELIGIBLE: frozenset({S.PLANNED, S.CANCELLED, S.EXPIRED}),
    S.PLANNED: frozenset({S.PUBLISHED, S.ELIGIBLE, S.CANCELLED}),
    S.PUBLISHED: frozenset({S.UNDER_WAY, S.ARRIVED, S.REPORTED, S.ELIGIBLE, S.CANCELLED}),
    S.UNDER_WAY: frozenset({S.ARRIVED, S.REPORTED, S.CANCELLED}),
    S.ARRIVED: frozenset({S.REPORTED, S.CANCELLED}),
    S.REPORTED: frozenset({S.CLOSED}),
    S.CLOSED: frozenset(),
    S.CANCELLED: frozenset(),
    S.EXPIRED: frozenset(),
}


class WrongState(FieldVisitError):
    """The visit is not where this move begins; `reason` says why it left, if it was cancelled."""

    code, kind = "wrong_state", Kind.CONFLICT
    says = "Visit {reference} is {state}; it cannot become {wanted}."


class VisitCancelled(FieldVisitError):
    code, kind = "visit_cancelled", Kind.CONFLICT
    says = "Visit {reference} was cancelled: {reason}."


def get_visit(session: Session, visit_id: uuid.UUID, *, lock: bool = False) -> Visit:
    """The visit with its case, debtor and place; NotFound where it is not this organisation's to see."""
    query = sa.select(Visit).where(Visit.id == visit_id)
    if lock:
        query = query.with_for_update()
    else:
        query = query.options(joinedload(Visit.case), joinedload(Visit.debtor), joinedload(Visit.place))
    visit = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if visit is None:
        raise NotFound(what="visit", id=visit_id)
    return visit


def lock_visits(session: Session, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Visit]:
    """These visits under lock, in the order of their ids, so that two who lock the same set never wait in a circle."""
    rows = session.scalars(
        sa.select(Visit)
        .where(Visit.id.in_(set(ids)))
        .order_by(Visit.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in rows}


def move(
    session: Session,
    visit: Visit,
    to: VisitState,
    *,
    now: dt.datetime,
    event: VisitEvent | None = None,
    **detail: Any,
) -> Visit:
    """Bring a visit, locked by the caller, to another state. The event says when and why, unless one is given.

    Raises WrongState, or VisitCancelled where that is why.
    """
    if to not in MOVES[visit.state]:
        if visit.state is S.CANCELLED:
            raise VisitCancelled(reference=visit.reference, reason=visit.cancelled_reason.get("code", "unknown"))
        raise WrongState(reference=visit.reference, state=visit.state, wanted=to)
    visit.state = to
    visit.version += 1
    visit.updated_at = now
    if to in (S.ELIGIBLE, S.CANCELLED):
        # The slot of the day is free again; a cancelled visit stays in its plan, so that the phone hears of it.
        visit.planned_on = None if to is S.ELIGIBLE else visit.planned_on
        visit.plan_id = None if to is S.ELIGIBLE else visit.plan_id
    session.add(event or note_event(visit, to.value, now=now, **detail))
    session.flush()
    return visit


def note_event(visit: Visit, kind: str, *, now: dt.datetime, **detail: Any) -> VisitEvent:
    """An entry of the visit's history. `detail` holds ids and codes, never personal data."""
    return VisitEvent(
        org_id=visit.org_id, lender_id=visit.lender_id, visit_id=visit.id, at=now, kind=kind, detail=detail
    )


def cancel_visit(session: Session, visit_id: uuid.UUID, *, code: str, now: dt.datetime, **facts: Any) -> Visit:
    """Cancel what has not been reported; `code` says why (a block's trigger, ``by_hand``, …)."""
    visit = get_visit(session, visit_id, lock=True)
    visit.cancelled_reason = {"code": code, **facts}
    return move(session, visit, S.CANCELLED, now=now, code=code, **facts)


def expire_visits(session: Session, now: dt.datetime, today: dt.date) -> int:
    """End every visit that waited past its last date; how many."""
    ids = session.scalars(
        sa.select(Visit.id).where(Visit.state.in_((S.REQUESTED, S.ELIGIBLE)), Visit.last_on < today).order_by(Visit.id)
    ).all()
    for visit in lock_visits(session, ids).values():
        if visit.state in (S.REQUESTED, S.ELIGIBLE):
            move(session, visit, S.EXPIRED, now=now)
    return len(ids)


def return_unbegun(session: Session, now: dt.datetime, today: dt.date) -> int:
    """Give back to eligible what was planned for a day that is over and was never begun; how many."""
    ids = session.scalars(
        sa.select(Visit.id).where(Visit.state.in_((S.PLANNED, S.PUBLISHED)), Visit.planned_on < today)
    ).all()
    for visit in lock_visits(session, ids).values():
        if visit.state in (S.PLANNED, S.PUBLISHED):
            move(session, visit, S.ELIGIBLE, now=now, code="day_over")
    return len(ids)


def history_of(session: Session, visit_id: uuid.UUID) -> list[VisitEvent]:
    """What happened to the visit, oldest first."""
    return list(
        session.scalars(
            sa.select(VisitEvent).where(VisitEvent.visit_id == visit_id).order_by(VisitEvent.at, VisitEvent.id)
        )
    )
