"""An outbox's rows under lease: claimed, handed over outside of any transaction, and what came of it written down.

Whoever dies in between leaves a lease that runs out; then somebody else sends the message once more, under the same id.
Nothing is ever marked as sent before it was.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.clock import one_moment

NEVER = sa.cast(sa.null(), sa.DateTime(timezone=True))


@dataclass(frozen=True)
class Claimed:
    """A message that this lease holder alone may send now; `attempt` counts from 1, `last` is who was tried before."""

    id: uuid.UUID
    lease: uuid.UUID
    attempt: int
    last: str | None


@dataclass(frozen=True, kw_only=True)
class Turn:
    """Which messages are taken, in what order, how many, and for how long at most they may be worked on."""

    of: sa.ColumnElement[bool]
    order: Sequence[sa.ColumnElement[Any]]
    limit: int
    lease_s: float


def claim(session: Session, table: sa.Table, turn: Turn) -> Sequence[Claimed]:
    """Take messages that are due and under nobody's lease."""
    now = one_moment()
    due = (
        sa.select(table.c.id)
        .where(
            turn.of,
            table.c.next_try_at <= now,
            sa.or_(table.c.lease_until.is_(None), table.c.lease_until <= now),
        )
        .order_by(*turn.order)
        .limit(turn.limit)
        .with_for_update(skip_locked=True)
        # Materialised: inside the update the limit must be taken once, whatever the planner prefers.
        .cte("due")
        .prefix_with("materialized", dialect="postgresql")
    )
    taken = session.execute(
        sa.update(table)
        .where(table.c.id == due.c.id)
        .values(
            lease=sa.func.gen_random_uuid(),
            lease_until=now + seconds(turn.lease_s),
            attempts=table.c.attempts + 1,
        )
        .returning(table.c.id, table.c.lease, table.c.attempts, table.c.provider)
    )
    return [Claimed(*row) for row in taken]


def settle(session: Session, table: sa.Table, claimed: Claimed, values: Mapping[str, Any]) -> bool:
    """Write down what came of it and give the lease back; False where the lease had run out and the message is somebody
    else's by now."""
    done = (
        sa.update(table)
        .where(table.c.id == claimed.id, table.c.lease == claimed.lease)
        .values(lease=None, lease_until=None, **values)
    )
    return session.scalar(done.returning(table.c.id)) is not None


def seconds(count: float) -> sa.ColumnElement[Any]:
    """As an interval of the database."""
    return sa.literal(count) * sa.text("interval '1 second'")
