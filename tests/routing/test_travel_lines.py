"""Lines on the ellipsoid against geopy's, and profiles that turn them into drives."""

from pathlib import Path

import numpy as np
import pytest
from geopy.distance import geodesic as line
from hypothesis import given
from hypothesis import strategies as st

from routing.errors import InvalidProblem
from routing.travel import Knot, Point, SpeedProfile, calibrate, geodesic, load_profile, save_profile
from routing.travel.lines import line_metres

ERROR = 2e-6


@given(lat=st.floats(-85, 85), lon=st.floats(-180, 180), north=st.floats(-30, 30), east=st.floats(-30, 30))
def test_lines_are_those_of_geopy_within_two_in_a_million(lat: float, lon: float, north: float, east: float) -> None:
    here = Point(lat=lat, lon=lon)
    there = Point(lat=max(-85.0, min(85.0, lat + north)), lon=(lon + east + 180) % 360 - 180)
    wanted = line((here.lat, here.lon), (there.lat, there.lon)).m
    found = float(line_metres([here], [there])[0, 0])
    assert found == pytest.approx(wanted, rel=ERROR, abs=0.001)


def test_each_origin_meets_each_target() -> None:
    points = [Point(lat=60 + step / 100, lon=25 - step / 50) for step in range(5)]
    grid = line_metres(points[:2], points)
    assert grid.shape == (2, 5)
    assert (grid[0, 0], grid[1, 1]) == (0, 0)
    assert grid[0, 1] == pytest.approx(grid[1, 0])


def test_a_profile_is_followed_between_its_knots_and_beyond_them() -> None:
    profile = SpeedProfile(
        knots=(Knot(line_m=100, road_m=150, seconds=60), Knot(line_m=1000, road_m=1200, seconds=200)),
        detour=1.2,
        speed_m_s=12,
    )
    lines = np.array([[0.0, 50, 100, 550, 1000, 2000]])
    assert profile.seconds(lines).tolist() == [[0, 30, 60, 130, 200, 300]]
    assert profile.metres(lines).tolist() == [[0, 75, 150, 675, 1200, 2400]]


def test_what_was_made_with_a_profile_is_measured_back() -> None:
    made = SpeedProfile(knots=(Knot(line_m=500, road_m=800, seconds=150),), detour=1.6, speed_m_s=8)
    points = [Point(lat=60 + (n * 37 % 101) / 5000, lon=25 + (n * 53 % 97) / 3000) for n in range(60)]
    lines = line_metres(points, points)
    found = calibrate(points, made.seconds(lines), made.metres(lines), source="osrm")
    assert found is not None
    assert found.median_error < 0.02
    assert found.p90_error < 0.05
    assert found.profile.says == f"calibrated on {found.ways} ways of osrm, median error {found.median_error:.0%}"
    assert geodesic(points, profile=found.profile).source == f"geodesic, {found.profile.says}"


def test_a_few_ways_measure_nothing() -> None:
    points = [Point(lat=60, lon=25), Point(lat=60.01, lon=25)]
    grid = line_metres(points, points)
    assert calibrate(points, grid, grid, source="osrm") is None
    assert calibrate([], np.zeros((0, 0)), np.zeros((0, 0)), source="osrm") is None


def test_a_profile_is_kept_whole_and_a_damaged_one_is_none(tmp_path: Path) -> None:
    profile = SpeedProfile(knots=(Knot(line_m=100, road_m=150, seconds=60),), says="measured")
    place = tmp_path / "profiles" / "car.json"
    assert load_profile(place) is None
    save_profile(place, profile)
    assert load_profile(place) == profile
    for damaged in ("", "{}", "[1]", '{"knots": [{"line_m": 0, "road_m": 1, "seconds": 1}]}'):
        place.write_text(damaged)
        assert load_profile(place) is None


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"detour": 0.9}, "detour"),
        ({"speed_m_s": 0}, "speed_m_s"),
        ({"knots": (Knot(line_m=0, road_m=0, seconds=0),)}, r"knots\[0\].line_m"),
        (
            {"knots": (Knot(line_m=1, road_m=2, seconds=2), Knot(line_m=2, road_m=1, seconds=2))},
            r"knots\[1\].road_m",
        ),
    ],
)
def test_a_profile_that_falls_back_is_refused_with_its_path(wrong: dict[str, object], path: str) -> None:
    with pytest.raises(InvalidProblem, match=path):
        SpeedProfile(**wrong)  # type: ignore[arg-type]
