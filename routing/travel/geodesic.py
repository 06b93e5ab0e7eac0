"""Without roads: the shortest line on the ellipsoid, lengthened by a detour, at one speed."""

from collections.abc import Sequence

from geopy.distance import geodesic as line

from routing.demands import demand
from routing.travel.tables import Point, TravelTable, whole_matrix

DETOUR = 1.35
"""Roads against lines: between 1.2 and 1.5 in towns."""
SPEED_M_S = 7.0


def geodesic(points: Sequence[Point], *, detour: float = DETOUR, speed_m_s: float = SPEED_M_S) -> TravelTable:
    """Every point reaches every point. The source names detour and speed, so that nobody takes it for roads."""
    demand(detour >= 1, "detour", "must be at least 1")
    demand(speed_m_s > 0, "speed_m_s", "must be more than 0")
    metres: list[list[float | None]] = [[0.0] * len(points) for _ in points]
    for i, origin in enumerate(points):
        for j in range(i):
            length = line((origin.lat, origin.lon), (points[j].lat, points[j].lon)).m * detour
            metres[i][j] = metres[j][i] = length
    seconds = [[cell / speed_m_s for cell in row if cell is not None] for row in metres]
    source = f"geodesic, detour {detour:g}, {speed_m_s:g} m/s"
    return TravelTable(seconds=whole_matrix(seconds), metres=whole_matrix(metres), source=source)
