"""Roads from a map extract, by OSRM in this process."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from routing.errors import MapMissing, RoadsUnavailable
from routing.travel.building import Profile, build_map, map_is_built
from routing.travel.tables import Matrix, Point, TravelTable, spread_out, whole_matrix

RADIUS_M = 500.0
"""A point further from every road than this is set aside: snapped to a road far away, its times would be fiction."""
MOST_POINTS = 5000


class OsrmRoads:
    """The roads of one built map.

    OSRM holds Python's lock for a whole call: ask from a process that does nothing else meanwhile. The map is not
    thread-safe to build, but any number of processes may read it.
    """

    source = "osrm"

    def __init__(self, base: Path, *, radius_m: float = RADIUS_M) -> None:
        """`base` is the built map without its ending; `build` gives it. `MapMissing` if it is not there or broken."""
        import osrm  # OSRM is large, and only those who plan load it.

        if not map_is_built(base):
            raise MapMissing(f"There is no built map at {base}.")
        self._osrm, self._radius_m = osrm, radius_m
        try:
            # Without `use_shared_memory=False` the keyword start looks for a memory block and fails.
            self._engine = osrm.OSRM(
                storage_config=str(base),
                algorithm="CH",
                use_shared_memory=False,
                max_locations_distance_table=MOST_POINTS,
            )
        except RuntimeError as error:
            raise MapMissing(f"The map at {base} cannot be read: {error}") from error

    @classmethod
    def build(cls, pbf: Path, folder: Path, *, profile: Profile = "car", radius_m: float = RADIUS_M) -> "OsrmRoads":
        """The roads of a map extract, built into `folder` unless they are there from the same file.

        `MapMissing` if the file is not there or is no map.
        """
        return cls(build_map(pbf, folder, profile=profile), radius_m=radius_m)

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

    def _between(self, points: Sequence[Point]) -> tuple[Matrix, Matrix]:
        if not points:
            return (), ()
        ask = self._osrm.TableParameters(
            coordinates=[(point.lon, point.lat) for point in points],
            annotations=["duration", "distance"],
            radiuses=[self._radius_m] * len(points),
            generate_hints=False,
        )
        ask.skip_waypoints = True  # an attribute, not a keyword
        answer = self._answer("Table", ask)
        assert answer is not None
        return _matrix(answer["durations"]), _matrix(answer["distances"])

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


def _matrix(rows: Sequence[Sequence[float | None]]) -> Matrix:
    return whole_matrix([list(row) for row in rows])
