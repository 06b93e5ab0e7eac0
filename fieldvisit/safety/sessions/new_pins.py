"""Other PINs than those that hold: by the PIN that holds, or by an officer for who has forgotten it."""

import uuid

from sqlalchemy.orm import Session

from fieldvisit.errors import NotFound, Refused
from fieldvisit.models import Visitor, VisitorPin
from fieldvisit.safety.drafts import Officer, Sos, Told
from fieldvisit.safety.events import SafetyEventKind
from fieldvisit.safety.opening import find_open
from fieldvisit.safety.pins import Pin, PinNeeded, PinNotReset, PinWrong, demand_fit, judge_pin, set_pins
from fieldvisit.safety.sessions.duress import raise_unseen
from fieldvisit.safety.sos import session_for_call
from fieldvisit.safety.standing import lock_session


def change_pins(session: Session, told: Told, pin: str, duress_pin: str) -> Refused | None:
    """Keep these from now on; `told.pin` is the one that holds (PinNeeded without), where the visitor has set one.

    The duress PIN changes them as the PIN does, for whoever holds the phone tries the new ones, and calls for help
    covertly. A wrong one is a refusal of which the count stays.
    """
    demand_fit(pin, duress_pin)
    open_id = find_open(session, told.visitor_id)
    if open_id is not None:
        # Locked before the PIN is, as by whatever else judges one.
        lock_session(session, open_id)
    judged = judge_pin(session, told.visitor_id, told.pin)
    if judged is Pin.NOT_GIVEN:
        raise PinNeeded()
    if judged is Pin.DURESS:
        _raise(session, told, SafetyEventKind.DURESS_PIN)
    elif judged is Pin.WRONG_TOO_OFTEN:
        _raise(session, told, SafetyEventKind.WRONG_PINS)
    if judged not in (Pin.RIGHT, Pin.DURESS):
        return Refused(PinWrong())
    set_pins(session, told.visitor_id, pin, duress_pin)
    return None


def reset_pins(session: Session, visitor_id: uuid.UUID, by: Officer) -> None:
    """Let a visitor who has forgotten the PIN set new ones: from now on none is kept. Raises NotFound, PinNotReset."""
    if session.get(Visitor, visitor_id) is None:
        raise NotFound(what="visitor", id=visitor_id)
    if by.visitor_id == visitor_id or find_open(session, visitor_id) is not None:
        raise PinNotReset()
    kept = session.get(VisitorPin, visitor_id)
    if kept is not None:
        session.delete(kept)
        session.flush()


def _raise(session: Session, told: Told, kind: SafetyEventKind) -> None:
    called = Sos(visitor_id=told.visitor_id, actor_id=told.actor_id, event_id=told.event_id, covert=True)
    raise_unseen(session, session_for_call(session, called), told, kind)
