"""Where the phone is, against where the visit is."""

import pytest

from fieldvisit.datums import Point
from fieldvisit.errors import InvalidValue
from fieldvisit.geofence import Fix, OutsideGeofence, Position, locate
from fieldvisit.vocabulary import Datum

SENATE_SQUARE = Point(60.1695, 24.9522)
TIANANMEN = Point(39.90750, 116.39723)


def at(lat: float, lon: float, *, accuracy_m: int = 0, datum: Datum = Datum.WGS84) -> Position:
    return Position(lat=lat, lon=lon, accuracy_m=accuracy_m, datum=datum)


@pytest.mark.parametrize(
    ("north", "distance_m"),
    [(0.0, 0), (0.001, 112), (0.00135, 151), (0.01, 1115)],
)
def test_the_distance_is_geodesic_and_rounded_up_to_whole_metres(north: float, distance_m: int) -> None:
    fix = locate(at(SENATE_SQUARE.lat + north, SENATE_SQUARE.lon), SENATE_SQUARE, radius_m=150)
    assert fix == Fix(distance_m, 150)


@pytest.mark.parametrize(
    ("accuracy_m", "inside"),
    [(0, False), (1, True), (200, True)],
)
def test_the_fence_is_widened_by_what_the_phone_says_it_may_be_wrong(accuracy_m: int, inside: bool) -> None:
    position = at(SENATE_SQUARE.lat + 0.00135, SENATE_SQUARE.lon, accuracy_m=accuracy_m)
    assert locate(position, SENATE_SQUARE, radius_m=150).inside is inside


def test_a_phone_that_knows_nothing_widens_it_no_further_than_two_hundred_metres() -> None:
    position = at(SENATE_SQUARE.lat + 0.01, SENATE_SQUARE.lon, accuracy_m=50_000)
    fix = locate(position, SENATE_SQUARE, radius_m=150)
    assert fix == Fix(1115, 350)
    with pytest.raises(OutsideGeofence) as refused:
        fix.demand_inside()
    assert refused.value.details == {"distance_m": 1115, "allowed_m": 350}


@pytest.mark.parametrize(
    ("datum", "lat", "lon"),
    [(Datum.GCJ02, 39.908903, 116.403473), (Datum.BD09, 39.915245, 116.409845)],
)
def test_chinese_datums_are_converted_before_anything_is_measured(datum: Datum, lat: float, lon: float) -> None:
    converted = locate(at(lat, lon, datum=datum), TIANANMEN, radius_m=50)
    taken_as_wgs84 = locate(at(lat, lon), TIANANMEN, radius_m=50)
    assert converted.inside
    assert taken_as_wgs84.distance_m > 400


def test_a_position_without_sense_is_refused() -> None:
    with pytest.raises(InvalidValue, match="accuracy_m"):
        at(60.0, 25.0, accuracy_m=-1)
    with pytest.raises(InvalidValue, match="latitude"):
        at(91.0, 25.0)
    with pytest.raises(InvalidValue, match="longitude"):
        at(60.0, 181.0, datum=Datum.BD09)


def test_a_datum_that_is_used_nowhere_near_is_noted_and_the_point_taken_as_it_is() -> None:
    odd, fitting = at(60.0, 25.0, datum=Datum.BD09), at(39.9, 116.4, datum=Datum.GCJ02)
    assert (odd.datum_unfit, odd.point) == (True, Point(60.0, 25.0))
    assert (fitting.datum_unfit, at(60.0, 25.0).datum_unfit) == (False, False)
