"""From addresses to points, through any geocoder of geopy. A point that cannot be found is ordinary, and says why."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from geopy import Location
from geopy.exc import GeopyError
from geopy.extra.rate_limiter import RateLimiter
from geopy.geocoders import Nominatim

from fieldvisit.datums import Point, to_wgs84
from fieldvisit.errors import InvalidValue
from fieldvisit.found_points import NO_ANSWER, NO_GEOCODER, NOT_FOUND, TOO_COARSE, Found, not_found
from fieldvisit.geocoder_services import make_service
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import Datum, PointSource

FAILURES_BEFORE_SILENCE = 3
# Nominatim's public server allows one request per second; one's own is as fast as it is.
PUBLIC_NOMINATIM, NOMINATIM_DELAY_S = "nominatim.openstreetmap.org", 1.0
# Nominatim's rank of a single house; smaller numbers are streets, towns, countries.
NOMINATIM_HOUSE_RANK = 30
# What Google calls the middle of a street, and of a town.
GOOGLE_COARSE = ("GEOMETRIC_CENTER", "APPROXIMATE")


class Geocoder(Protocol):
    """What geopy's geocoders can do, as far as it is used here."""

    def geocode(self, query: str) -> Any:
        """A geopy `Location` or None; raises `GeopyError`."""


class PointFinder:
    """Asks a geocoder for one address after another.

    After a few failures in a row it asks no more: ten thousand time-outs of a dead service would take a day.
    """

    def __init__(self, geocoder: Geocoder | None) -> None:
        self._geocoder = geocoder
        self._failures = 0

    def find(self, address: str) -> Found:
        if self._geocoder is None:
            return not_found(NO_GEOCODER)
        if self._failures >= FAILURES_BEFORE_SILENCE:
            return not_found(NO_ANSWER)
        try:
            location = self._geocoder.geocode(address)
        except GeopyError:
            self._failures += 1
            return not_found(NO_ANSWER)
        self._failures = 0
        return _read(location, type(self._geocoder).__name__.lower())


def geocoder_from(settings: Settings) -> Geocoder | None:
    """The geocoder that the settings name; None for none."""
    if settings.geocoder == "demo":
        # Here and not above: production never opens the demo's map.
        from fieldvisit.demo.gazetteer import Gazetteer
        from fieldvisit.demo.generator import EXTRACT

        return Gazetteer.of(EXTRACT)
    if settings.geocoder == "none":
        return None
    service = make_service(settings.geocoder, settings.geocoder_options)
    ask = service.geocode
    if isinstance(service, Nominatim) and service.domain == PUBLIC_NOMINATIM:
        ask = RateLimiter(ask, min_delay_seconds=NOMINATIM_DELAY_S, max_retries=0, swallow_exceptions=False)
    service.geocode = _in_wgs84(ask, settings.geocoder_datum)
    return service  # type: ignore[no-any-return]  # geopy ships no types


def _in_wgs84(ask: Callable[[str], Any], datum: Datum) -> Callable[[str], Any]:
    """The same question, answered in WGS-84 by a service that speaks another datum."""

    def converted(query: str) -> Any:
        location = ask(query)
        if location is None or datum is Datum.WGS84:
            return location
        try:
            point = to_wgs84(location.latitude, location.longitude, datum)
        except InvalidValue:
            # Far from where the datum is used: whatever was found there, it is not this address.
            return None
        return Location(location.address, (point.lat, point.lon, 0.0), location.raw)

    return converted


def _read(location: Any, name: str) -> Found:
    if location is None:
        return not_found(NOT_FOUND)
    if isinstance(location.raw, Mapping) and not _is_a_house(location.raw):
        return not_found(TOO_COARSE)
    return Found(point=Point(location.latitude, location.longitude), source=PointSource.GEOCODED, note=name)


def _is_a_house(raw: Mapping[str, Any]) -> bool:
    """Whether the answer is one house, where the service tells: the middle of a street is a stranger's door.

    Told by Nominatim, Photon, Google and Baidu; of the others the answer is believed.
    """
    if "place_rank" in raw:
        return int(raw["place_rank"]) >= NOMINATIM_HOUSE_RANK
    if "precise" in raw:
        return bool(raw["precise"])
    properties, geometry = (_part(raw, name) for name in ("properties", "geometry"))
    return properties.get("type") in (None, "house") and geometry.get("location_type") not in GOOGLE_COARSE


def _part(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = raw.get(name)
    return part if isinstance(part, Mapping) else {}
