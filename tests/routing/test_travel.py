"""Helsinki's centre, from the extract that the demo ships."""

import time
from pathlib import Path

import numpy as np
import pytest

from fieldvisit.maps import addresses
from routing.errors import InvalidProblem, MapMissing
from routing.travel import Hours, OsrmRoads, Point, SetAside, banded, geodesic
from routing.travel.tables import table_of

EXTRACT = Path(__file__).parents[2] / "fieldvisit" / "demo" / "helsinki-centre.osm.pbf"
STATION = Point(lat=60.1699, lon=24.9384)
SQUARE = Point(lat=60.1720, lon=24.9500)
OUT_OF_TOWN = Point(lat=61.0, lon=25.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("maps")


@pytest.fixture(scope="module")
def roads(folder: Path) -> OsrmRoads:
    return OsrmRoads.build(EXTRACT, folder)


def test_the_way_through_town_is_longer_than_the_line(roads: OsrmRoads) -> None:
    table, line = roads.table([STATION, SQUARE]), geodesic([STATION, SQUARE], detour=1)
    assert table.metres[0][1] is not None
    assert line.metres[0][1] is not None
    assert table.metres[0][1] > line.metres[0][1]
    assert (table.source, table.seconds[0][0]) == ("osrm", 0)


def test_a_point_out_of_town_is_set_aside_and_stops_nobody(roads: OsrmRoads) -> None:
    whole, town = roads.table([STATION, OUT_OF_TOWN, SQUARE]), roads.table([STATION, SQUARE])
    assert whole.set_aside == {1: SetAside.OFF_ROAD}
    assert whole.seconds[1] == (None, 0, None)
    assert (whole.seconds[0][2], whole.seconds[2][0]) == (town.seconds[0][1], town.seconds[1][0])


def test_a_table_may_have_no_point_near_a_road(roads: OsrmRoads) -> None:
    assert roads.table([]).seconds == ()
    assert roads.table([OUT_OF_TOWN]).seconds == ((0,),)


def test_the_line_on_the_map_begins_and_ends_at_the_points(roads: OsrmRoads) -> None:
    path = roads.path([STATION, SQUARE])
    assert len(path) > 10
    assert path[0] == pytest.approx((STATION.lon, STATION.lat), abs=0.002)
    assert path[-1] == pytest.approx((SQUARE.lon, SQUARE.lat), abs=0.002)
    assert roads.path([STATION, OUT_OF_TOWN]) == []
    assert roads.path([STATION]) == []


def test_a_built_map_is_kept_and_nothing_half_built_stays(roads: OsrmRoads, folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    OsrmRoads.build(EXTRACT, folder)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    assert len(list(folder.iterdir())) == 1


@pytest.mark.long
def test_walking_takes_longer_than_driving(roads: OsrmRoads, folder: Path) -> None:
    on_foot = OsrmRoads.build(EXTRACT, folder, profile="foot").table([STATION, SQUARE]).seconds[0][1]
    by_car = roads.table([STATION, SQUARE]).seconds[0][1]
    assert on_foot is not None
    assert by_car is not None
    assert on_foot > by_car


def test_a_file_that_is_no_map_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "broken.osm.pbf"
    broken.write_bytes(b"not a map at all")
    with pytest.raises(MapMissing, match="cannot use the map file"):
        OsrmRoads.build(broken, tmp_path / "maps")
    with pytest.raises(MapMissing, match="There is no map file"):
        OsrmRoads.build(tmp_path / "nothing.osm.pbf", tmp_path / "maps")
    with pytest.raises(MapMissing, match="There is no built map"):
        OsrmRoads(tmp_path / "maps" / "map.osrm")
    assert list((tmp_path / "maps").iterdir()) == []


def test_a_degree_of_the_equator_at_a_metre_a_second() -> None:
    table = geodesic([Point(lat=0, lon=0), Point(lat=0, lon=1)], detour=2, speed_m_s=1)
    # A degree of longitude on the equator of WGS-84 is 111,319.49 m.
    assert table.metres == ((0, 222_639), (222_639, 0))
    assert (table.seconds, table.source) == (table.metres, "geodesic, detour 2, 1 m/s")


def test_two_doors_at_one_spot_of_a_street_have_no_length_below_nothing(roads: OsrmRoads) -> None:
    # OSRM answers -1 m for some pairs of points that it moves to the same place.
    near = [Point(lat=60.1699 + step * 1e-6, lon=24.9384 + step * 1e-6) for step in range(40)]
    table = roads.table(near)
    assert all(cell is None or cell >= 0 for row in table.metres for cell in row)


def test_a_point_on_another_continent_is_set_aside_as_absurd() -> None:
    points = [STATION, SQUARE, OUT_OF_TOWN, Point(lat=0, lon=0), Point(lat=24.9384, lon=60.1699)]
    table = geodesic(points)
    assert table.set_aside == {3: SetAside.ABSURD, 4: SetAside.ABSURD}
    assert table.seconds[3] == (None, None, None, 0, None)
    assert table.seconds[0][2] is not None


def test_a_table_makes_each_number_once_for_a_large_one_would_fill_the_memory_with_them() -> None:
    grid = np.array([[0.0, 70_000.2, np.nan], [70_000.1, 0.0, 1_000_000.0], [1_000_000.0, 5.0, 0.0]])
    for seconds in (grid, np.minimum(grid, 90_000.0)):
        found = table_of(seconds, seconds, "made", {}).seconds
        assert found[0] == (0, 70_000, None)
        assert found[0][1] is found[1][0]
        assert found[1][2] is found[2][0]


def test_a_table_of_roads_is_the_same_from_one_question_as_from_many(
    roads: OsrmRoads, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = [STATION, SQUARE, OUT_OF_TOWN, Point(lat=60.171, lon=24.945), Point(lat=60.168, lon=24.941)]
    whole = roads.table(points)
    monkeypatch.setattr("routing.travel.roads.ROWS_AT_ONCE", 2)
    assert roads.table(points) == whole


def test_no_address_of_the_extract_is_cut_off_from_the_others(roads: OsrmRoads) -> None:
    points = [Point(lat=address.lat, lon=address.lon) for address in addresses(EXTRACT)[::3]]
    table = roads.table(points)
    assert (len(points) > 150, table.set_aside) == (True, {})
    assert all(None not in row for row in table.seconds)


def test_a_piece_that_hangs_together_apart_from_the_rest_is_cut_off() -> None:
    apart = np.full((5, 5), np.nan)
    for piece in ((0, 2, 4), (1, 3)):
        apart[np.ix_(piece, piece)] = 60.0
    apart[0, 2] = np.nan  # one way only is a way
    assert table_of(apart, apart, "made", {}).set_aside == {1: SetAside.CUT_OFF, 3: SetAside.CUT_OFF}
    assert table_of(apart[:4, :4], apart[:4, :4], "made", {}).set_aside == {}, "of two halves neither is the rest"
    assert table_of(np.zeros((0, 0)), np.zeros((0, 0)), "made", {}).set_aside == {}


def test_in_busy_hours_each_drive_takes_longer() -> None:
    table = geodesic([STATION, SQUARE], detour=1, speed_m_s=1)
    alone = table.seconds[0][1] or 0
    morning, noon = Hours(from_s=25_200, until_s=34_200, factor=1.5), Hours(from_s=34_200, until_s=40_000, factor=0.5)
    travel = banded(table, [morning, noon])
    assert travel.starts_s == (0, 25_200, 34_200, 40_000)
    assert [matrix[0][1] for matrix in travel.matrices] == [alone, round(alone * 1.5), round(alone * 0.5), alone]
    assert banded(table, []) == table.travel()


def test_hours_that_overlap_are_refused_with_their_path() -> None:
    table = geodesic([STATION, SQUARE])
    with pytest.raises(InvalidProblem, match=r"hours\[1\].from_s"):
        banded(table, [Hours(from_s=0, until_s=100, factor=2), Hours(from_s=99, until_s=200, factor=2)])
    with pytest.raises(InvalidProblem, match="until_s"):
        Hours(from_s=100, until_s=100, factor=2)


@pytest.mark.long
def test_a_thousand_points_in_process_take_a_few_seconds_of_processor_time(roads: OsrmRoads) -> None:
    points = [
        Point(lat=60.1645 + (n * 7919 % 1000) * 1.4e-5, lon=24.9355 + (n * 104_729 % 1000) * 1.7e-5)
        for n in range(1000)
    ]
    began = time.process_time()
    table = roads.table(points)
    assert time.process_time() - began < 10
    assert len(table.seconds) == 1000
