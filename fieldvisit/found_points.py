"""Where an address is: the point, how it is known, or why there is none."""

from dataclasses import dataclass

import tzfpy

from fieldvisit.datums import Point, to_wgs84
from fieldvisit.errors import InvalidValue
from fieldvisit.vocabulary import Datum, PointSource

NO_GEOCODER = "no geocoder is set"
NOT_FOUND = "the geocoder knows no such address"
TOO_COARSE = "the geocoder knows the street or the town only"
NO_ANSWER = "the geocoder did not answer"


@dataclass(frozen=True, kw_only=True)
class Found:
    """Where an address is, how that is known, and a note: the geocoder, the datum, or why there is no point."""

    point: Point | None
    source: PointSource
    note: str

    def __post_init__(self) -> None:
        if (self.point is None) != (self.source is PointSource.NONE):
            raise InvalidValue(path="source", reason="says none when, and only when, there is no point")


def given(lat: float, lon: float, datum: Datum = Datum.WGS84) -> Found:
    """A point that came with the address."""
    return Found(point=to_wgs84(lat, lon, datum), source=PointSource.GIVEN, note=datum.value)


def not_found(note: str) -> Found:
    return Found(point=None, source=PointSource.NONE, note=note)


def zone_at(point: Point | None, otherwise: str) -> str:
    """The IANA time zone at a point; `otherwise` where there is no point, or only the sea."""
    name = tzfpy.get_tz(point.lon, point.lat) if point else ""
    return otherwise if not name or name.startswith("Etc/") else name
