"""Is the phone where the visit is? Judged here, from what the phone says of its position.

A mock position is recorded and never refused: who is refused for it learns to hide it. Nor is an honest visitor refused
for a phone that names the datum of China everywhere: far from China its positions are what they are, and that is noted.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from fieldvisit.datums import Point, as_measured, is_used_at
from fieldvisit.distances import metres_between
from fieldvisit.errors import FieldVisitError, InvalidValue, Kind
from fieldvisit.vocabulary import Datum

MOST_ACCURACY_M = 200
"""A phone that knows its position worse than this widens the fence no further."""


class OutsideReason(StrEnum):
    """Why a visitor is where the map does not expect the visit."""

    POINT_WRONG = "point_wrong"
    POOR_SIGNAL = "poor_signal"
    NO_ACCESS = "no_access"
    MET_ELSEWHERE = "met_elsewhere"


class OutsideGeofence(FieldVisitError):
    code, kind = "outside_geofence", Kind.CONFLICT
    says = "You are {distance_m} m from the place; {allowed_m} m are allowed. If you are right, say why."


@dataclass(frozen=True, kw_only=True)
class Position:
    """What the phone measured. `accuracy_m` is its own estimate; `mock` says that another app made it up."""

    lat: float
    lon: float
    accuracy_m: int
    datum: Datum
    mock: bool = False

    def __post_init__(self) -> None:
        if self.accuracy_m < 0:
            raise InvalidValue(path="accuracy_m", reason="must not be negative")
        Point(self.lat, self.lon)

    @property
    def datum_unfit(self) -> bool:
        """The datum is used nowhere near: the coordinates are taken as they are."""
        return not is_used_at(Point(self.lat, self.lon), self.datum)

    @property
    def point(self) -> Point:
        return as_measured(self.lat, self.lon, self.datum)


@dataclass(frozen=True)
class Fix:
    """How far the phone is from the place, and how far it may be. Whole metres, both."""

    distance_m: int
    allowed_m: int

    @property
    def inside(self) -> bool:
        return self.distance_m <= self.allowed_m

    def demand_inside(self) -> None:
        if not self.inside:
            raise OutsideGeofence(distance_m=self.distance_m, allowed_m=self.allowed_m)


def locate(position: Position, place: Point, *, radius_m: int) -> Fix:
    """Judge a position: within the radius, widened by what the phone says it may be wrong."""
    here = position.point
    distance_m = metres_between((here.lat, here.lon), (place.lat, place.lon))
    # Rounded up: a metre too many is at worst a question, a metre too few a wrong arrival.
    return Fix(math.ceil(distance_m), radius_m + min(position.accuracy_m, MOST_ACCURACY_M))
