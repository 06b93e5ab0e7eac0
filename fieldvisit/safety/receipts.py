"""What a provider tells later: delivered, undeliverable, or a key that a person pressed.

Signed as Standard Webhooks have it (HMAC-SHA256 over `id.timestamp.body`), so that receivers and gateways find code for
it everywhere. Told twice or out of order it changes nothing: a message only ever gets further.
"""

import base64
import binascii
import datetime as dt
import hmac
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.alarm_providers import AlarmProvider
from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.models import Account, OfficerContact, OutboxMessage
from fieldvisit.safety.alerts import AlertResolved, AlreadyAcknowledged, SelfHandling, acknowledge
from fieldvisit.safety.drafts import Officer
from fieldvisit.safety.outbox import OUTBOX
from fieldvisit.safety.standing import one_moment
from fieldvisit.vocabulary import MessagePurpose, MessageState

OLDEST = dt.timedelta(minutes=5)
PREFIX = "whsec_"
TAKES = "1"
"""The key that takes an alarm."""


class ReceiptKind(StrEnum):
    DELIVERED = "delivered"
    UNDELIVERABLE = "undeliverable"
    KEY = "key"


class ReceiptRefused(FieldVisitError):
    """Not signed by this provider, or long ago."""

    code, kind = "receipt_refused", Kind.UNAUTHENTICATED
    says = "This receipt is not signed by a provider that is known here."


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """`message_id` is the id that was sent; `key` the digit that a person pressed."""

    message_id: uuid.UUID
    kind: ReceiptKind
    key: str | None = None


def sign(secret: str, *, webhook_id: str, timestamp: int, body: bytes) -> str:
    """The signature header of one webhook."""
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(_key(secret), signed, "sha256")).decode()


def demand_signed(
    providers: Iterable[AlarmProvider], name: str, headers: Mapping[str, str], body: bytes, *, now: dt.datetime
) -> None:
    """Raise ReceiptRefused for what this provider did not sign within five minutes of now."""
    secret = next((each.secret for each in providers if each.name == name), None)
    named = {each.lower(): value for each, value in headers.items()}
    webhook_id, timestamp = named.get("webhook-id", ""), named.get("webhook-timestamp", "")
    if secret is None or not timestamp.isdecimal() or len(timestamp) > len("9999999999"):
        raise ReceiptRefused()
    if abs(now - dt.datetime.fromtimestamp(int(timestamp), dt.UTC)) > OLDEST:
        raise ReceiptRefused()
    wanted = sign(secret, webhook_id=webhook_id, timestamp=int(timestamp), body=body)
    given = named.get("webhook-signature", "").split()
    # Several signatures are what a change of keys looks like.
    if not any(hmac.compare_digest(each.encode(), wanted.encode()) for each in given):
        raise ReceiptRefused()


def take_receipt(session: Session, receipt: Receipt) -> None:
    """Note what became of a message. The key 1 takes the alarm for the officer whose telephone it was; that somebody
    picked up takes nothing, for a machine may have."""
    message = session.get(OutboxMessage, receipt.message_id)
    if message is None:
        return
    if receipt.kind is ReceiptKind.KEY and receipt.key == TAKES:
        # First the alert, under the lock of its session, then the message: the order that everybody keeps.
        _take(session, message)
        _note(session, message, MessageState.ANSWERED, ("queued", "sent", "delivered", "undeliverable", "dropped"))
    elif receipt.kind is ReceiptKind.DELIVERED:
        _note(session, message, MessageState.DELIVERED, ("queued", "sent"))
    elif receipt.kind is ReceiptKind.UNDELIVERABLE:
        _note(session, message, MessageState.UNDELIVERABLE, ("queued", "sent"))


def _take(session: Session, message: OutboxMessage) -> None:
    contact = session.get(OfficerContact, message.recipient_id)
    if contact is None:
        return
    if message.purpose is MessagePurpose.CONTACT_TEST:
        contact.confirmed_at = session.scalars(sa.select(sa.func.fieldvisit_now())).one()
        return
    account = session.get_one(Account, contact.account_id)
    if message.alert_id is None or not account.active:
        return
    officer = Officer(account_id=account.id, visitor_id=account.visitor_id)
    try:
        with session.begin_nested():
            acknowledge(session, message.alert_id, officer)
    except (AlreadyAcknowledged, AlertResolved, SelfHandling):
        # A telephone is not told; the list shows who has it.
        return


def _note(session: Session, message: OutboxMessage, state: MessageState, before: tuple[str, ...]) -> None:
    """Move the message on. Undeliverable is tried again, by the next provider: another road may lead there."""
    now = one_moment()
    lost = state is MessageState.UNDELIVERABLE
    reached = {"delivered_at": sa.func.coalesce(OUTBOX.c.delivered_at, now)} if not lost else {}
    if state is MessageState.ANSWERED:
        reached["answered_at"] = sa.func.coalesce(OUTBOX.c.answered_at, now)
    session.execute(
        sa.update(OUTBOX)
        .where(OUTBOX.c.id == message.id, OUTBOX.c.state.in_(before))
        .values(
            state=MessageState.QUEUED if lost else state,
            error="undeliverable" if lost else OUTBOX.c.error,
            next_try_at=now if lost else None,
            **reached,
        )
    )


def _key(secret: str) -> bytes:
    plain = secret.removeprefix(PREFIX)
    try:
        return base64.b64decode(plain, validate=True)
    except binascii.Error:
        return plain.encode()
