"""What a provider tells later: delivered, undeliverable, or a key that a person pressed.

Told twice or out of order it changes nothing: a message only ever gets further.
"""

import uuid
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.clock import one_moment
from fieldvisit.models import Account, OfficerContact, OutboxMessage, SafetyEvent
from fieldvisit.safety.alerts import AlertResolved, AlreadyAcknowledged, SelfHandling, acknowledge
from fieldvisit.safety.drafts import Officer
from fieldvisit.safety.events import Entry, SafetyEventKind, append
from fieldvisit.safety.outbox import OUTBOX
from fieldvisit.safety.roster import NotAnOfficer
from fieldvisit.safety.standing import lock_session, standing
from fieldvisit.vocabulary import MessagePurpose, MessageRecipient, MessageState

TAKES = "1"
"""The key that takes an alarm."""


class ReceiptKind(StrEnum):
    DELIVERED = "delivered"
    UNDELIVERABLE = "undeliverable"
    KEY = "key"


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """`message_id` is the id that was sent; `key` the digit that a person pressed."""

    message_id: uuid.UUID
    kind: ReceiptKind
    key: str | None = None


def take_receipt(session: Session, receipt: Receipt) -> None:
    """Note what became of a message. The key 1 takes the alarm for the officer whose telephone it was, once; that
    somebody picked up takes nothing, for a machine may have."""
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
    if message.recipient is MessageRecipient.EXTERNAL:
        _confirm(session, message)
        return
    contact = session.get(OfficerContact, message.recipient_id)
    if contact is None or not contact.active:
        return
    if message.purpose is MessagePurpose.CONTACT_TEST:
        contact.confirmed_at = session.scalars(sa.select(sa.func.fieldvisit_now())).one()
        return
    # Gateways tell things twice: a key that is told again, when its acknowledgement has lapsed, was pressed by nobody.
    if message.alert_id is None or message.purpose is not MessagePurpose.ALARM or message.answered_at is not None:
        return
    if _opened_again_since(session, message):
        return
    account = session.get_one(Account, contact.account_id)
    officer = Officer(account_id=account.id, visitor_id=account.visitor_id)
    try:
        with session.begin_nested():
            acknowledge(session, message.alert_id, officer)
    except (AlreadyAcknowledged, AlertResolved, SelfHandling, NotAnOfficer):
        # A telephone is not told; the list shows who has it.
        return


def _opened_again_since(session: Session, message: OutboxMessage) -> bool:
    """Whether what this message called for was closed, and opened again, since it was put out."""
    again = sa.select(SafetyEvent.session_id).where(
        SafetyEvent.session_id == message.session_id,
        SafetyEvent.org_id == message.org_id,
        SafetyEvent.kind == SafetyEventKind.REOPENED_ALERT,
        SafetyEvent.at > message.created_at,
        SafetyEvent.detail["alert_id"].astext == str(message.alert_id),
    )
    return bool(session.scalar(sa.select(again.exists())))


def _confirm(session: Session, message: OutboxMessage) -> None:
    """The number outside acts on it: kept in the record, once. The alarm stays the house's, and climbs on."""
    if message.session_id is None or message.answered_at is not None:
        return
    row = lock_session(session, message.session_id)
    detail = {"alert_id": str(message.alert_id), "message_id": str(message.id)}
    at = standing(session, row).now_at
    append(session, row, Entry(kind=SafetyEventKind.EXTERNAL_CONFIRMED, at=at, detail=detail))


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
