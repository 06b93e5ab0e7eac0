"""Points, and what lies between them."""

from collections.abc import Sequence
from dataclasses import dataclass

from routing.demands import Matrix, demand, demand_matrix
from routing.problem import Travel

__all__ = ["Matrix", "Point", "TravelTable", "spread_out", "whole_matrix"]


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
    """Whole seconds and metres from each point to each, None where there is no way, and where they come from."""

    seconds: Matrix
    metres: Matrix
    source: str

    def __post_init__(self) -> None:
        demand_matrix(self.seconds, "seconds")
        demand_matrix(self.metres, "metres", size=len(self.seconds))

    @property
    def unreachable(self) -> tuple[int, ...]:
        """The points that are cut off from all others, both ways."""
        size = range(len(self.seconds))
        return tuple(
            i
            for i in size
            if len(size) > 1 and not any(self.seconds[i][j] or self.seconds[j][i] for j in size if j != i)
        )

    def travel(self) -> Travel:
        return Travel(seconds=self.seconds, metres=self.metres)


def whole_matrix(rows: Sequence[Sequence[float | None]]) -> Matrix:
    """Rounded to whole numbers; the way from a place to itself is 0, whatever the engine thinks."""
    return tuple(
        tuple(0 if i == j else None if cell is None else round(cell) for j, cell in enumerate(row))
        for i, row in enumerate(rows)
    )


def spread_out(matrix: Matrix, kept: Sequence[int], size: int) -> Matrix:
    """The matrix of the kept points among all `size` points; those set aside are reached by nobody."""
    place = {index: position for position, index in enumerate(kept)}
    return tuple(
        tuple(0 if i == j else matrix[place[i]][place[j]] if i in place and j in place else None for j in range(size))
        for i in range(size)
    )
