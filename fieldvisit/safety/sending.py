"""The sender: claims messages, hands them over outside of any transaction, records what came of it. One loop for each
channel, so that a channel whose provider hangs keeps no other one waiting."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue

import structlog
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import was_held_up
from fieldvisit.errors import FieldVisitError
from fieldvisit.outgoing.gateways import Channels, Handed, Letter
from fieldvisit.outgoing.leases import Claimed
from fieldvisit.safety.beats import engine_transaction
from fieldvisit.safety.held_tables import HeldTables
from fieldvisit.safety.hints import Hint
from fieldvisit.safety.outbox import CALM, Sent, claim, drop, give_back, hurry, record
from fieldvisit.safety.pace import PACE, Pace
from fieldvisit.safety.wording import Unwritable, Unwritten, write, write_somehow
from fieldvisit.vocabulary import AlarmChannel

SLOTS = 12
"""Messages of one channel that are being handed over at a time."""
KEPT = 4
"""Of those so many are for alarms alone: a provider that hangs over reminders keeps no alarm waiting."""
HELD_MS, LONGEST_HELD_MS = 500, 1_000
"""So long somebody is waited for who holds one of several messages, or the alert of one that failed; and who holds a
single one."""
REST_S, SHORT_REST_S, RETRY_S, GATHER_S = 0.5, 0.05, 1.0, 0.02

log = structlog.get_logger("fieldvisit.watch")


@dataclass(frozen=True)
class Job:
    """A message claimed, and what it says; with a reason in place of the letter there is nothing to send."""

    claimed: Claimed
    letter: Letter | Unwritable | Unwritten


class Sender:
    """Sends what is due of each channel, level-triggered: it remembers nothing between two looks."""

    def __init__(self, sessions: sessionmaker[Session], channels: Channels, *, pace: Pace = PACE) -> None:
        self._sessions = sessions
        self._channels = channels
        self._pace = pace
        self._tables = HeldTables(sessions)
        self._providers = {channel: channels.count(channel) for channel in AlarmChannel}

    def send_due(self) -> int:
        """Everything that is due now, one after the other; how many attempts were made."""
        sent = 0
        for channel in AlarmChannel:
            while found := self.claim(channel, SLOTS):
                self.record([self.hand_over(each) for each in found])
                sent += len(found)
        return sent

    def claim(self, channel: AlarmChannel, limit: int) -> Sequence[Job]:
        """Take up to `limit` messages, those that are no alarms only as far as `KEPT` of them are left over, and write
        them."""
        with engine_transaction(self._sessions) as session:
            claimed = [*claim(session, channel, limit, self._pace, above=CALM)]
            if len(claimed) < limit - KEPT:
                claimed += claim(session, channel, limit - KEPT - len(claimed), self._pace)
        if not claimed:
            return ()
        try:
            letters = self._written([each.id for each in claimed])
        except DBAPIError:
            self._give_back(claimed)
            raise
        return [Job(each, letters[each.id]) for each in claimed]

    def _give_back(self, claimed: Sequence[Claimed]) -> None:
        """That nothing can be read just now is no attempt: they are due as they were, not when their leases run out."""
        with suppress(DBAPIError), engine_transaction(self._sessions, lock_ms=HELD_MS) as session:
            give_back(session, claimed)

    def hand_over(self, job: Job) -> Job | Sent:
        """One attempt, outside of any transaction; the job itself where there is nothing to send."""
        if isinstance(job.letter, Unwritable):
            return job
        if isinstance(job.letter, Unwritten):
            return failed(job, job.letter.error)
        handed = self._channels.hand_over(job.letter, last=job.claimed.last)
        pushed = job.letter.channel is AlarmChannel.PUSH
        return Sent(job.claimed, handed, self._channels.count(job.letter.channel), pushed=pushed)

    def record(self, results: Sequence[Job | Sent]) -> None:
        """Write down what came of these. What could not be written is dropped; a step may then have reached nobody, as
        may one of which only pushes were accepted."""
        done = self._apart([each for each in results if isinstance(each, Sent)], self._write_down)
        # Messages are locked in an order, so each of these by itself.
        for each in results:
            if isinstance(each, Job):
                done += self._apart([each], self._drop)
        for message_id in [
            each.claimed.id for each in done if _failed(each) or (isinstance(each, Sent) and each.pushed)
        ]:
            self._hurry(message_id)

    def _apart[R: (Job, Sent)](self, results: Sequence[R], act: Callable[[Sequence[R], int], None]) -> list[Job | Sent]:
        """Those of these that could be written down: where somebody holds one, the others all the same."""
        try:
            act(results, HELD_MS if len(results) > 1 else LONGEST_HELD_MS)
        except OperationalError as error:
            if not was_held_up(error):
                raise
            if len(results) > 1:
                return [done for each in results for done in self._apart([each], act)]
            # Its lease runs out, and it is sent again: perhaps once too often, never once too few.
            log.error("not_recorded", messages=_ids(results), error=type(error.orig).__name__)
            return []
        return [*results]

    def _write_down(self, sent: Sequence[Sent], lock_ms: int) -> None:
        if sent:
            with engine_transaction(self._sessions, lock_ms=lock_ms) as session:
                record(session, sent, self._pace)

    def _drop(self, jobs: Sequence[Job], lock_ms: int) -> None:
        for job in jobs:
            assert isinstance(job.letter, Unwritable)
            with engine_transaction(self._sessions, lock_ms=lock_ms) as session:
                drop(session, job.claimed, job.letter.reason)

    def _hurry(self, message_id: uuid.UUID) -> None:
        """An alert that somebody holds keeps neither the others from going on nor the channel from its next messages:
        its step ends at its time, or with the next attempt."""
        try:
            with engine_transaction(self._sessions, lock_ms=HELD_MS) as session:
                hurry(session, message_id, providers=self._providers)
        except OperationalError as error:
            if not was_held_up(error):
                raise
            log.error("step_not_hurried", message_id=str(message_id))

    def _written(self, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Letter | Unwritable | Unwritten]:
        """The letters of these; where one stands in the way of the others, each by itself."""
        try:
            return self._tables.read(lambda session, held: write(session, ids, without=held))
        except OperationalError:
            raise
        except Exception as error:
            if len(ids) > 1:
                return {each: letter for one in ids for each, letter in self._written([one]).items()}
            log.error("not_written_in_full", message_id=str(ids[0]), error=type(error).__name__)
            return {ids[0]: self._written_somehow(ids[0])}

    def _written_somehow(self, message_id: uuid.UUID) -> Letter | Unwritable | Unwritten:
        try:
            return self._tables.read(lambda session, held: write_somehow(session, message_id, without=held))
        except OperationalError:
            raise
        except FieldVisitError as error:
            return Unwritable(error.code)
        except Exception as error:
            log.exception("not_written", message_id=str(message_id))
            return Unwritten(f"not written: {type(error).__name__}")


def _failed(result: Job | Sent) -> bool:
    """Whether it was handed over to nobody; told in the log."""
    if isinstance(result, Job):
        return True
    said = {"message_id": str(result.claimed.id), "provider": result.handed.provider}
    if result.handed.error is None:
        log.info("message_sent", **said, attempt=result.claimed.attempt)
        return False
    log.error("message_failed", **said, attempt=result.claimed.attempt, error=result.handed.error)
    return True


def failed(job: Job, error: str) -> Sent:
    """An attempt that came to no provider, as `error` says in the words that `MAY_REACH` knows. It is written down as
    one all the same: then it is repeated at the usual pace, and a step that reaches nobody goes on."""
    return Sent(job.claimed, Handed(provider=job.claimed.last or "none", error=error), 1)


def run_alone(_: AlarmChannel) -> None:
    """Nobody keeps this sender: it need not say that it goes on."""


def run_sender(
    sender: Sender, stop: threading.Event, hint: Hint, *, alive: Callable[[AlarmChannel], None] = run_alone
) -> Callable[[], None]:
    """Start a loop for each channel, which tells `alive` each time that it goes on to its next messages; returns what
    waits for their end after `stop` was set."""
    threads = [
        threading.Thread(
            target=_loop,
            args=(sender, channel, stop, hint),
            kwargs={"alive": alive},
            name=f"send-{channel}",
            daemon=True,
        )
        for channel in AlarmChannel
    ]
    for thread in threads:
        thread.start()

    def join() -> None:
        for thread in threads:
            thread.join()

    return join


def _loop(
    sender: Sender, channel: AlarmChannel, stop: threading.Event, hint: Hint, *, alive: Callable[[AlarmChannel], None]
) -> None:
    line = _Line(sender)
    with ThreadPoolExecutor(SLOTS + 1, thread_name_prefix=f"send-{channel}") as pool:
        recording = pool.submit(line.record_until_closed)
        while not stop.is_set():
            alive(channel)
            try:
                rest_s = line.fill(channel, pool)
            except DBAPIError as error:
                log.error("database_unavailable", channel=channel.value, error=type(error.orig).__name__)
                stop.wait(RETRY_S)
                continue
            except Exception:
                log.exception("sender_failed", channel=channel.value)
                stop.wait(RETRY_S)
                continue
            if rest_s:
                hint.rest(rest_s)
        line.close()
        recording.result()


class _Line:
    """The messages of a channel on their way: each holds a slot until what came of it is written down. Whatever has
    come while the last ones were written down is written down together."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._free = threading.Semaphore(SLOTS)
        self._done: SimpleQueue[Job | Sent | None] = SimpleQueue()

    def fill(self, channel: AlarmChannel, pool: ThreadPoolExecutor) -> float:
        """Take as many messages as there are free slots, at least one; the seconds to rest where nothing was taken,
        fewer of them where what is no alarm may be waiting for a slot."""
        self._free.acquire()
        slots, until = 1, time.monotonic() + GATHER_S
        # In a rush slots become free one by one: asking for each by itself would cost more than sending does.
        while slots < SLOTS and self._free.acquire(timeout=max(0.0, until - time.monotonic())):
            slots += 1
        found: Sequence[Job] = ()
        try:
            found = self._sender.claim(channel, slots)
        finally:
            self._release(slots - len(found))
        for each in found:
            pool.submit(self._hand_over, each)
        if found:
            return 0.0
        return REST_S if slots == SLOTS else SHORT_REST_S

    def close(self) -> None:
        """No more will come; those that are under way are still waited for, and written down."""
        for _ in range(SLOTS):
            self._free.acquire()
        self._done.put(None)

    def record_until_closed(self) -> None:
        while (first := self._done.get()) is not None:
            results = [first, *self._waiting()]
            try:
                self._sender.record(results)
            except DBAPIError as error:
                # Their leases run out, and they are sent again: perhaps once too often, never once too few.
                log.error("not_recorded", messages=_ids(results), error=type(error.orig).__name__)
            except Exception:
                log.exception("not_recorded", messages=_ids(results))
            finally:
                self._release(len(results))

    def _waiting(self) -> Iterator[Job | Sent]:
        # No more than there are slots, and never the end: that comes when all of them are free.
        with suppress(Empty):
            while (each := self._done.get_nowait()) is not None:
                yield each

    def _hand_over(self, job: Job) -> None:
        try:
            result = self._sender.hand_over(job)
        except Exception as error:
            log.exception("not_sent", message_id=str(job.claimed.id))
            result = failed(job, f"not sent: {type(error).__name__}")
        self._done.put(result)

    def _release(self, slots: int) -> None:
        if slots:
            self._free.release(slots)


def _ids(results: Sequence[Job | Sent]) -> list[str]:
    return [str(each.claimed.id) for each in results]
