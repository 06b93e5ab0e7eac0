"""Random days, told in any order, in any pieces, twice, by clocks that are wrong: the end is that of the tidy order.

Each telling is a transaction that is taken back, so that the same two visits serve for all of them. Most of the time
goes into the tidy telling of a day, so each day is told wildly several times, by other clocks each time.

TRACES=10000 python -m pytest -q -s -n 2 -m long tests/phone/test_traces.py
"""

import datetime as dt
import hashlib
import os
import random
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker

from api.schemas.phone_events import READERS
from fieldvisit.database import acting_for
from fieldvisit.evidence import EvidenceDraft, Part, announce, take_part
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
    drifts,
    end_of,
    events_of,
    open_the_till,
    pieces,
    sendings,
    under_fresh_ids,
    wire,
)
from tests.phone.worlds import Morning, make_morning

FIRST, TRACES = int(os.environ.get("FIRST_TRACE", "0")), int(os.environ.get("TRACES", "100"))
ORDERS, PARTS = 4, 2
"""In how many orders each day is told; how many processes may share the days."""
QUICK = 3
ENVELOPE = ("kind", "visit_id")


def read(sent: Sent) -> StepEvent:
    """As the API reads an event."""
    kind, visit_id = EventKind(sent.body["kind"]), uuid.UUID(sent.body["visit_id"])
    said = READERS[kind].load({name: value for name, value in sent.body.items() if name not in ENVELOPE})
    draft = replace(said, sent_at=sent.sent_at)
    return StepEvent(kind=kind, visit_id=visit_id, draft=draft, terms=Terms(now=NOW, geofence_m=GEOFENCE_M))


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
            for piece in told:
                drift = clocks[piece.phone]
                if piece.beside is None:
                    self._send(session, piece, drift)
                else:
                    self._do_beside(session, piece.beside, drift)
            session.flush()
            session.expire_all()
            ended = end_of(session, self.morning)
            transaction.rollback()
            return ended

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
        row = announce(session, draft, visitor_id=visitor_id, now=NOW)
        if row.state is EvidenceState.UPLOADING:
            part = Part(evidence_id=row.id, begin=row.received_bytes, content=content)
            take_part(session, self.store, part, visitor_id=visitor_id, now=NOW)


@pytest.fixture
def days(sessions: sessionmaker[Session], settings: Settings) -> Days:
    morning = make_morning(sessions, visits=2)
    with acting_for(sessions, morning.world.agency) as session:
        open_the_till(session, morning)
    return Days(sessions, morning, FileStore(settings))


def check(whole: Days, seed: int, *, orders: int) -> None:
    chance = random.Random(seed)
    visits = chance.choice((1, 1, 2))
    days, told = whole.of(visits), a_day(chance, visits=visits)
    tidy = days.end([Piece(each.phone, (each,)) for each in told], drifts(chance))
    assert tidy[-1] == {"held": [], "keys": len(events_of(told))}, f"seed {seed}"
    assert days.end(sendings(told), drifts(chance)) == tidy, f"seed {seed}"
    for order in range(orders):
        wild = days.end(pieces(chance, under_fresh_ids(told)), drifts(chance))
        assert wild == tidy, f"seed {seed}, order {order}"


def test_some_random_days_end_as_they_ended(days: Days) -> None:
    for seed in range(1_000_000, 1_000_000 + QUICK):
        check(days, seed, orders=1)


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_the_order_the_day_ends_as_it_ended(days: Days, part: int) -> None:
    begun, seeds = time.process_time(), range(FIRST + part, FIRST + TRACES // ORDERS, PARTS)
    for seed in seeds:
        check(days, seed, orders=ORDERS)
    spent_s = (time.process_time() - begun) / len(seeds) / ORDERS
    print(f"\n{len(seeds)} days from {FIRST + part} on in {ORDERS} orders each, {spent_s:.2f} s of processor an order")
