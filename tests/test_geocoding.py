"""Addresses become points through any geocoder of geopy; where that fails, the reason is kept."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from geopy import Location
from geopy.exc import GeocoderServiceError, GeocoderTimedOut
from geopy.geocoders import Nominatim, Photon

from fieldvisit.datums import Point
from fieldvisit.debtors import NOBODY_LOOKED
from fieldvisit.demo.gazetteer import Gazetteer
from fieldvisit.errors import InvalidValue
from fieldvisit.found_points import NO_ANSWER, NO_GEOCODER, NOT_FOUND, TOO_COARSE, Found, given, not_found, zone_at
from fieldvisit.geocoding import PointFinder, geocoder_from
from fieldvisit.languages import say
from fieldvisit.settings import read_settings
from fieldvisit.vocabulary import Datum, PointSource

HERE = Point(60.1699, 24.9384)


class Town:
    """A service that knows a few houses; `raw` is what it says of them besides."""

    def __init__(self, houses: Mapping[str, Point], raw: Mapping[str, Any] | None = None) -> None:
        self.houses = houses
        self.raw = dict(raw or {})
        self.asked: list[str] = []

    def geocode(self, query: str) -> Location | None:
        self.asked.append(query)
        point = self.houses.get(query)
        return Location(query, (point.lat, point.lon, 0.0), self.raw) if point else None


class Silent:
    """A service that fails so many times, and then knows every address."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.asked = 0

    def geocode(self, query: str) -> Location | None:
        self.asked += 1
        if self.asked <= self.failures:
            raise GeocoderTimedOut if self.asked % 2 else GeocoderServiceError
        return Location(query, (HERE.lat, HERE.lon, 0.0), {})


def test_a_point_says_which_geocoder_found_it() -> None:
    found = PointFinder(Town({"Street 1": HERE})).find("Street 1")
    assert found == Found(point=HERE, source=PointSource.GEOCODED, note="town")


def test_an_address_that_nobody_knows_says_so() -> None:
    assert PointFinder(Town({})).find("Street 1") == not_found(NOT_FOUND)


def test_without_a_geocoder_nothing_is_found() -> None:
    assert PointFinder(None).find("Street 1") == not_found(NO_GEOCODER)


@pytest.mark.parametrize(
    ("raw", "is_house"),
    [
        ({"place_rank": 30}, True),
        ({"place_rank": 26}, False),
        ({"properties": {"type": "house"}}, True),
        ({"properties": {"type": "street"}}, False),
        ({"geometry": {"location_type": "ROOFTOP"}}, True),
        ({"geometry": {"location_type": "GEOMETRIC_CENTER"}}, False),
        ({"precise": 1}, True),
        ({"precise": 0}, False),
        ({"properties": None, "geometry": []}, True),
        ({}, True),
    ],
)
def test_the_middle_of_a_street_is_not_a_door(raw: dict[str, Any], is_house: bool) -> None:
    found = PointFinder(Town({"Street 1": HERE}, raw)).find("Street 1")
    assert found == (Found(point=HERE, source=PointSource.GEOCODED, note="town") if is_house else not_found(TOO_COARSE))


def test_a_failing_service_is_ordinary() -> None:
    finder = PointFinder(Silent(failures=2))
    assert [finder.find("Street 1").note for _ in range(3)] == [NO_ANSWER, NO_ANSWER, "silent"]


def test_a_dead_service_is_not_asked_for_every_address() -> None:
    service = Silent(failures=1_000)
    finder = PointFinder(service)
    assert {finder.find(f"Street {number}") for number in range(50)} == {not_found(NO_ANSWER)}
    assert service.asked == 3


def test_a_found_place_has_a_point_and_another_has_none() -> None:
    with pytest.raises(InvalidValue):
        Found(point=None, source=PointSource.GEOCODED, note="x")


def test_a_given_point_says_its_datum() -> None:
    assert given(60.1699, 24.9384) == Found(point=HERE, source=PointSource.GIVEN, note="wgs84")
    assert given(39.908692, 116.397477, Datum.GCJ02).note == "gcj02"


@pytest.mark.parametrize(
    ("name", "kind"), [("none", type(None)), ("demo", Gazetteer), ("nominatim", Nominatim), ("photon", Photon)]
)
def test_the_settings_name_the_geocoder(tmp_path: Path, name: str, kind: type) -> None:
    settings = read_settings({"GEOCODER": name, "DATA_FOLDER": str(tmp_path)})
    assert type(geocoder_from(settings)) is kind


@pytest.mark.parametrize(
    ("point", "zone"),
    [
        (HERE, "Europe/Helsinki"),
        (Point(39.9, 116.39), "Asia/Shanghai"),
        (Point(-50.0, -150.0), "Asia/Tokyo"),
        (None, "Asia/Tokyo"),
    ],
)
def test_the_zone_is_that_of_the_point(point: Point | None, zone: str) -> None:
    assert zone_at(point, otherwise="Asia/Tokyo") == zone


@pytest.mark.parametrize("note", [NO_ANSWER, NO_GEOCODER, NOT_FOUND, TOO_COARSE, NOBODY_LOOKED.note])
def test_why_there_is_no_point_can_be_read_in_chinese(note: str) -> None:
    assert say(note, "zh_CN") != note
