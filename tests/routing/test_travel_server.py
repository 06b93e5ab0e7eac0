"""Roads over HTTP: OSRM's own server on the demo's map, and servers that stumble, refuse and die."""

import json
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest

from routing.errors import RoadsUnavailable
from routing.travel import OsrmRoads, OsrmServer, Patience, Point, SetAside, TableCache, TravelTable
from routing.travel.building import build_map

EXTRACT = Path(__file__).parents[2] / "fieldvisit" / "demo" / "helsinki-centre.osm.pbf"
OUT_OF_TOWN = Point(lat=61.0, lon=25.0)
TOWN = [Point(lat=60.1655 + n % 4 * 0.003, lon=24.9365 + n // 4 * 0.004) for n in range(12)]

type Answer = tuple[int, bytes]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_map(EXTRACT, tmp_path_factory.mktemp("maps"))


@pytest.fixture(scope="module")
def routed(base: Path) -> Iterator[str]:
    """OSRM's own server, which takes no more than ten points at a time."""
    import osrm

    program = Path(osrm.__file__).parent / "bin" / "osrm-routed"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [program, "--ip", "127.0.0.1", "--port", str(port), "--max-table-size", "10", "--threads", "2", base],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not _listens(port):
            assert server.poll() is None
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_server_and_the_process_know_the_same_roads(routed: str, base: Path) -> None:
    """The first question, of a hundred points, is too big for it."""
    points = [*TOWN, OUT_OF_TOWN]
    server = OsrmServer(routed)
    there, here = server.table(points), OsrmRoads(base).table(points)
    assert (there.seconds, there.metres) == (here.seconds, here.metres)
    assert there.set_aside == here.set_aside == {12: SetAside.OFF_ROAD}
    assert (there.source, here.source) == ("osrm-http", "osrm")
    assert server.path(TOWN[:2]) == OsrmRoads(base).path(TOWN[:2])
    assert server.path([TOWN[0], OUT_OF_TOWN]) == []
    assert (server.is_near_a_road(TOWN[0]), server.is_near_a_road(OUT_OF_TOWN)) == (True, False)
    server.close()


@contextmanager
def _serving(answer: Callable[[int, str], Answer]) -> Iterator[tuple[str, list[str]]]:
    """A server that answers with what is given for the number and the path of each question; which it also lists."""
    asked: list[str] = []
    turn = threading.Lock()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with turn:
                asked.append(self.path)
                status, body = answer(len(asked), self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.server_port}", asked
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()


def _table(path: str) -> Answer:
    """A minute and 500 m for every way."""
    query = parse_qs(urlparse(path).query)
    rows, columns = (query[name][0].split(";") for name in ("sources", "destinations"))
    answer = {
        "code": "Ok",
        "durations": [[60.4 for _ in columns] for _ in rows],
        "distances": [[500.0 for _ in columns] for _ in rows],
        "sources": [{"distance": 3.0} for _ in rows],
        "destinations": [{"distance": 3.0} for _ in columns],
    }
    return 200, json.dumps(answer).encode()


def _asked(address: str, points: Sequence[Point], **patience: Any) -> TravelTable:
    with OsrmServer(address, patience=Patience(**{"sleep": Pauses(), "at_once": 1, **patience})) as server:
        return server.table(points)


class Pauses(list[float]):
    """Notes how long would have been slept."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def test_a_server_that_stumbles_is_asked_again_after_growing_pauses() -> None:
    pauses = Pauses()
    with _serving(lambda turn, path: (503, b"busy") if turn < 3 else _table(path)) as (address, asked):
        table = _asked(address, TOWN[:2], sleep=pauses, attempts=3)
    assert table.seconds == ((0, 60), (60, 0))
    assert (len(asked), list(pauses)) == (3, [0.2, 0.4])


@pytest.mark.parametrize("answer", [(200, b"no JSON"), (200, b"[1]"), (429, b"{}"), (500, b'{"code": "Broken"}')])
def test_a_server_that_goes_on_stumbling_is_unavailable(answer: Answer) -> None:
    with _serving(lambda turn, path: answer) as (address, asked), pytest.raises(RoadsUnavailable):
        _asked(address, TOWN[:2], attempts=2)
    assert len(asked) == (1 if answer == (200, b"[1]") else 2)


@pytest.mark.parametrize(
    "answer",
    [
        (400, b'{"code": "InvalidQuery"}'),
        (404, b'{"code": "NoSuchProfile"}'),
        (200, b'{"code": "Ok", "durations": [[0, 1], [1, 0]], "distances": null, "sources": [], "destinations": []}'),
        (200, b'{"code": "Ok"}'),
    ],
)
def test_a_server_that_refuses_is_not_asked_again(answer: Answer) -> None:
    with _serving(lambda turn, path: answer) as (address, asked), pytest.raises(RoadsUnavailable):
        _asked(address, TOWN[:2], attempts=3)
    assert len(asked) == 1


def test_a_server_that_is_silent_is_given_up_in_time() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(RoadsUnavailable, match="ReadTimeout"):
            _asked(address, TOWN[:2], timeout_s=0.1, attempts=2)


def test_a_server_that_is_gone_is_unavailable() -> None:
    with pytest.raises(RoadsUnavailable, match="cannot be asked"):
        _asked("http://127.0.0.1:9", TOWN[:1], timeout_s=2)


def test_a_block_without_an_answer_is_estimated_and_said() -> None:
    """Of four blocks the last is never answered."""
    last = f"{TOWN[11].lon:.6f},{TOWN[11].lat:.6f}"

    def answer(turn: int, path: str) -> Answer:
        return (500, b"") if path.count(last) == 2 else _table(path)

    with _serving(answer) as (address, _):
        table = _asked(address, TOWN, block_points=12, attempts=2)
    assert table.source == "osrm-http+geodesic, 25.0% of the ways estimated"
    assert table.seconds[0][11] == 60
    assert table.seconds[11][10] not in (None, 60)
    assert table.set_aside == {}


def test_a_table_of_which_most_is_missing_is_no_answer() -> None:
    def answer(turn: int, path: str) -> Answer:
        return _table(path) if turn == 1 else (500, b"")

    with _serving(answer) as (address, asked), pytest.raises(RoadsUnavailable, match="25% of the ways only"):
        _asked(address, TOWN, block_points=12, attempts=1)
    assert len(asked) == 4


def test_after_some_blocks_without_an_answer_the_server_is_taken_for_gone() -> None:
    def answer(turn: int, path: str) -> Answer:
        return _table(path) if turn == 1 else (500, b"")

    with _serving(answer) as (address, asked), pytest.raises(RoadsUnavailable):
        _asked(address, TOWN, block_points=4, attempts=1)
    assert len(asked) == 4


def test_what_was_asked_once_is_not_asked_again(tmp_path: Path) -> None:
    with (
        _serving(lambda turn, path: _table(path)) as (address, asked),
        OsrmServer(address, cache=TableCache(tmp_path)) as server,
    ):
        first = server.table(TOWN[:3])
        asked_before = len(asked)
        assert server.table([TOWN[2], TOWN[0]]).seconds == ((0, 60), (60, 0))
        assert len(asked) == asked_before
        assert server.table(TOWN[:4]).seconds[3] == (60, 60, 60, 0)
        # The new point to all, and all others to it.
        assert len(asked) == asked_before + 2
        assert server.table(TOWN[:3]) == first
