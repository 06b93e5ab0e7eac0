"""Requests counted by several servers together: while nobody counts, everybody is let through and hardly waits."""

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from flask import Flask, g

from api.app import close_app
from api.errors import TooManyRequests
from api.limiting import LEFT_ALONE_S, Limiter
from fieldvisit.settings import Settings
from tests.api.test_edges import app_for

ONCE = "1/minute"


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


@pytest.fixture
def in_a_request() -> Iterator[None]:
    with Flask(__name__).app_context():
        yield


def address(listening: socket.socket) -> str:
    return f"redis://127.0.0.1:{listening.getsockname()[1]}"


def asked(listening: socket.socket) -> int:
    """How often it was asked since this was asked for last."""
    count = 0
    with suppress(BlockingIOError):
        while True:
            listening.accept()[0].close()
            count += 1
    return count


@pytest.mark.usefixtures("in_a_request")
def test_while_redis_is_silent_everybody_is_let_through_and_only_one_in_a_while_waits(silent: socket.socket) -> None:
    now_s = [0.0]
    limiter = Limiter(ONCE, address(silent), clock=lambda: now_s[0])
    for _ in range(3):
        limiter.count("Ilta")
    assert ("rate_limit" in g, asked(silent)) == (False, 1)
    now_s[0] += LEFT_ALONE_S
    for _ in range(3):
        limiter.count("Ilta")
    assert ("rate_limit" in g, asked(silent)) == (False, 1)


@pytest.mark.usefixtures("in_a_request")
def test_where_no_redis_is_everybody_is_let_through(silent: socket.socket) -> None:
    nowhere = address(silent)
    silent.close()
    limiter = Limiter(ONCE, nowhere)
    for _ in range(3):
        limiter.count("Ilta")
    assert "rate_limit" not in g


def test_nothing_of_safety_asks_who_counts(settings: Settings, silent: socket.socket) -> None:
    app = app_for(settings, rate_limit_storage=address(silent))
    client = app.test_client()
    assert client.post("/safety/sos", json={}).status_code == 401
    assert asked(silent) == 0
    assert client.get("/areas").status_code == 401
    assert asked(silent) == 1
    close_app(app)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Callable[[], str]]:
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        pytest.skip("no redis-server on the PATH")
    where = tmp_path / "redis.sock"
    words = ["--port", "0", "--unixsocket", str(where), "--save", "", "--dir", str(tmp_path)]
    with subprocess.Popen([program, *words], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert any("eady to accept connections" in line for line in process.stdout)
        yield lambda: f"redis+unix://{where}"
        process.terminate()


@pytest.mark.usefixtures("in_a_request")
def test_several_servers_count_together(redis: Callable[[], str]) -> None:
    one, other = (Limiter("2/minute", redis()) for _ in range(2))
    one.count("Ilta")
    other.count("Ilta")
    assert g.rate_limit[:2] == (2, 0)
    for limiter in (one, other):
        with pytest.raises(TooManyRequests):
            limiter.count("Ilta")
        limiter.count("Oona")
