"""Roads from an OSRM server over HTTP: in blocks that the server takes, asked again where it stumbles."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np

from routing.errors import RoadsUnavailable
from routing.travel.asking import tabled
from routing.travel.cache import TableCache
from routing.travel.grids import Grids
from routing.travel.tables import Grid, Point, TravelTable

RADIUS_M = 500.0
TIMEOUT_S = 20.0
BLOCK_POINTS = 100
"""What a server takes for one table unless it was told otherwise."""
LEAST_BLOCK = 4
ATTEMPTS = 3
PAUSE_S = 0.2
AT_ONCE = 4
GIVEN_UP_AFTER = 3
"""After so many blocks in a row without an answer the server is taken for gone, and not asked for the rest."""
ANSWERS = ("Ok", "NoSegment", "NoRoute", "NoTable", "TooBig")
"""The codes that are answers: there is something, there is nothing, or the question was too large."""

type _Block = tuple[Sequence[int], Sequence[int]]


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How a server is asked. Between attempts the pause doubles; `sleep` is given so that no test has to wait."""

    timeout_s: float = TIMEOUT_S
    attempts: int = ATTEMPTS
    pause_s: float = PAUSE_S
    at_once: int = AT_ONCE
    block_points: int = BLOCK_POINTS
    sleep: Callable[[float], None] = time.sleep


class _Stumbled(RoadsUnavailable):
    """No answer now; the next attempt may have one."""


class _Streak:
    """How many blocks in a row went unanswered, over all threads."""

    def __init__(self) -> None:
        self.failures = 0

    def ended(self, grids: Grids) -> Grids:
        self.failures = 0
        return grids

    def goes_on(self, error: RoadsUnavailable) -> RoadsUnavailable:
        self.failures += 1
        return error


class OsrmServer:
    """An OSRM server, asked with a time limit. `RoadsUnavailable` when it cannot be reached or refuses."""

    source = "osrm-http"

    def __init__(
        self,
        address: str,
        *,
        profile: str = "driving",
        patience: Patience | None = None,
        cache: TableCache | None = None,
    ) -> None:
        self._patience, self._cache, self._profile = patience or Patience(), cache, profile
        self._client = httpx.Client(base_url=address, timeout=self._patience.timeout_s)
        self._address, self._block = address, self._patience.block_points

    def __enter__(self) -> "OsrmServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()

    @property
    def key(self) -> str:
        return f"{self.source} {self._address} {self._profile} {RADIUS_M:g}"

    def table(self, points: Sequence[Point]) -> TravelTable:
        """Seconds and metres between all points; points far from every road are reached by nobody.

        Blocks that the server leaves unanswered are estimated, and the source says so.
        """
        return tabled(self, points, cache=self._cache)

    def grids(self, origins: Sequence[Point], targets: Sequence[Point]) -> Grids:
        """Block by block, several at once. Raises RoadsUnavailable where not one block was answered."""
        found, streak = Grids.empty(len(origins), len(targets)), _Streak()
        failures: list[RoadsUnavailable] = []

        def answer(block: _Block) -> Grids | RoadsUnavailable:
            rows, columns = block
            if streak.failures >= GIVEN_UP_AFTER:
                return RoadsUnavailable("The road server has stopped answering.")
            try:
                return streak.ended(self._between([origins[i] for i in rows], [targets[j] for j in columns]))
            except RoadsUnavailable as error:
                return streak.goes_on(error)

        blocks = list(_blocks(len(origins), len(targets), self._block))
        with ThreadPoolExecutor(self._patience.at_once) as threads:
            for (rows, columns), got in zip(blocks, threads.map(answer, blocks), strict=True):
                if isinstance(got, Grids):
                    found.put(rows, columns, got)
                else:
                    failures.append(got)
        if failures and len(failures) == len(blocks):
            raise failures[0]
        return found

    def is_near_a_road(self, point: Point) -> bool:
        answer = self._get("nearest", [point], number="1", radiuses=f"{RADIUS_M:g}")
        return bool(answer["code"] == "Ok")

    def path(self, points: Sequence[Point]) -> list[tuple[float, float]]:
        """The line along the roads through the points in order, as (lon, lat); empty if there is no way."""
        if len(points) < 2:
            return []
        radiuses = ";".join(f"{RADIUS_M:g}" for _ in points)
        answer = self._get("route", points, geometries="geojson", overview="full", radiuses=radiuses)
        if answer["code"] != "Ok":
            return []
        return [(float(pair[0]), float(pair[1])) for pair in answer["routes"][0]["geometry"]["coordinates"]]

    def _between(self, origins: Sequence[Point], targets: Sequence[Point]) -> Grids:
        """One block; halved for a server that finds it too big."""
        places = [*origins, *targets]
        sources, destinations = range(len(origins)), range(len(origins), len(places))
        # Without a radius: one point off the roads would refuse the whole block. How far each was moved is looked at.
        answer = self._get(
            "table",
            places,
            annotations="duration,distance",
            sources=";".join(map(str, sources)),
            destinations=";".join(map(str, destinations)),
            generate_hints="false",
        )
        if answer["code"] == "TooBig" and len(places) > LEAST_BLOCK:
            self._block = min(self._block, max(LEAST_BLOCK, len(places) // 2))
            return self._halved(origins, targets)
        if answer["code"] != "Ok":
            raise RoadsUnavailable(f"The road server refused: {answer['code']}.")
        return _read(answer, len(origins), len(targets))

    def _halved(self, origins: Sequence[Point], targets: Sequence[Point]) -> Grids:
        found = Grids.empty(len(origins), len(targets))
        for rows, columns in _blocks(len(origins), len(targets), self._block):
            found.put(rows, columns, self._between([origins[i] for i in rows], [targets[j] for j in columns]))
        return found

    def _get(self, service: str, points: Sequence[Point], **options: str) -> Mapping[str, Any]:
        """The answer of the service. Its own "nothing there" codes are answers, all else is an error."""
        places = ";".join(f"{point.lon:.6f},{point.lat:.6f}" for point in points)
        address = f"/{service}/v1/{self._profile}/{places}"
        for attempt in range(1, self._patience.attempts + 1):
            try:
                return self._once(address, options)
            except _Stumbled:
                if attempt == self._patience.attempts:
                    raise
                self._patience.sleep(self._patience.pause_s * 2 ** (attempt - 1))
        raise AssertionError("there is at least one attempt")

    def _once(self, address: str, options: Mapping[str, str]) -> Mapping[str, Any]:
        try:
            response = self._client.get(address, params=dict(options))
            answer = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise _Stumbled(f"The road server cannot be asked: {type(error).__name__}.") from error
        if isinstance(answer, dict) and answer.get("code") in ANSWERS:
            return answer
        busy = response.status_code == 429 or response.status_code >= 500
        failure = _Stumbled if busy else RoadsUnavailable
        raise failure(f"The road server refused with status {response.status_code}.")


def _blocks(origins: int, targets: int, most_points: int) -> Iterator[_Block]:
    """Rows and columns that together are at most `most_points`."""
    rows = max(1, min(origins, most_points // 2))
    columns = max(1, most_points - rows)
    for top in range(0, origins, rows):
        for left in range(0, targets, columns):
            yield range(top, min(top + rows, origins)), range(left, min(left + columns, targets))


def _read(answer: Mapping[str, Any], origins: int, targets: int) -> Grids:
    """The block that the server sent; a cell of None is a way that does not exist, not one that is unknown."""
    found = Grids.empty(origins, targets)
    try:
        found.seconds[:], found.metres[:] = _grid(answer["durations"]), _grid(answer["distances"])
        found.origins_off[:] = [place["distance"] > RADIUS_M for place in answer["sources"]]
        found.targets_off[:] = [place["distance"] > RADIUS_M for place in answer["destinations"]]
    except (KeyError, TypeError, ValueError) as error:
        raise RoadsUnavailable("The road server's answer has not the promised shape.") from error
    found.unknown[:] = False
    return found


def _grid(rows: Sequence[Sequence[float | None]]) -> Grid:
    return np.array([list(row) for row in rows], dtype=np.float64)
