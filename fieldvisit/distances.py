"""Lengths on the earth. geopy has them too, but brings the network libraries of all its geocoders into each process."""

import math

from geographiclib.geodesic import Geodesic

MEAN_RADIUS_M = 6_371_008.8
"""Of the sphere that stands for the earth (IUGG, R1)."""


def metres_between(here: tuple[float, float], there: tuple[float, float]) -> float:
    """The shortest line between two points (latitude, longitude) on WGS-84, to far below a millimetre (Karney 2013)."""
    return float(Geodesic.WGS84.Inverse(*here, *there, Geodesic.DISTANCE)["s12"])


def great_circle_m(here: tuple[float, float], there: tuple[float, float]) -> float:
    """The same on a sphere: within 0.6 %, at a tenth of the time, for who asks about thousands of pairs (haversine)."""
    lat, other = math.radians(here[0]), math.radians(there[0])
    half_lat, half_lon = (other - lat) / 2, math.radians(there[1] - here[1]) / 2
    chord = math.sin(half_lat) ** 2 + math.cos(lat) * math.cos(other) * math.sin(half_lon) ** 2
    return 2 * MEAN_RADIUS_M * math.asin(min(1.0, math.sqrt(chord)))
