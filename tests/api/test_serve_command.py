"""`fieldvisit serve` as real processes: that they are one server, and what is left when it is killed."""

import os
import re
import resource
import select
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from api.open_files import connections_within
from fieldvisit.demo.processes import usable_port
from fieldvisit.settings import Settings
from tests.processes import running, wait_until

LIMIT = 12
LIVE = b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n"


def by_the_lane(url: str) -> bool:
    """Whether a call for help goes to the process that has nothing else to do; answered it is in any case. That one
    keeps no connection, for what comes next is none of its business."""
    # Nothing is sealed on this way, and to load the certificates takes longer than the call.
    answer = httpx.post(f"{url}/safety/sos", json={}, verify=False)
    assert answer.status_code in (401, 429)
    return answer.headers["Connection"] == "close"


@contextmanager
def kept_open(url: str, number: int) -> Iterator[list[httpx.Client]]:
    """So many callers, each with a connection of its own that stays open: every process has some."""
    with ExitStack() as connections:
        callers = [
            connections.enter_context(httpx.Client(base_url=url, timeout=60, verify=False)) for _ in range(number)
        ]
        for caller in callers:
            assert caller.get("/health/live").is_success
        yield callers


def test_several_processes_are_one_server(settings: Settings, tmp_path: Path) -> None:
    """They share the work, count a caller's requests and their own numbers together, and one that dies is replaced."""
    url = f"http://127.0.0.1:{(port := usable_port(0))}"
    told = {"PORT": str(port), "PROCESSES": "2", "RATE_LIMIT": f"{LIMIT}/minute", "TMPDIR": str(tmp_path)}
    with running(settings, "serve", **told) as server:
        wait_until(lambda: lives(port))
        # One more takes calls for help and nothing else.
        wait_until(lambda: len(server.children()) == 3)
        wait_until(lambda: by_the_lane(url))
        assert sorted(each.nice() - server.nice() for each in server.children()) == [0, 5, 5], "calls go first"
        with kept_open(url, 6) as callers:
            # The window of a minute may end in between, once.
            said = [caller.get("/visitors") for caller in callers * 6]
            refused = sum(answer.status_code == 429 for answer in said)
            assert refused in (len(said) - LIMIT, len(said) - 2 * LIMIT)
            found = re.search(r'requests_total.*"/visitors",status="401"} (\d+)', callers[0].get("/metrics").text)
            assert found is not None
            assert int(found[1]) == len(said) - refused
        # A whole one takes the place of each that is killed, whichever it was: first an ordinary one, then the lane's.
        for place in (0, -1):
            killed = server.children()[place].pid
            os.kill(killed, signal.SIGKILL)
            wait_until(
                lambda killed=killed: len({each.pid for each in server.children()} - {killed}) == 3 and lives(port)
            )
            wait_until(lambda: by_the_lane(url))
        begun = time.monotonic()
        with kept_open(url, 2):
            server.terminate()
            assert server.wait() == 0
        assert time.monotonic() - begun < 20, "silent connections hold nobody up"
        assert not list(tmp_path.glob("fieldvisit-*"))


@pytest.mark.long
def test_a_call_for_help_waits_for_no_thread(settings: Settings) -> None:
    """All threads of the process that answers are held by logins that break off in the middle: whoever asks for
    anything else waits, however long, and a call for help does not."""
    port = usable_port(0)
    with ExitStack() as ends:
        ends.enter_context(running(settings, "serve", PORT=str(port), PROCESSES="1", THREADS="4"))
        # Both are there: who answers, and the process for calls, which takes as long to begin.
        wait_until(lambda: says(port, LIVE, ends))
        wait_until(lambda: by_the_lane(f"http://127.0.0.1:{port}"))
        halves = [
            said(
                port,
                b"POST /tokens HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{",
                ends,
            )
            for _ in range(4)
        ]
        waiting = said(port, LIVE, ends)
        # Nor for those who began to call and went silent.
        for _ in range(40):
            said(port, b"POST /safety/sos HTTP/1.1\r\nHos", ends)
        for _ in range(20):
            assert by_the_lane(f"http://127.0.0.1:{port}")
        assert select.select([waiting], [], [], 0)[0] == []
        halves[0].sendall(b"}")
        assert waiting.recv(100).startswith(b"HTTP/1.1 200")


def test_who_goes_silent_in_the_middle_of_a_request_holds_no_thread(settings: Settings) -> None:
    """Every thread is held by a phone that lost its signal, half of them in the middle of a header, half of a body.
    They are let go, and whoever waits is answered."""
    port, head = usable_port(0), b"POST /tokens HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    with ExitStack() as ends:
        ends.enter_context(running(settings, "serve", PORT=str(port), PROCESSES="1", THREADS="4", SILENCE_S="1"))
        wait_until(lambda: says(port, LIVE, ends))
        lost = [said(port, head + more, ends) for more in (b"", b"Content-Length: 2\r\n\r\n{") * 2]
        waiting = said(port, LIVE, ends)
        assert waiting.recv(100).startswith(b"HTTP/1.1 200")
        for each in lost:
            # To the end: an answer of refusal, or none.
            while each.recv(1000):
                pass


def test_a_process_that_can_open_no_more_files_answers_those_it_has_and_then_others(settings: Settings) -> None:
    port = usable_port(0)
    with ExitStack() as ends:
        server = ends.enter_context(running(settings, "serve", PORT=str(port), PROCESSES="1", THREADS="4"))
        wait_until(lambda: says(port, LIVE, ends) and len(server.children()) == 2)
        answering = server.children()
        most = {each: each.num_fds() + 8 for each in answering}
        for each, number in most.items():
            # Below what it was told at its start, by which it would have stopped by itself.
            resource.prlimit(each.pid, resource.RLIMIT_NOFILE, (number, number))
        with ExitStack() as silent:
            first, *_ = [said(port, b"", silent) for _ in range(24)]
            wait_until(lambda: any(each.num_fds() >= number for each, number in most.items()))
            first.sendall(LIVE)
            assert first.recv(100).startswith(b"HTTP/1.1 200")
        wait_until(lambda: says(port, LIVE, ends))
        assert server.children() == answering


@pytest.mark.parametrize(
    ("limit", "threads", "callers"), [(None, 8, 1000), (2**20, 32, 1000), (1024, 32, 864), (128, 8, 40), (64, 4, 5)]
)
def test_a_process_takes_so_many_callers_that_its_own_files_still_open(
    limit: int | None, threads: int, callers: int
) -> None:
    assert connections_within(limit, threads=threads) == callers


def said(port: int, text: bytes, ends: ExitStack) -> socket.socket:
    """A connection on which this was said."""
    connection = ends.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
    connection.sendall(text)
    return connection


def says(port: int, text: bytes, ends: ExitStack) -> bool:
    try:
        return said(port, text, ends).recv(100).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def lives(port: int) -> bool:
    """Whether somebody answers here. Asked again and again, and so without a client that is made anew each time."""
    with ExitStack() as ends:
        return says(port, LIVE, ends)


def test_a_server_that_was_killed_leaves_nobody_behind_and_its_port_free(settings: Settings) -> None:
    port = usable_port(0)
    with running(settings, "serve", PORT=str(port)) as server:
        wait_until(lambda: lives(port))
        with ExitStack() as phone:
            # Its connection stays open, as those of phones do.
            assert says(port, LIVE, phone)
            answering = server.children()
            server.send_signal(signal.SIGKILL)
            server.wait()
            wait_until(lambda: not any(each.is_running() for each in answering))
            with running(settings, "serve", PORT=str(port)):
                wait_until(lambda: lives(port))
