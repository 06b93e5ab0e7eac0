"""Handing a shift over with what is open: one officer offers it, another takes it, and at no moment is it nobody's."""

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from fieldvisit.clock import database_now, one_moment
from fieldvisit.errors import FieldVisitError, Kind, NotFound
from fieldvisit.models import DutyShift, SafetyAlert
from fieldvisit.safety.alerts import SelfHandling, lock_alert, pass_on, record, refuse_unfit
from fieldvisit.safety.drafts import Officer
from fieldvisit.safety.events import SafetyEventKind
from fieldvisit.safety.hints import give_hint
from fieldvisit.safety.roster import demand_officer, has_alarm_line, keeping_cover
from fieldvisit.vocabulary import AlertState


class NotYourShift(FieldVisitError):
    code, kind = "not_your_shift", Kind.FORBIDDEN
    says = "A shift is offered, and taken back, by whose it is; it is taken by whom it was offered to."


class ShiftOver(FieldVisitError):
    code, kind = "shift_over", Kind.CONFLICT
    says = "This shift is over."


class NotReachable(FieldVisitError):
    """Whoever takes a shift has to be reached by an alarm."""

    code, kind = "not_reachable", Kind.CONFLICT
    says = "No alarm would reach this officer: a number or an address is needed first. A push alone is none."


@dataclass(frozen=True)
class TakenOver:
    """The shift as it goes on; the alerts that went with it, and those that stay with their owner because the one who
    took the shift may not handle them."""

    shift: DutyShift
    alert_ids: tuple[uuid.UUID, ...]
    kept_ids: tuple[uuid.UUID, ...]


def offer_duty(session: Session, shift_id: uuid.UUID, by: Officer, to: uuid.UUID) -> DutyShift:
    """Ask another officer to take this shift, from whenever they do. Until then its owner is called as before."""
    shift = _lock(session, shift_id)
    if shift.account_id != by.account_id or to == by.account_id:
        raise NotYourShift()
    demand_officer(session, to)
    if not has_alarm_line(session, to):
        raise NotReachable()
    shift.offered_to_id = to
    session.flush()
    return shift


def withdraw_offer(session: Session, shift_id: uuid.UUID, by: Officer) -> None:
    """Take the offer back, or decline it. Who declined it last is told the same again, whatever became of it since."""
    shift = _find(session, shift_id)
    declined = shift.declined_by_id == by.account_id and by.account_id not in (shift.account_id, shift.offered_to_id)
    if declined:
        return
    _demand_ahead(session, shift)
    if by.account_id not in (shift.account_id, shift.offered_to_id):
        raise NotYourShift()
    if shift.offered_to_id == by.account_id:
        shift.declined_by_id = by.account_id
    shift.offered_to_id = None
    session.flush()


def take_duty(session: Session, shift_id: uuid.UUID, by: Officer) -> TakenOver:
    """Take an offered shift, with the alerts that its owner holds where it has begun: who takes one that lies ahead is
    not on duty now. One transaction: the one shift ends at the moment at which the other begins. Alerts that nobody
    holds call both: who was on duty when they opened stays on them. Whoever has taken it and has it still is told so.
    Raises CoverNeeded where visitors are out, and an alarm about one of them would reach the one but not the other.
    """
    # Alerts first, under the locks of their sessions: the order that everybody keeps.
    offered = sa.select(DutyShift.account_id, DutyShift.starts_at <= database_now()).where(DutyShift.id == shift_id)
    found = session.execute(offered).one_or_none()
    if found is None:
        raise NotFound(what="duty shift", id=shift_id)
    giver, begun = found
    demand_officer(session, by.account_id)
    if (mine := _taken_before(session, shift_id, by)) is not None:
        return mine
    taken, kept = _take_alerts(session, giver, by) if begun else ((), ())
    with keeping_cover(session, session.info["org"]):
        shift = _lock(session, shift_id)
        if shift.offered_to_id != by.account_id or shift.account_id != giver:
            raise NotYourShift()
        if not has_alarm_line(session, by.account_id):
            raise NotReachable()
        now: dt.datetime = session.scalars(sa.select(database_now())).one()
        return TakenOver(_hand_over(session, shift, by, now), taken, kept)


def _hand_over(session: Session, shift: DutyShift, by: Officer, now: dt.datetime) -> DutyShift:
    """The shift that goes on as this officer's: what is left of it, or all of one that has not begun."""
    giver, shift.offered_to_id = shift.account_id, None
    if shift.starts_at >= now:
        shift.account_id, shift.taken_from_id, shift.declined_by_id = by.account_id, giver, None
        session.flush()
        session.expire(shift, ["account"])
        return shift
    following = DutyShift(
        org_id=shift.org_id,
        account_id=by.account_id,
        rank=shift.rank,
        starts_at=now,
        ends_at=shift.ends_at,
        taken_from_id=giver,
    )
    shift.ends_at = now
    session.add(following)
    session.flush()
    return following


def _taken_before(session: Session, shift_id: uuid.UUID, by: Officer) -> TakenOver | None:
    """What became of this shift, where it is this officer's and not over: with the alerts that they hold now, and those
    of the one before that they may not handle."""
    was, now = aliased(DutyShift), database_now()
    follows = sa.and_(
        DutyShift.taken_from_id == was.account_id, DutyShift.starts_at == was.ends_at, DutyShift.rank == was.rank
    )
    mine = session.scalars(
        sa.select(DutyShift)
        .join(was, was.id == shift_id)
        .where(DutyShift.account_id == by.account_id, DutyShift.taken_from_id.is_not(None), DutyShift.ends_at > now)
        .where(sa.or_(DutyShift.id == was.id, follows))
    ).first()
    if mine is None or mine.taken_from_id is None:
        return None
    if mine.starts_at > session.scalars(sa.select(now)).one():
        return TakenOver(mine, (), ())
    held = tuple(session.scalars(_held_by(by.account_id)).all())
    return TakenOver(mine, held, _unfit_for(session, mine.taken_from_id, by))


def _unfit_for(session: Session, giver: uuid.UUID, by: Officer) -> tuple[uuid.UUID, ...]:
    unfit = []
    for alert_id in session.scalars(_held_by(giver)).all():
        try:
            refuse_unfit(session, session.get_one(SafetyAlert, alert_id).session, by)
        except SelfHandling:
            unfit.append(alert_id)
    return tuple(unfit)


def _held_by(account_id: uuid.UUID) -> sa.Select[uuid.UUID]:
    held = SafetyAlert.owner_id == account_id, SafetyAlert.state == AlertState.ACKNOWLEDGED
    return sa.select(SafetyAlert.id).where(*held).order_by(SafetyAlert.session_id, SafetyAlert.id)


def lapse_alerts_of(session: Session, account_ids: Collection[uuid.UUID]) -> None:
    """Whoever has left acts on nothing any more: the alerts that these accounts hold lapse now, on the engine's next
    turn, and climb on."""
    held = SafetyAlert.owner_id.in_(account_ids), SafetyAlert.state == AlertState.ACKNOWLEDGED
    # In the order in which everybody locks several.
    found = sa.select(SafetyAlert.id).where(*held).order_by(SafetyAlert.id).with_for_update(key_share=True)
    alert_ids = session.scalars(found).all()
    if not alert_ids:
        return
    now = one_moment()
    session.execute(
        sa.update(SafetyAlert)
        .where(SafetyAlert.id.in_(alert_ids))
        .values(next_action_at=now, ack_until=now, version=SafetyAlert.version + 1),
        execution_options={"synchronize_session": False},
    )
    give_hint(session)


def _take_alerts(
    session: Session, giver: uuid.UUID, by: Officer
) -> tuple[tuple[uuid.UUID, ...], tuple[uuid.UUID, ...]]:
    taken, kept = [], []
    for alert_id in session.scalars(_held_by(giver)).all():
        try:
            alert = lock_alert(session, alert_id, by)
        except SelfHandling:
            kept.append(alert_id)
            continue
        if alert.owner_id != giver or alert.state is not AlertState.ACKNOWLEDGED:
            continue
        at: dt.datetime = session.scalars(sa.select(database_now())).one()
        pass_on(alert, by, at)
        record(session, alert, by, SafetyEventKind.HANDED_OVER, at=at, from_id=str(giver), with_duty=True)
        taken.append(alert.id)
    return tuple(taken), tuple(kept)


def _lock(session: Session, shift_id: uuid.UUID) -> DutyShift:
    shift = _find(session, shift_id)
    _demand_ahead(session, shift)
    return shift


def _find(session: Session, shift_id: uuid.UUID) -> DutyShift:
    shift = session.get(DutyShift, shift_id, with_for_update={"of": DutyShift}, populate_existing=True)
    if shift is None:
        raise NotFound(what="duty shift", id=shift_id)
    return shift


def _demand_ahead(session: Session, shift: DutyShift) -> None:
    if shift.ends_at <= session.scalars(sa.select(database_now())).one():
        raise ShiftOver()
