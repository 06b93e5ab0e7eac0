"""The sender: claims messages, hands them over outside of any transaction, records what came of it. One loop for each
channel, so that a channel whose provider hangs keeps no other one waiting."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.outgoing.gateways import Channels, Handed, Letter
from fieldvisit.outgoing.leases import Claimed
from fieldvisit.safety.beats import engine_transaction
from fieldvisit.safety.hints import Hint
from fieldvisit.safety.outbox import claim, drop, hurry, record
from fieldvisit.safety.pace import PACE, Pace
from fieldvisit.safety.wording import write
from fieldvisit.vocabulary import AlarmChannel

SLOTS = 8
"""Messages of one channel that are being handed over at a time."""
REST_S, RETRY_S = 0.5, 1.0

log = structlog.get_logger("fieldvisit.watch")


class Sender:
    """Sends what is due of each channel, level-triggered: it remembers nothing between two looks."""

    def __init__(self, sessions: sessionmaker[Session], channels: Channels, *, pace: Pace = PACE) -> None:
        self._sessions = sessions
        self._channels = channels
        self._pace = pace

    def send_due(self) -> int:
        """Everything that is due now, one after the other; how many attempts were made."""
        sent = 0
        for channel in AlarmChannel:
            while found := self.claim(channel, SLOTS):
                for each in found:
                    self.send(channel, each)
                sent += len(found)
        return sent

    def claim(self, channel: AlarmChannel, limit: int) -> Sequence[Claimed]:
        with engine_transaction(self._sessions) as session:
            return claim(session, channel, limit, self._pace)

    def send(self, channel: AlarmChannel, claimed: Claimed) -> None:
        """One attempt. A message that cannot be written is dropped; the step may then have reached nobody."""
        providers = self._channels.count(channel)
        with engine_transaction(self._sessions) as session:
            letter = write(session, claimed.id)
        if isinstance(letter, Letter):
            handed = self._channels.hand_over(letter, last=claimed.last)
            with engine_transaction(self._sessions) as session:
                record(session, claimed, handed, self._pace, providers=providers)
            failed = self._tell(claimed, handed)
        else:
            with engine_transaction(self._sessions) as session:
                drop(session, claimed, letter.reason)
            failed = True
        if failed:
            with engine_transaction(self._sessions) as session:
                hurry(session, claimed, providers=providers)

    def _tell(self, claimed: Claimed, handed: Handed) -> bool:
        said = {"message_id": str(claimed.id), "provider": handed.provider, "attempt": claimed.attempt}
        if handed.error is None:
            log.info("message_sent", **said)
            return False
        log.error("message_failed", **said, error=handed.error)
        return True


def run_sender(sender: Sender, stop: threading.Event, hint: Hint) -> Callable[[], None]:
    """Start a loop for each channel; returns what waits for their end after `stop` was set."""
    threads = [
        threading.Thread(target=_loop, args=(sender, channel, stop, hint), name=f"send-{channel}", daemon=True)
        for channel in AlarmChannel
    ]
    for thread in threads:
        thread.start()

    def join() -> None:
        for thread in threads:
            thread.join()

    return join


def _loop(sender: Sender, channel: AlarmChannel, stop: threading.Event, hint: Hint) -> None:
    free = threading.Semaphore(SLOTS)
    with ThreadPoolExecutor(SLOTS, thread_name_prefix=f"send-{channel}") as pool:
        while not stop.is_set():
            try:
                busy = _fill(sender, channel, pool, free)
            except DBAPIError as error:
                log.error("database_unavailable", channel=channel.value, error=type(error.orig).__name__)
                stop.wait(RETRY_S)
                continue
            except Exception:
                log.exception("sender_failed", channel=channel.value)
                stop.wait(RETRY_S)
                continue
            if not busy:
                hint.rest(REST_S)


def _fill(sender: Sender, channel: AlarmChannel, pool: ThreadPoolExecutor, free: threading.Semaphore) -> bool:
    """Take as many messages as there are free slots, at least one; False where nothing was due."""
    free.acquire()
    slots = 1
    while slots < SLOTS and free.acquire(blocking=False):
        slots += 1
    found: Sequence[Claimed] = ()
    try:
        found = sender.claim(channel, slots)
    finally:
        for _ in range(slots - len(found)):
            free.release()
    for each in found:
        pool.submit(_guarded, sender, channel, each, free)
    return bool(found)


def _guarded(sender: Sender, channel: AlarmChannel, claimed: Claimed, free: threading.Semaphore) -> None:
    try:
        sender.send(channel, claimed)
    except DBAPIError as error:
        # Its lease runs out, and it is sent again: perhaps once too often, never once too few.
        log.error("not_recorded", message_id=str(claimed.id), error=type(error.orig).__name__)
    except Exception:
        log.exception("not_sent", message_id=str(claimed.id))
    finally:
        free.release()
