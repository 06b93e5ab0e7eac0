"""Lengths of the shortest lines on the ellipsoid, for many pairs of points at once.

Source: the formula of Andoyer and Lambert, which corrects the great circle between reduced latitudes to the first order
of the flattening. Its error is of the second order: less than 2 in a million of the length for lines of up to 5,000 km
(tested against geopy's geodesic). Towards the far side of the earth it is not meant to be used.
"""

from collections.abc import Sequence

import numpy as np

from routing.travel.tables import Grid, Point

EQUATOR_M = 6_378_137.0
FLATTENING = 1 / 298.257223563
"""Those of WGS-84."""


AT_ONCE = 500
"""From how many origins at once: a dozen squares of ten thousand points would take gigabytes on the way."""


def line_metres(origins: Sequence[Point], targets: Sequence[Point]) -> Grid:
    """Metres from each origin to each target."""
    here, there = _radians(origins), _radians(targets)
    metres: Grid = np.empty((len(origins), len(targets)))
    for first in range(0, len(origins), AT_ONCE):
        some = slice(first, first + AT_ONCE)
        metres[some] = _metres((here[0][some], here[1][some]), there)
    return metres


def _metres(origins: tuple[Grid, Grid], targets: tuple[Grid, Grid]) -> Grid:
    (lat1, lon1), (lat2, lon2) = origins, targets
    here = np.arctan((1 - FLATTENING) * np.tan(lat1))[:, None]
    there = np.arctan((1 - FLATTENING) * np.tan(lat2))[None, :]
    half_lon = (lon2[None, :] - lon1[:, None]) / 2
    mean, half = (here + there) / 2, (there - here) / 2
    haversine = np.sin(half) ** 2 + np.cos(here) * np.cos(there) * np.sin(half_lon) ** 2
    near = np.clip(haversine, 0.0, 1.0)
    angle = 2 * np.arcsin(np.sqrt(near))
    far = np.maximum(1 - near, 1e-12)
    # A line of no length has no correction; dividing by it would make NaN of every house visited twice.
    near = np.maximum(near, 1e-30)
    first = (angle - np.sin(angle)) * (np.sin(mean) * np.cos(half)) ** 2 / far
    second = (angle + np.sin(angle)) * (np.cos(mean) * np.sin(half)) ** 2 / near
    metres: Grid = EQUATOR_M * (angle - FLATTENING / 2 * (first + second))
    return metres


def _radians(points: Sequence[Point]) -> tuple[Grid, Grid]:
    pairs = np.array([(point.lat, point.lon) for point in points], dtype=np.float64).reshape(-1, 2)
    return np.radians(pairs[:, 0]), np.radians(pairs[:, 1])
