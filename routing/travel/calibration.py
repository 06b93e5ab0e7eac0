"""A speed profile measured on roads: what OSRM knows where it is present, for where it is not.

Ways are sorted by the length of their line into classes of equal number; each class gives a knot, its median line, road
and time. The error that is told is on ways that the fit did not see.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from routing.errors import InvalidProblem
from routing.travel.lines import line_metres
from routing.travel.profiles import Knot, SpeedProfile
from routing.travel.tables import Grid, Point, TravelTable
from routing.writing import write_whole

CLASSES = 12
MOST_POINTS = 300
"""Ninety thousand ways tell as much as a million."""
FEWEST_WAYS = 200
"""With fewer ways than this a profile would be chance."""
SHORTEST_M = 20.0
"""Lines below this are one house: their ratio means nothing."""


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """A profile, with its relative error in seconds on the ways left out of the fit: median and nine in ten."""

    profile: SpeedProfile
    ways: int
    median_error: float
    p90_error: float


def calibrate(points: Sequence[Point], seconds: Grid, metres: Grid, *, source: str) -> Calibration | None:
    """The profile of these roads, from `MOST_POINTS` of the points at most; None where the ways are too few to tell."""
    if not points:
        return None
    some = slice(0, None, -(-len(points) // MOST_POINTS) or 1)
    seconds, metres = seconds[some, some], metres[some, some]
    lines = line_metres(points[some], points[some])
    known = ~np.isnan(seconds) & ~np.isnan(metres) & (lines >= SHORTEST_M) & (seconds > 0) & (metres > 0)
    line, road, time = lines[known], metres[known], seconds[known]
    if len(line) < FEWEST_WAYS:
        return None
    # Every third way is kept back to tell the error; rows alternate, so that both parts hold every point.
    rank = np.arange(len(line)) % 3
    fitted = _fitted(line[rank != 2], road[rank != 2], time[rank != 2])
    errors = np.abs(fitted.seconds(line[rank == 2]) / time[rank == 2] - 1)
    median, p90 = (float(value) for value in np.quantile(errors, [0.5, 0.9]))
    says = f"calibrated on {len(line)} ways of {source}, median error {median:.0%}"
    return Calibration(profile=replace(fitted, says=says), ways=len(line), median_error=median, p90_error=p90)


def measured(points: Sequence[Point], table: TravelTable) -> Calibration | None:
    """The same of a table of roads, whole numbers and all."""
    some = range(0, len(points), -(-len(points) // MOST_POINTS) or 1)
    seconds, metres = (
        np.array([[np.nan if matrix[i][j] is None else matrix[i][j] for j in some] for i in some], np.float64)
        for matrix in (table.seconds, table.metres)
    )
    return calibrate([points[i] for i in some], seconds, metres, source=table.source)


def save_profile(path: Path, profile: SpeedProfile) -> None:
    """Keep the profile for when there are no roads; whole or not at all."""
    write_whole(path, json.dumps(asdict(profile)).encode())


def load_profile(path: Path) -> SpeedProfile | None:
    """The profile that was kept; None where there is none, or what is there is no profile."""
    try:
        kept = json.loads(path.read_bytes())
        return SpeedProfile(**{**kept, "knots": tuple(Knot(**knot) for knot in kept["knots"])})
    except (OSError, ValueError, TypeError, KeyError, InvalidProblem):
        return None


def _fitted(line: Grid, road: Grid, time: Grid) -> SpeedProfile:
    order = np.argsort(line, kind="stable")
    knots: list[Knot] = []
    at_m, road_m, seconds = 0.0, 0.0, 0.0
    for rows in np.array_split(order, CLASSES):
        middle, way, lasts = (float(np.median(values[rows])) for values in (line, road, time))
        # Medians of chance may fall back; a longer line never takes less.
        road_m, seconds = max(road_m, way), max(seconds, lasts)
        if middle > at_m:
            knots.append(Knot(line_m=round(middle, 1), road_m=round(road_m, 1), seconds=round(seconds, 1)))
            at_m = knots[-1].line_m
    last = knots[-1]
    # Beyond what was measured every metre is like those of the longest ways, on average.
    return SpeedProfile(
        knots=tuple(knots),
        detour=max(1.0, round(last.road_m / last.line_m, 3)),
        speed_m_s=max(0.1, round(last.road_m / max(last.seconds, 1.0), 2)),
    )
