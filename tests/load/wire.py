"""Phones on the wire that cost little themselves: one kept connection each, bodies made beforehand."""

import http.client
import json
import time
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit


class Wire:
    """One phone's connection."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        self._headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}

    def send(self, body: dict[str, Any]) -> float:
        """Send events, demand that all are taken; how many seconds it took."""
        text = json.dumps(body)
        begun = time.perf_counter()
        self._connection.request("POST", "/phone/events", text, self._headers)
        answer = self._connection.getresponse()
        told = json.loads(answer.read())
        took = time.perf_counter() - begun
        assert (answer.status, told.get("taken")) == (200, len(body["events"])), told
        return took

    def close(self) -> None:
        self._connection.close()

    def __del__(self) -> None:
        self.close()


def answers(port: int) -> bool:
    """Whether a server on this machine is ready."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        try:
            connection.request("GET", "/health/ready")
            return connection.getresponse().status == 200
        except OSError:
            return False
