"""Phones whose server is replaced under them, from a process of their own: each word goes under one id, to whichever
server is the one to ask by now, until somebody has answered it."""

import datetime as dt
import http.client
import json
import multiprocessing
import random
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any
from urllib.parse import urlsplit

from tests.load.wire import Wire
from tests.safety.mixture import Told

CHECK_INS = 0.3
"""Of a hundred words so many are check-ins; the others say where the phone is."""
PATIENCE_S, AGAIN_S = 60.0, 0.1
CREATED, AWAY = 201, 503


@dataclass
class Heard:
    """`words` that were answered with a success, by their kind; the ids of those whose trace is looked for; how often
    somebody had to say it again, since nobody answered or the server was `away`; what the slowest took, in seconds,
    from the first try until the answer."""

    words: int = 0
    check_ins: list[uuid.UUID] = field(default_factory=list)
    calls: list[uuid.UUID] = field(default_factory=list)
    unanswered: int = 0
    away: int = 0
    slowest_s: float = 0.0
    slowest_call_s: float = 0.0

    def __add__(self, other: "Heard") -> "Heard":
        return Heard(
            self.words + other.words,
            self.check_ins + other.check_ins,
            self.calls + other.calls,
            self.unanswered + other.unanswered,
            self.away + other.away,
            max(self.slowest_s, other.slowest_s),
            max(self.slowest_call_s, other.slowest_call_s),
        )

    def __str__(self) -> str:
        return (
            f"{self.words} words of phones heard, {len(self.check_ins)} of them check-ins, and {len(self.calls)} calls "
            f"for help; said again: {self.unanswered} since nobody answered, {self.away} since the server was away; "
            f"the slowest word {self.slowest_s:.2f} s, the slowest call {self.slowest_call_s:.2f} s"
        )


class Way:
    """Where phones find the server, shared with their process: what a name in the network is to real ones."""

    def __init__(self, port: int) -> None:
        self._port = multiprocessing.get_context("spawn").Value("i", port)

    def now_to(self, port: int) -> None:
        self._port.value = port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port.value}"


@dataclass
class Mover:
    """One phone. It keeps its connection for as long as the server does; what nobody has answered it says again, and
    looks each time where the server is now."""

    told: Told
    way: Way
    heard: Heard = field(default_factory=Heard)

    def go_on(self, stop: threading.Event, each_s: float) -> Heard:
        drawn = random.Random(self.told.session_id)
        wire = Wire(self.way.url, self.told.token)
        due = time.monotonic() + drawn.random() * each_s
        while not stop.wait(max(0.0, due - time.monotonic())):
            if wire.is_let_go():
                wire = Wire(self.way.url, self.told.token)
            wire = self._say(wire, self._word(checks_in=drawn.random() < CHECK_INS))
            due = max(due + each_s, time.monotonic() - 1)
        wire.close()
        return self.heard

    def _word(self, *, checks_in: bool) -> dict[str, Any]:
        at = (dt.datetime.now(dt.UTC) + self.told.ahead).isoformat()
        said = {"event_id": str(uuid.uuid4()), "session_id": self.told.session_id, "device_at": at}
        position = {"lat": 60.17 + random.random() / 100, "lon": 24.94, "datum": "wgs84"}
        return said | ({"kind": "check_in"} if checks_in else {"kind": "beat", "position": position})

    def _say(self, wire: Wire, said: dict[str, Any]) -> Wire:
        """Until it is heard; the connection that it was heard on."""
        begun = time.monotonic()
        while not self._is_heard(wire, said):
            assert time.monotonic() < begun + PATIENCE_S, "a word that nobody heard"
            time.sleep(AGAIN_S)
            wire.close()
            wire = Wire(self.way.url, self.told.token)
        self.heard.words += 1
        self.heard.slowest_s = max(self.heard.slowest_s, time.monotonic() - begun)
        if said["kind"] == "check_in":
            self.heard.check_ins.append(uuid.UUID(said["event_id"]))
        return wire

    def _is_heard(self, wire: Wire, said: dict[str, Any]) -> bool:
        try:
            status, answer = wire.tell(said["device_at"], [said], once=True)
        except OSError:
            self.heard.unanswered += 1
            return False
        if status == AWAY:
            self.heard.away += 1
            return False
        assert (status, answer.get("taken")) == (200, 1), answer
        return True


def call_each(way: Way, tokens: Sequence[str], each_s: float, stop: threading.Event) -> Heard:
    """These visitors call for help one after the other, each until it is answered."""
    heard, begun = Heard(), time.monotonic()
    for number, token in enumerate(tokens):
        if stop.wait(max(0.0, begun + number * each_s - time.monotonic())):
            break
        _call(way, token, heard)
    return heard


def _call(way: Way, token: str, heard: Heard) -> None:
    event_id, begun = uuid.uuid4(), time.monotonic()
    while (status := _asked(way.url, token, event_id)) != CREATED:
        assert status in (None, AWAY), status
        assert time.monotonic() < begun + PATIENCE_S, "a call for help that nobody heard"
        heard.unanswered += status is None
        heard.away += status == AWAY
        time.sleep(AGAIN_S)
    heard.calls.append(event_id)
    heard.slowest_call_s = max(heard.slowest_call_s, time.monotonic() - begun)


def _asked(url: str, token: str, event_id: uuid.UUID) -> int | None:
    """The status; None where nobody answers."""
    told = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE_S)) as connection:
        try:
            connection.request("POST", "/safety/sos", json.dumps({"event_id": str(event_id)}), told)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return None
    return answer.status


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """Phones that speak, `rate` words a second together, and visitors who call for help, one each `call_each_s`."""

    phones: Sequence[Told]
    rate: float
    callers: Sequence[str]
    call_each_s: float


def _move(crowd: Crowd, way: Way, until: "Connection[Any, Any]") -> None:
    stop, each_s = threading.Event(), len(crowd.phones) / crowd.rate
    with ThreadPoolExecutor(len(crowd.phones) + 1) as pool:
        talks = [pool.submit(Mover(each, way).go_on, stop, each_s) for each in crowd.phones]
        talks.append(pool.submit(call_each, way, crowd.callers, crowd.call_each_s, stop))
        until.send(None)
        until.recv()
        stop.set()
        # Whoever was not heard in the end is told here.
        until.send(sum((talk.result() for talk in talks), Heard()))


@contextmanager
def moving(crowd: Crowd, way: Way) -> Iterator[Heard]:
    """They speak until the end of the block; what was heard is there then."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_move, args=(crowd, way, theirs), daemon=True)
    process.start()
    theirs.close()
    heard = Heard()
    try:
        ours.recv()
        yield heard
        ours.send(None)
        heard.__dict__.update(ours.recv().__dict__)
    finally:
        process.kill()
        process.join()
