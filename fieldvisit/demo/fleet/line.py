"""A bad connection under the HTTP client: requests that never arrive, answers that never come back, twins."""

import threading
import time
from dataclasses import dataclass, field
from random import Random

import httpx


@dataclass(frozen=True, kw_only=True)
class Weather:
    """The share of requests that never arrive, of those whose answer is lost, and of those that arrive twice."""

    request_lost: float = 0.10
    answer_lost: float = 0.15
    twice: float = 0.05


@dataclass
class Meter:
    """What the connections of a fleet went through. Threads write to it."""

    asked: int = 0
    requests_lost: int = 0
    answers_lost: int = 0
    twins: int = 0
    seconds: list[float] = field(default_factory=list)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def add(self, name: str) -> None:
        with self._turn:
            setattr(self, name, getattr(self, name) + 1)

    def took(self, seconds: float) -> None:
        with self._turn:
            self.seconds.append(seconds)


class BadLine(httpx.BaseTransport):
    """Raises httpx.TransportError as a connection that breaks does: before the server heard, or after it answered."""

    def __init__(self, chance: Random, weather: Weather, meter: Meter) -> None:
        self._chance, self._weather, self._meter = chance, weather, meter
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._meter.add("asked")
        if self._chance.random() < self._weather.request_lost:
            self._meter.add("requests_lost")
            raise httpx.ConnectError("no signal", request=request)
        answer = self._sent(request)
        if self._chance.random() < self._weather.twice:
            self._meter.add("twins")
            answer = self._sent(request)
        if self._chance.random() < self._weather.answer_lost:
            # The server has done what was asked by now, and nobody hears of it.
            self._meter.add("answers_lost")
            raise httpx.ReadError("the signal is gone", request=request)
        return answer

    def _sent(self, request: httpx.Request) -> httpx.Response:
        begun = time.perf_counter()
        answer = self._inner.handle_request(request)
        answer.read()
        self._meter.took(time.perf_counter() - begun)
        return httpx.Response(answer.status_code, headers=_plain(answer.headers), content=answer.content)

    def close(self) -> None:
        self._inner.close()


def _plain(headers: httpx.Headers) -> httpx.Headers:
    """Of the answer as it was read: unpacked, and whole."""
    kept = headers.copy()
    for name in ("Content-Encoding", "Content-Length", "Transfer-Encoding"):
        kept.pop(name, None)
    return kept
