"""Travel times kept in files: found again, bounded, and never half there."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from routing.travel import Point, TableCache
from routing.travel.grids import Grids

TOWN = [Point(lat=60.16 + n / 1000, lon=24.93) for n in range(8)]


def _grids(points: Sequence[Point]) -> Grids:
    """Seconds and metres that tell which points they lie between."""
    found = Grids.empty(len(points), len(points))
    numbers = np.array([round((point.lat - 60.16) * 1000) for point in points], np.float64)
    found.seconds[:] = numbers[:, None] * 100 + numbers[None, :]
    found.metres[:] = found.seconds * 10
    found.unknown[:] = False
    return found


def test_a_table_is_found_again_in_any_order(tmp_path: Path) -> None:
    cache = TableCache(tmp_path)
    cache.keep("car", TOWN[:4], _grids(TOWN[:4]))
    asked = [TOWN[3], TOWN[1]]
    found = cache.find("car", asked)
    assert found is not None
    assert found.seconds.tolist() == _grids(asked).seconds.tolist()
    assert found.metres.tolist() == _grids(asked).metres.tolist()
    assert not found.unknown.any()


def test_another_profile_is_another_table(tmp_path: Path) -> None:
    cache = TableCache(tmp_path)
    cache.keep("car", TOWN[:4], _grids(TOWN[:4]))
    assert cache.find("foot", TOWN[:4]) is None


def test_a_point_that_is_new_is_unknown_and_the_others_are_known(tmp_path: Path) -> None:
    cache = TableCache(tmp_path)
    cache.keep("car", TOWN[:2], _grids(TOWN[:2]))
    cache.keep("car", TOWN[:4], _grids(TOWN[:4]))
    found = cache.find("car", [*TOWN[:4], TOWN[6]])
    assert found is not None
    assert found.unknown.tolist() == [[False] * 4 + [True]] * 4 + [[True] * 5]


def test_a_point_off_the_roads_and_a_way_that_does_not_exist_are_kept_as_such(tmp_path: Path) -> None:
    grids = _grids(TOWN[:3])
    grids.seconds[0, 1] = np.nan
    grids.origins_off[2] = grids.targets_off[2] = True
    cache = TableCache(tmp_path)
    cache.keep("car", TOWN[:3], grids)
    found = cache.find("car", TOWN[:3])
    assert found is not None
    assert np.isnan(found.seconds[0, 1])
    assert found.origins_off.tolist() == found.targets_off.tolist() == [False, False, True]


def test_what_is_too_old_is_not_used_and_goes(tmp_path: Path) -> None:
    cache = TableCache(tmp_path, keep_s=60, clock=lambda: 1000.0)
    cache.keep("car", TOWN, _grids(TOWN))
    assert replace(cache, clock=lambda: 1060.0).find("car", TOWN) is not None
    assert replace(cache, clock=lambda: 1061.0).find("car", TOWN) is None
    assert list(tmp_path.rglob("*.npz")) == []


def test_a_damaged_file_is_as_good_as_none(tmp_path: Path) -> None:
    cache = TableCache(tmp_path)
    cache.keep("car", TOWN, _grids(TOWN))
    (file,) = tmp_path.rglob("*.npz")
    whole = file.read_bytes()
    for damaged in (b"", b"nothing", whole[: len(whole) // 2]):
        file.write_bytes(damaged)
        assert cache.find("car", TOWN) is None
        assert not file.exists()
    cache.keep("car", TOWN, _grids(TOWN))
    assert cache.find("car", TOWN) is not None


def test_there_is_never_more_than_its_bound_and_the_newest_stays(tmp_path: Path) -> None:
    points = [Point(lat=60 + n / 1000, lon=25) for n in range(300)]
    grids = Grids.empty(300, 300)
    grids.unknown[:] = False
    cache = TableCache(tmp_path, most_mb=1)
    for key in ("car", "foot", "bicycle"):
        cache.keep(key, points, grids)
        assert sum(file.stat().st_size for file in tmp_path.rglob("*.npz")) <= 1 << 20
        assert cache.find(key, points) is not None
    assert len(list(tmp_path.rglob("*.npz"))) == 1


def test_processes_that_keep_and_find_at_once_never_read_halves(tmp_path: Path) -> None:
    program = f"""
import sys
from pathlib import Path
from tests.routing.test_travel_cache import TOWN, _grids
from routing.travel import TableCache
cache, mine = TableCache(Path({str(tmp_path)!r}), most_mb=1), int(sys.argv[1])
for turn in range(25):
    size = 2 + (turn + mine) % 6
    cache.keep("car", TOWN[:size], _grids(TOWN[:size]))
    found = cache.find("car", TOWN)
    if found is not None:
        known = ~found.unknown
        assert (found.seconds[known] == _grids(TOWN).seconds[known]).all()
"""
    others = [subprocess.Popen([sys.executable, "-c", program, str(number)]) for number in range(3)]
    assert [other.wait() for other in others] == [0, 0, 0]
    assert not list(tmp_path.rglob(".writing-*"))
