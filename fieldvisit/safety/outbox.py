"""The outbox of alarms: which messages go first, when they are tried again, and what is settled for good."""

from collections.abc import Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.clock import one_moment
from fieldvisit.models import OutboxMessage
from fieldvisit.outgoing import leases
from fieldvisit.outgoing.gateways import Handed
from fieldvisit.outgoing.leases import NEVER, Claimed, Turn, seconds
from fieldvisit.safety.pace import Pace
from fieldvisit.vocabulary import AlarmChannel, MessageState

OUTBOX = cast("sa.Table", OutboxMessage.__table__)
SETTLED = (MessageState.DELIVERED, MessageState.ANSWERED, MessageState.UNDELIVERABLE, MessageState.DROPPED)


def claim(session: Session, channel: AlarmChannel, limit: int, pace: Pace) -> Sequence[Claimed]:
    """Take up to `limit` messages of this channel that are due, the most urgent first."""
    turn = Turn(
        of=OUTBOX.c.channel == channel,
        order=(OUTBOX.c.urgency.desc(), OUTBOX.c.next_try_at, OUTBOX.c.id),
        limit=limit,
        lease_s=pace.lease_s,
    )
    return leases.claim(session, OUTBOX, turn)


def record(session: Session, claimed: Claimed, handed: Handed, pace: Pace, *, providers: int) -> bool:
    """Write down what came of it; False where the lease had run out and the message is somebody else's by now."""
    failed = handed.error is not None
    wait_s = pace.retry_s(claimed.attempt, providers) if failed else pace.receipt_s
    now = one_moment()
    settled = OUTBOX.c.state.in_(SETTLED)
    values: dict[str, Any] = {
        "provider": handed.provider,
        "error": handed.error,
        "next_try_at": sa.case((settled, NEVER), else_=now + seconds(wait_s) if failed or handed.receipts else NEVER),
    }
    if not failed:
        values |= {
            "state": sa.case((settled, OUTBOX.c.state), else_=MessageState.SENT.value),
            "provider_id": handed.provider_id,
            "sent_at": sa.func.coalesce(OUTBOX.c.sent_at, now),
        }
    return leases.settle(session, OUTBOX, claimed, values)


def drop(session: Session, claimed: Claimed, reason: str) -> None:
    """This message needs no sending, or can never be sent: its recipient is gone, or the cause of it."""
    leases.settle(session, OUTBOX, claimed, {"state": MessageState.DROPPED, "error": reason, "next_try_at": None})


# A step that reached nobody does not wait for its time. Its own transaction, after the record: whoever acknowledges
# holds the alert and then wants the messages, so nobody may hold a message and then want the alert.
HURRY = sa.text("""
update safety_alerts a set next_action_at = fieldvisit_now()
where a.id = (select alert_id from safety_outbox where id = :message_id) and a.state = 'notifying'
  and a.next_action_at > fieldvisit_now()
  and not exists (
    select from safety_outbox o where o.alert_id = a.id and o.step = a.step and o.round = a.round
      and o.recipient <> 'visitor' and o.purpose = 'alarm'
      and (o.state in ('sent', 'delivered', 'answered')
           or o.state = 'queued' and (o.error is null or o.attempts < :passes))
  )
""")  # fmt: skip


def hurry(session: Session, claimed: Claimed, *, providers: int) -> None:
    """Where no message of the alert's present step was accepted by any provider, its next step is due now."""
    session.execute(HURRY, {"message_id": claimed.id, "passes": max(providers, 1)})
