"""How fast phones are answered, and against what. The database is in memory, and so is pgbench's: no disk is in it.

python -m pytest -q -s -m long tests/load
PHONES=300 LOAD_S=600 python -m pytest -q -s -m long tests/load -k phones_of_a_day
"""

import dataclasses
import datetime as dt
import os
import statistics
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session, sessionmaker

from api.db import db
from fieldvisit.clock import Clock
from fieldvisit.database import Urls, acting_for, acting_for_all, plain_url
from fieldvisit.demo.processes import usable_port
from fieldvisit.models import Account, Credential, DayPlan
from fieldvisit.settings import Settings
from fieldvisit.tokens import sign_access
from fieldvisit.vocabulary import DayPlanState, Role
from tests.api.conftest import ClientFor
from tests.api.test_phone_events import HERE
from tests.conftest import NOW
from tests.load.played import rate, recorded, script
from tests.load.wire import Wire, answers
from tests.phone.worlds import Morning, make_morning
from tests.processes import running, wait_until
from tests.safety.worlds import make_account
from tests.worlds import World, make_visitor, make_world

PHONES, LOAD_S = int(os.environ.get("PHONES", "20")), int(os.environ.get("LOAD_S", "10"))
ROUNDS, VISITS, AT_A_DOOR = 3, 10, 5
CLIENTS, CHECK_INS = 4, 60
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return dataclasses.replace(settings, rate_limit="10000000/minute")


@pytest.fixture
def world(sessions: sessionmaker[Session]) -> World:
    return make_world(sessions)


@dataclasses.dataclass
class Office:
    """A server that runs, and who may speak to it."""

    url: str
    process: psutil.Popen
    sessions: sessionmaker[Session]
    settings: Settings
    clock: Clock
    world: World

    def wire(self, visitor_id: uuid.UUID) -> Wire:
        with acting_for(self.sessions, self.world.agency) as session:
            account: Account = make_account(session, self.world, Role.VISITOR, visitor_id=visitor_id)
            key, now = self.settings.token_key, self.clock()
            return Wire(self.url, sign_access(account, key=key, now=now, lifetime_s=36_000))

    def body(self, events: list[dict[str, Any]]) -> dict[str, Any]:
        return {"sent_at": self.clock().isoformat(), "events": events}


@pytest.fixture
def office(settings: Settings, engine: sa.Engine, sessions: sessionmaker[Session], world: World) -> Iterator[Office]:
    port = usable_port(0)
    told = {"RATE_LIMIT": settings.rate_limit, "LOG_LEVEL": "warning"}
    with running(settings, "serve", "--port", str(port), **told) as process:
        wait_until(lambda: answers(port))
        yield Office(f"http://127.0.0.1:{port}", process, sessions, settings, Clock(engine), world)


def a_day(morning: Morning, papers: list[str]) -> list[dict[str, Any]]:
    """Five events at each of ten doors, hours ago: what a phone tells that had no signal."""
    events: list[dict[str, Any]] = []
    for place, visit_id in enumerate(morning.visits):
        begun = NOW - (480 - 44 * place) * MINUTE
        left = begun + 20 * MINUTE
        met = {"outcome": "met_debtor", "disclosed": True, "willing": True, "next_step": "call"}
        for minute, kind, facts in (
            (0, "set_out", {}),
            (10, "arrival", {"position": HERE}),
            (11, "credential_shown", {"credential_ids": papers}),
            (12, "identity_check", {"method": "two_facts", "result": "confirmed"}),
            (20, "report", {**met, "left_at": left.isoformat()}),
        ):
            at = (begun + minute * MINUTE).isoformat()
            told = {"event_id": new_id(), "kind": kind, "visit_id": str(visit_id), "device_at": at}
            events.append(told | facts)
    return events


def check_in(session_id: str, at: dt.datetime) -> dict[str, Any]:
    return {"event_id": new_id(), "kind": "check_in", "session_id": session_id, "device_at": at.isoformat()}


def start(session_id: str, at: dt.datetime) -> dict[str, Any]:
    return {"event_id": session_id, "kind": "safety_start", "planned_s": 14_400, "device_at": at.isoformat()}


def new_id() -> str:
    return str(uuid.uuid4())


def a_morning(sessions: sessionmaker[Session], world: World) -> tuple[Morning, list[str]]:
    """In the place of the one before; and the papers of the one who tells of it."""
    with acting_for_all(sessions) as session:
        session.execute(sa.update(DayPlan).values(state=DayPlanState.SUPERSEDED))
    morning = make_morning(sessions, world=world, visits=VISITS)
    with acting_for_all(sessions) as session:
        papers = session.scalars(sa.select(Credential.id).where(Credential.visitor_id == morning.ilta)).all()
    return morning, [str(paper) for paper in papers]


def told_s(office: Office, wire: Wire, pieces: list[list[dict[str, Any]]]) -> float:
    begun = time.perf_counter()
    for piece in pieces:
        wire.send(office.body(piece))
    return time.perf_counter() - begun


@pytest.mark.long
def test_fifty_events_at_once_are_six_times_as_fast_as_one_by_one(office: Office) -> None:
    took: dict[str, dict[str, list[float]]] = {"steps": {}, "check-ins": {}}
    for round_ in range(ROUNDS + 1):
        for way in ("one by one", "at once"):
            morning, papers = a_morning(office.sessions, office.world)
            wire, session_id = office.wire(morning.ilta), new_id()
            wire.send(office.body([start(session_id, office.clock())]))
            fifty = [check_in(session_id, office.clock()) for _ in range(VISITS * AT_A_DOOR)]
            for what, events in (("steps", a_day(morning, papers)), ("check-ins", fifty)):
                seconds = told_s(office, wire, [[each] for each in events] if way == "one by one" else [events])
                if round_:  # the first warms up
                    took[what].setdefault(way, []).append(seconds / len(events))
            wire.close()
    for what, ways in took.items():
        one, many = (statistics.median(ways[way]) for way in ("one by one", "at once"))
        print(f"\n{what}: one by one {1 / one:.0f}/s, fifty at once {1 / many:.0f}/s: {one / many:.1f} times")
        assert one >= 6 * many


@pytest.mark.long
def test_a_check_in_has_a_quarter_of_the_rate_of_its_bare_statements(
    office: Office, app: Flask, client_for: ClientFor, urls: Urls, tmp_path: Path
) -> None:
    with acting_for_all(office.sessions) as session:
        people = [make_visitor(session, office.world).id for _ in range(CLIENTS)]
    ids = [new_id() for _ in people]
    wires = [office.wire(visitor_id) for visitor_id in people]
    for wire, session_id in zip(wires, ids, strict=True):
        wire.send(office.body([start(session_id, office.clock())]))
    phone = client_for(Role.VISITOR, org=office.world.agency, visitor_id=people[0])
    one = check_in(ids[0], office.clock())
    with app.app_context():
        engine = db.engine
    phone.post("/phone/events", json=office.body([check_in(ids[0], office.clock())]))
    with recorded(engine) as statements:
        assert phone.post("/phone/events", json=office.body([one])).json["taken"] == 1
    bare = rate(
        script(statements, uuid.UUID(one["event_id"]), ids),
        url=plain_url(urls.app), clients=CLIENTS, seconds=5, folder=tmp_path,
    )  # fmt: skip

    def tell(wire: Wire, session_id: str) -> None:
        for _ in range(CHECK_INS):
            wire.send(office.body([check_in(session_id, office.clock())]))

    threads = [threading.Thread(target=tell, args=pair) for pair in zip(wires, ids, strict=True)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ours = CLIENTS * CHECK_INS / (time.perf_counter() - begun)
    print(f"\n{len(statements)} statements; pgbench {bare:.0f}/s, over HTTP {ours:.0f}/s: {ours / bare:.2f} of it")
    assert ours >= 0.25 * bare


@pytest.mark.long
def test_the_phones_of_a_day_find_a_server_that_does_not_grow(office: Office) -> None:
    with acting_for_all(office.sessions) as session:
        people = [make_visitor(session, office.world).id for _ in range(PHONES)]
    wires = [(office.wire(visitor_id), new_id()) for visitor_id in people]
    for wire, session_id in wires:
        wire.send(office.body([start(session_id, office.clock())]))
    took: list[float] = []
    until = time.monotonic() + LOAD_S

    def live(wire: Wire, session_id: str, offset_s: float) -> None:
        time.sleep(offset_s)
        while (begun := time.monotonic()) < until:
            took.append(wire.send(office.body([check_in(session_id, office.clock())])))
            time.sleep(max(0.0, begun + 1 - time.monotonic()))

    threads = [
        threading.Thread(target=live, args=(wire, session_id, place / PHONES))
        for place, (wire, session_id) in enumerate(wires)
    ]
    before = memory(office.process)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    after = memory(office.process)
    p50, p99 = statistics.median(took), statistics.quantiles(took, n=100)[98]
    print(
        f"\n{PHONES} phones, {LOAD_S} s: {len(took)} events, none failed; median {p50 * 1000:.0f} ms,"
        f" p99 {p99 * 1000:.0f} ms ({p99 / p50:.1f} times); memory {before:.0f} to {after:.0f} MB"
    )
    assert len(took) >= PHONES * LOAD_S * 0.9
    assert p99 < 10 * p50
    assert after < before * 1.2


def memory(process: psutil.Popen) -> float:
    """MB that are the processes' own."""
    return sum(float(one.memory_info().rss) for one in [process, *process.children(recursive=True)]) / 1e6
