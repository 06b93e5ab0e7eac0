"""Without roads: the shortest line on the ellipsoid, turned into a drive by a profile."""

from collections.abc import Sequence

import numpy as np

from routing.travel.lines import line_metres
from routing.travel.profiles import DETOUR, SPEED_M_S, SpeedProfile
from routing.travel.tables import Grid, Point, SetAside, TravelTable, table_of, without

ABSURD_M = 500_000.0
"""No day holds two visits so far apart; a point that is so far from the middle of the others is a mistake."""


def geodesic(
    points: Sequence[Point],
    *,
    detour: float = DETOUR,
    speed_m_s: float = SPEED_M_S,
    profile: SpeedProfile | None = None,
) -> TravelTable:
    """Every point reaches every point, absurd ones apart. The source names detour and speed, or where the profile comes
    from, so that nobody takes it for roads. A `profile` goes before detour and speed."""
    drives = profile or SpeedProfile(detour=detour, speed_m_s=speed_m_s)
    lines = line_metres(points, points)
    reasons = absurd(points)
    seconds, metres = (without(grid, list(reasons)) for grid in (drives.seconds(lines), drives.metres(lines)))
    return table_of(seconds, metres, f"geodesic, {drives.label}", reasons)


def absurd(points: Sequence[Point]) -> dict[int, SetAside]:
    """The points far from the middle of all. The median is not moved by a few that lie on another continent."""
    if len(points) < 3:
        return {}
    middle = Point(
        lat=float(np.median([point.lat for point in points])), lon=float(np.median([point.lon for point in points]))
    )
    far: Grid = line_metres([middle], points)[0]
    return {int(index): SetAside.ABSURD for index in np.flatnonzero(far > ABSURD_M)}
