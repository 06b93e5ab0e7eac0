"""Travel times for the search: from a road server, from the map in this process, or estimated, in that order.

Whatever was measured on roads calibrates the estimate for the day when there are none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from routing.errors import RoadsUnavailable
from routing.problem import Travel
from routing.travel import (
    Hours,
    OsrmRoads,
    OsrmServer,
    Patience,
    Point,
    TableCache,
    TravelTable,
    banded,
    geodesic,
    load_profile,
    save_profile,
)
from routing.travel.calibration import measured

FALLBACK = "geodesic-fallback"
"""The source of an estimate where roads were asked for and did not answer."""


@dataclass(frozen=True, kw_only=True)
class Ways:
    """Where the travel times of a day come from. `hours`: (from second of the day, until, factor)."""

    server: str | None
    map_file: Path | None
    folder: Path
    hours: tuple[tuple[int, int, float], ...] = ()
    patience: Patience = Patience()  # noqa: RUF009  # frozen

    def table(self, points: Sequence[Point]) -> tuple[TravelTable, "Lines"]:
        """The travel times, and what draws the ways. `MapMissing` where the map that is set cannot be used."""
        if self.server:
            roads = OsrmServer(self.server, patience=self.patience, cache=self._cache)
            try:
                return self._kept(roads.table(points), points), Lines(roads)
            except RoadsUnavailable:
                roads.close()
        if self.map_file:
            mapped = OsrmRoads.build(self.map_file, self.folder, cache=self._cache)
            return self._kept(mapped.table(points), points), Lines(mapped)
        table = geodesic(points, profile=load_profile(self._profile))
        if self.server:
            table = TravelTable(
                seconds=table.seconds,
                metres=table.metres,
                source=table.source.replace("geodesic", FALLBACK, 1),
                set_aside=table.set_aside,
            )
        return table, Lines(None)

    def travel(self, table: TravelTable) -> Travel:
        """The table with its busy hours."""
        return banded(table, [Hours(from_s=begin, until_s=end, factor=factor) for begin, end, factor in self.hours])

    @property
    def _cache(self) -> TableCache:
        return TableCache(self.folder / "tables")

    @property
    def _profile(self) -> Path:
        return self.folder / "profile-car.json"

    def _kept(self, table: TravelTable, points: Sequence[Point]) -> TravelTable:
        found = measured(points, table)
        if found is not None:
            save_profile(self._profile, found.profile)
        return table


@dataclass(frozen=True)
class Lines:
    """Draws the way through points: along roads where there are some, else straight."""

    roads: OsrmRoads | OsrmServer | None

    def path(self, points: Sequence[Point]) -> list[list[float]]:
        """(lon, lat) pairs. A server that has stopped answering by now costs the curves, not the plan."""
        straight = [[point.lon, point.lat] for point in points]
        if self.roads is None:
            return straight
        try:
            return [[lon, lat] for lon, lat in self.roads.path(points)]
        except RoadsUnavailable:
            return straight
