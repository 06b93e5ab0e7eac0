"""Roads from a map extract, by OSRM in this process."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from routing.errors import MapMissing, RoadsUnavailable
from routing.travel.asking import tabled
from routing.travel.building import Profile, build_map, map_is_built
from routing.travel.cache import TableCache
from routing.travel.grids import Flags, Grids
from routing.travel.tables import Grid, Point, TravelTable

RADIUS_M = 500.0
"""A point further from every road than this is set aside: snapped to a road far away, its times would be fiction."""
MOST_POINTS = 5000
ROWS_AT_ONCE = 500
"""OSRM answers with Python lists: a block at a time keeps a nation's table out of memory."""


class OsrmRoads:
    """The roads of one built map.

    OSRM holds Python's lock for a whole call: ask from a process that does nothing else meanwhile. The map is not
    thread-safe to build, but any number of processes may read it.
    """

    source = "osrm"

    def __init__(self, base: Path, *, radius_m: float = RADIUS_M, cache: TableCache | None = None) -> None:
        """`base` is the built map without its ending; `build` gives it. `MapMissing` if it is not there or broken."""
        import osrm  # OSRM is large, and only those who plan load it.

        if not map_is_built(base):
            raise MapMissing(f"There is no built map at {base}.")
        self._osrm, self._radius_m, self._base, self._cache = osrm, radius_m, base, cache
        try:
            # Without `use_shared_memory=False` the keyword start looks for a memory block and fails.
            self._engine = osrm.OSRM(
                storage_config=str(base),
                algorithm="CH",
                use_shared_memory=False,
                max_locations_distance_table=2 * MOST_POINTS,
            )
        except RuntimeError as error:
            raise MapMissing(f"The map at {base} cannot be read: {error}") from error

    @classmethod
    def build(
        cls,
        pbf: Path,
        folder: Path,
        *,
        profile: Profile = "car",
        radius_m: float = RADIUS_M,
        cache: TableCache | None = None,
    ) -> "OsrmRoads":
        """The roads of a map extract, built into `folder` unless they are there from the same file.

        `MapMissing` if the file is not there or is no map.
        """
        return cls(build_map(pbf, folder, profile=profile), radius_m=radius_m, cache=cache)

    @property
    def key(self) -> str:
        """The folder's name holds the profile and the hash of the extract."""
        return f"{self.source} {self._base.parent.name} {self._radius_m:g}"

    def table(self, points: Sequence[Point]) -> TravelTable:
        """Seconds and metres between all points; points far from every road are reached by nobody."""
        return tabled(self, points, cache=self._cache)

    def grids(self, origins: Sequence[Point], targets: Sequence[Point]) -> Grids:
        """Each block is one question to OSRM."""
        found = Grids.empty(len(origins), len(targets))
        found.unknown[:] = False
        found.origins_off[:], found.targets_off[:] = self._off_road(origins), self._off_road(targets)
        columns = np.flatnonzero(~found.targets_off)
        for rows in _blocks(np.flatnonzero(~found.origins_off)):
            for part in _blocks(columns):
                at = np.ix_(rows, part)
                found.seconds[at], found.metres[at] = self._between(
                    [origins[row] for row in rows], [targets[column] for column in part]
                )
        return found

    def is_near_a_road(self, point: Point) -> bool:
        ask = self._osrm.NearestParameters(
            coordinates=[(point.lon, point.lat)], radiuses=[self._radius_m], generate_hints=False
        )
        return self._answer("Nearest", ask, empty="NoSegment") is not None

    def path(self, points: Sequence[Point]) -> list[tuple[float, float]]:
        """The line along the roads through the points in order, as (lon, lat); empty if there is no way."""
        if len(points) < 2:
            return []
        ask = self._osrm.RouteParameters(
            coordinates=[(point.lon, point.lat) for point in points],
            radiuses=[self._radius_m] * len(points),
            geometries="geojson",
            overview="full",
            generate_hints=False,
        )
        answer = self._answer("Route", ask, empty="NoRoute", also_empty="NoSegment")
        if answer is None:
            return []
        return [(float(pair[0]), float(pair[1])) for pair in answer["routes"][0]["geometry"]["coordinates"]]

    def _off_road(self, points: Sequence[Point]) -> Flags:
        return np.array([not self.is_near_a_road(point) for point in points], np.bool_)

    def _between(self, origins: Sequence[Point], targets: Sequence[Point]) -> tuple[Grid, Grid]:
        places = [*origins, *targets]
        ask = self._osrm.TableParameters(
            coordinates=[(point.lon, point.lat) for point in places],
            sources=list(range(len(origins))),
            destinations=list(range(len(origins), len(places))),
            annotations=["duration", "distance"],
            radiuses=[self._radius_m] * len(places),
            generate_hints=False,
        )
        ask.skip_waypoints = True  # an attribute, not a keyword
        answer = self._answer("Table", ask)
        assert answer is not None
        return _grid(answer["durations"]), _grid(answer["distances"])

    def _answer(
        self, service: Literal["Nearest", "Route", "Table"], ask: object, *, empty: str = "", also_empty: str = ""
    ) -> Any:
        """OSRM's answer, None for the errors that mean "nothing there"; all its errors are bare, the code is first."""
        try:
            return getattr(self._engine, service)(ask)
        except RuntimeError as error:
            code = str(error).split(" ")[0]
            if code in (empty, also_empty):
                return None
            raise RoadsUnavailable(f"OSRM cannot answer: {error}") from error


def _blocks(indices: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Iterator[list[int]]:
    for begin in range(0, len(indices), ROWS_AT_ONCE):
        yield [int(index) for index in indices[begin : begin + ROWS_AT_ONCE]]


def _grid(rows: Sequence[Sequence[float | None]]) -> Grid:
    """None becomes NaN."""
    return np.array([list(row) for row in rows], dtype=np.float64)
