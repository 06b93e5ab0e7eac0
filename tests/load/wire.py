"""Phones on the wire that cost next to nothing themselves: one kept connection each, and no library between."""

import gzip
import http.client
import json
import socket
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from typing import Any
from urllib.parse import urlsplit


class Wire:
    """One phone's connection; made anew where the server, as it does after a few silent seconds, has let it go."""

    def __init__(self, url: str, token: str) -> None:
        parts, self.token = urlsplit(url), token
        self._address = parts.hostname or "", parts.port or 80
        self._socket: socket.socket | None = None
        self._head = (
            f"POST /phone/events HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
            f"Accept-Encoding: gzip\r\nAuthorization: Bearer {token}\r\nContent-Length: "
        ).encode()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def is_let_go(self) -> bool:
        """Whether the server has closed the kept connection meanwhile, as it does with silent ones."""
        if self._socket is None:
            return False
        try:
            return self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def send(self, sent_at: str, events: Sequence[dict[str, Any]]) -> float:
        """Send events, demand that all are taken; how many seconds it took."""
        begun = time.perf_counter()
        status, told = self.tell(sent_at, events)
        took = time.perf_counter() - begun
        assert status == 200, told
        assert told["taken"] == len(events), told
        return took

    def tell(self, sent_at: str, events: Sequence[dict[str, Any]], *, once: bool = False) -> tuple[int, dict[str, Any]]:
        """Send events; the status and what was answered, whatever it is. Raises OSError where nobody answers: with
        `once` already where the kept connection was let go."""
        body = json.dumps({"sent_at": sent_at, "events": list(events)}).encode()
        head, answer = self._asked(self._head + str(len(body)).encode() + b"\r\n\r\n" + body, once=once)
        told = json.loads(gzip.decompress(answer) if b"content-encoding: gzip" in head.lower() else answer)
        return int(head.split(b" ", 2)[1]), told

    def _asked(self, text: bytes, *, once: bool) -> tuple[bytes, bytes]:
        if self._socket is not None:
            with suppress(*() if once else (ConnectionError,)):
                return self._exchange(self._socket, text)
            self.close()
        self._socket = socket.create_connection(self._address, timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._exchange(self._socket, text)

    def _exchange(self, connection: socket.socket, text: bytes) -> tuple[bytes, bytes]:
        connection.sendall(text)
        got = b""
        while b"\r\n\r\n" not in got:
            got += _more(connection)
        head, _, body = got.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        while len(body) < length:
            body += _more(connection)
        return head, body


def _more(connection: socket.socket) -> bytes:
    more = connection.recv(65_536)
    if not more:
        raise ConnectionResetError
    return more


def answers(port: int) -> bool:
    """Whether a server on this machine is ready."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        try:
            connection.request("GET", "/health/ready")
            return connection.getresponse().status == 200
        except OSError:
            return False
