"""The outboxes of what is told: to debtors, and to one's own people. Which messages are due, how often and how long
they are tried, and what came of each try."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from fieldvisit.clock import one_moment
from fieldvisit.models import CredentialReminder, Notice, NoticeTry
from fieldvisit.outgoing import leases
from fieldvisit.outgoing.gateways import Handed
from fieldvisit.outgoing.leases import NEVER, Claimed, Turn, seconds
from fieldvisit.vocabulary import Channel, NoticeState

TRIES = cast("sa.Table", NoticeTry.__table__)
GAVE_UP = "gave_up"


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How patiently notices are sent. Seconds of the database's clock, but for the timeout.

    A lease is longer than any provider may take: a mail server may use its time for each of several answers.
    """

    timeout_s: float = 10.0
    patience_s: float = 15.0
    """So long one waits for a provider before going on without it; it may still tell its end while the lease lasts."""
    lease_s: float = 120.0
    first_s: float = 60.0
    longest_s: float = 3_600.0
    tries: int = 12

    def is_last(self, attempt: int) -> bool:
        """Whether nobody tries again by themselves after this one. Put out anew, it has as many tries as before."""
        return attempt % self.tries == 0

    def retry_s(self, attempts: int, providers: int) -> float:
        """The wait after so many tries that failed: none before the next provider, then twice as long each time."""
        if attempts % max(providers, 1):
            return 0.0
        return float(min(self.first_s * 2 ** (attempts // max(providers, 1) - 1), self.longest_s))


@dataclass(frozen=True)
class Outbox:
    """A table of messages; `sender` names the column of the organisation that tells, and so pays for it."""

    table: sa.Table
    sender: str

    def claim(
        self, session: Session, channel: Channel, pace: Pace, *, limit: int, of: sa.ColumnElement[bool] | None = None
    ) -> Sequence[Claimed]:
        """Take up to `limit` messages of this channel that are due, of those that fit, and write down that each is
        tried: whoever dies over it leaves a try without an end, which may have been sent."""
        mine = (self.table.c.channel == channel, self.table.c.state == NoticeState.QUEUED)
        turn = Turn(
            of=sa.and_(*mine, *(() if of is None else (of,))),
            order=(self.table.c.next_try_at, self.table.c.id),
            limit=limit,
            lease_s=pace.lease_s,
        )
        taken = leases.claim(session, self.table, turn)
        for each in taken:
            self._begin_try(session, each)
        return taken

    def record(self, session: Session, claimed: Claimed, handed: Handed, pace: Pace, *, providers: int) -> bool:
        """Write down what came of a try, and of the message; False where the lease had run out and the message is
        somebody else's by now: then only the try is told to its end."""
        now, failed, columns = one_moment(), handed.error is not None, self.table.c
        waiting = columns.state == NoticeState.QUEUED
        values: dict[str, Any] = {"provider": handed.provider, "error": handed.error}
        if not failed:
            # Withdrawn while it was handed over: it was sent all the same.
            values |= {
                "state": sa.case((waiting, NoticeState.SENT.value), else_=columns.state),
                "provider_id": handed.provider_id,
                "sent_at": sa.func.coalesce(columns.sent_at, now),
                "next_try_at": None,
            }
        elif pace.is_last(claimed.attempt):
            values |= {
                "state": sa.case((waiting, NoticeState.DEAD.value), else_=columns.state),
                "reason": sa.case((waiting, GAVE_UP), else_=columns.reason),
                "next_try_at": None,
            }
        else:
            again = now + seconds(pace.retry_s(claimed.attempt, providers))
            values["next_try_at"] = sa.case((waiting, again), else_=NEVER)
        mine = leases.settle(session, self.table, claimed, values)
        self._end_try(session, claimed, handed)
        return mine

    def drop(self, session: Session, claimed: Claimed, state: NoticeState, reason: str) -> None:
        """This message is not to be sent: what it tells of no longer holds, or a contact block forbids it."""
        values = {"state": state, "reason": reason, "next_try_at": None}
        leases.settle(session, self.table, claimed, values)
        self._end_try(session, claimed, Handed(provider="none", error=reason))

    def _begin_try(self, session: Session, claimed: Claimed) -> None:
        """Each try of a notice is kept; of what the staff is told, the last one on its own row."""

    def _end_try(self, session: Session, claimed: Claimed, handed: Handed) -> None:
        """Likewise."""


class _Notices(Outbox):
    """A debtor may ask for the proof of every single try."""

    def _begin_try(self, session: Session, claimed: Claimed) -> None:
        notice = self.table.c
        tried = sa.select(
            notice.org_id, notice.id, sa.literal(claimed.attempt), notice.case_id, sa.func.fieldvisit_now()
        ).where(notice.id == claimed.id)
        columns = ("org_id", "notice_id", "number", "case_id", "begun_at")
        session.execute(insert(TRIES).from_select(columns, tried))

    def _end_try(self, session: Session, claimed: Claimed, handed: Handed) -> None:
        session.execute(
            sa.update(TRIES)
            .where(TRIES.c.notice_id == claimed.id, TRIES.c.number == claimed.attempt, TRIES.c.ended_at.is_(None))
            .values(
                ended_at=sa.func.fieldvisit_now(),
                provider=handed.provider,
                provider_id=handed.provider_id,
                error=handed.error,
            )
        )


NOTICES = _Notices(cast("sa.Table", Notice.__table__), "sender_id")
REMINDERS = Outbox(cast("sa.Table", CredentialReminder.__table__), "org_id")
