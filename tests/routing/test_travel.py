"""Helsinki's centre, from the extract that the demo ships."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from routing.errors import MapMissing, RoadsUnavailable
from routing.travel import OsrmRoads, OsrmServer, Point, geodesic

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
    assert whole.unreachable == (1,)
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


@pytest.fixture
def server() -> Iterator[str]:
    """A road server of two places on one street; the third place of a request is nowhere."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            service = self.path.split("/")[1]
            answer: dict[str, object] = {"code": "Ok"}
            if service == "nearest" and "25.000000" in self.path:
                answer = {"code": "NoSegment"}
            if service == "table":
                answer |= {"durations": [[0, 60.4], [70.6, 0]], "distances": [[0, 500], [600, 0]]}
            if service == "route":
                answer |= {"routes": [{"geometry": {"coordinates": [[24.9, 60.1], [24.8, 60.2]]}}]}
            body = json.dumps(answer).encode() if service != "table" or "24.950000" in self.path else b"no JSON"
            self.send_response(200 if answer["code"] == "Ok" else 400)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}"
    listening.shutdown()
    listening.server_close()
    thread.join()


def test_a_road_server_is_asked_over_http(server: str) -> None:
    client = OsrmServer(server)
    table = client.table([STATION, OUT_OF_TOWN, SQUARE])
    assert table.seconds == ((0, None, 60), (None, 0, None), (71, None, 0))
    assert (table.metres[0][2], table.source, table.unreachable) == (500, "osrm-http", (1,))
    assert client.path([STATION, SQUARE]) == [(24.9, 60.1), (24.8, 60.2)]
    with pytest.raises(RoadsUnavailable):
        client.table([STATION, STATION])
    client.close()


def test_a_road_server_that_is_gone_is_an_error_of_its_own() -> None:
    client = OsrmServer("http://127.0.0.1:9", timeout_s=2)
    with pytest.raises(RoadsUnavailable, match="cannot be asked"):
        client.table([STATION])
    client.close()
