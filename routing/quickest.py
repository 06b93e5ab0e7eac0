"""The quickest ways over any places: Dijkstra over a dense matrix, a row at a time."""

import numpy as np
import numpy.typing as npt

from routing.problem import Travel

UNKNOWN = np.int64(1 << 50)


class Quickest:
    """Searched once for each origin and for each target."""

    def __init__(self, travel: Travel) -> None:
        matrices = [
            np.array([[UNKNOWN if cell is None else cell for cell in row] for row in matrix], np.int64)
            for matrix in travel.matrices
        ]
        self._drives: npt.NDArray[np.int64] = np.minimum.reduce(matrices)
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
    lengths: npt.NDArray[np.int64] = drives[origin].copy()
    settled = np.zeros(len(drives), np.bool_)
    for _ in range(len(drives)):
        here = int(np.where(settled, UNKNOWN * 2, lengths).argmin())
        if lengths[here] >= UNKNOWN:
            break
        settled[here] = True
        np.minimum(lengths, lengths[here] + drives[here], out=lengths)
    return lengths
