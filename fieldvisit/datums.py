"""Points on the earth. Stored points are WGS-84, always; Chinese datums are converted here and nowhere else.

A mistake of datum is 100 to 700 m. The datum is asked for, never guessed: Hong Kong and Taiwan lie inside the box of
the conversion and use WGS-84.
"""

from dataclasses import dataclass

import prcoords

from fieldvisit.errors import InvalidValue
from fieldvisit.vocabulary import Datum

_CONVERSIONS = {Datum.GCJ02: prcoords.gcj_wgs_bored, Datum.BD09: prcoords.bd_wgs_bored}


@dataclass(frozen=True)
class Point:
    """WGS-84 degrees, on the earth."""

    lat: float
    lon: float

    def __post_init__(self) -> None:
        # Written so that NaN, which compares with nothing, is refused as well.
        if not -90 <= self.lat <= 90:
            raise InvalidValue(path="latitude", reason="must lie between -90 and 90")
        if not -180 <= self.lon <= 180:
            raise InvalidValue(path="longitude", reason="must lie between -180 and 180")


def is_used_at(point: Point, datum: Datum) -> bool:
    """Whether coordinates like these may be of this datum. Outside its box the conversion of a Chinese one warns and
    returns the point as it came: a silent mistake."""
    return datum is Datum.WGS84 or bool(prcoords.sanity_in_china_p(prcoords.Coords(point.lat, point.lon)))


def as_measured(lat: float, lon: float, datum: Datum) -> Point:
    """The point that a phone has measured. One whose datum is used nowhere near is taken as it is: some phones name
    that of China everywhere, and nobody is refused, or missed, for that."""
    given = Point(lat, lon)
    return to_wgs84(lat, lon, datum) if is_used_at(given, datum) else given


def to_wgs84(lat: float, lon: float, datum: Datum) -> Point:
    """The point given in `datum`, to about a decimetre. Refuses Chinese datums far from China."""
    given = Point(lat, lon)
    if datum is Datum.WGS84:
        return given
    if not is_used_at(given, datum):
        raise InvalidValue(path="datum", reason="is used in China only, and the point is far from it")
    converted = _CONVERSIONS[datum]((lat, lon))
    return Point(converted.lat, converted.lon)
