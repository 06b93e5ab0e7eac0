"""Somebody makes the visitor say that all is well: an alarm of which the phone shows nothing."""

import datetime as dt

from sqlalchemy.orm import Session

from fieldvisit.models import SafetySession
from fieldvisit.safety.deadlines import Moment, heard, set_by_clock
from fieldvisit.safety.drafts import Told
from fieldvisit.safety.events import SafetyEventKind
from fieldvisit.safety.hints import give_hint
from fieldvisit.safety.opening import find_open
from fieldvisit.safety.raising import Cause, open_alert
from fieldvisit.safety.seeming import seem, seem_as_before
from fieldvisit.safety.sessions.own import record
from fieldvisit.safety.standing import AT_RISK, Standing, lock_session
from fieldvisit.safety.timers import Timers
from fieldvisit.vocabulary import AlertKind, SafetyState


def raise_duress(session: Session, row: SafetySession, told: Told, seems: SafetyState) -> Standing:
    """The duress PIN: a covert alert, and a phone that shows what it would have shown."""
    out = _out_now(session, row)
    before = out.state
    at = _into_alarm(session, out, told)
    if out is row and before in AT_RISK:
        seem(row, at, seems)
    else:
        _seem_untouched(out, before)
        out.ended_at = None
    session.flush()
    _raise(session, Standing(out, at), told, SafetyEventKind.DURESS_PIN)
    return Standing(row, at)


def raise_wrong_pins(session: Session, row: SafetySession, told: Told) -> None:
    """Three wrong PINs within a minute: somebody else holds the phone. Covert; the answer stays that of a wrong PIN."""
    raise_unseen(session, row, told, SafetyEventKind.WRONG_PINS)


def raise_unseen(session: Session, row: SafetySession, told: Told, kind: SafetyEventKind) -> None:
    """A covert alert by a PIN that was given for something which moves no session."""
    out = _out_now(session, row)
    before = out.state
    at = _into_alarm(session, out, told)
    # Nothing moves by it: neither would anything by the second wrong one.
    _seem_untouched(out, before)
    out.ended_at = None
    session.flush()
    _raise(session, Standing(out, at), told, kind)


def _out_now(session: Session, row: SafetySession) -> SafetySession:
    """The session to raise it in: one that is over stays over while the visitor is out in another one."""
    if row.state in AT_RISK:
        return row
    open_id = find_open(session, row.visitor_id)
    return lock_session(session, open_id) if open_id is not None else row


def _into_alarm(session: Session, row: SafetySession, told: Told) -> dt.datetime:
    timers, was_planned = Timers.from_json(row.policy), row.state is SafetyState.PLANNED

    def values(now: Moment) -> dict[str, object]:
        begun = {"started_at": now} if was_planned else {}
        return heard(timers, told, now) | begun | {"state": SafetyState.ALARM}

    return set_by_clock(session, row, values)


def _seem_untouched(row: SafetySession, before: SafetyState) -> None:
    if row.shown is None:
        seem_as_before(row, before)


def _raise(session: Session, now: Standing, told: Told, kind: SafetyEventKind) -> None:
    record(session, now, told, kind)
    cause = Cause(kind=AlertKind.DURESS, deadline_at=now.now_at, covert=True)
    open_alert(session, now.session, cause, at=now.now_at)
    give_hint(session)
