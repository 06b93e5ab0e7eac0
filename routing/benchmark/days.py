"""Field days made by chance: the same shape and seed give the same day, on every machine."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

import numpy as np
import numpy.typing as npt

from routing.problem import Break, Crew, Matrix, Prices, Problem, Task, Travel, Window

type Style = Literal["city", "region", "rural"]
type Points = npt.NDArray[np.float64]

HOUR = 3600


@dataclass(frozen=True)
class Land:
    """What the country looks like: a square of `side_km`, towns of some width, and how fast one drives."""

    side_km: float
    towns: int
    town_km: float
    scattered: float
    """The share of places outside all towns."""
    kmh: float
    detour: float


LANDS: dict[Style, Land] = {
    "city": Land(side_km=40, towns=12, town_km=2.5, scattered=0.25, kmh=30, detour=1.3),
    "region": Land(side_km=110, towns=7, town_km=4, scattered=0.15, kmh=60, detour=1.25),
    "rural": Land(side_km=90, towns=4, town_km=3, scattered=0.75, kmh=65, detour=1.35),
}


@dataclass(frozen=True, kw_only=True)
class DayShape:
    """What a day is made of. Shares are from 0 to 1; the number of crews follows from that of visits unless given."""

    style: Style
    visits: int
    seed: int
    crews: int | None = None
    narrow: float = 0.65
    """Visits with a window of two to three hours."""
    skilled: float = 0.25
    """Visits that need the skill that half of the crews have."""
    split: float = 0.0
    """Visits that may be made in the morning or in the evening, not between."""
    breaks: bool = False
    pairs: float = 0.0
    """Visits at which two crews must stand at once."""
    skew: float = 0.5
    """How unequal the values are: the deviation of their logarithm."""
    wait: int = 0
    """The price of a second of waiting."""

    @property
    def name(self) -> str:
        extras = [
            word for word, there in (("breaks", self.breaks), ("pairs", self.pairs), ("split", self.split)) if there
        ]
        extras += ["wait"] if self.wait else []
        return "-".join([self.style, str(self.visits), *extras, f"day{self.seed}"])


def field_day(shape: DayShape) -> Problem:
    """The day of that shape. Locations are the visits' doors, then the crews' homes."""
    dice = Random(f"{shape}")
    crews = shape.crews or max(2, round(shape.visits / (10 if shape.visits <= 300 else 11)))
    land = LANDS[shape.style]
    towns = [(dice.uniform(0, land.side_km), dice.uniform(0, land.side_km)) for _ in range(land.towns)]
    points = np.array([_place(dice, land, towns) for _ in range(shape.visits + crews)])
    return Problem(
        travel=Travel(seconds=_drives(points, land, np.random.default_rng(dice.getrandbits(63)))),
        tasks=tuple(_task(dice, shape, index) for index in range(shape.visits)),
        crews=tuple(_crew(shape, index, shape.visits + index) for index in range(crews)),
        prices=Prices(wait=shape.wait),
    )


def _place(dice: Random, land: Land, towns: Sequence[tuple[float, float]]) -> tuple[float, float]:
    if dice.random() < land.scattered:
        return dice.uniform(0, land.side_km), dice.uniform(0, land.side_km)
    x, y = dice.choice(towns)
    return dice.gauss(x, land.town_km), dice.gauss(y, land.town_km)


def _drives(points: Points, land: Land, dice: np.random.Generator) -> Matrix:
    """Seconds by road, asymmetric: one-way streets and turns differ by way and direction."""
    apart = np.sqrt(((points[:, None, :] - points[None, :, :]) ** 2).sum(axis=2))
    seconds = 60 + apart * land.detour / land.kmh * 3600 * dice.uniform(0.9, 1.1, apart.shape)
    np.fill_diagonal(seconds, 0)
    return tuple(tuple(row) for row in np.rint(seconds).astype(int).tolist())


def _task(dice: Random, shape: DayShape, index: int) -> Task:
    service = dice.randrange(900, 2401, 60)
    return Task(
        id=f"v{index}",
        location=index,
        service_s=service,
        windows=_windows(dice, shape),
        value_s=round(5400 * dice.lognormvariate(0, shape.skew)),
        requires=frozenset({"skill"}) if dice.random() < shape.skilled else frozenset(),
        crews=2 if dice.random() < shape.pairs else 1,
    )


def _windows(dice: Random, shape: DayShape) -> tuple[Window, ...]:
    if dice.random() < shape.narrow:
        opens = dice.randrange(8 * HOUR, 16 * HOUR, 900)
        return (Window(opens_s=opens, closes_s=opens + dice.choice((2 * HOUR, 5 * HOUR // 2, 3 * HOUR))),)
    if dice.random() < shape.split:
        return (
            Window(opens_s=8 * HOUR, closes_s=11 * HOUR),
            Window(opens_s=16 * HOUR, closes_s=19 * HOUR),
        )
    return (Window(opens_s=8 * HOUR, closes_s=19 * HOUR),)


def _crew(shape: DayShape, index: int, home: int) -> Crew:
    lunch = Break(window=Window(opens_s=41_400, closes_s=48_600), duration_s=2700)
    early = index % 3 != 0
    return Crew(
        id=f"c{index}",
        start=home,
        end=home,
        shift=(8 * HOUR, 17 * HOUR) if early else (10 * HOUR, 19 * HOUR),
        offers=frozenset({"skill"}) if index % 2 == 0 else frozenset(),
        break_=lunch if shape.breaks else None,
    )
