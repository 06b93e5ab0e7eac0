"""The visitor's PINs: one ends a session or takes back a call for help; the other seems to, and calls for help.

Whatever is wrong, right or under duress, the same work is done before it is known which, and nothing tells them apart
that a person beside the phone could see.
"""

import datetime as dt
import hmac
import uuid
from enum import Enum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.clock import database_now
from fieldvisit.errors import FieldVisitError, InvalidValue, Kind, NotFound
from fieldvisit.languages import Message
from fieldvisit.models import Visitor, VisitorPin
from fieldvisit.sealing import cipher_of

SHORTEST, LONGEST = 4, 8
FEWEST_DIFFERING = 2
TRIES, WITHIN = 3, dt.timedelta(seconds=60)


class PinWrong(FieldVisitError):
    code, kind = "pin_wrong", Kind.FORBIDDEN
    says = "The PIN is wrong."


class PinNeeded(FieldVisitError):
    code, kind = "pin_needed", Kind.FORBIDDEN
    says = "Your PIN is needed for this."


class PinNotSet(FieldVisitError):
    """The house asks for it at every check-in of this visit."""

    code, kind = "pin_not_set", Kind.CONFLICT
    says = "At this level of risk each check-in needs your PIN, and you have set none. Set it before you go."


class PinNotReset(FieldVisitError):
    """Whoever holds the phone may be the one who asks for it."""

    code, kind = "pin_not_reset", Kind.CONFLICT
    says = (
        "A PIN is not reset while its visitor is out, nor by the visitor: another officer does it, once they are back."
    )


class Pin(Enum):
    """What a PIN turned out to be."""

    RIGHT = "right"
    DURESS = "duress"
    WRONG = "wrong"
    WRONG_TOO_OFTEN = "wrong_too_often"
    NOT_GIVEN = "not_given"


def set_pins(session: Session, visitor_id: uuid.UUID, pin: str, duress_pin: str) -> None:
    """Keep both PINs of a visitor, whatever was kept before."""
    demand_fit(pin, duress_pin)
    visitor = session.get(Visitor, visitor_id)
    if visitor is None:
        raise NotFound(what="visitor", id=visitor_id)
    now: dt.datetime = session.scalars(sa.select(database_now())).one()
    kept = session.get(VisitorPin, visitor_id) or VisitorPin(org_id=visitor.org_id, visitor_id=visitor_id)
    kept.pin, kept.duress_pin = _digest(session, visitor_id, pin), _digest(session, visitor_id, duress_pin)
    kept.set_at, kept.wrong, kept.wrong_since_at = now, 0, None
    session.add(kept)
    session.flush()


def demand_fit(pin: str, duress_pin: str) -> None:
    """Raise InvalidValue unless they have the same length and differ in two digits at least, so that a slip of the
    finger is no call for help."""
    for path, given in (("pin", pin), ("duress_pin", duress_pin)):
        if not (given.isascii() and given.isdigit() and SHORTEST <= len(given) <= LONGEST):
            raise InvalidValue(path=path, reason=Message("4 to 8 digits"))
    if len(pin) != len(duress_pin) or sum(a != b for a, b in zip(pin, duress_pin, strict=True)) < FEWEST_DIFFERING:
        raise InvalidValue(
            path="duress_pin", reason=Message("as long as the PIN, and different in two digits at least")
        )


def has_pin(session: Session, visitor_id: uuid.UUID) -> bool:
    return session.get(VisitorPin, visitor_id) is not None


def demand_pin_set(session: Session, visitor_id: uuid.UUID) -> None:
    """Raise PinNotSet where this visitor has none."""
    if not has_pin(session, visitor_id):
        raise PinNotSet()


def judge_pin(session: Session, visitor_id: uuid.UUID, given: str | None) -> Pin:
    """What this PIN is, counting wrong ones: three, none of them more than a minute after the one before, are as
    good as a call for help. A visitor who has
    set none needs none."""
    kept = session.get(VisitorPin, visitor_id, with_for_update=True, populate_existing=True)
    if kept is None:
        return Pin.RIGHT
    if given is None:
        return Pin.NOT_GIVEN
    digest = _digest(session, visitor_id, given)
    # Both are compared whatever the first comparison gave.
    right, duress = hmac.compare_digest(digest, kept.pin), hmac.compare_digest(digest, kept.duress_pin)
    if right or duress:
        kept.wrong, kept.wrong_since_at = 0, None
        return Pin.DURESS if duress else Pin.RIGHT
    return _count_wrong(session, kept)


def _count_wrong(session: Session, kept: VisitorPin) -> Pin:
    now: dt.datetime = session.scalars(sa.select(database_now())).one()
    if kept.wrong_since_at is None or now - kept.wrong_since_at > WITHIN:
        kept.wrong = 0
    # Counted from the last one: of any three within a minute none may be the first of another count.
    kept.wrong, kept.wrong_since_at = kept.wrong + 1, now
    session.flush()
    return Pin.WRONG_TOO_OFTEN if kept.wrong >= TRIES else Pin.WRONG


def _digest(session: Session, visitor_id: uuid.UUID, pin: str) -> bytes:
    return cipher_of(session.connection().dialect).digest(f"pin {visitor_id} {pin}")
