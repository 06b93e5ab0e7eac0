"""What phones ask of a server on an ordinary day, and what calls for help in its midst: processes of their own, so that
no time is measured in which the one who measures waited for itself."""

import datetime as dt
import http.client
import json
import multiprocessing
import random
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any
from urllib.parse import urlsplit

from tests.load.wire import Wire

SHARES = {"unchanged day": 0.5, "beat with a position": 0.35, "check-in": 0.15}
"""Of a hundred requests: a phone asks once a minute whether its day has changed, says where it is once or twice in two
minutes, and checks in every few minutes."""
type Took = dict[str, list[float]]
"""Seconds of each request, by what was asked."""


@dataclass(frozen=True)
class Told:
    """What a phone in another process needs to know. `ahead` is how far the database's clock is before this one's."""

    url: str
    token: str
    session_id: str
    ahead: dt.timedelta = dt.timedelta()


@dataclass
class Talker:
    """One phone and its day; `took` is what its requests took."""

    told: Told
    wire: Wire = field(init=False)
    day: http.client.HTTPConnection = field(init=False)
    tag: str | None = None
    took: Took = field(default_factory=lambda: {name: [] for name in SHARES})

    def __post_init__(self) -> None:
        self.wire = Wire(self.told.url, self.told.token)
        self.day = http.client.HTTPConnection(urlsplit(self.told.url).netloc, timeout=60)

    def ask(self, what: str) -> None:
        if what == "unchanged day":
            self.took[what].append(self._day())
            return
        at = (dt.datetime.now(dt.UTC) + self.told.ahead).isoformat()
        said: dict[str, Any] = {"event_id": str(uuid.uuid4()), "session_id": self.told.session_id, "device_at": at}
        if what == "check-in":
            said |= {"kind": "check_in"}
        else:
            said |= {"kind": "beat", "position": {"lat": 60.17 + random.random() / 100, "lon": 24.94, "datum": "wgs84"}}
        self.took[what].append(self.wire.send(at, [said]))

    def _day(self) -> float:
        headers = {"Authorization": f"Bearer {self.told.token}"} | ({"If-None-Match": self.tag} if self.tag else {})
        begun = time.perf_counter()
        try:
            self.day.request("GET", "/phone/my-day", headers=headers)
            answer = self.day.getresponse()
        except (ConnectionError, http.client.HTTPException):
            # Let go after silent seconds, as phones are.
            self.day.close()
            self.day.request("GET", "/phone/my-day", headers=headers)
            answer = self.day.getresponse()
        answer.read()
        assert answer.status == (304 if self.tag else 200), answer.status
        self.tag = answer.headers["ETag"]
        return time.perf_counter() - begun

    def go_on(self, stop: threading.Event, each_s: float) -> None:
        """As fast as asked for, or as fast as it is answered."""
        drawn = random.Random(self.told.session_id)
        due = time.monotonic() + drawn.random() * each_s
        while not stop.wait(max(0.0, due - time.monotonic())):
            self.ask(drawn.choices(list(SHARES), list(SHARES.values()))[0])
            due = max(due + each_s, time.monotonic() - 1)


def _talk(phones: Sequence[Told], each_s: float, until: "Connection[Any, Any]") -> None:
    talkers, stop = [Talker(each) for each in phones], threading.Event()
    for each in talkers:
        # The first look at the day is no unchanged one.
        each._day()
    with ThreadPoolExecutor(len(talkers)) as pool:
        talks = [pool.submit(each.go_on, stop, each_s) for each in talkers]
        until.send(None)
        until.recv()
        stop.set()
        # One that was refused something has fallen silent, and is told here.
        for talk in talks:
            talk.result()
    until.send({name: [each for talker in talkers for each in talker.took[name]] for name in SHARES})


@contextmanager
def talking(phones: Sequence[Told], *, rate: float) -> Iterator[Took]:
    """These phones make so many requests a second together until the end of the block; what they took is there then."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_talk, args=(phones, len(phones) / rate, theirs), daemon=True)
    process.start()
    ours.recv()
    took: Took = {}
    try:
        yield took
        ours.send(None)
        took.update(ours.recv())
    finally:
        process.kill()
        process.join()


def calls_for_help(url: str, tokens: Sequence[str], each_s: float) -> list[float]:
    """How many seconds each took from the press until the answer, which comes when the alarm is committed; from a
    process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_call_each, url, list(tokens), each_s).result()


def _call_each(url: str, tokens: list[str], each_s: float) -> list[float]:
    begun, took = time.monotonic(), []
    for number, token in enumerate(tokens):
        time.sleep(max(0.0, begun + number * each_s - time.monotonic()))
        took.append(_call(url, token))
    return took


def _call(url: str, token: str) -> float:
    told = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    begun = time.perf_counter()
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)) as connection:
        connection.request("POST", "/safety/sos", json.dumps({"event_id": str(uuid.uuid4())}), told)
        answer = connection.getresponse()
        body = answer.read()
    assert answer.status == 201, body
    return time.perf_counter() - begun
