"""Calling people while there is no database: who is on duty by every address, after two minutes everybody who answers
alarms, again each two minutes, until the calls for help are in the database and its engine goes on with them."""

import datetime as dt
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import structlog
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.languages import Message, say
from fieldvisit.outgoing.gateways import Channels, Letter
from fieldvisit.safety.emergency import Book, Line
from fieldvisit.safety.emergency_list import Address, Door, DutyList
from fieldvisit.safety.pace import PACE

AGAIN_S = 120.0
LOOK_S = 5.0
SOON_S = 1.0
"""So long the database has, each time, before people are called."""
AT_A_TIME = 16

log = structlog.get_logger("fieldvisit.emergency")


@dataclass(frozen=True)
class _Ring:
    """Somebody who is to be rung in this turn, what they are told, and which provider failed last."""

    letter: Letter
    last: str | None = None


class Caller:
    """One for each process of the API; sleeps unless there is something in the book that no other sees to."""

    def __init__(
        self,
        book: Book,
        duty: DutyList,
        channels: Channels,
        sessions: sessionmaker[Session],
        *,
        now: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """`now` and `wait` are the seconds of this process between one try, or turn, and the next."""
        self._book, self._duty, self._channels, self._sessions = book, duty, channels, sessions
        self._now, self._wait = now, wait
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None
        self._ringing: list[threading.Thread] = []
        self._called: dict[uuid.UUID, float] = {}
        self._unrung: set[uuid.UUID] = set()
        """Visitors about whom somebody is to be rung at once, and nobody was yet."""
        self._raised: set[uuid.UUID] = set()
        """Calls that are in the database, and may still stand in the book."""

    def call_at_once(self, line: Line) -> None:
        """Where not even the book takes a call: the list is in memory, and people can be rung. Once in two minutes for
        one visitor, however often it is told; turn after turn, for it stands nowhere else, until somebody was rung."""
        with self._lock:
            is_due = line.told.visitor_id not in self._unrung and self._is_due(line)
        if is_due:
            # Under ids of their own, so that no gateway takes these for those of the book.
            self._begin(self._until_rung, line)

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
                self._begin(self._ring, line, everybody=time.time() - since >= AGAIN_S)
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
        now = self._now()
        if now - self._called.get(line.told.visitor_id, -AGAIN_S) < AGAIN_S:
            return False
        self._called[line.told.visitor_id] = now
        return True

    def _ring(self, line: Line, *, everybody: bool) -> None:
        if not self._is_rung(line, everybody, "by the book"):
            with self._lock:
                # Nobody was rung: the next look at the book is not too soon.
                self._called.pop(line.told.visitor_id, None)

    def _until_rung(self, line: Line) -> None:
        with self._lock:
            self._unrung.add(line.told.visitor_id)
        everybody = False
        while not self._is_rung(line, everybody, "at once"):
            everybody = True
            self._wait(LOOK_S)
        with self._lock:
            self._unrung.discard(line.told.visitor_id)
            self._called[line.told.visitor_id] = self._now()

    def _is_rung(self, line: Line, everybody: bool, how: str) -> bool:
        try:
            return self.call_people(line, everybody, f"{how}:{int(time.time() // AGAIN_S)}")
        except Exception:
            # No thread, perhaps, on a host that has nothing left: the next turn comes.
            log.exception("emergency_turn_failed")
            return False

    def _begin(self, what: Callable[..., None], *given: object, **more: object) -> None:
        """In threads of their own: nobody waits for a provider that somebody else's call hangs at."""
        thread = threading.Thread(target=what, args=given, kwargs=more, daemon=True)
        self._ringing = [each for each in self._ringing if each.is_alive()] + [thread]
        thread.start()

    def call_people(self, line: Line, everybody: bool, turn: str) -> bool:
        """Ring those whose turn it is, and whom no provider took again at the usual pace until the turn is over. Back
        when each was rung; False where nobody was. Told again in one `turn` no gateway rings twice."""
        over_at, tries = self._now() + AGAIN_S, 0
        left = everyone = self._rings(line, everybody, turn)
        if not everyone:
            log.critical("emergency_nobody_to_call", org_id=str(line.org_id))
        while left:
            with ThreadPoolExecutor(min(AT_A_TIME, len(left))) as pool:
                left = [each for each in pool.map(self._try, left) if each is not None]
            tries += 1
            pause_s = PACE.retry_s(tries, max((self._channels.count(each.letter.channel) for each in left), default=1))
            if self._now() + pause_s >= over_at or line.told.event_id in self._raised:
                break
            if left:
                self._wait(pause_s)
        for each in left:
            log.error("emergency_call_failed", channel=each.letter.channel.value, tries=tries)
        return len(left) < len(everyone)

    def _rings(self, line: Line, everybody: bool, turn: str) -> list[_Ring]:
        known = self._duty.of(line.org_id).about(line.told.visitor_id)
        who = _at_doors(
            known.visitors.get(str(line.told.visitor_id), "-"),
            known.doors_of(line.told.visitor_id, line.told.visit_id),
        )
        inside, others = _said(line, who), _said_outside(line, who, known.house)
        to = [(address, inside) for address in known.called(everybody=everybody)]
        to += [(address, others) for address in known.called_outside(everybody=everybody)]
        return [_Ring(_letter(line, address, said, turn)) for address, said in to]

    def _try(self, ring: _Ring) -> _Ring | None:
        """One try; who is to be rung again, if it failed, by whatever."""
        try:
            handed = self._channels.hand_over(ring.letter, last=ring.last)
        except Exception:
            log.exception("emergency_try_failed", channel=ring.letter.channel.value)
            return ring
        return None if handed.error is None else _Ring(ring.letter, handed.provider)


def _letter(line: Line, address: Address, said: Message, turn: str) -> Letter:
    return Letter(
        # The same for whoever calls in these two minutes, another one afterwards, also of a process that is new.
        id=uuid.uuid5(line.told.event_id, f"{address.channel}:{address.to}:{turn}"),
        channel=address.channel,
        to=address.to,
        text=say(said, address.language),
        language=address.language,
    )


def _at_doors(who: str, doors: Sequence[Door]) -> Message | str:
    """Nobody can look the visit up just now: its address is told as well."""
    told = [f"{each.reference}, {each.address}" for each in doors]
    if not told:
        return who
    both = Message("{one} or {other}", {"one": told[0], "other": told[1]}) if len(told) > 1 else told[0]
    return Message("{who}, visit {visit}", {"who": who, "visit": both})


def _said(line: Line, who: Message | str) -> Message:
    if line.told.covert:
        return Message(
            "COVERT ALARM, by the emergency line since our database is down: call for help. {who}, at {at}, position "
            "{place}. Do not call the visitor: nobody at the door may learn of it. The list shows it when the database "
            "is back.",
            _values(line, who),
        )
    return Message(
        "ALARM, by the emergency line since our database is down: call for help. {who}, at {at}, position {place}. "
        "Call now; the list shows it when the database is back.",
        _values(line, who),
    )


def _said_outside(line: Line, who: Message | str, house: str) -> Message:
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


def _values(line: Line, who: Message | str) -> dict[str, object]:
    told = line.told
    place = f"{told.lat:.5f},{told.lon:.5f}" if told.lat is not None else "-"
    at = dt.datetime.fromtimestamp(line.at - told.age_s, dt.UTC).strftime("%H:%M UTC")
    return {"who": who, "at": at, "place": place}
