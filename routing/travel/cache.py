"""Travel times that were looked up before, in files: one a table, found by source and points.

Any number of processes may use one folder: a file is written whole and renamed into place, and one that vanished or is
damaged is as good as none. The oldest by use go when there is too much.
"""

import contextlib
import hashlib
import io
import os
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from routing.travel.grids import Grids
from routing.travel.tables import Point
from routing.writing import write_whole

MOST_MB = 512
KEEP_S = 7 * 86_400.0
"""A road server's map is renewed without a word; after a week it is asked again."""
LOOKED_AT = 8
"""How many of the tables last used are looked at for one that holds most of the points."""

_BROKEN = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)

type _Key = tuple[int, int]


@dataclass(frozen=True)
class TableCache:
    """A folder of tables, at most `most_mb` mebibytes, each used for `keep_s` seconds."""

    folder: Path
    most_mb: int = MOST_MB
    keep_s: float = KEEP_S
    clock: Callable[[], float] = time.time

    def find(self, key: str, points: Sequence[Point]) -> Grids | None:
        """What the table with most of these points knows of them; None where no table has any.

        Cells of points that it does not hold are unknown.
        """
        wanted = [_rounded(point) for point in points]
        best: tuple[int, Path] | None = None
        for path in self._recent(key):
            held = self._points(path)
            hits = sum(1 for point in wanted if point in held)
            if hits > (best[0] if best else 0):
                best = hits, path
            if hits == len(wanted):
                break
        return None if best is None else _read(best[1], wanted)

    def keep(self, key: str, points: Sequence[Point], grids: Grids) -> None:
        """Store a whole table, and let the oldest go where there is no room."""
        rounded = np.array([_rounded(point) for point in points], np.int64)
        held = io.BytesIO()
        np.savez(
            held,
            points=rounded,
            seconds=grids.seconds.astype(np.float32),
            metres=grids.metres.astype(np.float32),
            off=grids.origins_off | grids.targets_off,
            made_at=np.float64(self.clock()),
        )
        name = hashlib.sha256(rounded.tobytes()).hexdigest()[:24]
        # A full disk loses the cache, never the plan.
        with contextlib.suppress(OSError):
            write_whole(self._place(key) / f"{name}.npz", held.getvalue())
            self._make_room()

    def _place(self, key: str) -> Path:
        return self.folder / hashlib.sha256(key.encode()).hexdigest()[:24]

    def _recent(self, key: str) -> list[Path]:
        return [path for _, _, path in sorted(_files(self._place(key)), reverse=True)][:LOOKED_AT]

    def _points(self, path: Path) -> set[_Key]:
        """The points of the table; none where it is too old, damaged or gone, and then the file goes too."""
        try:
            # Opened here: of a file that is no archive numpy would leave its own handle open.
            with path.open("rb") as file, np.load(file) as kept:
                if self.clock() - float(kept["made_at"]) <= self.keep_s:
                    return {(int(lat), int(lon)) for lat, lon in kept["points"]}
        except _BROKEN:
            pass
        with contextlib.suppress(OSError):
            path.unlink()
        return set()

    def _make_room(self) -> None:
        files = sorted(file for place in self.folder.iterdir() if place.is_dir() for file in _files(place))
        over = sum(size for _, size, _ in files) - self.most_mb * (1 << 20)
        # The newest stays even where it alone is too large: it was just asked for.
        for _, size, path in files[:-1]:
            if over <= 0:
                break
            with contextlib.suppress(OSError):
                path.unlink()
            over -= size


def _files(place: Path) -> list[tuple[float, int, Path]]:
    """When last used, size and path of each table; those that vanish meanwhile are passed over."""
    found = []
    for path in place.glob("*.npz"):
        with contextlib.suppress(OSError):
            seen = path.stat()
            found.append((seen.st_mtime, seen.st_size, path))
    return found


def _read(path: Path, wanted: Sequence[_Key]) -> Grids | None:
    try:
        with path.open("rb") as file, np.load(file) as kept:
            place = {(int(lat), int(lon)): index for index, (lat, lon) in enumerate(kept["points"])}
            mine = [index for index, point in enumerate(wanted) if point in place]
            theirs = [place[wanted[index]] for index in mine]
            found = Grids.empty(len(wanted), len(wanted))
            here, there = np.ix_(mine, mine), np.ix_(theirs, theirs)
            found.seconds[here], found.metres[here] = kept["seconds"][there], kept["metres"][there]
            found.unknown[here] = False
            found.origins_off[mine] = found.targets_off[mine] = kept["off"][theirs]
        os.utime(path)
    except _BROKEN:
        return None
    return found


def _rounded(point: Point) -> _Key:
    """The point to a tenth of a metre."""
    return round(point.lat * 1e6), round(point.lon * 1e6)
