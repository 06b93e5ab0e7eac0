"""A table from a source of roads: what is cached is not asked again, and what nobody answers is estimated and said."""

from collections.abc import Sequence

import numpy as np

from routing.errors import RoadsUnavailable
from routing.travel.cache import TableCache
from routing.travel.calibration import calibrate
from routing.travel.geodesic import absurd
from routing.travel.grids import Grids, Roads
from routing.travel.lines import line_metres
from routing.travel.profiles import SpeedProfile
from routing.travel.tables import Grid, Point, SetAside, TravelTable, table_of, without

MOST_UNKNOWN = 0.5
"""A table of which more than this is missing is no answer."""


def tabled(roads: Roads, points: Sequence[Point], *, cache: TableCache | None = None) -> TravelTable:
    """Seconds and metres between all points. Raises RoadsUnavailable where most of it cannot be had.

    Cells for which no answer came are estimated by a profile of those that did come, and the source tells their share.
    """
    reasons: dict[int, SetAside] = absurd(points)
    grids = _grids(roads, points, cache)
    off = np.flatnonzero(grids.origins_off | grids.targets_off)
    reasons |= {int(index): SetAside.OFF_ROAD for index in off if int(index) not in reasons}
    seconds, metres, source = _completed(grids, points, roads.source)
    cut = list(reasons)
    return table_of(without(seconds, cut), without(metres, cut), source, reasons)


def _grids(roads: Roads, points: Sequence[Point], cache: TableCache | None) -> Grids:
    known = cache.find(roads.key, points) if cache is not None else None
    found = Grids.empty(len(points), len(points)) if known is None else known
    # A point is known where its way to itself is.
    fresh = [int(index) for index in np.flatnonzero(np.diag(found.unknown))]
    old = sorted(set(range(len(points))) - set(fresh))
    everywhere = list(range(len(points)))
    if fresh:
        found.put(fresh, everywhere, roads.grids([points[i] for i in fresh], points))
        if old:
            found.put(old, fresh, roads.grids([points[i] for i in old], [points[i] for i in fresh]))
        if cache is not None and not found.unknown.any():
            cache.keep(roads.key, points, found)
    return found


def _completed(grids: Grids, points: Sequence[Point], source: str) -> tuple[Grid, Grid, str]:
    share = float(grids.unknown.mean()) if len(points) else 0.0
    if share == 0.0:
        return grids.seconds, grids.metres, source
    if share > MOST_UNKNOWN:
        raise RoadsUnavailable(f"The roads answered for {1 - share:.0%} of the ways only.")
    measured = calibrate(points, grids.seconds, grids.metres, source=source)
    profile = SpeedProfile() if measured is None else measured.profile
    lines = line_metres(points, points)
    seconds = np.where(grids.unknown, profile.seconds(lines), grids.seconds)
    metres = np.where(grids.unknown, profile.metres(lines), grids.metres)
    return seconds, metres, f"{source}+geodesic, {share:.1%} of the ways estimated"
