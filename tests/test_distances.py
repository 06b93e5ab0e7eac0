"""Lengths against geopy's, over the whole earth."""

import geopy.distance
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldvisit.distances import great_circle_m, metres_between

POINTS = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@given(here=POINTS, there=POINTS)
def test_lengths_are_those_of_geopy(here: tuple[float, float], there: tuple[float, float]) -> None:
    assert metres_between(here, there) == pytest.approx(geopy.distance.geodesic(here, there).m, rel=1e-9, abs=1e-6)
    assert great_circle_m(here, there) == pytest.approx(geopy.distance.great_circle(here, there).m, rel=1e-6, abs=0.01)


def test_a_point_is_at_no_distance_from_itself() -> None:
    assert metres_between((60.17, 24.94), (60.17, 24.94)) == 0
    assert great_circle_m((60.17, 24.94), (60.17, 24.94)) == 0
