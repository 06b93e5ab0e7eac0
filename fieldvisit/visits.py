"""The life of a visit: who opens it, what moves it on, what ends it.

The moves are written once, in `MOVES`; everything that changes a state goes through `move`, on a row its caller has
locked: it refuses what the life does not know, counts the version and writes the event.
"""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from fieldvisit.errors import FieldVisitError, InvalidValue, Kind, NotFound
from fieldvisit.ids import new_id
from fieldvisit.models import SafetySession, Visit, VisitEvent
from fieldvisit.together import together, write
from fieldvisit.vocabulary import BlockTrigger, NextStep, NotDone, SafetyState, VisitState

S = VisitState
LIVE = (S.REQUESTED, S.ELIGIBLE, S.PLANNED, S.PUBLISHED, S.UNDER_WAY, S.ARRIVED)
BEGUN = (S.UNDER_WAY, S.ARRIVED)

# From → where a visit may go. A phone may be late: arrival without setting out, a report without either, are lawful; so
# is a report of what was given back, planned anew, cancelled or expired while the phone had no signal. An arrival
# that was none is undone. One that was set out for and never arrived at waits again when its day is long over.
MOVES: dict[VisitState, frozenset[VisitState]] = {
    S.REQUESTED: frozenset({S.ELIGIBLE, S.CANCELLED, S.EXPIRED}),
    S.ELIGIBLE: frozenset({S.PLANNED, S.REPORTED, S.CANCELLED, S.EXPIRED}),
    S.PLANNED: frozenset({S.PUBLISHED, S.REPORTED, S.ELIGIBLE, S.CANCELLED}),
    S.PUBLISHED: frozenset({S.UNDER_WAY, S.ARRIVED, S.REPORTED, S.ELIGIBLE, S.CANCELLED}),
    S.UNDER_WAY: frozenset({S.ARRIVED, S.REPORTED, S.ELIGIBLE, S.CANCELLED}),
    S.ARRIVED: frozenset({S.REPORTED, S.CANCELLED, S.UNDER_WAY}),
    S.REPORTED: frozenset({S.CLOSED}),
    S.CLOSED: frozenset(),
    S.CANCELLED: frozenset({S.REPORTED}),
    S.EXPIRED: frozenset({S.REPORTED}),
}


class CancelReason(StrEnum):
    """Why a person takes a visit away. A contact block that does it gives its trigger instead."""

    BY_HAND = "by_hand"
    LENDER_ASKED = "lender_asked"
    AGREED_OTHERWISE = "agreed_otherwise"
    WRONG_PLACE = "wrong_place"
    NOBODY_TO_SEND = "nobody_to_send"


class CalledOff(StrEnum):
    """Why nobody may make a visit any more. It follows from the case; no person gives it as a reason."""

    PLACEMENT_ENDED = "placement_ended"
    NO_LONGER_LAWFUL = "no_longer_lawful"
    PLACED_AWAY = "placed_away"
    CASE_CLOSED = "case_closed"
    LEGAL_STEP = "legal_step"


Cancellation = BlockTrigger | CancelReason | CalledOff


class WrongState(FieldVisitError):
    """The visit is not where this move begins."""

    code, kind = "wrong_state", Kind.CONFLICT
    says = "Visit {reference} is {state}; it cannot become {wanted}."


class VisitCancelled(FieldVisitError):
    code, kind = "visit_cancelled", Kind.CONFLICT
    says = "Visit {reference} was cancelled: {reason}."


class ChangedMeanwhile(FieldVisitError):
    code, kind = "changed_meanwhile", Kind.CONFLICT
    says = "Visit {reference} was changed meanwhile: it is at version {version}, you looked at {given}. Look again."


class PlannedAlready(FieldVisitError):
    code, kind = "planned_already", Kind.CONFLICT
    says = "Visit {reference} is {state}: what the planner was told can no longer be changed."


class NotYourVisit(FieldVisitError):
    """The owner of the case sees the visit, and may cancel it; the rest is for those who go."""

    code, kind = "not_your_visit", Kind.FORBIDDEN
    says = "Visit {reference} is made by another organisation."


@dataclass(frozen=True, kw_only=True)
class VisitChange:
    """What a dispatcher changes of a visit as they saw it in `version`; None leaves a value as it is."""

    version: int
    requires: tuple[str, ...] | None = None
    people: int | None = None
    service_s: int | None = None
    value_s: int | None = None
    last_on: dt.date | None = None

    def __post_init__(self) -> None:
        if self.people is not None and not 1 <= self.people <= 3:
            raise InvalidValue(path="people", reason="must be one to three")
        if self.service_s is not None and not 60 <= self.service_s <= 4 * 3_600:
            raise InvalidValue(path="service_s", reason="must lie between a minute and four hours")
        if self.value_s is not None and not 0 <= self.value_s <= 86_400:
            raise InvalidValue(path="value_s", reason="must lie between nothing and a day")

    @property
    def values(self) -> dict[str, object]:
        asked = {
            "requires": None if self.requires is None else sorted(set(self.requires)),
            "people": self.people,
            "service_s": self.service_s,
            "value_s": self.value_s,
            "last_on": self.last_on,
        }
        return {name: value for name, value in asked.items() if value is not None}


def visits_where(
    *,
    state: VisitState | None = None,
    planned_on: dt.date | None = None,
    case_id: uuid.UUID | None = None,
    not_done: NotDone | None = None,
) -> sa.Select[Visit]:
    """The visits one may see, all or those that fit; the caller states the order."""
    asked = {Visit.state: state, Visit.planned_on: planned_on, Visit.case_id: case_id, Visit.not_done: not_done}
    return sa.select(Visit).where(*(column == value for column, value in asked.items() if value is not None))


def get_visit(session: Session, visit_id: uuid.UUID, *, lock: bool = False) -> Visit:
    """The visit with its case, debtor and place; NotFound where it is not this organisation's to see."""
    gathered = together(session)
    if gathered is not None and visit_id in gathered.visits:
        return gathered.visits[visit_id]
    query = sa.select(Visit).where(Visit.id == visit_id)
    if lock:
        # FOR NO KEY UPDATE: whoever has just written a row that refers to the visit holds its key, and two who did so
        # and then asked for the whole row would wait for each other for ever.
        query = query.with_for_update(key_share=True)
    else:
        query = query.options(joinedload(Visit.case), joinedload(Visit.debtor), joinedload(Visit.place))
    visit = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if visit is None:
        raise NotFound(what="visit", id=visit_id)
    return visit


def get_visit_by_reference(session: Session, reference: str) -> Visit:
    """The visit that people call by this name."""
    visit = session.scalars(
        sa.select(Visit)
        .where(Visit.reference == reference)
        .options(joinedload(Visit.case), joinedload(Visit.debtor), joinedload(Visit.place))
    ).one_or_none()
    if visit is None:
        raise NotFound(what="visit", id=reference)
    return visit


def lock_visits(session: Session, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Visit]:
    """These visits under lock, in the order of their ids, so that two who lock the same set never wait in a circle."""
    rows = session.scalars(
        sa.select(Visit)
        .where(Visit.id.in_(set(ids)))
        .order_by(Visit.id)
        .with_for_update(key_share=True)
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
    flush: bool = True,
    **detail: Any,
) -> Visit:
    """Bring a visit, locked by the caller, to another state. The event says when and why, unless one is given.

    `flush` False: the caller moves many and writes them at once. Raises WrongState, or VisitCancelled where that is
    why.
    """
    demand_may_become(visit, to)
    visit.state = to
    visit.version += 1
    visit.updated_at = now
    if to in (S.PUBLISHED, S.REPORTED):
        visit.not_done, visit.not_done_on = None, None
    if to in (S.ELIGIBLE, S.CANCELLED):
        # The slot of the day is free again; a cancelled visit stays in its plan, so that the phone hears of it.
        visit.planned_on = None if to is S.ELIGIBLE else visit.planned_on
        visit.plan_id = None if to is S.ELIGIBLE else visit.plan_id
    write(session, event or note_event(visit, to.value, now=now, **detail), flush=flush)
    return visit


def demand_may_become(visit: Visit, to: VisitState) -> None:
    """Raise VisitCancelled or WrongState where the visit's life has no such move."""
    if to in MOVES[visit.state]:
        return
    if visit.state is S.CANCELLED:
        raise cancelled(visit)
    raise WrongState(reference=visit.reference, state=visit.state, wanted=to)


def cancelled(visit: Visit) -> VisitCancelled:
    """The refusal that a cancelled visit is answered with, and why it was cancelled."""
    return VisitCancelled(reference=visit.reference, reason=why_cancelled(visit))


def why_cancelled(visit: Visit) -> Cancellation:
    """The reason, which can be said in any language."""
    code = visit.cancelled_reason["code"]
    kinds: tuple[type[Cancellation], ...] = (BlockTrigger, CancelReason, CalledOff)
    return next(kind(code) for kind in kinds if code in kind)


def note_event(visit: Visit, kind: str, *, now: dt.datetime, **detail: Any) -> VisitEvent:
    """An entry of the visit's history. `detail` holds ids and codes, never personal data."""
    whose = {"org_id": visit.org_id, "lender_id": visit.lender_id}
    return VisitEvent(id=new_id(), **whose, visit_id=visit.id, at=now, kind=kind, detail=detail)


def cancel_visit(
    session: Session, visit_id: uuid.UUID, *, reason: CancelReason, now: dt.datetime, **facts: Any
) -> Visit:
    """Cancel what has not been reported. `facts` are ids and codes, kept with the reason."""
    return cancel(session, get_visit(session, visit_id, lock=True), reason=reason, now=now, **facts)


def cancel(
    session: Session, visit: Visit, *, reason: Cancellation, now: dt.datetime, flush: bool = True, **facts: Any
) -> Visit:
    """The same for a visit that the caller has locked; `flush` as for `move`."""
    demand_may_become(visit, S.CANCELLED)
    visit.cancelled_reason = {"code": reason.value, **facts}
    return move(session, visit, S.CANCELLED, now=now, flush=flush, code=reason.value, **facts)


def change_visit(session: Session, visit_id: uuid.UUID, change: VisitChange, *, now: dt.datetime) -> Visit:
    """Change what the planner is told of a visit. Raises ChangedMeanwhile, and PlannedAlready once it is planned."""
    visit = get_own_visit(session, visit_id)
    if visit.version != change.version:
        raise ChangedMeanwhile(reference=visit.reference, version=visit.version, given=change.version)
    # A plan is made with these values: what is planned goes back to eligible first, or is cancelled.
    if visit.state not in (S.REQUESTED, S.ELIGIBLE):
        raise PlannedAlready(reference=visit.reference, state=visit.state)
    for name, value in change.values.items():
        setattr(visit, name, value)
    visit.version += 1
    visit.updated_at = now
    session.add(note_event(visit, "changed", now=now, fields=sorted(change.values)))
    session.flush()
    return visit


def close_visit(session: Session, visit_id: uuid.UUID, *, next_step: NextStep, now: dt.datetime) -> Visit:
    """Accept the report: a person has decided what comes next."""
    visit = get_own_visit(session, visit_id)
    demand_may_become(visit, S.CLOSED)
    visit.next_step = next_step
    return move(session, visit, S.CLOSED, now=now, next_step=next_step.value)


def get_own_visit(session: Session, visit_id: uuid.UUID) -> Visit:
    """The visit under lock, for those who go: the owner of the case gets NotYourVisit."""
    visit = get_visit(session, visit_id, lock=True)
    if visit.org_id != session.info["org"]:
        raise NotYourVisit(reference=visit.reference)
    return visit


def expire_visits(session: Session, now: dt.datetime, today: dt.date) -> int:
    """End every visit of this organisation that waited past its last date, by its own calendar; how many."""
    waiting = Visit.state.in_((S.REQUESTED, S.ELIGIBLE))
    ids = session.scalars(sa.select(Visit.id).where(_own(session), waiting, Visit.last_on < today)).all()
    for visit in lock_visits(session, ids).values():
        if visit.state in (S.REQUESTED, S.ELIGIBLE):
            move(session, visit, S.EXPIRED, now=now)
    return len(ids)


def return_unbegun(session: Session, now: dt.datetime, today: dt.date) -> int:
    """Give back to eligible what this organisation planned for a day that is over by its own calendar and never began;
    how many."""
    unbegun = Visit.state.in_((S.PLANNED, S.PUBLISHED))
    ids = session.scalars(sa.select(Visit.id).where(_own(session), unbegun, Visit.planned_on < today)).all()
    for visit in lock_visits(session, ids).values():
        if visit.state is S.PUBLISHED:
            give_back(session, visit, NotDone.DAY_OVER, now=now)
        elif visit.state is S.PLANNED:
            # Nobody outside the office ever had it: what was not done before still is why it waits.
            move(session, visit, S.ELIGIBLE, now=now, code=NotDone.DAY_OVER.value)
    return len(ids)


def return_unarrived(session: Session, now: dt.datetime, today: dt.date) -> int:
    """Give back to eligible what this organisation set out for on a day before `today` and never arrived at; how many.

    `today` is the date by its own calendar of when the house waits no longer. As long as somebody is watched over at
    the visit it is not over.
    """
    watched = sa.select(SafetySession.id).where(
        SafetySession.visit_id == Visit.id, SafetySession.state.in_((SafetyState.ACTIVE, SafetyState.ALARM))
    )
    lost = _own(session), Visit.state == S.UNDER_WAY, Visit.planned_on < today, ~watched.exists()
    ids = session.scalars(sa.select(Visit.id).where(*lost)).all()
    returned = [visit for visit in lock_visits(session, ids).values() if visit.state is S.UNDER_WAY]
    for visit in returned:
        give_back(session, visit, NotDone.NOT_ARRIVED, now=now)
    return len(returned)


def give_back(
    session: Session, visit: Visit, why: NotDone, *, now: dt.datetime, event: VisitEvent | None = None
) -> Visit:
    """Let a visit, locked by the caller, wait to be planned again, and say why it was not done on its day."""
    visit.not_done, visit.not_done_on = why, visit.planned_on
    visit.under_way_at = None
    return move(session, visit, S.ELIGIBLE, now=now, event=event, code=why.value)


def _own(session: Session) -> sa.ColumnElement[bool]:
    # The owner of a case sees the visits to it, whose day ends by the clock of those who go.
    org_id: uuid.UUID = session.info["org"]
    return Visit.org_id == org_id


def history_of(session: Session, visit_id: uuid.UUID) -> list[VisitEvent]:
    """What happened to the visit, oldest first."""
    return list(
        session.scalars(
            sa.select(VisitEvent).where(VisitEvent.visit_id == visit_id).order_by(VisitEvent.at, VisitEvent.id)
        )
    )
