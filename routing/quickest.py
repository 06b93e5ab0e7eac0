"""The quickest ways over any places, from one place or to one."""

import numpy as np
import numpy.typing as npt

from routing.problem import Travel

UNKNOWN = np.int64(1 << 50)


class Quickest:
    """Searched once for each origin and for each target."""

    def __init__(self, travel: Travel) -> None:
        # None becomes NaN.
        matrices = [np.array(matrix, np.float64).reshape(len(matrix), len(matrix)) for matrix in travel.matrices]
        known = [np.where(np.isnan(matrix), UNKNOWN, matrix).astype(np.int64) for matrix in matrices]
        self._drives: npt.NDArray[np.int64] = np.minimum.reduce(known)
        self._there: dict[int, npt.NDArray[np.int64]] = {}
        self._back: dict[int, npt.NDArray[np.int64]] = {}

    def from_place(self, origin: int, target: int) -> int | None:
        if origin not in self._there:
            self._there[origin] = _quickest(self._drives, origin)
        return _known(self._there[origin][target])

    def to_place(self, origin: int, target: int) -> int | None:
        if target not in self._back:
            self._back[target] = _quickest(self._drives.T, target)
        return _known(self._back[target][origin])


def _known(length: np.int64) -> int | None:
    return int(length) if length < UNKNOWN else None


def _quickest(drives: npt.NDArray[np.int64], origin: int) -> npt.NDArray[np.int64]:
    """One more drive at a time, until none helps: two or three times on a map's table, which is nearly quickest."""
    lengths: npt.NDArray[np.int64] = drives[origin]
    while True:
        known = np.flatnonzero(lengths < UNKNOWN)
        longer = (drives[known] + lengths[known, None]).min(axis=0, initial=UNKNOWN)
        if (longer >= lengths).all():
            return lengths
        lengths = np.minimum(lengths, longer)
