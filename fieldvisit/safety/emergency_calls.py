"""Calling people while there is no database: who is on duty by every address, after two minutes everybody who answers
alarms, again each two minutes, until the calls for help are in the database and its engine goes on with them."""

import datetime as dt
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import structlog
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.languages import Message, say
from fieldvisit.outgoing.gateways import Channels, Letter
from fieldvisit.safety.emergency import Book, Line
from fieldvisit.safety.emergency_list import Address, DutyList

AGAIN_S = 120.0
LOOK_S = 5.0
SOON_S = 1.0
"""So long the database has, each time, before people are called."""
TRIES = 6

log = structlog.get_logger("fieldvisit.emergency")


class Caller:
    """One for each process of the API; sleeps unless there is something in the book that no other sees to."""

    def __init__(self, book: Book, duty: DutyList, channels: Channels, sessions: sessionmaker[Session]) -> None:
        self._book, self._duty, self._channels, self._sessions = book, duty, channels, sessions
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None
        self._ringing: list[threading.Thread] = []
        self._called: dict[uuid.UUID, float] = {}
        self._raised: set[uuid.UUID] = set()
        """Calls that are in the database, and may still stand in the book."""

    def call_at_once(self, line: Line) -> None:
        """Where not even the book takes a call: the list is in memory, and people can be rung. Once in two minutes for
        one visitor, however often it is told."""
        with self._lock:
            is_due = self._is_due(line)
        if is_due:
            # Under ids of their own, so that no gateway takes these for those of the book.
            self._ring(line, everybody=False, at="at once")

    def wake(self) -> None:
        """See to the book, in a thread of its own. Cheap where nothing is to be done."""
        if not self._book.waits():
            return
        with self._lock:
            self._woken.set()
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._see_to_it, name="emergency", daemon=True)
                self._thread.start()

    def join(self, seconds: float) -> None:
        for thread in (self._thread, *self._ringing):
            if thread is not None:
                thread.join(seconds)

    def _see_to_it(self) -> None:
        # Another process that sees to it calls the same people. When it dies, whoever wakes next goes on.
        with self._book.seen_to() as mine:
            if mine:
                self._until_empty()

    def _until_empty(self) -> None:
        """A database that does not answer keeps nobody waiting: people are called beside it."""
        making: threading.Thread | None = None
        while self._book.waits():
            self._woken.clear()
            self._book.give_sign()
            if making is None or not making.is_alive():
                making = threading.Thread(target=self._reconcile, name="emergency-book", daemon=True)
                making.start()
            making.join(SOON_S)
            if not self._book.waits():
                return
            for line, since in self._due():
                self._ring(line, everybody=time.time() - since >= AGAIN_S, at="by the book")
            self._woken.wait(LOOK_S)

    def _reconcile(self) -> None:
        try:
            self._raised |= self._book.reconcile(self._sessions)
        except Exception as error:
            log.error("emergency_not_reconciled", error=type(error).__name__)

    def _due(self) -> list[tuple[Line, float]]:
        """Of each visitor about whom people are to be called now the newest call, and since when there have been some:
        one who presses again and again keeps nobody from being called about another."""
        try:
            lines = [line for line in self._book.lines() if line.told.event_id not in self._raised]
        except OSError as error:
            log.critical("emergency_book_unreadable", error=type(error).__name__)
            return []
        newest = {line.told.visitor_id: line for line in lines}
        since = {line.told.visitor_id: line.at for line in reversed(lines)}
        with self._lock:
            return [(line, since[visitor_id]) for visitor_id, line in newest.items() if self._is_due(line)]

    def _is_due(self, line: Line) -> bool:
        now = time.monotonic()
        if now - self._called.get(line.told.visitor_id, -AGAIN_S) < AGAIN_S:
            return False
        self._called[line.told.visitor_id] = now
        return True

    def _ring(self, line: Line, *, everybody: bool, at: str) -> None:
        """In threads of their own: nobody waits for a provider that somebody else's call hangs at."""
        thread = threading.Thread(
            target=self.call_people, args=(line, everybody, f"{at}:{int(time.time() // AGAIN_S)}"), daemon=True
        )
        self._ringing = [each for each in self._ringing if each.is_alive()] + [thread]
        thread.start()

    def call_people(self, line: Line, everybody: bool, turn: str) -> None:
        """Ring those whose turn it is; back when each was rung. Told again in one `turn` no gateway rings twice."""
        known = self._duty.of(line.org_id)
        addresses, outside = known.called(everybody=everybody), known.called_outside(everybody=everybody)
        if not addresses and not outside:
            log.critical("emergency_nobody_to_call", org_id=str(line.org_id))
            return
        who = known.visitors.get(str(line.told.visitor_id), "-")
        inside, others = _said(line, who), _said_outside(line, who, known.house)
        with ThreadPoolExecutor(min(16, len(addresses) + len(outside))) as pool:
            for address in addresses:
                pool.submit(self._call, line, address, inside, turn)
            for address in outside:
                pool.submit(self._call, line, address, others, turn)

    def _call(self, line: Line, address: Address, said: Message, turn: str) -> None:
        letter = Letter(
            # The same for whoever calls in these two minutes, another one afterwards, also of a process that is new.
            id=uuid.uuid5(line.told.event_id, f"{address.channel}:{address.to}:{turn}"),
            channel=address.channel,
            to=address.to,
            text=say(said, address.language),
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
    return Message(
        "ALARM, by the emergency line since our database is down: call for help. {who}, at {at}, position {place}. "
        "Call now; the list shows it when the database is back.",
        _values(line, who),
    )


def _said_outside(line: Line, who: str, house: str) -> Message:
    values = _values(line, who) | {"house": house or "-"}
    if line.told.covert:
        return Message(
            "ALARM of {house}, by its emergency line since its database is down: call for help. {who}, at {at}, last "
            "position {place}. Act as agreed. Do not call the visitor: nobody at the door may learn of it.",
            values,
        )
    return Message(
        "ALARM of {house}, by its emergency line since its database is down: call for help. {who}, at {at}, last "
        "position {place}. Act as agreed.",
        values,
    )


def _values(line: Line, who: str) -> dict[str, object]:
    told = line.told
    place = f"{told.lat:.5f},{told.lon:.5f}" if told.lat is not None else "-"
    at = dt.datetime.fromtimestamp(line.at - told.age_s, dt.UTC).strftime("%H:%M UTC")
    return {"who": who, "at": at, "place": place}
