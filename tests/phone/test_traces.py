"""Random days, told in any order, in any pieces, twice, by clocks that are wrong: the end is that of the tidy order.

Each telling is a transaction that is taken back, so that the same two visits serve for all of them.

python -m pytest -q -s -m long tests/phone/test_traces.py
TRACES=10000 FIRST_TRACE=0 nice python -m pytest -q -s -m long tests/phone/test_traces.py
"""

import datetime as dt
import os
import random
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.geofence import Position
from fieldvisit.phone.drafts import ArrivalDraft, IdentityDraft, SetOutDraft, UndoDraft
from fieldvisit.phone.events import Desk, EventOutcome, Sent, take_events
from fieldvisit.phone.kinds import EventKind, StepEvent, Terms
from fieldvisit.phone.telling import EventDraft, Teller
from fieldvisit.report_drafts import AbortDraft, AdditionDraft, Met, ReportDraft
from fieldvisit.vocabulary import (
    AbortReason,
    Datum,
    IdentityMethod,
    IdentityResult,
    NextStep,
    UndoReason,
    VisitOutcome,
)
from tests.conftest import NOW
from tests.phone.conftest import GEOFENCE_M
from tests.phone.traces import PHONES, Piece, Told, a_day, drifts, end_of, pieces, under_fresh_ids, wire
from tests.phone.worlds import Morning, make_morning

FIRST, TRACES = int(os.environ.get("FIRST_TRACE", "0")), int(os.environ.get("TRACES", "100"))
QUICK = 6

DRAFTS: Mapping[str, Callable[..., EventDraft]] = {
    "set_out": SetOutDraft,
    "arrival": lambda position, **more: ArrivalDraft(
        position=Position(**{**position, "datum": Datum(position["datum"])}), **more
    ),
    "arrival_undo": lambda reason, **more: UndoDraft(reason=UndoReason(reason), **more),
    "identity_check": lambda method, result, **more: IdentityDraft(
        method=IdentityMethod(method), result=IdentityResult(result), **more
    ),
    "report": lambda outcome, left_at, next_step=None, **more: ReportDraft(
        outcome=VisitOutcome(outcome),
        left_at=dt.datetime.fromisoformat(left_at),
        next_step=NextStep(next_step) if next_step else None,
        **more,
    ),
    "abort": lambda reason, met, **more: AbortDraft(reason=AbortReason(reason), met=met and Met(met), **more),
    "addition": AdditionDraft,
}


def read(sent: Sent) -> StepEvent:
    said = dict(sent.body)
    kind, visit_id = said.pop("kind"), uuid.UUID(said.pop("visit_id"))
    told = {"event_id": uuid.UUID(said.pop("event_id")), "sent_at": sent.sent_at}
    device_at = dt.datetime.fromisoformat(said.pop("device_at"))
    draft = DRAFTS[kind](**told, device_at=device_at, **said)
    return StepEvent(kind=EventKind(kind), visit_id=visit_id, draft=draft, terms=Terms(now=NOW, geofence_m=GEOFENCE_M))


class Days:
    """One morning, lived again and again."""

    def __init__(self, sessions: sessionmaker[Session], morning: Morning) -> None:
        self.sessions, self.morning = sessions, morning

    def end(self, told: Sequence[Piece], clocks: Mapping[str, dt.timedelta]) -> list[Any]:
        """Where the day ends that is told like this; then it never was."""
        with self.sessions(info={"org": self.morning.world.agency}) as session, session.begin() as transaction:
            for piece in told:
                self._send(session, piece, clocks[piece.phone])
            session.flush()
            session.expire_all()
            ended = end_of(session, self.morning)
            transaction.rollback()
            return ended

    def _send(self, session: Session, piece: Piece, drift: dt.timedelta) -> None:
        visitor_id = self.morning.ilta if PHONES[piece.phone] == "ilta" else self.morning.oona
        desk = Desk(by=Teller(visitor_id=visitor_id), now=NOW, read=read, translate=lambda _: None)
        sent = [Sent(body=wire(each, self.morning, drift), sent_at=NOW + drift) for each in piece.told]
        results = take_events(session, sent, desk)
        assert EventOutcome.REFUSED not in {result.outcome for result in results}, results


@pytest.fixture
def days(sessions: sessionmaker[Session]) -> Days:
    return Days(sessions, make_morning(sessions, visits=2))


def check(days: Days, seed: int) -> None:
    chance = random.Random(seed)
    told = a_day(chance, visits=2)
    clocks = drifts(chance)
    tidy = days.end([Piece(each.phone, (each,)) for each in told], clocks)
    at_once = days.end([Piece(phone, mine) for phone in PHONES if (mine := of_phone(told, phone))], clocks)
    wild = days.end(pieces(chance, under_fresh_ids(told)), clocks)
    assert tidy[-1] == {"held": [], "keys": len(told)}, f"seed {seed}"
    assert at_once == tidy, f"seed {seed}"
    assert wild == tidy, f"seed {seed}"


def of_phone(told: Sequence[Told], phone: str) -> tuple[Told, ...]:
    return tuple(each for each in told if each.phone == phone)


def test_some_random_days_end_as_they_ended(days: Days) -> None:
    for seed in range(1_000_000, 1_000_000 + QUICK):
        check(days, seed)


@pytest.mark.long
def test_whatever_the_order_the_day_ends_as_it_ended(days: Days) -> None:
    begun = time.process_time()
    for seed in range(FIRST, FIRST + TRACES):
        check(days, seed)
    print(f"\n{TRACES} days from {FIRST} on, {(time.process_time() - begun) / TRACES:.2f} s of processor each")
