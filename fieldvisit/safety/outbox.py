"""The outbox: messages are claimed under a lease, handed over outside of any transaction, and what came of it recorded.

Whoever dies in between leaves a lease that runs out; then somebody else sends the message once more, under the same id.
Nothing is ever marked as sent before it was.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.models import OutboxMessage
from fieldvisit.safety.channels import Handed
from fieldvisit.safety.pace import Pace
from fieldvisit.safety.standing import one_moment
from fieldvisit.vocabulary import AlarmChannel, MessageState

OUTBOX = cast("sa.Table", OutboxMessage.__table__)
NEVER = sa.cast(sa.null(), sa.DateTime(timezone=True))
SETTLED = (MessageState.DELIVERED, MessageState.ANSWERED, MessageState.UNDELIVERABLE, MessageState.DROPPED)


@dataclass(frozen=True)
class Claimed:
    """A message that this lease holder alone may send now; `attempt` counts from 1, `last` is who was tried before."""

    id: uuid.UUID
    lease: uuid.UUID
    attempt: int
    last: str | None


def claim(session: Session, channel: AlarmChannel, limit: int, pace: Pace) -> Sequence[Claimed]:
    """Take up to `limit` messages of this channel that are due, the most urgent first."""
    now = one_moment()
    due = (
        sa.select(OUTBOX.c.id)
        .where(
            OUTBOX.c.channel == channel,
            OUTBOX.c.next_try_at <= now,
            sa.or_(OUTBOX.c.lease_until.is_(None), OUTBOX.c.lease_until <= now),
        )
        .order_by(OUTBOX.c.urgency.desc(), OUTBOX.c.next_try_at, OUTBOX.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        # Materialised: inside the update the limit must be taken once, whatever the planner prefers.
        .cte("due")
        .prefix_with("materialized", dialect="postgresql")
    )
    taken = session.execute(
        sa.update(OUTBOX)
        .where(OUTBOX.c.id == due.c.id)
        .values(
            lease=sa.func.gen_random_uuid(),
            lease_until=now + sa.literal(pace.lease_s) * sa.text("interval '1 second'"),
            attempts=OUTBOX.c.attempts + 1,
        )
        .returning(OUTBOX.c.id, OUTBOX.c.lease, OUTBOX.c.attempts, OUTBOX.c.provider)
    )
    return [Claimed(*row) for row in taken]


def record(session: Session, claimed: Claimed, handed: Handed, pace: Pace, *, providers: int) -> bool:
    """Write down what came of it; False where the lease had run out and the message is somebody else's by now."""
    failed = handed.error is not None
    wait_s = pace.retry_s(claimed.attempt, providers) if failed else pace.receipt_s
    now = one_moment()
    again = now + sa.literal(wait_s) * sa.text("interval '1 second'")
    settled = OUTBOX.c.state.in_(SETTLED)
    values: dict[str, Any] = {
        "lease": None,
        "lease_until": None,
        "provider": handed.provider,
        "error": handed.error,
        "next_try_at": sa.case((settled, NEVER), else_=again if failed or handed.receipts else NEVER),
    }
    if not failed:
        values |= {
            "state": sa.case((settled, OUTBOX.c.state), else_=MessageState.SENT.value),
            "provider_id": handed.provider_id,
            "sent_at": sa.func.coalesce(OUTBOX.c.sent_at, now),
        }
    done = sa.update(OUTBOX).where(OUTBOX.c.id == claimed.id, OUTBOX.c.lease == claimed.lease).values(values)
    return session.scalar(done.returning(OUTBOX.c.id)) is not None


def drop(session: Session, claimed: Claimed, reason: str) -> None:
    """This message needs no sending, or can never be sent: its recipient is gone, or the cause of it."""
    session.execute(
        sa.update(OUTBOX)
        .where(OUTBOX.c.id == claimed.id, OUTBOX.c.lease == claimed.lease)
        .values(state=MessageState.DROPPED, error=reason, lease=None, lease_until=None, next_try_at=None)
    )


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
