"""What a visitor does with a safety session: start it, check in, extend it, end it, and be heard of meanwhile.

Every change happens under the lock on the session's row and by the database's clock. The engine looks for expired
deadlines under the same lock, so a check-in and an alarm can never both win.
"""

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.errors import AlreadyExists, FieldVisitError, InvalidValue, Kind
from fieldvisit.languages import Message
from fieldvisit.models import SafetyAlert, SafetySession
from fieldvisit.safety.deadlines import due, heard, later, set_by_clock
from fieldvisit.safety.drafts import Extension, SessionDraft, Told
from fieldvisit.safety.events import Entry, SafetyEventKind, append
from fieldvisit.safety.opening import find_open, insert_session, remember
from fieldvisit.safety.standing import AT_RISK, OPEN, Standing, lock_session, standing
from fieldvisit.safety.timers import Timers, seconds, timers_for
from fieldvisit.vocabulary import AlertKind, AlertState, SafetyState

TIMED = (AlertKind.MISSED_CHECKIN, AlertKind.OVERRUN, AlertKind.LOST_CONTACT)
"""Alerts that a check-in bears on. A call for help is not taken back by one."""


class SessionAlreadyOpen(FieldVisitError):
    """A visitor is in one place at a time."""

    code, kind = "session_already_open", Kind.CONFLICT
    says = "You have another safety session open. End that one first."


class SessionNotActive(FieldVisitError):
    code, kind = "session_not_active", Kind.CONFLICT
    says = "The safety session is not running; its state is {state}."


class AlertStillOpen(FieldVisitError):
    code, kind = "alert_still_open", Kind.CONFLICT
    says = "An alert is open. The safety officer speaks with you first and closes it; then the session ends."


class ExtensionTooLong(FieldVisitError):
    code, kind = "extension_too_long", Kind.CONFLICT
    says = "A session may be extended by {cap_s} s in all; {used_s} s are used."


def start_session(session: Session, draft: SessionDraft, *, allow_drill: bool = False) -> Standing:
    """Start watching over a visitor. The same id again is the same session, however it stands by then."""
    if session.get(SafetySession, draft.event_id) is not None:
        return _started_before(session, draft)
    timers = timers_for(draft.level, allow_drill=allow_drill)
    if draft.planned_s > timers.longest_s:
        raise InvalidValue(path="planned_s", reason=Message("at most {max} s at this level", {"max": timers.longest_s}))
    row = insert_session(session, draft, timers, session_id=draft.event_id)
    return standing(session, row) if row else _started_before(session, draft)


def check_in(session: Session, session_id: uuid.UUID, told: Told) -> Standing:
    """The visitor says: I am safe. Deadlines move later, never earlier; an alarm is never lowered by it."""
    row = lock_session(session, session_id, visitor_id=told.visitor_id)
    if not remember(session, row, told.event_id):
        return standing(session, row)
    return (_move_deadlines if row.state is SafetyState.ACTIVE else _keep_as_evidence)(session, row, told)


def extend_session(session: Session, session_id: uuid.UUID, told: Extension) -> Standing:
    """Move the planned end, and only that: the next check-in stays due when it was."""
    row = lock_session(session, session_id, visitor_id=told.visitor_id)
    if not remember(session, row, told.event_id):
        return standing(session, row)
    cap_s = Timers.from_json(row.policy).extend_cap_s
    if row.state is not SafetyState.ACTIVE:
        raise SessionNotActive(state=row.state.value)
    if row.extended_s + told.by_s > cap_s:
        raise ExtensionTooLong(cap_s=cap_s, used_s=row.extended_s)
    row.end_at = (row.end_at or row.started_at) + seconds(told.by_s)
    row.extended_s += told.by_s
    row.version += 1
    now = standing(session, row)
    _record(session, now, told, SafetyEventKind.EXTENDED, by_s=told.by_s, reason=told.reason)
    return now


def end_session(session: Session, session_id: uuid.UUID, told: Told) -> Standing:
    """Stop watching. Refused while an alert is open; ending what has ended changes nothing."""
    row = lock_session(session, session_id, visitor_id=told.visitor_id)
    if row.state is SafetyState.ALARM:
        raise AlertStillOpen()
    if row.state not in OPEN or not remember(session, row, told.event_id):
        return standing(session, row)
    now = standing(session, row)
    row.state, row.ended_at = SafetyState.ENDED, now.now_at
    row.version += 1
    _record(session, now, told, SafetyEventKind.ENDED)
    return now


def beat(session: Session, session_id: uuid.UUID, told: Told) -> Standing:
    """The phone is there: contact holds. Says nothing of the visitor, so no check-in moves; leaves an event only when
    contact had been lost. An ended session keeps no position."""
    row = lock_session(session, session_id, visitor_id=told.visitor_id)
    if row.state not in AT_RISK:
        return standing(session, row)
    was_lost, timers = row.lost_contact, Timers.from_json(row.policy)
    at = set_by_clock(session, row, lambda now: heard(timers, told, now))
    if was_lost:
        _record(session, Standing(row, at), told, SafetyEventKind.CONTACT_REGAINED)
    return Standing(row, at)


def _move_deadlines(session: Session, row: SafetySession, told: Told) -> Standing:
    timers, was_lost = Timers.from_json(row.policy), row.lost_contact
    # Counted from the press, not from its arrival: a check-in that waited for the network says nothing of the minutes
    # in between. The new generation makes every engine that read the old deadlines come too late.
    at = set_by_clock(
        session,
        row,
        lambda now: (
            heard(timers, told, now)
            | later(due(timers, now - seconds(told.age_s)))
            | {"generation": SafetySession.generation + 1}
        ),
    )
    now = Standing(row, at)
    _record(session, now, told, SafetyEventKind.CHECKED_IN, generation=row.generation, contact_regained=was_lost)
    return now


def _keep_as_evidence(session: Session, row: SafetySession, told: Told) -> Standing:
    """A check-in that comes when the alarm is up, or after the end: the officer sees it, and nothing else changes."""
    at = standing(session, row).now_at
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
    _record(session, now, told, SafetyEventKind.CHECKED_IN_LATE, state=row.state.value)
    return now


def _started_before(session: Session, draft: SessionDraft) -> Standing:
    """The answer where the id or the visitor has a session already."""
    if session.get(SafetySession, draft.event_id) is not None:
        return standing(session, lock_session(session, draft.event_id, visitor_id=draft.visitor_id))
    if find_open(session, draft.visitor_id) is not None:
        raise SessionAlreadyOpen()
    raise AlreadyExists(what="safety session", key="id")


def _record(session: Session, now: Standing, told: Told, kind: SafetyEventKind, **detail: object) -> None:
    if told.age_s:
        detail["age_s"] = told.age_s
    entry = Entry(kind=kind, at=now.now_at, actor_id=told.actor_id, device_at=told.device_at, detail=detail)
    append(session, now.session, entry)
