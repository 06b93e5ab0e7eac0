"""Being heard of: a check-in says that the visitor is safe, a beat that the phone is there."""

import datetime as dt
import uuid
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.errors import Refused
from fieldvisit.models import SafetyAlert, SafetySession
from fieldvisit.safety.deadlines import heard, set_by_clock
from fieldvisit.safety.drafts import Told
from fieldvisit.safety.events import SafetyEventKind, append_all
from fieldvisit.safety.hearing import write_heard
from fieldvisit.safety.opening import remember, remember_all, told_of
from fieldvisit.safety.pins import Pin, PinNeeded, PinWrong, has_pin, judge_pin
from fieldvisit.safety.seeming import move_on, state_shown
from fieldvisit.safety.sessions.duress import raise_duress, raise_wrong_pins
from fieldvisit.safety.sessions.own import entry_of, lock_and_remember, lock_own, record
from fieldvisit.safety.standing import AT_RISK, Standing, standing
from fieldvisit.safety.timers import Timers
from fieldvisit.vocabulary import AlertKind, AlertState, SafetyState

TIMED = (
    AlertKind.MISSED_CHECKIN,
    AlertKind.OVERRUN,
    AlertKind.NOT_ARRIVED,
    AlertKind.LEFT_WITHOUT_ENDING,
    AlertKind.PARTNER_CALLS,
    AlertKind.UNWATCHED,
    AlertKind.LOST_CONTACT,
)
"""Alerts that a check-in bears on. A call for help is not taken back by one."""


def check_in(session: Session, session_id: uuid.UUID, told: Told) -> Standing | Refused:
    """The visitor says: I am safe. Deadlines move later, never earlier; an alarm is never lowered by it.

    Where the rules of the house say so, with the PIN of a visitor who has one (PinNeeded without). A PIN that is given
    is judged whether it is asked for or not: the duress PIN seems to check in, a wrong one is a refusal of which the
    count stays.
    """
    row, fresh = lock_and_remember(session, session_id, told)
    if not fresh:
        if told_of(session, told.event_id) is not None:
            # Raises where it was told of another session.
            remember(session, row, told.event_id)
            return standing(session, row)
        refused = _judged(session, row, told)
        if refused is not None:
            return refused
        if not remember(session, row, told.event_id):
            return standing(session, row)
    return (_move_deadlines if row.state is SafetyState.ACTIVE else keep_as_evidence)(session, row, told)


def _judged(session: Session, row: SafetySession, told: Told) -> Standing | Refused | None:
    """What becomes of a check-in that is not one by its PIN; None where it is. Raises PinNeeded."""
    if row.state not in AT_RISK:
        return None
    if told.pin is None:
        if row.pin_at_check_in and has_pin(session, row.visitor_id):
            raise PinNeeded()
        return None
    judged = judge_pin(session, row.visitor_id, told.pin)
    if judged is Pin.DURESS:
        remember(session, row, told.event_id)
        return raise_duress(session, row, told, _seems_after(row, standing(session, row).now_at))
    if judged is Pin.RIGHT:
        return None
    if judged is Pin.WRONG_TOO_OFTEN:
        raise_wrong_pins(session, row, told)
    return Refused(PinWrong())


def _seems_after(row: SafetySession, at: dt.datetime) -> SafetyState:
    """How the phone is shown its session after a check-in: what seems over stays so, and no alarm is lowered."""
    before = state_shown(row, at) if row.duress else row.state
    return SafetyState.ACTIVE if before is SafetyState.PLANNED else before


def hear_all(
    session: Session, session_id: uuid.UUID, heard_of: Sequence[tuple[bool, Told]]
) -> list[Standing | Refused]:
    """Several check-ins (True) and beats of one session, as one after another would have left it, in one writing."""
    row = lock_own(session, session_id, heard_of[0][1].visitor_id)
    by_pin = row.pin_at_check_in or any(told.pin is not None for _, told in heard_of)
    if row.state is not SafetyState.ACTIVE or row.lost_contact or by_pin:
        return [(check_in if pressed else beat)(session, session_id, told) for pressed, told in heard_of]
    fresh = remember_all(session, row, [told.event_id for pressed, told in heard_of if pressed])
    first = dict.fromkeys((pressed, told) for pressed, told in heard_of if not pressed or told.event_id in fresh)
    news, presses = [told for _, told in first], [told for pressed, told in first if pressed]
    if not news:
        return [*[standing(session, row)] * len(heard_of)]
    generation = row.generation
    at = write_heard(session, row, news, presses)
    entries = [
        entry_of(Standing(row, at), told, SafetyEventKind.CHECKED_IN, generation=number, contact_regained=False)
        for number, told in enumerate(presses, start=generation + 1)
    ]
    append_all(session, [(row, entry) for entry in entries])
    return [*[Standing(row, at)] * len(heard_of)]


def beat(session: Session, session_id: uuid.UUID, told: Told) -> Standing:
    """The phone is there: contact holds. Says nothing of the visitor, so no check-in moves; leaves an event only when
    contact had been lost. An ended session keeps no position."""
    row = lock_own(session, session_id, told.visitor_id)
    if row.state not in AT_RISK:
        return standing(session, row)
    was_lost = row.lost_contact
    at = write_heard(session, row, [told], [])
    if was_lost:
        record(session, Standing(row, at), told, SafetyEventKind.CONTACT_REGAINED)
    return Standing(row, at)


def _move_deadlines(session: Session, row: SafetySession, told: Told) -> Standing:
    was_lost = row.lost_contact
    now = Standing(row, write_heard(session, row, [told], [told]))
    record(session, now, told, SafetyEventKind.CHECKED_IN, generation=row.generation, contact_regained=was_lost)
    return now


def keep_as_evidence(session: Session, row: SafetySession, told: Told) -> Standing:
    """A check-in that comes when the alarm is up, or after the end: the officer sees it, and nothing else changes."""
    at = standing(session, row).now_at
    if row.duress:
        move_on(session, row, SafetyState.ACTIVE)
    if row.state is SafetyState.ALARM:
        timers = Timers.from_json(row.policy)
        at = set_by_clock(session, row, lambda now: heard(timers, told, now))
        session.execute(
            sa.update(SafetyAlert)
            .where(
                SafetyAlert.session_id == row.id, SafetyAlert.state != AlertState.RESOLVED, SafetyAlert.kind.in_(TIMED)
            )
            .values(visitor_reports_safe_at=at, version=SafetyAlert.version + 1)
        )
    now = Standing(row, at)
    record(session, now, told, SafetyEventKind.CHECKED_IN_LATE, state=row.state.value)
    return now
