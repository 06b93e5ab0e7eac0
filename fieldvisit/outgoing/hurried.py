"""Reading that takes no longer than is said, as a whole: by a client of HTTP, and by what reads sockets as files.

httpx, and Python's own clients of HTTP and of mail, count each of their limits anew with every byte that comes: a
service that brings one now and then would be waited for without end.
"""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import httpx

LEAST_S = 0.001
_UNTIL: ContextVar[float] = ContextVar("until")
_EACH_S: ContextVar[float | None] = ContextVar("each_s", default=None)


def client(timeouts: httpx.Timeout, trusted: ssl.SSLContext) -> httpx.Client:
    """Follows no redirects; what it reads is read `within` a time."""
    transport = httpx.HTTPTransport(verify=trusted)
    # httpx hands on no network of one's own; a test holds a service that drips against it.
    pool: Any = transport._pool  # noqa: SLF001
    pool._network_backend = _Network(pool._network_backend)  # noqa: SLF001
    return httpx.Client(timeout=timeouts, follow_redirects=False, transport=transport)


@contextmanager
def within(seconds: float, *, each_s: float | None = None) -> Iterator[float]:
    """What this thread reads in the block comes within so many seconds, or is a `httpx.ReadTimeout` (for what reads
    files: a `TimeoutError`); until when. `each_s`: so long a file waits for each part, whatever its socket was told."""
    until = time.monotonic() + seconds
    token, each = _UNTIL.set(until), _EACH_S.set(each_s)
    try:
        yield until
    finally:
        _UNTIL.reset(token)
        _EACH_S.reset(each)


def hurry_files() -> None:
    """From now on sockets that are read as files, as `smtplib` and `http.client` do, are read `within` a time too;
    where none is said nothing changes. They make their sockets themselves, and take no others."""
    socket.SocketIO = _File  # type: ignore[misc]


class _File(socket.SocketIO):
    if TYPE_CHECKING:
        _sock: socket.socket

    def readinto(self, buffer: Any) -> int | None:
        left_s = _UNTIL.get(float("inf")) - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        told_s, each_s = self._sock.gettimeout(), _EACH_S.get()
        given_s = told_s if each_s is None else each_s
        wait_s = left_s if given_s is None else min(given_s, left_s)
        if wait_s not in (told_s, float("inf")):
            self._sock.settimeout(wait_s)
        return super().readinto(buffer)


class _Network:
    """What httpcore makes connections by."""

    def __init__(self, network: Any) -> None:
        self._network = network

    def connect_tcp(self, *given: Any, **more: Any) -> "_Stream":
        return _Stream(self._network.connect_tcp(*given, **more))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name)


class _Stream:
    """One connection."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left_s = max(LEAST_S, _UNTIL.get(float("inf")) - time.monotonic())
        found: bytes = self._stream.read(max_bytes, left_s if timeout is None else min(timeout, left_s))
        return found

    def start_tls(self, *given: Any, **more: Any) -> "_Stream":
        return _Stream(self._stream.start_tls(*given, **more))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
