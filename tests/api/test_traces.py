"""Random days over HTTP, to a server that is killed with -9 between any two statements: nothing is lost or doubled.

KILLED_TRACES=200 python -m pytest -q -s -m long tests/api/test_traces.py
"""

import base64
import datetime as dt
import http.client
import json
import multiprocessing
import os
import random
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

import psutil
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.clock import Clock
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.demo.processes import usable_port
from fieldvisit.devices import DeviceDraft, register_device
from fieldvisit.files import FileStore
from fieldvisit.models import DayPlan
from fieldvisit.settings import Settings
from fieldvisit.tokens import sign_access
from fieldvisit.vocabulary import DayPlanState, Role
from tests.api import doomed
from tests.conftest import NOW
from tests.phone.test_traces import Days
from tests.phone.traces import (
    MINUTE,
    PHONES,
    Piece,
    Told,
    a_day,
    drifts,
    end_of,
    open_the_till,
    pieces,
    under_fresh_ids,
    wire,
)
from tests.phone.worlds import Morning, make_morning
from tests.processes import wait_until
from tests.safety.worlds import make_account
from tests.worlds import make_world

FIRST, KILLED = int(os.environ.get("FIRST_TRACE", "0")), int(os.environ.get("KILLED_TRACES", "6"))
POINTS = 70
"""About as many as a request passes."""
TUS = {"Tus-Resumable": "1.0.0"}


@pytest.fixture
def port(settings: Settings) -> Iterator[int]:
    free = usable_port(0)
    process = multiprocessing.get_context("spawn").Process(target=doomed.serve, args=(settings, free))
    process.start()
    try:
        wait_until(lambda: any(each.laddr.port == free for each in psutil.Process(process.pid).net_connections("tcp")))
        yield free
    finally:
        process.kill()
        process.join()


@dataclass(frozen=True)
class Answered:
    status: int
    text: str


class Phones:
    """The phones of one morning. Each insists until it is answered."""

    def __init__(self, port: int, settings: Settings, clock: Clock, chance: random.Random | None) -> None:
        """Without chance the server is left alive."""
        self._port, self._settings, self._clock, self._chance = port, settings, clock, chance
        self.killed = self.asked = 0

    def tell(self, sessions: sessionmaker[Session], morning: Morning, told: list[Piece], clocks: Any) -> None:
        tokens = self._tokens(sessions, morning)
        for piece in told:
            token, drift = tokens[piece.phone], clocks[piece.phone]
            if piece.beside is None:
                self._send(token, piece, morning, drift)
            elif piece.beside.kind == "evidence":
                self._send_file(token, piece.beside, morning, drift)
            else:
                card = self._insist(token, "GET", f"/phone/visits/{morning.visits[piece.beside.visit]}")
                assert card.status == 200, card.text

    def _send(self, token: str, piece: Piece, morning: Morning, drift: dt.timedelta) -> None:
        def body() -> str:
            # At each try anew: by `sent_at` the server knows how wrong the clock is.
            sent_at = (self._clock() + drift).isoformat()
            return json.dumps({"sent_at": sent_at, "events": [wire(each, morning, drift) for each in piece.told]})

        answer = self._insist(token, "POST", "/phone/events", body, {"Content-Type": "application/json"})
        assert answer.status == 200, answer.text
        assert json.loads(answer.text)["refused"] == 0, answer.text

    def _send_file(self, token: str, told: Told, morning: Morning, drift: dt.timedelta) -> None:
        captured_at = NOW - told.facts["captured_minutes"] * MINUTE + drift
        said = {"id": told.event_id, "visit_id": str(morning.visits[told.visit]), "kind": "audio"}
        pairs = (said | {"captured_at": captured_at.isoformat()}).items()
        written = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in pairs)
        content = told.facts["content"]
        length = {"Upload-Length": str(len(content)), "Upload-Metadata": written}
        announced = self._insist(token, "POST", "/phone/evidence", headers=TUS | length)
        assert announced.status == 201, announced.text
        path, parts = f"/phone/evidence/{told.event_id}", {"Content-Type": "application/offset+octet-stream"}
        came = self._insist(token, "PATCH", path, lambda: content, TUS | parts | {"Upload-Offset": "0"})
        # Sent a second time, or its answer was lost: it is whole.
        assert came.status == 204 or "evidence_settled" in came.text, came.text

    def _tokens(self, sessions: sessionmaker[Session], morning: Morning) -> dict[str, str]:
        """Of each phone, whose login names it: a request that was slow is not taken for a wrong clock then."""
        now = self._clock()
        tokens: dict[str, str] = {}
        with acting_for(sessions, morning.world.agency) as session:
            accounts = {
                who: make_account(session, morning.world, Role.VISITOR, visitor_id=getattr(morning, who))
                for who in ("ilta", "oona")
            }
            for phone, who in PHONES.items():
                account = accounts[who]
                draft = DeviceDraft(id=uuid.uuid4(), name=phone, app_version="1.4.0")
                device = register_device(session, account, draft, now)
                key = self._settings.token_key
                tokens[phone] = sign_access(account, key=key, now=now, lifetime_s=36_000, device_id=device.id)
        return tokens

    def _insist(
        self,
        token: str,
        method: str,
        path: str,
        body: Callable[[], str | bytes] = bytes,
        headers: Mapping[str, str] | None = None,
    ) -> Answered:
        while True:
            self.asked += 1
            dies_at = self._chance.randint(1, POINTS) if self._chance and self._chance.random() < 0.5 else 0
            said = {"Authorization": f"Bearer {token}", doomed.DIE_AT: str(dies_at), **(headers or {})}
            with (
                suppress(http.client.HTTPException, ConnectionError),
                closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)) as connection,
            ):
                connection.request(method, path, body(), said)
                answer = connection.getresponse()
                return Answered(answer.status, answer.read().decode())
            self.killed += 1


class Mornings:
    """One morning after the other, of one house."""

    def __init__(self, port: int, settings: Settings, sessions: sessionmaker[Session], clock: Clock) -> None:
        self._port, self._settings, self._sessions, self._clock = port, settings, sessions, clock
        self._world = make_world(sessions)

    def begin(self) -> Morning:
        with acting_for_all(self._sessions) as session:
            session.execute(sa.update(DayPlan).values(state=DayPlanState.SUPERSEDED))
        morning = make_morning(self._sessions, world=self._world, visits=2)
        with acting_for(self._sessions, self._world.agency) as session:
            open_the_till(session, morning)
        return morning

    def load(self) -> None:
        """Have the server load what it needs for a day, before it forks. No file goes to it: its store has threads."""
        chance, morning = random.Random("a day of its own"), self.begin()
        told = [Piece(each.phone, (each,)) for each in a_day(chance, visits=2) if each.kind != "evidence"]
        self._phones(None).tell(self._sessions, morning, told, drifts(chance))
        with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)) as connection:
            connection.request("POST", doomed.FORK)
            assert connection.getresponse().status == 204

    def live(self, seed: int) -> Phones:
        """A day that ends as the tidy one."""
        chance = random.Random(seed)
        told, clocks, morning = a_day(chance, visits=2), drifts(chance), self.begin()
        days = Days(self._sessions, morning, FileStore(self._settings))
        tidy = days.end([Piece(each.phone, (each,)) for each in told], clocks)
        phones = self._phones(chance)
        phones.tell(self._sessions, morning, pieces(chance, under_fresh_ids(told)), clocks)
        with acting_for_all(self._sessions) as session:
            assert end_of(session, morning) == tidy, f"seed {seed}"
        return phones

    def _phones(self, chance: random.Random | None) -> Phones:
        return Phones(self._port, self._settings, self._clock, chance)


@pytest.mark.long
def test_a_server_that_is_killed_between_any_two_statements_loses_and_doubles_nothing(
    port: int, settings: Settings, sessions: sessionmaker[Session], engine: sa.Engine
) -> None:
    mornings = Mornings(port, settings, sessions, Clock(engine))
    mornings.load()
    days = [mornings.live(seed) for seed in range(FIRST, FIRST + KILLED)]
    asked, killed = sum(day.asked for day in days), sum(day.killed for day in days)
    print(f"\n{KILLED} days from {FIRST} on, {asked} requests, the server killed {killed} times")
    assert killed
