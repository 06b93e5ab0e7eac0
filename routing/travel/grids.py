"""What a source of roads answers, before it becomes a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from routing.travel.tables import Grid, Point

type Flags = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Grids:
    """Seconds and metres from each origin to each target. `unknown`: cells for which no answer came.

    `origins_off`, `targets_off`: which of the points lie off every road. Where one does, both grids are NaN.
    """

    seconds: Grid
    metres: Grid
    unknown: Flags
    origins_off: Flags
    targets_off: Flags

    @classmethod
    def empty(cls, origins: int, targets: int) -> "Grids":
        """Nothing is known yet."""
        return cls(
            seconds=np.full((origins, targets), np.nan),
            metres=np.full((origins, targets), np.nan),
            unknown=np.ones((origins, targets), np.bool_),
            origins_off=np.zeros(origins, np.bool_),
            targets_off=np.zeros(targets, np.bool_),
        )

    def put(self, rows: Sequence[int], columns: Sequence[int], block: "Grids") -> None:
        """Write the block into its place."""
        at = np.ix_(rows, columns)
        self.seconds[at], self.metres[at], self.unknown[at] = block.seconds, block.metres, block.unknown
        self.origins_off[list(rows)] |= block.origins_off
        self.targets_off[list(columns)] |= block.targets_off


class Roads(Protocol):
    """A source of travel times along roads."""

    source: str
    """What a plan says of its travel times."""

    @property
    def key(self) -> str:
        """Names the map and the profile: what is cached under one key may be used for the other."""

    def grids(self, origins: Sequence[Point], targets: Sequence[Point]) -> Grids:
        """Raises RoadsUnavailable where no answer can be had at all."""
