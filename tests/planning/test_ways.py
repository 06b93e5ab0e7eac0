"""Where a day's travel times come from when roads fail: the map, then an estimate that roads once calibrated."""

from pathlib import Path

import fieldvisit.demo
from fieldvisit.planning.ways import Ways
from routing.travel import Patience, Point

MAP = Path(fieldvisit.demo.__file__).parent / "helsinki-centre.osm.pbf"
POINTS = [Point(lat=60.1655 + n % 6 * 0.002, lon=24.9365 + n // 6 * 0.003) for n in range(24)]
NOBODY = "http://127.0.0.1:9"
AT_ONCE = Patience(timeout_s=2, attempts=1, sleep=lambda _: None)


def test_a_server_that_does_not_answer_leaves_the_map_and_then_an_estimate_that_the_map_calibrated(
    tmp_path: Path,
) -> None:
    stated = Ways(server=NOBODY, map_file=None, folder=tmp_path, patience=AT_ONCE).table(POINTS)[0]
    assert stated.source == "geodesic-fallback, detour 1.35, 7 m/s"
    mapped, lines = Ways(server=NOBODY, map_file=MAP, folder=tmp_path, patience=AT_ONCE).table(POINTS)
    assert mapped.source == "osrm"
    assert len(lines.path(POINTS[:2])) > 2
    estimate, lines = Ways(server=NOBODY, map_file=None, folder=tmp_path, patience=AT_ONCE).table(POINTS)
    assert estimate.source.startswith("geodesic-fallback, calibrated on ")
    assert lines.path(POINTS[:2]) == [[point.lon, point.lat] for point in POINTS[:2]]
    roads, guess, plain = (_total(table.seconds) for table in (mapped, estimate, stated))
    assert abs(guess - roads) < abs(plain - roads)


def test_a_second_plan_of_the_day_takes_its_times_from_the_cache(tmp_path: Path) -> None:
    ways = Ways(server=None, map_file=MAP, folder=tmp_path)
    first, _ = ways.table(POINTS)
    assert len(list((tmp_path / "tables").rglob("*.npz"))) == 1
    again, _ = ways.table(POINTS[::-1])
    assert again.seconds[0][-1] == first.seconds[-1][0]
    assert len(list((tmp_path / "tables").rglob("*.npz"))) == 1


def _total(seconds: tuple[tuple[int | None, ...], ...]) -> int:
    return sum(cell or 0 for row in seconds for cell in row)
