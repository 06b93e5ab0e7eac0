"""How a straight line turns into a drive: how much longer the road is, and how fast it goes."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from routing.demands import demand
from routing.travel.tables import Grid

DETOUR = 1.35
"""Roads against lines: between 1.2 and 1.5 in most towns."""
SPEED_M_S = 7.0


@dataclass(frozen=True, kw_only=True)
class Knot:
    """A line of `line_m` is a drive of `road_m` that takes `seconds`."""

    line_m: float
    road_m: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class SpeedProfile:
    """Knots by length of the line. Between two of them, and before the first, it is interpolated; beyond the last
    one every further metre is `detour` metres of road at `speed_m_s`."""

    knots: tuple[Knot, ...] = ()
    detour: float = DETOUR
    speed_m_s: float = SPEED_M_S
    says: str = ""
    """Where it comes from; empty for one that was stated, not measured."""

    def __post_init__(self) -> None:
        demand(self.detour >= 1, "detour", "must be at least 1")
        demand(self.speed_m_s > 0, "speed_m_s", "must be more than 0")
        for index, (before, knot) in enumerate(pairwise((Knot(line_m=0, road_m=0, seconds=0), *self.knots))):
            path = f"knots[{index}]"
            demand(knot.line_m > before.line_m, f"{path}.line_m", "must be more than that of the knot before")
            demand(knot.road_m >= before.road_m, f"{path}.road_m", "must not be less than that of the knot before")
            demand(knot.seconds >= before.seconds, f"{path}.seconds", "must not be less than that of the knot before")

    @property
    def label(self) -> str:
        return self.says or f"detour {self.detour:g}, {self.speed_m_s:g} m/s"

    def metres(self, lines: Grid) -> Grid:
        """The length of the drives along these lines."""
        return self._along(lines, [knot.road_m for knot in self.knots], self.detour)

    def seconds(self, lines: Grid) -> Grid:
        """How long the drives along these lines take."""
        return self._along(lines, [knot.seconds for knot in self.knots], self.detour / self.speed_m_s)

    def _along(self, lines: Grid, values: list[float], slope: float) -> Grid:
        at = [0.0, *(knot.line_m for knot in self.knots)]
        known: Grid = np.interp(lines, at, [0.0, *values])
        return known + np.maximum(lines - at[-1], 0.0) * slope
