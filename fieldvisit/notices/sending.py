"""The sender: claims messages, looks once more whether they still hold, hands them over outside of any transaction, and
records what came of it. Whoever dies in between leaves a try without an end; it is sent again, under its id."""

import datetime as dt
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.apart import Apart
from fieldvisit.database import acting_for_all
from fieldvisit.models import Notice
from fieldvisit.notices.announcing import call_off, called_off, missed, tell_missed
from fieldvisit.notices.carriers import Carriers, Lane
from fieldvisit.notices.outbox import Pace
from fieldvisit.notices.posts import Post, Unwanted
from fieldvisit.notices.reminding import ReminderPost
from fieldvisit.notices.telling import NoticePost
from fieldvisit.outgoing.gateways import Handed
from fieldvisit.outgoing.leases import Claimed

SLOTS = 4
"""Messages of one lane that are handed over at a time."""
LANES = 16
TURN_S = 20.0
"""So long a lane goes on sending before all the others are looked at anew."""
MOST_AT_ONCE = 200
"""Notices that are taken back in one turn."""
LEFT_S = 60.0
"""So long a notice that could not be taken back is left alone."""
POSTS: tuple[Post, ...] = (NoticePost(), ReminderPost())

log = structlog.get_logger("fieldvisit.notices")

type Due = Callable[[dt.datetime], sa.Select[Notice]]
type Tell = Callable[[Session, Notice, dt.datetime], None]


class Sender:
    """Sends what is due by each lane, level-triggered: between two looks it remembers only what still hangs."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        carriers: Carriers,
        clock: Callable[[], dt.datetime],
        *,
        pace: Pace | None = None,
    ) -> None:
        self._sessions = sessions
        self._carriers = carriers
        self._clock = clock
        self._pace = pace or Pace()
        self._hanging: dict[object, list[threading.Thread]] = {}
        self._left_until: dict[uuid.UUID, float] = {}

    def close(self) -> None:
        """Give back the connections to the providers."""
        self._carriers.close()

    def turn(self) -> int:
        """Tell of what was called off or did not take place, then everything that is due; how many tries were made.

        A notice that cannot be taken back, or a lane that fails, stops no other. Raises LeftUndone at the end where any
        did.
        """
        apart = Apart()
        self._tell_of_changes(called_off, call_off, apart)
        self._tell_of_changes(missed, tell_missed, apart)
        with acting_for_all(self._sessions) as session:
            lanes = self._carriers.lanes(session)
        sent = self._send_lanes(lanes, apart)
        apart.end()
        return sent

    def _tell_of_changes(self, due: Due, tell: Tell, apart: Apart) -> None:
        """A notice a transaction. What fails is left alone for a while, so that what waits behind it has its turn."""
        now, looked_at = self._clock(), time.monotonic()
        self._left_until = {each: until for each, until in self._left_until.items() if until > looked_at}
        waiting = due(now).with_only_columns(Notice.id).where(Notice.id.not_in(list(self._left_until)))
        with acting_for_all(self._sessions) as session:
            ids = session.scalars(waiting.limit(MOST_AT_ONCE)).all()
        for notice_id in ids:
            with apart.each(tell.__name__, notice_id=notice_id):
                with acting_for_all(self._sessions) as session:
                    mine = due(now).where(Notice.id == notice_id).with_for_update(skip_locked=True, of=Notice)
                    row = session.scalars(mine).one_or_none()
                    if row is not None:
                        tell(session, row, now)
                continue
            self._left_until[notice_id] = looked_at + LEFT_S

    def _send_lanes(self, lanes: Sequence[Lane], apart: Apart) -> int:
        if not lanes:
            # Without a provider everything waits, and is shown as waiting: to try it would only use up its tries.
            return 0
        with ThreadPoolExecutor(min(len(lanes), LANES), thread_name_prefix="notices") as pool:
            return sum(pool.map(lambda lane: self._send_lane(lane, apart), lanes))

    def _send_lane(self, lane: Lane, apart: Apart) -> int:
        until, sent = time.monotonic() + TURN_S, 0
        for post in POSTS:
            with apart.each("lane", channel=lane.channel, org_id=lane.org_id):
                sent += self._send_post(lane, post, until)
        return sent

    def _send_post(self, lane: Lane, post: Post, until: float) -> int:
        sent = 0
        # Not for ever: whoever has too much to send would keep everybody else waiting for the next look.
        while time.monotonic() < until:
            hanging = [thread for thread in self._hanging.get(lane.key, ()) if thread.is_alive()]
            self._hanging[lane.key] = hanging
            if len(hanging) >= SLOTS:
                log.warning("notices_hang", channel=lane.channel, org_id=str(lane.org_id))
                break
            with acting_for_all(self._sessions) as session:
                of = lane.of(post.outbox.table.c[post.outbox.sender])
                found = post.outbox.claim(session, lane.channel, self._pace, limit=SLOTS - len(hanging), of=of)
            if not found:
                break
            self._hanging[lane.key] += self._hand_out(lane, post, found)
            sent += len(found)
        return sent

    def _hand_out(self, lane: Lane, post: Post, found: Sequence[Claimed]) -> list[threading.Thread]:
        """Hand these over side by side; those that did not come back in time, which tell their end by themselves."""
        threads = [threading.Thread(target=self._guarded, args=(lane, post, each), daemon=True) for each in found]
        for thread in threads:
            thread.start()
        until = time.monotonic() + self._pace.patience_s
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        return [thread for thread in threads if thread.is_alive()]

    def _guarded(self, lane: Lane, post: Post, claimed: Claimed) -> None:
        try:
            self.send(lane, post, claimed)
        except DBAPIError as error:
            # Its lease runs out, and it is sent again: perhaps once too often, never once too few.
            log.error("notice_not_recorded", notice_id=str(claimed.id), error=type(error.orig).__name__)
        except Exception as error:
            # One that can never be sent must not be tried for ever: it is a try that failed, like any other.
            log.exception("notice_not_sent", notice_id=str(claimed.id))
            failed = Handed(provider="none", error=type(error).__name__)
            with acting_for_all(self._sessions) as session:
                post.outbox.record(session, claimed, failed, self._pace, providers=lane.providers)

    def send(self, lane: Lane, post: Post, claimed: Claimed) -> None:
        """One try."""
        with acting_for_all(self._sessions) as session:
            letter = post.ready(session, claimed.id, now=self._clock())
        if isinstance(letter, Unwanted):
            with acting_for_all(self._sessions) as session:
                post.outbox.drop(session, claimed, letter.state, letter.reason)
            log.info("notice_dropped", notice_id=str(claimed.id), reason=letter.reason)
            return
        handed = lane.hand_over(letter, last=claimed.last)
        with acting_for_all(self._sessions) as session:
            post.outbox.record(session, claimed, handed, self._pace, providers=lane.providers)
        said = {"notice_id": str(claimed.id), "provider": handed.provider, "attempt": claimed.attempt}
        if handed.error is None:
            log.info("notice_sent", **said)
            return
        log.warning("notice_failed", **said, error=handed.error)
        if self._pace.is_last(claimed.attempt):
            log.error("notice_dead", **said)
            with acting_for_all(self._sessions) as session:
                post.died(session, claimed.id, now=self._clock())
