"""Random days, told in any order, in any pieces, twice, by clocks that are wrong: the end is that of the tidy order.

Each telling is a transaction that is taken back, so that the same two visits serve for all of them. What several orders
begin with is told once: after it each goes on by itself, from a savepoint.

TRACES=10000 python -m pytest -q -s -m long tests/phone/test_traces.py

With `-n 2` in two processes, which say nothing until they are done. `FIRST_TRACE` is the first day.
"""

import datetime as dt
import hashlib
import os
import random
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker

from api.schemas.phone_events import READERS
from fieldvisit.database import acting_for
from fieldvisit.evidence import EvidenceDraft, Part, Room, announce, take_part
from fieldvisit.files import FileStore
from fieldvisit.phone.day import my_visit
from fieldvisit.phone.events import Desk, EventOutcome, Sent, take_events
from fieldvisit.phone.kinds import EventKind, StepEvent, Terms
from fieldvisit.phone.telling import Teller
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import EvidenceKind, EvidenceState
from tests.conftest import NOW
from tests.phone.conftest import GEOFENCE_M
from tests.phone.traces import (
    MINUTE,
    PHONES,
    Piece,
    Told,
    a_day,
    cut_anywhere,
    drifts,
    end_of,
    events_of,
    open_the_till,
    sendings,
    some_again,
    under_fresh_ids,
    wire,
)
from tests.phone.worlds import Morning, make_morning

FIRST, TRACES = int(os.environ.get("FIRST_TRACE", "0")), int(os.environ.get("TRACES", "100"))
FORKS, PARTS = 4, 2
"""How often the orders of a day part in two; how many processes may share the days."""
QUICK, SAYS = 3, 200
ENVELOPE = ("kind", "visit_id")


def read(sent: Sent) -> StepEvent:
    """As the API reads an event."""
    kind, visit_id = EventKind(sent.body["kind"]), uuid.UUID(sent.body["visit_id"])
    said = READERS[kind].load({name: value for name, value in sent.body.items() if name not in ENVELOPE})
    draft = replace(said, sent_at=sent.sent_at)
    return StepEvent(kind=kind, visit_id=visit_id, draft=draft, terms=Terms(now=NOW, geofence_m=GEOFENCE_M))


@dataclass(frozen=True)
class Orders:
    """Orders that begin alike; `forks`: how often they still part."""

    chance: random.Random
    clocks: Mapping[str, dt.timedelta]
    forks: int

    def part(self, waiting: list[Told]) -> tuple[list[Told], list[Told]]:
        """What is told before they part, and what after; all of it where they part no more."""
        size = -(-len(waiting) // (self.forks + 1))
        return (waiting[:size], waiting[size:]) if self.forks else (waiting, [])


class Days:
    """One morning, lived again and again."""

    def __init__(self, sessions: sessionmaker[Session], morning: Morning, store: FileStore) -> None:
        self.sessions, self.morning, self.store = sessions, morning, store

    def of(self, visits: int) -> "Days":
        """The same with the first of its visits alone."""
        return Days(self.sessions, replace(self.morning, visits=self.morning.visits[:visits]), self.store)

    def end(self, told: Sequence[Piece], clocks: Mapping[str, dt.timedelta]) -> list[Any]:
        """Where the day ends that is told like this; then it never was."""
        with self.sessions(info={"org": self.morning.world.agency}) as session, session.begin() as transaction:
            ended = self._go_on(session, told, clocks)
            transaction.rollback()
            return ended

    def ends(self, chance: random.Random, told: Sequence[Told], forks: int) -> Iterator[list[Any]]:
        """Where the day ends in each of 2 to the power of `forks` orders, by the same clocks."""
        with self.sessions(info={"org": self.morning.world.agency}) as session, session.begin() as transaction:
            yield from self._fork(session, Orders(chance, drifts(chance), forks), some_again(chance, told))
            transaction.rollback()

    def _fork(self, session: Session, orders: "Orders", waiting: list[Told]) -> Iterator[list[Any]]:
        """Tell some of what waits, and then the rest in several ways."""
        orders.chance.shuffle(waiting)
        now, later = orders.part(waiting)
        ended = self._go_on(session, cut_anywhere(orders.chance, now), orders.clocks, look=not later)
        if not later:
            yield ended
            return
        for _ in range(2):
            with session.begin_nested() as savepoint:
                yield from self._fork(session, replace(orders, forks=orders.forks - 1), list(later))
                savepoint.rollback()
            # As the next request: it knows nothing of what is no more.
            session.expunge_all()

    def _go_on(
        self, session: Session, told: Sequence[Piece], clocks: Mapping[str, dt.timedelta], *, look: bool = True
    ) -> list[Any]:
        for piece in told:
            drift = clocks[piece.phone]
            if piece.beside is None:
                self._send(session, piece, drift)
            else:
                self._do_beside(session, piece.beside, drift)
        session.flush()
        session.expire_all()
        return end_of(session, self.morning) if look else []

    def _who(self, phone: str) -> uuid.UUID:
        return self.morning.ilta if PHONES[phone] == "ilta" else self.morning.oona

    def _send(self, session: Session, piece: Piece, drift: dt.timedelta) -> None:
        desk = Desk(by=Teller(visitor_id=self._who(piece.phone)), now=NOW, read=read, translate=lambda _: None)
        sent = [Sent(body=wire(each, self.morning, drift), sent_at=NOW + drift) for each in piece.told]
        results = take_events(session, sent, desk)
        assert EventOutcome.REFUSED not in {result.outcome for result in results}, results

    def _do_beside(self, session: Session, told: Told, drift: dt.timedelta) -> None:
        visitor_id, visit_id = self._who(told.phone), self.morning.visits[told.visit]
        if told.kind == "look":
            assert my_visit(session, visitor_id, visit_id, now=NOW).visit_id == visit_id
            return
        content: bytes = told.facts["content"]
        draft = EvidenceDraft(
            id=uuid.UUID(told.event_id),
            visit_id=visit_id,
            kind=EvidenceKind.AUDIO,
            captured_at=NOW - told.facts["captured_minutes"] * MINUTE + drift,
            size_bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )
        row = announce(session, draft, visitor_id=visitor_id, room=Room(files=100, most_bytes=2**30))
        if row.state is EvidenceState.UPLOADING:
            part = Part(evidence_id=row.id, begin=row.received_bytes, content=content)
            take_part(session, self.store, part, visitor_id=visitor_id, now=NOW)


@pytest.fixture
def days(sessions: sessionmaker[Session], settings: Settings) -> Days:
    morning = make_morning(sessions, visits=2)
    with acting_for(sessions, morning.world.agency) as session:
        open_the_till(session, morning)
    return Days(sessions, morning, FileStore(settings))


def check(whole: Days, seed: int, *, forks: int) -> int:
    """In how many orders it was told: of a day with little in it there are fewer."""
    chance = random.Random(seed)
    visits = chance.choice((1, 1, 2))
    days, told = whole.of(visits), a_day(chance, visits=visits)
    tidy = days.end([Piece(each.phone, (each,)) for each in told], drifts(chance))
    assert tidy[-1] == {"held": [], "keys": len(events_of(told))}, f"seed {seed}"
    assert days.end(sendings(told), drifts(chance)) == tidy, f"seed {seed}"
    ends = list(days.ends(chance, under_fresh_ids(told), forks))
    for order, wild in enumerate(ends):
        assert wild == tidy, f"seed {seed}, order {order}"
    return len(ends)


def test_some_random_days_end_as_they_ended(days: Days) -> None:
    for seed in range(1_000_000, 1_000_000 + QUICK):
        check(days, seed, forks=1)


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_the_order_the_day_ends_as_it_ended(days: Days, part: int) -> None:
    begun, seed, orders, said = time.process_time(), FIRST + part, 0, 0
    while orders < TRACES // PARTS:
        orders += check(days, seed, forks=FORKS)
        seed += PARTS
        if orders - said >= SAYS or orders >= TRACES // PARTS:
            said, spent_s = orders, (time.process_time() - begun) / orders
            print(
                f"days {FIRST + part} to {seed - PARTS}: {orders} orders, {spent_s:.2f} s of processor each", flush=True
            )
