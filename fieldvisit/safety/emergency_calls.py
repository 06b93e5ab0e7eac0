"""Calling people while there is no database: everyone on the list by every address, again each two minutes, until the
calls for help are in the database and its engine goes on with them."""

import datetime as dt
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import structlog
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.languages import Message, say
from fieldvisit.outgoing.gateways import Channels, Letter
from fieldvisit.safety.emergency import Address, Book, DutyList, Line

AGAIN_S = 120.0
LOOK_S = 5.0
TRIES = 6

log = structlog.get_logger("fieldvisit.emergency")


class Caller:
    """One for each process of the API; sleeps unless there is something in the book that no other sees to."""

    def __init__(self, book: Book, duty: DutyList, channels: Channels, sessions: sessionmaker[Session]) -> None:
        self._book, self._duty, self._channels, self._sessions = book, duty, channels, sessions
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._at_once: list[threading.Thread] = []
        self._called: dict[uuid.UUID, tuple[int, float]] = {}

    def call_at_once(self, line: Line) -> None:
        """Where not even the book takes a call: the list is in memory, and people can be rung. Once in two minutes,
        however often it is told."""
        with self._lock:
            times, last = self._called.get(line.told.event_id, (0, -AGAIN_S))
            if time.monotonic() - last < AGAIN_S:
                return
            self._called[line.told.event_id] = (times + 1, time.monotonic())
            # Rounds of their own, so that no gateway takes these for those of the book.
            thread = threading.Thread(
                target=self._call_everybody, args=(line, -1 - times), name="emergency", daemon=True
            )
            self._at_once = [each for each in self._at_once if each.is_alive()] + [thread]
        thread.start()

    def wake(self) -> None:
        """See to the book, in a thread of its own. Cheap where nothing is to be done."""
        if not self._book.waits():
            return
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._see_to_it, name="emergency", daemon=True)
                self._thread.start()

    def join(self, seconds: float) -> None:
        for thread in (self._thread, *self._at_once):
            if thread is not None:
                thread.join(seconds)

    def _see_to_it(self) -> None:
        # Another process that sees to it calls the same people. When it dies, whoever wakes next goes on.
        with self._book.seen_to() as mine:
            if mine:
                self._until_empty()

    def _until_empty(self) -> None:
        called: dict[uuid.UUID, float] = {}
        round = 0
        while self._book.waits():
            if self._reconciled():
                return
            now = time.monotonic()
            due = [each for each in self._book.lines() if now - called.get(each.told.event_id, -AGAIN_S) >= AGAIN_S]
            round += bool(due)
            for line in due:
                called[line.told.event_id] = now
                self._call_everybody(line, round)
            time.sleep(LOOK_S)

    def _reconciled(self) -> bool:
        try:
            self._book.reconcile(self._sessions)
        except Exception as error:
            log.error("emergency_not_reconciled", error=type(error).__name__)
            return False
        return True

    def _call_everybody(self, line: Line, round: int) -> None:
        known = self._duty.of(line.org_id)
        if not known.addresses:
            log.critical("emergency_nobody_to_call", org_id=str(line.org_id))
            return
        who = known.visitors.get(str(line.told.visitor_id), "-")
        with ThreadPoolExecutor(min(16, len(known.addresses))) as pool:
            for address in known.addresses:
                pool.submit(self._call, line, address, who, round)

    def _call(self, line: Line, address: Address, who: str, round: int) -> None:
        letter = Letter(
            id=uuid.uuid5(line.told.event_id, f"{address.channel}:{address.to}:{round}"),
            channel=address.channel,
            to=address.to,
            text=say(_said(line, who), address.language),
            language=address.language,
        )
        last = None
        for _ in range(TRIES):
            handed = self._channels.hand_over(letter, last=last)
            if handed.error is None:
                return
            last = handed.provider
        log.error("emergency_call_failed", channel=address.channel.value)


def _said(line: Line, who: str) -> Message:
    told = line.told
    place = f"{told.lat:.5f},{told.lon:.5f}" if told.lat is not None else "-"
    at = dt.datetime.fromtimestamp(line.at - told.age_s, dt.UTC).strftime("%H:%M UTC")
    return Message(
        "ALARM, by the emergency line since our database is down: call for help. {who}, at {at}, position {place}. "
        "Call now; the list shows it when the database is back.",
        {"who": who, "at": at, "place": place},
    )
