"""Somebody makes the visitor say that all is well: an alarm of which the phone shows nothing."""

from sqlalchemy.orm import Session

from fieldvisit.models import SafetySession
from fieldvisit.safety.deadlines import heard, set_by_clock
from fieldvisit.safety.drafts import Told
from fieldvisit.safety.events import SafetyEventKind
from fieldvisit.safety.hints import give_hint
from fieldvisit.safety.raising import Cause, open_alert
from fieldvisit.safety.seeming import seem, seem_as_before
from fieldvisit.safety.sessions.own import record
from fieldvisit.safety.standing import Standing
from fieldvisit.safety.timers import Timers
from fieldvisit.vocabulary import AlertKind, SafetyState


def raise_duress(session: Session, row: SafetySession, told: Told, seems: SafetyState) -> Standing:
    """The duress PIN: a covert alert, and a phone that shows what it would have shown."""
    at = set_by_clock(
        session, row, lambda now: heard(Timers.from_json(row.policy), told, now) | {"state": SafetyState.ALARM}
    )
    now = Standing(row, at)
    seem(row, at, seems)
    session.flush()
    record(session, now, told, SafetyEventKind.DURESS_PIN)
    open_alert(session, row, Cause(kind=AlertKind.DURESS, deadline_at=at, covert=True), at=at)
    give_hint(session)
    return now


def raise_wrong_pins(session: Session, row: SafetySession, told: Told) -> None:
    """Three wrong PINs within a minute: somebody else holds the phone. Covert; the answer stays that of a wrong PIN."""
    before = row.state
    at = set_by_clock(
        session, row, lambda now: heard(Timers.from_json(row.policy), told, now) | {"state": SafetyState.ALARM}
    )
    if row.shown is None:
        # Nothing moves by it: neither would anything by the second wrong one.
        seem_as_before(row, before)
        session.flush()
    record(session, Standing(row, at), told, SafetyEventKind.WRONG_PINS)
    open_alert(session, row, Cause(kind=AlertKind.DURESS, deadline_at=at, covert=True), at=at)
    give_hint(session)
