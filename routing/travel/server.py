"""Roads from an OSRM server over HTTP."""

from collections.abc import Sequence
from typing import Any

import httpx

from routing.errors import RoadsUnavailable
from routing.travel.tables import Matrix, Point, TravelTable, spread_out, whole_matrix

RADIUS_M = 500.0
TIMEOUT_S = 20.0


class OsrmServer:
    """An OSRM server, asked with a time limit. `RoadsUnavailable` when it cannot be reached or refuses."""

    source = "osrm-http"

    def __init__(self, address: str, *, profile: str = "driving", timeout_s: float = TIMEOUT_S) -> None:
        self._client = httpx.Client(base_url=address, timeout=timeout_s)
        self._profile = profile

    def close(self) -> None:
        self._client.close()

    def table(self, points: Sequence[Point]) -> TravelTable:
        """Seconds and metres between all points; points far from every road are reached by nobody."""
        kept = [index for index, point in enumerate(points) if self.is_near_a_road(point)]
        seconds, metres = self._between([points[index] for index in kept])
        return TravelTable(
            seconds=spread_out(seconds, kept, len(points)),
            metres=spread_out(metres, kept, len(points)),
            source=self.source,
        )

    def is_near_a_road(self, point: Point) -> bool:
        answer = self._get("nearest", [point], number="1", radiuses=f"{RADIUS_M:g}")
        return bool(answer["code"] == "Ok")

    def path(self, points: Sequence[Point]) -> list[tuple[float, float]]:
        """The line along the roads through the points in order, as (lon, lat); empty if there is no way."""
        if len(points) < 2:
            return []
        answer = self._get("route", points, geometries="geojson", overview="full", radiuses=_radiuses(points))
        if answer["code"] != "Ok":
            return []
        return [(float(pair[0]), float(pair[1])) for pair in answer["routes"][0]["geometry"]["coordinates"]]

    def _between(self, points: Sequence[Point]) -> tuple[Matrix, Matrix]:
        if not points:
            return (), ()
        answer = self._get("table", points, annotations="duration,distance", radiuses=_radiuses(points))
        if answer["code"] != "Ok":
            raise RoadsUnavailable(f"The road server refused: {answer['code']}.")
        return whole_matrix(answer["durations"]), whole_matrix(answer["distances"])

    def _get(self, service: str, points: Sequence[Point], **options: str) -> dict[str, Any]:
        """The answer of the service. Its own "nothing there" codes are answers, all else is an error."""
        places = ";".join(f"{point.lon:.6f},{point.lat:.6f}" for point in points)
        try:
            response = self._client.get(f"/{service}/v1/{self._profile}/{places}", params=options)
            answer = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise RoadsUnavailable(f"The road server cannot be asked: {type(error).__name__}.") from error
        if not isinstance(answer, dict) or answer.get("code") not in ("Ok", "NoSegment", "NoRoute"):
            raise RoadsUnavailable(f"The road server refused with status {response.status_code}.")
        return answer


def _radiuses(points: Sequence[Point]) -> str:
    return ";".join(f"{RADIUS_M:g}" for _ in points)
