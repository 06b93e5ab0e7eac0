"""Hour bands: how much longer a drive takes at which time of day."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from routing.demands import Matrix, demand, demand_whole
from routing.problem import Band, Travel
from routing.travel.tables import TravelTable

DAY_S = 86_400


@dataclass(frozen=True, kw_only=True)
class Hours:
    """From second `from_s` of the day to before `until_s` each drive takes `factor` times as long."""

    from_s: int
    until_s: int
    factor: float

    def __post_init__(self) -> None:
        demand_whole(self.from_s, "from_s", least=0, most=DAY_S)
        demand_whole(self.until_s, "until_s", least=0, most=DAY_S)
        demand(self.from_s < self.until_s, "until_s", "must be later than from_s")
        demand(0.2 <= self.factor <= 10, "factor", f"must be from 0.2 to 10, not {self.factor}")


def banded(table: TravelTable, hours: Sequence[Hours]) -> Travel:
    """The table's travel, slower or faster in these hours; one matrix where there are none.

    `hours` are in order and do not overlap. Metres stay as they are.
    """
    for index, (before, after) in enumerate(pairwise(hours), start=1):
        demand(
            before.until_s <= after.from_s, f"hours[{index}].from_s", "must not lie before the end of the one before"
        )
    if not hours:
        return table.travel()
    edges = {0: 1.0}
    for one in hours:
        edges[one.from_s] = one.factor
        edges.setdefault(one.until_s, 1.0)
    # A later stretch that begins where one ends says how it goes on.
    edges |= {one.from_s: one.factor for one in hours}
    steps = [(at, factor) for at, factor in sorted(edges.items()) if at < DAY_S]
    kept = [step for index, step in enumerate(steps) if index == 0 or step[1] != steps[index - 1][1]]
    bands = tuple(Band(from_s=at, seconds=_scaled(table.seconds, factor)) for at, factor in kept)
    return Travel(bands=bands, metres=table.metres)


def _scaled(matrix: Matrix, factor: float) -> Matrix:
    if factor == 1.0:
        return matrix
    grid = np.array([[np.nan if cell is None else cell for cell in row] for row in matrix], np.float64) * factor
    rows: list[list[int | None]] = np.where(np.isnan(grid), -1, np.rint(grid)).astype(np.int64).tolist()
    return tuple(tuple(None if cell == -1 else cell for cell in row) for row in rows)
