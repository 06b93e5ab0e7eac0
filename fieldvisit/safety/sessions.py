"""What a visitor does with a safety session: start it, check in, extend it, end it, and be heard of meanwhile.

Every change happens under the lock on the session's row and by the database's clock. The engine looks for expired
deadlines under the same lock, so a check-in and an alarm can never both win.
"""

import datetime as dt
import uuid
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.errors import AlreadyExists, FieldVisitError, InvalidValue, Kind, NotFound, Refused
from fieldvisit.languages import Message
from fieldvisit.models import CoverOverride, SafetyAlert, SafetySession, Visit
from fieldvisit.safety.cover import demand_cover, use_override
from fieldvisit.safety.deadlines import due_at_the_door, heard, later, set_by_clock, timers_in_force
from fieldvisit.safety.drafts import Extension, SessionDraft, Told
from fieldvisit.safety.events import Entry, SafetyEventKind, append, append_all
from fieldvisit.safety.following import expect
from fieldvisit.safety.hearing import lock_fresh, write_heard
from fieldvisit.safety.hints import give_hint
from fieldvisit.safety.incidents import demand_not_frozen
from fieldvisit.safety.markers import demand_read
from fieldvisit.safety.opening import Beginning, find_open, insert_session, remember, remember_all, told_of
from fieldvisit.safety.own_timers import timers_of
from fieldvisit.safety.pairs import cover_of, demand_pair
from fieldvisit.safety.pins import Pin, PinNeeded, PinWrong, has_pin, judge_pin
from fieldvisit.safety.raising import Cause, open_alert
from fieldvisit.safety.risk import Risk, circumstances_of, judge
from fieldvisit.safety.seeming import move_on, seem
from fieldvisit.safety.standing import AT_RISK, OPEN, Standing, lock_session, standing
from fieldvisit.safety.taking_over import has_taken_over, let_go
from fieldvisit.safety.timers import Timers, seconds
from fieldvisit.safety.unwatched import is_about_no_session
from fieldvisit.vocabulary import AlertKind, AlertOutcome, AlertState, RiskLevel, SafetyState

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


def start_session(
    session: Session, draft: SessionDraft, *, allow_drill: bool = False, covered: bool = False
) -> Standing:
    """Start watching over a visitor. The same id again is the same session, however it stands by then.

    The level is what follows from the visit, its place, its person and the hour, or what the phone asks for, whichever
    is stricter. With `covered` an officer has to be there whom an alarm would reach (NoCover otherwise), the markers
    are read (MarkersUnread) and the place is not frozen (PlaceFrozen): for who asks before the door. Whoever is told of
    afterwards is at the door already, and is watched over whoever is there. At high risk somebody goes along
    (PairNeeded).
    """
    if session.get(SafetySession, draft.event_id) is not None:
        return _started_before(session, draft)
    visit = session.get(Visit, draft.visit_id) if draft.visit_id else None
    risk = judge(circumstances_of(session, visit, draft.level)) if visit else Risk(draft.level)
    timers = timers_of(session, session.info["org"], risk.level, allow_drill=allow_drill)
    if draft.planned_s > timers.longest_s:
        raise InvalidValue(path="planned_s", reason=Message("at most {max} s at this level", {"max": timers.longest_s}))
    if visit is not None and covered:
        demand_not_frozen(session, visit.place_id)
        demand_read(session, visit, draft.visitor_id)
    override = _gate(session, draft, visit, risk.level) if covered else None
    beginning = Beginning(timers, cover=cover_of(risk.level, visit), because=risk.reasons)
    row = insert_session(session, draft, beginning, session_id=draft.event_id)
    if row is None:
        return _started_before(session, draft)
    if override is not None:
        use_override(session, row, override)
    if visit is not None:
        expect(session, row, visit)
    return standing(session, row)


def _gate(session: Session, draft: SessionDraft, visit: Visit | None, level: RiskLevel) -> CoverOverride | None:
    """Raise NoCover or PairNeeded for who should not go in now; the supervisor's word that lets them, if any did."""
    unpaired = demand_pair(session, draft.visitor_id, visit) if level is RiskLevel.HIGH else None
    return demand_cover(session, draft.visitor_id) or unpaired


def check_in(session: Session, session_id: uuid.UUID, told: Told) -> Standing:
    """The visitor says: I am safe. Deadlines move later, never earlier; an alarm is never lowered by it."""
    row, fresh = _lock_and_remember(session, session_id, told)
    if not fresh:
        return standing(session, row)
    return (_move_deadlines if row.state is SafetyState.ACTIVE else _keep_as_evidence)(session, row, told)


def hear_all(session: Session, session_id: uuid.UUID, heard_of: Sequence[tuple[bool, Told]]) -> list[Standing]:
    """Several check-ins (True) and beats of one session, as one after another would have left it, in one writing."""
    row = lock_own(session, session_id, heard_of[0][1].visitor_id)
    if row.state is not SafetyState.ACTIVE or row.lost_contact:
        return [(check_in if pressed else beat)(session, session_id, told) for pressed, told in heard_of]
    fresh = remember_all(session, row, [told.event_id for pressed, told in heard_of if pressed])
    first = dict.fromkeys((pressed, told) for pressed, told in heard_of if not pressed or told.event_id in fresh)
    news, presses = [told for _, told in first], [told for pressed, told in first if pressed]
    if not news:
        return [standing(session, row)] * len(heard_of)
    generation = row.generation
    at = write_heard(session, row, news, presses)
    entries = [
        _entry(Standing(row, at), told, SafetyEventKind.CHECKED_IN, generation=number, contact_regained=False)
        for number, told in enumerate(presses, start=generation + 1)
    ]
    append_all(session, [(row, entry) for entry in entries])
    return [Standing(row, at)] * len(heard_of)


def extend_session(session: Session, session_id: uuid.UUID, told: Extension) -> Standing:
    """Move the planned end, and only that: the next check-in stays due when it was."""
    row = lock_own(session, session_id, told.visitor_id)
    if not remember(session, row, told.event_id):
        return standing(session, row)
    cap_s = Timers.from_json(row.policy).extend_cap_s
    if row.duress:
        return standing(session, row)
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


def end_session(session: Session, session_id: uuid.UUID, told: Told) -> Standing | Refused:
    """Stop watching. Needs the PIN of a visitor who has one; refused while an alert is open; ending what has ended
    changes nothing. The duress PIN seems to end it. A wrong PIN is a refusal of which the count stays."""
    row = lock_own(session, session_id, told.visitor_id)
    if row.state not in OPEN or (row.duress and told_of(session, told.event_id)):
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
    seems = row.shown["state"] if row.duress and row.shown else row.state
    if seems == SafetyState.ALARM:
        raise AlertStillOpen()
    if row.duress:
        remember(session, row, told.event_id)
        return move_on(session, row, SafetyState.ENDED)
    if not remember(session, row, told.event_id):
        return standing(session, row)
    now = standing(session, row)
    row.state, row.ended_at = SafetyState.ENDED, now.now_at
    row.version += 1
    _record(session, now, told, SafetyEventKind.ENDED)
    return now


def cancel_call(session: Session, session_id: uuid.UUID, told: Told) -> Standing | Refused:
    """Take back a call for help while it is being pressed, by the PIN. The duress PIN seems to. Later it is too late:
    an officer speaks with the visitor first. An alarm that was up before the call stays up."""
    row = lock_own(session, session_id, told.visitor_id)
    if told_of(session, told.event_id) is not None:
        return standing(session, row)
    pressed = _being_pressed(session, row)
    judged = judge_pin(session, told.visitor_id, told.pin)
    seems = SafetyState.ACTIVE if row.end_at is not None else SafetyState.ENDED
    if pressed is not None and has_taken_over(session, pressed.id):
        seems = SafetyState.ALARM
    if judged is Pin.DURESS:
        remember(session, row, told.event_id)
        return raise_duress(session, row, told, seems)
    if judged is Pin.NOT_GIVEN or not has_pin(session, told.visitor_id):
        raise PinNeeded()
    if judged is not Pin.RIGHT:
        if judged is Pin.WRONG_TOO_OFTEN:
            raise_wrong_pins(session, row, told)
        return Refused(PinWrong())
    if pressed is None:
        raise AlertStillOpen()
    remember(session, row, told.event_id)
    return _take_back(session, row, pressed, told=told, after=seems)


def _being_pressed(session: Session, row: SafetySession) -> SafetyAlert | None:
    return session.scalar(
        sa.select(SafetyAlert)
        .where(SafetyAlert.session_id == row.id, SafetyAlert.state == AlertState.PRE)
        .execution_options(populate_existing=True)
    )


def _take_back(session: Session, row: SafetySession, alert: SafetyAlert, *, told: Told, after: SafetyState) -> Standing:
    timers = timers_in_force(row)

    def values(now: sa.ColumnElement[dt.datetime]) -> dict[str, object]:
        if after is SafetyState.ENDED:
            return {"state": SafetyState.ENDED, "ended_at": now}
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
    _record(session, now, told, SafetyEventKind.CANCELLED_BY_VISITOR, **said)
    return now


def beat(session: Session, session_id: uuid.UUID, told: Told) -> Standing:
    """The phone is there: contact holds. Says nothing of the visitor, so no check-in moves; leaves an event only when
    contact had been lost. An ended session keeps no position."""
    row = lock_own(session, session_id, told.visitor_id)
    if row.state not in AT_RISK:
        return standing(session, row)
    was_lost = row.lost_contact
    at = write_heard(session, row, [told], [])
    if was_lost:
        _record(session, Standing(row, at), told, SafetyEventKind.CONTACT_REGAINED)
    return Standing(row, at)


def _move_deadlines(session: Session, row: SafetySession, told: Told) -> Standing:
    was_lost = row.lost_contact
    now = Standing(row, write_heard(session, row, [told], [told]))
    _record(session, now, told, SafetyEventKind.CHECKED_IN, generation=row.generation, contact_regained=was_lost)
    return now


def _keep_as_evidence(session: Session, row: SafetySession, told: Told) -> Standing:
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
    _record(session, now, told, SafetyEventKind.CHECKED_IN_LATE, state=row.state.value)
    return now


def lock_own(session: Session, session_id: uuid.UUID, visitor_id: uuid.UUID) -> SafetySession:
    """The visitor's own session, locked; also under the id of one that only seemed to be started (see `seeming`)."""
    try:
        return lock_session(session, session_id, visitor_id=visitor_id)
    except NotFound:
        real_id = told_of(session, session_id)
        if real_id is None:
            raise
        row = lock_session(session, real_id, visitor_id=visitor_id)
        if not row.duress:
            raise
        return row


def _lock_and_remember(session: Session, session_id: uuid.UUID, told: Told) -> tuple[SafetySession, bool]:
    """The visitor's own session, locked, and whether this is told for the first time."""
    row, fresh = lock_fresh(session, session_id, told) or (lock_own(session, session_id, told.visitor_id), False)
    return row, fresh or remember(session, row, told.event_id)


def _seems_over(row: SafetySession) -> bool:
    return row.duress and row.shown is not None and row.shown["state"] == SafetyState.ENDED


def _started_before(session: Session, draft: SessionDraft) -> Standing:
    """The answer where the id or the visitor has a session already."""
    if session.get(SafetySession, draft.event_id) is not None:
        return standing(session, lock_session(session, draft.event_id, visitor_id=draft.visitor_id))
    open_id = find_open(session, draft.visitor_id)
    if open_id is not None:
        row = lock_session(session, open_id)
        if _seems_over(row):
            remember(session, row, draft.event_id)
            found = standing(session, row)
            row.shown = None
            seem(row, found.now_at, SafetyState.ACTIVE)
            row.shown = {**(row.shown or {}), "id": str(draft.event_id)}
            session.flush()
            return found
        if is_about_no_session(session, row):
            # The visitor is there and starts at last: heard of as by a check-in, in the session that asks for them.
            fresh = remember(session, row, draft.event_id)
            return _keep_as_evidence(session, row, draft) if fresh else standing(session, row)
        raise SessionAlreadyOpen()
    raise AlreadyExists(what="safety session", key="id")


def _record(session: Session, now: Standing, told: Told, kind: SafetyEventKind, **detail: object) -> None:
    append(session, now.session, _entry(now, told, kind, **detail))


def _entry(now: Standing, told: Told, kind: SafetyEventKind, **detail: object) -> Entry:
    if told.age_s:
        detail["age_s"] = told.age_s
    return Entry(kind=kind, at=now.now_at, actor_id=told.actor_id, device_at=told.device_at, detail=detail)


def raise_duress(session: Session, row: SafetySession, told: Told, seems: SafetyState) -> Standing:
    """The duress PIN: a covert alert, and a phone that shows what it would have shown."""
    at = set_by_clock(
        session, row, lambda now: heard(Timers.from_json(row.policy), told, now) | {"state": SafetyState.ALARM}
    )
    now = Standing(row, at)
    seem(row, at, seems)
    session.flush()
    _record(session, now, told, SafetyEventKind.DURESS_PIN)
    open_alert(session, row, Cause(kind=AlertKind.DURESS, deadline_at=at, covert=True), at=at)
    give_hint(session)
    return now


def raise_wrong_pins(session: Session, row: SafetySession, told: Told) -> None:
    """Three wrong PINs within a minute: somebody else holds the phone. Covert; the answer stays that of a wrong PIN."""
    at = set_by_clock(
        session, row, lambda now: heard(Timers.from_json(row.policy), told, now) | {"state": SafetyState.ALARM}
    )
    if row.shown is None:
        seem(row, at, SafetyState.ACTIVE)
        session.flush()
    _record(session, Standing(row, at), told, SafetyEventKind.WRONG_PINS)
    open_alert(session, row, Cause(kind=AlertKind.DURESS, deadline_at=at, covert=True), at=at)
    give_hint(session)
