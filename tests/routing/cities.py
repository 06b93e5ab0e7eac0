"""Large days made at random: a city of 40 × 40 km in clusters, visits with hours and skills, crews from their homes."""

import random

from routing.problem import Break, Crew, Prices, Problem, Task, Travel, Window
from tests.routing.worlds import HOUR

SPEED_M_S = 9
SIDE_M = 40_000


def city(tasks: int, crews: int, *, seed: int = 1, breaks: bool = True, change: int = 0) -> Problem:
    """A quarter of the visits need a skill that half of the crews have; two thirds have two or three hours."""
    dice = random.Random(seed)
    centres = [(dice.uniform(0, SIDE_M), dice.uniform(0, SIDE_M)) for _ in range(8)]
    points = [_near(dice, dice.choice(centres)) for _ in range(tasks + crews)]
    rest = Break(window=Window(opens_s=int(11.5 * HOUR), closes_s=int(13.5 * HOUR)), duration_s=1800)
    return Problem(
        travel=Travel(seconds=tuple(tuple(_drive(here, there) for there in points) for here in points)),
        tasks=tuple(_task(dice, number) for number in range(tasks)),
        crews=tuple(
            Crew(
                id=f"c{number}",
                start=tasks + number,
                end=tasks + number,
                shift=(8 * HOUR, 17 * HOUR),
                offers=frozenset({"skill"} if number % 2 else ()),
                break_=rest if breaks else None,
            )
            for number in range(crews)
        ),
        prices=Prices(travel=1, change=change),
    )


def _near(dice: random.Random, centre: tuple[float, float]) -> tuple[float, float]:
    return dice.gauss(centre[0], 2_500), dice.gauss(centre[1], 2_500)


def _drive(here: tuple[float, float], there: tuple[float, float]) -> int:
    return round((abs(here[0] - there[0]) + abs(here[1] - there[1])) / SPEED_M_S)


def _task(dice: random.Random, number: int) -> Task:
    opens = dice.randrange(8 * HOUR, 14 * HOUR, 900)
    window = Window(opens_s=opens, closes_s=opens + dice.choice((2, 3)) * HOUR)
    return Task(
        id=f"v{number}",
        location=number,
        service_s=dice.choice((900, 1500, 2400)),
        windows=(window,) if dice.random() < 0.65 else (),
        value_s=dice.choice((3600, 5400, 7200)),
        requires=frozenset({"skill"} if dice.random() < 0.25 else ()),
    )
