"""What a provider tells later: delivered, undeliverable, or a key that a person pressed.

Told twice or out of order it changes nothing: a message only ever gets further.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.clock import one_moment
from fieldvisit.models import Account, OfficerContact, OutboxMessage, SafetyAlert, SafetyEvent
from fieldvisit.outgoing.leases import seconds
from fieldvisit.safety.alerts import AlertResolved, AlreadyAcknowledged, SelfHandling, acknowledge
from fieldvisit.safety.drafts import Officer
from fieldvisit.safety.events import Entry, SafetyEventKind, append
from fieldvisit.safety.outbox import OUTBOX, hurry
from fieldvisit.safety.pace import PACE
from fieldvisit.safety.roster import NotAnOfficer
from fieldvisit.safety.standing import lock_session, standing
from fieldvisit.vocabulary import AlarmChannel, MessagePurpose, MessageRecipient, MessageState

LOST = "undeliverable"
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


def take_receipt(session: Session, receipt: Receipt, providers: Mapping[AlarmChannel, int], *, told_by: str) -> None:
    """Note what became of a message. The key 1 takes the alarm for the officer whose telephone it was, once; that
    somebody picked up takes nothing, for a machine may have. `providers`: how many there are of each channel;
    `told_by`: the name of the one whose receipt it is."""
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
        _lock_alerts(session, message)
        _note_lost(session, message, told_by, providers)


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
    # It may be told again while the first telling waits for that lock.
    session.refresh(message, ["answered_at"])
    if message.answered_at is not None:
        return
    detail = {"alert_id": str(message.alert_id), "message_id": str(message.id)}
    at = standing(session, row).now_at
    append(session, row, Entry(kind=SafetyEventKind.EXTERNAL_CONFIRMED, at=at, detail=detail))


def _note(session: Session, message: OutboxMessage, state: MessageState, before: tuple[str, ...]) -> None:
    """Move the message on: it has arrived."""
    now = one_moment()
    reached = {"delivered_at": sa.func.coalesce(OUTBOX.c.delivered_at, now)}
    if state is MessageState.ANSWERED:
        reached["answered_at"] = sa.func.coalesce(OUTBOX.c.answered_at, now)
    session.execute(
        sa.update(OUTBOX)
        .where(OUTBOX.c.id == message.id, OUTBOX.c.state.in_(before))
        .values(state=state, next_try_at=None, **reached)
    )


def _lock_alerts(session: Session, message: OutboxMessage) -> None:
    """Those that may have to go on at once, before the message: the order that everybody keeps."""
    if message.outage_id is not None:
        its = SafetyAlert.outage_id == message.outage_id
    elif message.alert_id is not None:
        its = SafetyAlert.id == message.alert_id
    else:
        return
    session.scalars(sa.select(SafetyAlert.id).where(its).order_by(SafetyAlert.id).with_for_update(key_share=True)).all()


def _note_lost(session: Session, message: OutboxMessage, told_by: str, providers: Mapping[AlarmChannel, int]) -> None:
    """It did not arrive: the next provider tries, as another road may lead there, at the pace of every attempt that
    failed, and never later than it would have been tried anyway; a step that reaches nobody goes on.

    Of one who had it before that is nothing new: the message is with the next by now, or waits for its turn."""
    count = providers.get(message.channel, 1)
    wait_s = PACE.retry_s(max(message.attempts, 1), count)
    # The version before does not write down who accepted it: where nothing failed since, it was the last one.
    has_it = sa.case((OUTBOX.c.error.is_(None), OUTBOX.c.provider), else_=OUTBOX.c.accepted_by)
    accepted = sa.and_(OUTBOX.c.state == MessageState.SENT, has_it == told_by)
    early = _told_early(told_by, alone=count <= 1)
    now = one_moment()
    again_at = now + seconds(wait_s)
    lost = session.scalar(
        sa.update(OUTBOX)
        .where(OUTBOX.c.id == message.id, sa.or_(accepted, early))
        .values(
            state=MessageState.QUEUED,
            error=LOST,
            lease=sa.case((early, sa.null()), else_=OUTBOX.c.lease),
            lease_until=sa.case((early, sa.null()), else_=OUTBOX.c.lease_until),
            provider=sa.case((early, told_by), else_=OUTBOX.c.provider),
            accepted_by=sa.case((early, told_by), else_=OUTBOX.c.accepted_by),
            sent_at=sa.case((early, sa.func.coalesce(OUTBOX.c.sent_at, now)), else_=OUTBOX.c.sent_at),
            next_try_at=sa.case((early, again_at), else_=sa.func.least(OUTBOX.c.next_try_at, again_at)),
        )
        .returning(OUTBOX.c.id)
    )
    if lost is not None:
        hurry(session, lost, providers=providers)


def _told_early(told_by: str, *, alone: bool) -> sa.ColumnElement[bool]:
    """A quick one tells it before it is written down that it has taken the message: then that is written down with it,
    and the attempt is over. Where it is `alone`, with no other one to try, each attempt is its own, but for one after a
    loss: what comes then may be that told again."""
    its_own = OUTBOX.c.error.is_distinct_from(LOST) if alone else OUTBOX.c.provider.is_distinct_from(told_by)
    return sa.and_(OUTBOX.c.state.in_((MessageState.QUEUED, MessageState.SENT)), OUTBOX.c.lease.is_not(None), its_own)
