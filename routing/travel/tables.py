"""Points, and what lies between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import cast

import numpy as np
from numpy.typing import NDArray

from routing.demands import Matrix, demand, demand_matrix
from routing.problem import Travel

__all__ = ["Grid", "Matrix", "Point", "SetAside", "TravelTable", "whole_matrix"]

type Grid = NDArray[np.float64]
"""One number for each origin (rows) and target (columns); NaN where there is no way."""


class SetAside(StrEnum):
    """Why nobody is sent to a point."""

    OFF_ROAD = "off_road"
    """No road within the radius: the point lies outside the map, on water, or in another datum."""
    CUT_OFF = "cut_off"
    """On a road from which no other point is reached and which is reached from none."""
    ABSURD = "absurd"
    """So far from all others that no day could hold both: swapped or missing coordinates."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """A place on earth, in degrees of WGS-84."""

    lat: float
    lon: float

    def __post_init__(self) -> None:
        demand(-90 <= self.lat <= 90, "lat", f"must be from -90 to 90, not {self.lat}")
        demand(-180 <= self.lon <= 180, "lon", f"must be from -180 to 180, not {self.lon}")


@dataclass(frozen=True, kw_only=True)
class TravelTable:
    """Whole seconds and metres from each point to each, None where there is no way, and where they come from.

    `set_aside`: index of a point that nobody is sent to → why.
    """

    seconds: Matrix
    metres: Matrix
    source: str
    set_aside: Mapping[int, SetAside] = field(default_factory=dict)

    def __post_init__(self) -> None:
        demand_matrix(self.seconds, "seconds")
        demand_matrix(self.metres, "metres", size=len(self.seconds))

    @property
    def unreachable(self) -> tuple[int, ...]:
        """The points that are cut off from all others, both ways."""
        return tuple(sorted(self.set_aside))

    def travel(self) -> Travel:
        return Travel(seconds=self.seconds, metres=self.metres)


def table_of(seconds: Grid, metres: Grid, source: str, reasons: Mapping[int, SetAside]) -> TravelTable:
    """The table of square grids. Whoever is reached by nobody and reaches nobody is set aside as cut off."""
    reached = ~np.isnan(seconds)
    np.fill_diagonal(reached, val=False)
    alone = np.flatnonzero(~(reached.any(axis=0) | reached.any(axis=1))) if len(seconds) > 1 else ()
    cut_off = {int(index): SetAside.CUT_OFF for index in alone}
    return TravelTable(
        seconds=whole_matrix(seconds),
        metres=whole_matrix(metres),
        source=source,
        set_aside=dict(sorted((cut_off | dict(reasons)).items())),
    )


def whole_matrix(grid: Grid) -> Matrix:
    """Rounded to whole numbers from 0; the way from a place to itself is 0, whatever the engine thinks.

    OSRM answers -1 m where both points lie at one spot of one street.
    """
    missing = np.isnan(grid)
    whole = np.rint(np.where(missing, 0.0, np.maximum(grid, 0.0))).astype(np.int64)
    np.fill_diagonal(whole, 0)
    np.fill_diagonal(missing, val=False)
    rows = cast("list[list[int | None]]", whole.tolist())
    for i, j in zip(*np.nonzero(missing), strict=True):
        rows[i][j] = None
    return tuple(map(tuple, rows))


def without(grid: Grid, indices: Sequence[int]) -> Grid:
    """The square grid with no way to or from these points."""
    cut = grid.copy()
    rows = list(indices)
    cut[rows, :] = np.nan
    cut[:, rows] = np.nan
    return cut
