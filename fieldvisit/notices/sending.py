"""The sender: claims messages, looks once more whether they still hold, hands them over outside of any transaction, and
records what came of it. Whoever dies in between leaves a try without an end; it is sent again, under its id."""

import datetime as dt
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for_all
from fieldvisit.notices.announcing import call_off, tell_missed
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
POSTS: tuple[Post, ...] = (NoticePost(), ReminderPost())

log = structlog.get_logger("fieldvisit.notices")


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

    def close(self) -> None:
        """Give back the connections to the providers."""
        self._carriers.close()

    def turn(self) -> int:
        """Tell of what was called off or did not take place, then everything that is due; how many tries were made."""
        with acting_for_all(self._sessions) as session:
            call_off(session, now=self._clock())
            tell_missed(session, now=self._clock())
            lanes = self._carriers.lanes(session)
        if not lanes:
            # Without a provider everything waits, and is shown as waiting: to try it would only use up its tries.
            return 0
        with ThreadPoolExecutor(min(len(lanes), LANES), thread_name_prefix="notices") as pool:
            return sum(pool.map(self._send_lane, lanes))

    def _send_lane(self, lane: Lane) -> int:
        until = time.monotonic() + TURN_S
        return sum(self._send_post(lane, post, until) for post in POSTS)

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
