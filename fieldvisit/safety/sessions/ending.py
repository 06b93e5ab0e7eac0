"""Ending a session, moving its planned end, and taking a call for help back."""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.errors import Refused
from fieldvisit.models import SafetyAlert, SafetySession
from fieldvisit.safety.deadlines import due_at_the_door, heard, later, set_by_clock, timers_in_force
from fieldvisit.safety.drafts import Extension, Told
from fieldvisit.safety.events import SafetyEventKind
from fieldvisit.safety.opening import remember, told_of
from fieldvisit.safety.pins import Pin, PinNeeded, PinWrong, has_pin, judge_pin
from fieldvisit.safety.seeming import (
    extension_shown,
    move_on,
    seem,
    seem_extended,
    seems_over,
    seems_pressed,
    state_shown,
)
from fieldvisit.safety.sessions.duress import raise_duress, raise_wrong_pins
from fieldvisit.safety.sessions.own import lock_own, record
from fieldvisit.safety.sessions.refusals import AlertStillOpen, ExtensionTooLong, SessionNotActive
from fieldvisit.safety.sos import PRESS_S
from fieldvisit.safety.standing import AT_RISK, Standing, standing
from fieldvisit.safety.taking_over import has_taken_over, let_go
from fieldvisit.safety.timers import Timers, seconds
from fieldvisit.vocabulary import AlertKind, AlertOutcome, AlertState, SafetyState


def extend_session(session: Session, session_id: uuid.UUID, told: Extension) -> Standing:
    """Move the planned end, and only that: the next check-in stays due when it was."""
    row = lock_own(session, session_id, told.visitor_id)
    if not remember(session, row, told.event_id):
        return standing(session, row)
    seems, used_s, cap_s = row.state, row.extended_s, Timers.from_json(row.policy).extend_cap_s
    if row.duress:
        seems = state_shown(row, standing(session, row).now_at)
        used_s, cap_s = extension_shown(row)
    if seems is not SafetyState.ACTIVE:
        raise SessionNotActive(state=seems.value)
    if used_s + told.by_s > cap_s:
        raise ExtensionTooLong(cap_s=cap_s, used_s=used_s)
    if row.duress:
        seem_extended(row, told.by_s)
        session.flush()
        return standing(session, row)
    row.end_at = (row.end_at or row.started_at) + seconds(told.by_s)
    row.extended_s += told.by_s
    row.version += 1
    now = standing(session, row)
    record(session, now, told, SafetyEventKind.EXTENDED, by_s=told.by_s, reason=told.reason)
    return now


def end_session(session: Session, session_id: uuid.UUID, told: Told) -> Standing | Refused:
    """Stop watching. Needs the PIN of a visitor who has one; refused while an alert is open; ending what has ended
    changes nothing. The duress PIN seems to end it, and calls for help also when it has ended. A wrong PIN is a
    refusal of which the count stays."""
    row = lock_own(session, session_id, told.visitor_id)
    if row.state is SafetyState.PLANNED:
        raise SessionNotActive(state=row.state.value)
    if row.state is SafetyState.ENDED:
        return _end_once_more(session, row, told)
    if row.state not in AT_RISK or (row.duress and told_of(session, told.event_id)) or seems_over(row):
        return standing(session, row)
    judged = judge_pin(session, told.visitor_id, told.pin)
    if judged is Pin.DURESS:
        remember(session, row, told.event_id)
        return raise_duress(session, row, told, SafetyState.ENDED)
    if judged is Pin.NOT_GIVEN:
        raise PinNeeded()
    if judged is not Pin.RIGHT:
        if judged is Pin.WRONG_TOO_OFTEN:
            raise_wrong_pins(session, row, told)
        return Refused(PinWrong())
    seems = state_shown(row, standing(session, row).now_at) if row.duress else row.state
    if seems is SafetyState.ALARM:
        raise AlertStillOpen()
    if row.duress:
        remember(session, row, told.event_id)
        return move_on(session, row, SafetyState.ENDED)
    if not remember(session, row, told.event_id):
        return standing(session, row)
    now = standing(session, row)
    row.state, row.ended_at = SafetyState.ENDED, now.now_at
    row.version += 1
    record(session, now, told, SafetyEventKind.ENDED)
    return now


def _end_once_more(session: Session, row: SafetySession, told: Told) -> Standing:
    """Nothing ends twice; but the PIN is looked at, for who is made to end it once more calls for help by it."""
    if told.pin is None or told_of(session, told.event_id) is not None:
        return standing(session, row)
    judged = judge_pin(session, told.visitor_id, told.pin)
    if judged is Pin.DURESS:
        remember(session, row, told.event_id)
        return raise_duress(session, row, told, SafetyState.ENDED)
    if judged is Pin.WRONG_TOO_OFTEN:
        raise_wrong_pins(session, row, told)
    return standing(session, row)


def cancel_call(session: Session, session_id: uuid.UUID, told: Told) -> Standing | Refused:
    """Take back a call for help while it is being pressed, by the PIN. The duress PIN seems to, and so does the PIN
    under duress. Later it is too late for any: an officer speaks with the visitor first. An alarm that was up before
    the call stays up."""
    row = lock_own(session, session_id, told.visitor_id)
    if told_of(session, told.event_id) is not None:
        return standing(session, row)
    pressed = _being_pressed(session, row)
    judged = judge_pin(session, told.visitor_id, told.pin)
    seems = _before_the_call(row)
    if pressed is not None and has_taken_over(session, pressed.id):
        seems = SafetyState.ALARM
    in_time = pressed is not None or _seems_pressed(session, row)
    if judged is Pin.DURESS:
        remember(session, row, told.event_id)
        if in_time:
            return raise_duress(session, row, told, seems)
        raise_duress(session, row, told, state_shown(row, standing(session, row).now_at))
        return Refused(AlertStillOpen())
    if judged is Pin.NOT_GIVEN or not has_pin(session, told.visitor_id):
        raise PinNeeded()
    if judged is not Pin.RIGHT:
        if judged is Pin.WRONG_TOO_OFTEN:
            raise_wrong_pins(session, row, told)
        return Refused(PinWrong())
    if not in_time:
        raise AlertStillOpen()
    remember(session, row, told.event_id)
    if pressed is None:
        now = standing(session, row)
        seem(row, now.now_at, seems)
        session.flush()
        return now
    return _take_back(session, row, pressed, told=told, after=seems)


def _before_the_call(row: SafetySession) -> SafetyState:
    """How the session stood, as far as its phone may know: one without a planned end began with the call itself."""
    if row.never_started:
        return SafetyState.PLANNED
    end_at = row.shown["end_at"] if row.shown else row.end_at
    return SafetyState.ACTIVE if end_at is not None else SafetyState.ENDED


def _being_pressed(session: Session, row: SafetySession) -> SafetyAlert | None:
    return session.scalar(
        sa.select(SafetyAlert)
        .where(SafetyAlert.session_id == row.id, SafetyAlert.state == AlertState.PRE)
        .execution_options(populate_existing=True)
    )


def _seems_pressed(session: Session, row: SafetySession) -> bool:
    """Under duress a call waits behind the covert alert from its first moment, or joins the one that was made covertly:
    its phone may not be told."""
    if not row.duress:
        return False
    now_at = standing(session, row).now_at
    if seems_pressed(row, now_at):
        return True
    pressed = sa.select(SafetyAlert.id).where(
        SafetyAlert.session_id == row.id,
        SafetyAlert.kind == AlertKind.SOS,
        SafetyAlert.state != AlertState.RESOLVED,
        SafetyAlert.parent_id.is_not(None),
        SafetyAlert.covert.is_(False),
        SafetyAlert.opened_at > now_at - seconds(PRESS_S),
    )
    return bool(session.scalar(sa.select(pressed.exists())))


def _take_back(session: Session, row: SafetySession, alert: SafetyAlert, *, told: Told, after: SafetyState) -> Standing:
    timers = timers_in_force(row)

    def values(now: sa.ColumnElement[dt.datetime]) -> dict[str, object]:
        if after is SafetyState.ENDED:
            return {"state": SafetyState.ENDED, "ended_at": now}
        if after is SafetyState.PLANNED:
            return {"state": SafetyState.PLANNED, "started_at": SafetySession.planned_at}
        if after is SafetyState.ALARM:
            return heard(timers, told, now)
        fresh = heard(timers, told, now) | later(due_at_the_door(timers, now))
        return fresh | {"state": SafetyState.ACTIVE, "generation": SafetySession.generation + 1}

    at = set_by_clock(session, row, values)
    alert.state, alert.outcome, alert.resolved_at = AlertState.RESOLVED, AlertOutcome.CANCELLED_BY_VISITOR, at
    alert.next_action_at = None
    alert.version += 1
    session.flush()
    now = Standing(row, at)
    # What silence raised, or the phone, was not called off by this: it climbs on.
    left = let_go(session, alert.id, at=at)
    said = {"alert_id": str(alert.id)} | ({"goes_on_id": str(left)} if left else {})
    record(session, now, told, SafetyEventKind.CANCELLED_BY_VISITOR, **said)
    return now
