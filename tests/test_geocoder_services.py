"""Any service of geopy by its name, asked over real HTTP: a server on this machine that answers as Nominatim does."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from geopy.geocoders import Nominatim

from fieldvisit.datums import Point, to_wgs84
from fieldvisit.errors import SettingsRefused
from fieldvisit.found_points import NO_ANSWER, NOT_FOUND, TOO_COARSE, Found, not_found
from fieldvisit.geocoder_services import SERVICES
from fieldvisit.geocoding import PointFinder, geocoder_from
from fieldvisit.settings import Settings, read_settings
from fieldvisit.vocabulary import Datum, PointSource

HELSINKI, BEIJING = Point(60.1699, 24.9384), Point(39.908692, 116.397477)


class Town(ThreadingHTTPServer):
    """Answers each address with what it was told of it, in Nominatim's words; remembers who asked for what."""

    def __init__(self, answers: dict[str, tuple[Point, int]]) -> None:
        super().__init__(("127.0.0.1", 0), Desk)
        self.answers = answers
        self.asked: list[tuple[str, str]] = []

    @property
    def domain(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class Desk(BaseHTTPRequestHandler):
    server: Town

    def do_GET(self) -> None:
        address = parse_qs(urlsplit(self.path).query)["q"][0]
        self.server.asked.append((address, self.headers["User-Agent"]))
        found = self.server.answers.get(address)
        if address == "broken":
            self.send_error(500)
            return
        point, rank = found or (None, 0)
        hit = (
            {"lat": str(point.lat), "lon": str(point.lon), "display_name": address, "place_rank": rank} if point else {}
        )
        body = json.dumps([hit] if hit else []).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing on the screen."""


@pytest.fixture
def town() -> Iterator[Town]:
    houses = {"Aleksanterinkatu 1": (HELSINKI, 30), "Aleksanterinkatu": (HELSINKI, 26), "长安街1号": (BEIJING, 30)}
    with Town(houses) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def settings_with(folder: Path, **given: str) -> Settings:
    return read_settings({"DATA_FOLDER": str(folder), **given})


def finder(folder: Path, town: Town, *, datum: str = "wgs84", **options: Any) -> PointFinder:
    asked = json.dumps({"domain": town.domain, "scheme": "http", **options})
    settings = settings_with(folder, GEOCODER="nominatim", GEOCODER_OPTIONS=asked, GEOCODER_DATUM=datum)
    return PointFinder(geocoder_from(settings))


def test_an_address_is_found_by_a_service_of_ones_own(town: Town, tmp_path: Path) -> None:
    found = finder(tmp_path, town, user_agent="aurora").find("Aleksanterinkatu 1")
    assert found == Found(point=HELSINKI, source=PointSource.GEOCODED, note="nominatim")
    assert town.asked == [("Aleksanterinkatu 1", "aurora")]


@pytest.mark.parametrize(
    ("address", "note"), [("Aleksanterinkatu", TOO_COARSE), ("Nowhere 1", NOT_FOUND), ("broken", NO_ANSWER)]
)
def test_what_is_not_found_says_why(town: Town, tmp_path: Path, address: str, note: str) -> None:
    assert finder(tmp_path, town).find(address) == not_found(note)
    assert town.asked == [(address, "fieldvisit")]


@pytest.mark.parametrize("datum", Datum)
def test_the_points_of_a_service_are_converted_from_its_datum(town: Town, tmp_path: Path, datum: Datum) -> None:
    found = finder(tmp_path, town, datum=datum.value).find("长安街1号")
    assert found.point == to_wgs84(BEIJING.lat, BEIJING.lon, datum)


def test_a_chinese_service_that_answers_with_a_point_far_from_china_has_not_found_it(
    town: Town, tmp_path: Path
) -> None:
    assert finder(tmp_path, town, datum="gcj02").find("Aleksanterinkatu 1") == not_found(NOT_FOUND)


def test_the_public_nominatim_is_asked_once_a_second_at_most(tmp_path: Path) -> None:
    service = geocoder_from(settings_with(tmp_path, GEOCODER="nominatim"))
    assert isinstance(service, Nominatim)
    assert service.geocode.__closure__ is not None
    kept = {type(cell.cell_contents).__name__ for cell in service.geocode.__closure__}
    assert "RateLimiter" in kept


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"GEOCODER": "guess"}, "GEOCODER: Must be one of: none, demo, arcgis"),
        ({"GEOCODER": "nominatim", "GEOCODER_OPTIONS": "{"}, "GEOCODER_OPTIONS: Not JSON"),
        ({"GEOCODER": "nominatim", "GEOCODER_OPTIONS": "[]"}, "GEOCODER_OPTIONS: Not a JSON object"),
        ({"GEOCODER": "nominatim", "GEOCODER_OPTIONS": '{"colour": "red"}'}, "unexpected keyword argument 'colour'"),
        ({"GEOCODER": "nominatim", "GEOCODER_OPTIONS": '{"ssl_context": "x"}'}, "ssl_context cannot be set"),
        ({"GEOCODER": "nominatim", "GEOCODER_OPTIONS": '{"domain": 5}'}, "nominatim cannot be used with these values"),
        ({"GEOCODER": "baidu"}, "GEOCODER_OPTIONS: baidu: missing a required argument: 'api_key'"),
        ({"GEOCODER_OPTIONS": '{"api_key": "x"}'}, "the geocoder none takes none"),
        ({"GEOCODER_DATUM": "utm"}, "GEOCODER_DATUM: Must be one of: wgs84, gcj02, bd09"),
    ],
)
def test_a_geocoder_that_cannot_be_is_refused_with_the_fault(tmp_path: Path, given: dict[str, str], told: str) -> None:
    with pytest.raises(SettingsRefused) as refused:
        settings_with(tmp_path, **given)
    assert told in str(refused.value)


@pytest.mark.parametrize("options", ['{"api_key": "s3cret"', '["s3cret"]', '{"api_key": "s3cret", "domain": 5}'])
def test_a_fault_of_the_options_repeats_no_key(tmp_path: Path, options: str) -> None:
    with pytest.raises(SettingsRefused) as refused:
        settings_with(tmp_path, GEOCODER="pelias", GEOCODER_OPTIONS=options)
    assert "s3cret" not in str(refused.value)


def test_the_names_are_those_of_geopy() -> None:
    assert {"nominatim", "photon", "baiduv3", "here", "googlev3"} < set(SERVICES)
