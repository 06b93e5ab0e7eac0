"""Points from Chinese maps end up where the phone will stand."""

import math

import pytest
from geopy.distance import geodesic

from fieldvisit.datums import Point, to_wgs84
from fieldvisit.errors import InvalidValue
from fieldvisit.vocabulary import Datum

# Tiananmen as OpenStreetMap (WGS-84), Amap (GCJ-02) and Baidu (BD-09) give it.
TIANANMEN = (39.90734, 116.39125)


@pytest.mark.parametrize(
    ("datum", "lat", "lon"), [(Datum.GCJ02, 39.908741, 116.397491), (Datum.BD09, 39.915085, 116.403864)]
)
def test_a_known_point_is_converted_to_within_a_metre(datum: Datum, lat: float, lon: float) -> None:
    converted = to_wgs84(lat, lon, datum)
    assert geodesic((converted.lat, converted.lon), TIANANMEN).m < 1
    assert geodesic((lat, lon), TIANANMEN).m > 500


def test_wgs84_stays_as_it_is() -> None:
    assert to_wgs84(39.90734, 116.39125, Datum.WGS84) == Point(*TIANANMEN)


@pytest.mark.parametrize(
    ("lat", "lon", "path"),
    [
        (90.001, 0, "latitude"),
        (-91, 0, "latitude"),
        (0, 180.5, "longitude"),
        (math.nan, 0, "latitude"),
        (0, math.nan, "longitude"),
        (math.inf, 0, "latitude"),
    ],
)
def test_coordinates_outside_the_world_are_refused(lat: float, lon: float, path: str) -> None:
    for datum in Datum:
        with pytest.raises(InvalidValue) as raised:
            to_wgs84(lat, lon, datum)
        assert raised.value.details["path"] == path


@pytest.mark.parametrize("datum", [Datum.GCJ02, Datum.BD09])
def test_a_chinese_datum_far_from_china_is_refused(datum: Datum) -> None:
    with pytest.raises(InvalidValue) as raised:
        to_wgs84(60.1699, 24.9384, datum)
    assert raised.value.details["path"] == "datum"
