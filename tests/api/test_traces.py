"""Random days of two phones, told in any order, in any pieces, twice, by clocks that are wrong: the end is the same.

python -m pytest -q -m long tests/api/test_traces.py
TRACES=2000 python -m pytest -q -m long tests/api/test_traces.py
"""

import dataclasses
import datetime as dt
import os
import random
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for_all
from fieldvisit.models import (
    ContactAttempt,
    DayPlan,
    HeldEvent,
    IdentityCheck,
    ReportAddition,
    Visit,
    VisitEvent,
    VisitReport,
)
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import Channel, DayPlanState, HeldState, Role
from tests.api.conftest import ClientFor
from tests.api.test_phone_events import HERE, server_now
from tests.conftest import NOW
from tests.phone.worlds import Morning, make_morning
from tests.worlds import World, make_world

TRACES = int(os.environ.get("TRACES", "60"))
MINUTE = dt.timedelta(minutes=1)
FAR = HERE | {"lat": HERE["lat"] + 0.009}


@dataclass(frozen=True)
class Told:
    """One event of one phone: `at` is when it happened, in minutes before NOW."""

    phone: str
    kind: str
    visit: int
    at: int
    event_id: str
    facts: dict[str, Any]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return dataclasses.replace(settings, rate_limit="1000000/minute")


def a_day(chance: random.Random, visits: int) -> list[Told]:
    """What two phones tell of a day, in the order of its time. The lead reports; the other adds."""
    told: list[Told] = []

    def add(phone: str, kind: str, visit: int, at: int, **facts: Any) -> None:
        told.append(Told(phone, kind, visit, at, str(uuid.UUID(int=chance.getrandbits(128), version=4)), facts))

    for visit in range(visits):
        begin = 400 - 100 * visit
        if chance.random() < 0.8:
            add("ilta", "set_out", visit, begin)
        if chance.random() < 0.2:
            add("ilta", "arrival", visit, begin - 5, position=FAR)
            add("ilta", "arrival_undo", visit, begin - 8, reason="wrong_door")
        confirmed = False
        if chance.random() < 0.8:
            add("ilta", "arrival", visit, begin - 10, position=chance.choice([HERE, FAR]))
            if chance.random() < 0.5:
                add("oona", "arrival", visit, begin - 11, position=HERE)
            for minute in range(chance.randint(0, 2)):
                confirmed = chance.random() < 0.7
                add(
                    chance.choice(["ilta", "oona"]),
                    "identity_check",
                    visit,
                    begin - 15 - minute,
                    method="two_facts",
                    result="confirmed" if confirmed else "not_confirmed",
                )
        left_at = {"left_minutes": begin - 40}
        if confirmed:
            add("ilta", "report", visit, begin - 40, outcome="met_debtor", disclosed=True, willing=True,
                next_step="call", **left_at)  # fmt: skip
        elif chance.random() < 0.3:
            add("ilta", "abort", visit, begin - 40, reason="other", met="nobody")
        else:
            add("ilta", "report", visit, begin - 40, outcome="nobody", **left_at)
        for _ in range(chance.randint(0, 2)):
            add(chance.choice(["ilta", "oona"]), "addition", visit, begin - 41, text="More.")
    return told


class Sending:
    """Both phones of one morning, each with a clock of its own."""

    def __init__(self, morning: Morning, phones: dict[str, FlaskClient], drifts: dict[str, dt.timedelta]) -> None:
        self.morning, self.phones, self.drifts = morning, phones, drifts

    def send(self, phone: str, events: list[Told]) -> None:
        drift, client = self.drifts[phone], self.phones[phone]
        body = {
            "sent_at": (server_now(client) + drift).isoformat(),
            "events": [self._wire(each, drift) for each in events],
        }
        answer = client.post("/phone/events", json=body)
        assert answer.status_code == 200, answer.json
        assert answer.json["refused"] == 0, answer.json

    def _wire(self, told: Told, drift: dt.timedelta) -> dict[str, Any]:
        facts = dict(told.facts)
        if "left_minutes" in facts:
            facts["left_at"] = (NOW - facts.pop("left_minutes") * MINUTE + drift).isoformat()
        return {
            "event_id": told.event_id,
            "kind": told.kind,
            "visit_id": str(self.morning.visits[told.visit]),
            "device_at": (NOW - told.at * MINUTE + drift).isoformat(),
            **facts,
        }


def pieces(chance: random.Random, told: list[Told]) -> list[tuple[str, list[Told]]]:
    """The same, out of order, cut anywhere, some of it sent two or three times."""
    again = [each for each in told if chance.random() < 0.4]
    all_of_it = [*told, *again, *(each for each in again if chance.random() < 0.3)]
    chance.shuffle(all_of_it)
    cut: list[tuple[str, list[Told]]] = []
    while all_of_it:
        size = chance.randint(1, 6)
        piece, all_of_it = all_of_it[:size], all_of_it[size:]
        for phone in ("ilta", "oona"):
            if mine := [each for each in piece if each.phone == phone]:
                cut.append((phone, mine))
    return cut


def minutes(at: dt.datetime | None) -> int | None:
    return None if at is None else round((NOW - at) / MINUTE)


def end_of(sessions: sessionmaker[Session], morning: Morning) -> list[Any]:
    """Everything that is stored of the morning's visits, without the ids that differ between two mornings."""
    who = {morning.ilta: "ilta", morning.oona: "oona"}
    ends: list[Any] = []
    with acting_for_all(sessions) as session:
        for visit_id in morning.visits:
            visit = session.get_one(Visit, visit_id)
            events = session.scalars(sa.select(VisitEvent).where(VisitEvent.visit_id == visit_id))
            checks = session.scalars(
                sa.select(IdentityCheck).where(IdentityCheck.visit_id == visit_id).order_by(IdentityCheck.at)
            )
            report = session.scalars(sa.select(VisitReport).where(VisitReport.visit_id == visit_id)).one()
            additions = session.scalars(sa.select(ReportAddition).where(ReportAddition.report_id == report.id))
            attempts = session.scalars(
                sa.select(ContactAttempt).where(
                    ContactAttempt.case_id == visit.case_id, ContactAttempt.channel == Channel.VISIT
                )
            )
            ends.append(
                {
                    "state": visit.state,
                    "outcome": visit.outcome,
                    "times": [minutes(at) for at in (visit.under_way_at, visit.arrived_at, visit.ended_at)],
                    "events": sorted(
                        (entry.kind, who[entry.visitor_id], minutes(entry.device_at) if entry.device_at else None)
                        for entry in events
                        if entry.visitor_id in who
                    ),
                    "checks": [(check.result, who[check.visitor_id], minutes(check.at)) for check in checks],
                    "report": (report.outcome, who[report.visitor_id], report.disclosed, minutes(report.left_at)),
                    "additions": sorted(who[each.visitor_id] for each in additions if each.visitor_id),
                    "attempts": [(each.result, each.detail, minutes(each.at)) for each in attempts],
                }
            )
        held = session.scalars(
            sa.select(HeldEvent.event_id).where(
                HeldEvent.visitor_id.in_(who), HeldEvent.state.in_((HeldState.WAITING, HeldState.REFUSED))
            )
        )
        assert held.all() == []
    return ends


@pytest.mark.long
def test_whatever_the_order_the_day_ends_as_it_ended(client_for: ClientFor, sessions: sessionmaker[Session]) -> None:
    world = make_world(sessions)
    for seed in range(TRACES):
        chance = random.Random(seed)
        told = a_day(chance, visits=2)
        tidy = _sending(sessions, client_for, world, chance)
        for each in told:
            tidy.send(each.phone, [each])
        ended = end_of(sessions, tidy.morning)
        _replace_plan(sessions)
        wild = _sending(sessions, client_for, world, chance)
        fresh = {each.event_id: str(uuid.uuid4()) for each in told}
        for phone, piece in pieces(chance, [dataclasses.replace(each, event_id=fresh[each.event_id]) for each in told]):
            wild.send(phone, piece)
        assert _comparable(end_of(sessions, wild.morning)) == _comparable(ended), f"seed {seed}"
        _replace_plan(sessions)


def _comparable(ends: list[Any]) -> list[Any]:
    """Device times are by clocks that differ: they are compared by what they are on ours."""
    return [{**end, "events": sorted((kind, who) for kind, who, _ in end["events"])} for end in ends]


def _sending(sessions: sessionmaker[Session], client_for: ClientFor, world: World, chance: random.Random) -> Sending:
    morning = make_morning(sessions, world=world, visits=2)
    phones = {
        "ilta": client_for(Role.VISITOR, org=world.agency, visitor_id=morning.ilta),
        "oona": client_for(Role.VISITOR, org=world.agency, visitor_id=morning.oona),
    }
    drifts = {name: chance.randint(-300, 300) * MINUTE for name in phones}
    return Sending(morning, phones, drifts)


def _replace_plan(sessions: sessionmaker[Session]) -> None:
    """A day has one published plan; the next morning needs the place of this one."""
    with acting_for_all(sessions) as session:
        session.execute(sa.update(DayPlan).values(state=DayPlanState.SUPERSEDED))
