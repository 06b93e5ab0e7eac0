"""Points, and what lies between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from routing.demands import Matrix, demand, demand_matrix
from routing.problem import Travel

__all__ = ["Grid", "Matrix", "Point", "SetAside", "TravelTable", "whole_matrix"]

type Grid = NDArray[np.float64]
"""One number for each origin (rows) and target (columns); NaN where there is no way."""


FEW_NUMBERS = 1 << 21
"""So many may be listed beforehand: more seconds or metres than any day's drive has."""


class SetAside(StrEnum):
    """Why nobody is sent to a point."""

    OFF_ROAD = "off_road"
    """No road within the radius: the point lies outside the map, on water, or in another datum."""
    CUT_OFF = "cut_off"
    """On a road, but without any way to or from most of the other points: a yard, an island, a piece of a map."""
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
    """The table of square grids. Whoever hangs together with fewer than the rest do is set aside as cut off."""
    cut_off = dict.fromkeys(_cut_off(~np.isnan(seconds)), SetAside.CUT_OFF)
    return TravelTable(
        seconds=whole_matrix(seconds),
        metres=whole_matrix(metres),
        source=source,
        set_aside=dict(sorted((cut_off | dict(reasons)).items())),
    )


def _cut_off(reached: NDArray[np.bool_]) -> list[int]:
    """The points outside the piece that holds more than half of them; the lone ones where there is none such."""
    together = reached | reached.T
    np.fill_diagonal(together, val=True)
    pieces: list[NDArray[np.intp]] = []
    waiting = np.ones(len(together), dtype=bool)
    while waiting.any():
        piece = np.zeros(len(together), dtype=bool)
        piece[np.argmax(waiting)] = True
        size = 0
        while size != (size := int(piece.sum())):
            piece |= together[piece].any(axis=0)
        pieces.append(np.flatnonzero(piece))
        waiting &= ~piece
    most = max((len(piece) for piece in pieces), default=0)
    kept = most if 2 * most > len(together) else 2
    return sorted(int(index) for piece in pieces if len(piece) < kept for index in piece) if len(together) > 1 else []


def whole_matrix(grid: Grid) -> Matrix:
    """Rounded to whole numbers from 0; the way from a place to itself is 0, whatever the engine thinks.

    OSRM answers -1 m where both points lie at one spot of one street. Each number is made once, as far as they are
    small: a hundred million cells are then as many references, and not as many numbers.
    """
    top = int(np.rint(np.nanmax(grid, initial=0.0)))
    shared = np.array([*range(top + 1), None], dtype=object) if top < FEW_NUMBERS else None
    rows: list[tuple[int | None, ...]] = []
    for index, row in enumerate(grid):
        missing = np.isnan(row)
        missing[index] = False
        whole = np.rint(np.where(missing, top + 1, np.maximum(row, 0.0)))
        whole[index] = 0
        cells = whole.astype(np.int64)
        if shared is not None:
            rows.append(tuple(shared[cells].tolist()))
        else:
            rows.append(tuple(None if cell > top else cell for cell in cells.tolist()))
    return tuple(rows)


def without(grid: Grid, indices: Sequence[int]) -> Grid:
    """The square grid with no way to or from these points."""
    rows = list(indices)
    if not rows:
        return grid
    cut = grid.copy()
    cut[rows, :] = np.nan
    cut[:, rows] = np.nan
    return cut
