"""Neighbourhoods: points cut into parts of a size, each as compact as halving makes it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from routing.travel.tables import Point

METRES_A_DEGREE = 111_320.0

type Flat = NDArray[np.float64]


def flattened(points: Sequence[Point]) -> Flat:
    """Metres east and north of the middle: good enough for a city or a province, to tell what lies together."""
    if not points:
        return np.zeros((0, 2))
    degrees = np.array([(point.lon, point.lat) for point in points], np.float64)
    middle = np.median(degrees, axis=0)
    scale = np.array([np.cos(np.radians(middle[1])), 1.0]) * METRES_A_DEGREE
    flat: Flat = (degrees - middle) * scale
    return flat


def halved(points: Sequence[Point], most: int, *, shift: float = 0.5) -> list[list[int]]:
    """Indices of the points in parts of at most `most`, by cutting the longer side of each part again and again.

    `shift` is where the first cut of each direction lies, as a share of the points: other shifts give other borders.
    """
    flat = flattened(points)
    found: list[list[int]] = []
    waiting = [(np.arange(len(points)), shift)] if len(points) else []
    while waiting:
        rows, share = waiting.pop()
        if len(rows) <= most:
            found.append(sorted(int(row) for row in rows))
            continue
        spread = np.ptp(flat[rows], axis=0)
        order = rows[np.argsort(flat[rows, int(spread[1] > spread[0])], kind="stable")]
        # Whole parts to each side, so that none is left half empty.
        parts = -(-len(rows) // most)
        cut = min(len(rows) - 1, max(1, round(len(rows) * max(1, round(parts * share)) / parts)))
        if share != 0.5:
            cut = min(len(rows) - 1, max(1, round(len(rows) * share)))
        waiting += [(order[cut:], 0.5), (order[:cut], 0.5)]
    return found
