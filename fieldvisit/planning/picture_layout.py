"""Where things lie on the sheet: from degrees to units of the drawing, and pins moved apart so that all can be read."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Point = tuple[float, float]

WIDTH = 1000.0
MARGIN = 0.035
# A plan of one place would otherwise be a sheet of no size (in degrees, about 200 m).
SMALLEST = 0.002
SPREAD_ROUNDS = 60


@dataclass(frozen=True)
class Sheet:
    """A map section of `WIDTH` units; x runs east, y runs south. True to scale in its middle latitude."""

    west: float
    north: float
    scale_x: float
    scale_y: float
    height: float

    @classmethod
    def around(cls, points: Iterable[Point]) -> "Sheet":
        """The section that holds all (lon, lat) with a margin. There must be at least one."""
        lons, lats = zip(*points, strict=True)
        middle = (min(lats) + max(lats)) / 2
        shrink = math.cos(math.radians(middle))
        wide, high = max(max(lons) - min(lons), SMALLEST), max(max(lats) - min(lats), SMALLEST)
        margin = MARGIN * max(wide * shrink, high)
        scale_y = WIDTH / (wide * shrink + 2 * margin)
        return cls(
            west=(min(lons) + max(lons) - wide) / 2 - margin / shrink,
            north=(min(lats) + max(lats) + high) / 2 + margin,
            scale_x=scale_y * shrink,
            scale_y=scale_y,
            height=(high + 2 * margin) * scale_y,
        )

    def at(self, lon: float, lat: float) -> Point:
        return (lon - self.west) * self.scale_x, (self.north - lat) * self.scale_y

    def meets(self, line: Sequence[Point]) -> bool:
        """Whether the box around a line on the sheet overlaps it: a long street may cross with both ends outside."""
        xs, ys = [x for x, _ in line], [y for _, y in line]
        return min(xs) <= WIDTH and max(xs) >= 0 and min(ys) <= self.height and max(ys) >= 0

    def line(self, points: Iterable[Point]) -> list[Point]:
        """The points on the sheet, without those less than a unit from the one before."""
        kept: list[Point] = []
        placed = [self.at(*point) for point in points]
        for place in placed:
            if not kept or math.dist(place, kept[-1]) >= 1.0:
                kept.append(place)
        return kept if len(kept) > 1 else placed[:1] + placed[-1:]


def spread(places: Sequence[Point], distance: float) -> list[Point]:
    """The places moved apart until no two are nearer than `distance`, or nearly so; each stays close to its own.

    Deterministic: places on one spot fan out by their order.
    """
    # Neighbours on one spot have no direction to part in: give each its own, by the golden angle.
    moved = [(x + math.cos(2.4 * n) * 0.01, y + math.sin(2.4 * n) * 0.01) for n, (x, y) in enumerate(places)]
    for _ in range(SPREAD_ROUNDS):
        if not _push_apart(moved, distance):
            break
    return moved


def _push_apart(places: list[Point], distance: float) -> bool:
    """One round over the pairs, by a sweep from west to east; whether anything moved."""
    order = sorted(range(len(places)), key=lambda n: places[n])
    any_moved = False
    for rank, first in enumerate(order):
        for second in order[rank + 1 :]:
            (ax, ay), (bx, by) = places[first], places[second]
            if bx - ax > 2 * distance:
                break
            gap = math.dist((ax, ay), (bx, by))
            if gap < distance * 0.98:
                step = (distance - gap) / 2 / gap
                places[first] = ax - (bx - ax) * step, ay - (by - ay) * step
                places[second] = bx + (bx - ax) * step, by + (by - ay) * step
                any_moved = True
    return any_moved


def rings_clockwise(ring: Sequence[Point]) -> bool:
    """Whether a closed line runs clockwise on the sheet (x east, y south)."""
    return sum(ax * by - bx * ay for (ax, ay), (bx, by) in zip(ring, [*ring[1:], ring[0]], strict=True)) > 0
