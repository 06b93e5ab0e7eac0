"""How much a day in parts costs and takes, against one solve: ``python -m routing.split.measure --visits 10000``.

Days are made by chance at a fixed density of 6 visits a square kilometre, three quarters of them in clusters: a larger
day is a larger country and not a fuller one. Seconds are of processor time: the machine may have other things to do.
"""

import argparse
import resource
import time
from collections.abc import Sequence
from random import Random

from routing.checking import faults
from routing.limits import Limits
from routing.problem import Break, Crew, Task, Travel, Window
from routing.split.solving import SplitPlan, solve_spread
from routing.split.spread import Spread
from routing.travel import Point, SpeedProfile, geodesic

HOUR = 3600
DEGREE_M = 111_320.0
PROFILE = SpeedProfile(detour=1.3, speed_m_s=8.33)
"""A city at 30 km/h."""


def between(points: Sequence[Point]) -> Travel:
    """Geodesic travel: the same between two points in every part. Nobody asks for metres here."""
    return Travel(seconds=geodesic(points, profile=PROFILE).seconds)


def made_up(visits: int, *, seed: int = 1) -> Spread:
    """A day of so many visits in clusters, a quarter with a skill, two thirds with a window of two to three hours."""
    dice = Random(f"{visits} {seed}")
    side = 400.0 * visits**0.5
    towns = [(dice.uniform(0, side), dice.uniform(0, side)) for _ in range(max(4, visits // 60))]
    crews = max(2, visits // 11)

    def point() -> Point:
        east, north = dice.uniform(0, side), dice.uniform(0, side)
        if dice.random() < 0.75:
            town = dice.choice(towns)
            east, north = town[0] + dice.gauss(0, 1_500), town[1] + dice.gauss(0, 1_500)
        return Point(lat=round(60 + north / DEGREE_M, 6), lon=round(25 + east / DEGREE_M * 2, 6))

    return Spread(
        points=tuple(point() for _ in range(visits + crews)),
        tasks=tuple(_task(dice, number) for number in range(visits)),
        crews=tuple(_crew(number, visits + number) for number in range(crews)),
    )


def _task(dice: Random, number: int) -> Task:
    opens = dice.randrange(8 * HOUR, 15 * HOUR, 900)
    narrow = (Window(opens_s=opens, closes_s=opens + dice.choice((2, 3)) * HOUR),)
    return Task(
        id=f"v{number}",
        location=number,
        service_s=dice.randrange(900, 2_400, 300),
        value_s=dice.randrange(3_600, 14_400, 600),
        windows=narrow if dice.random() < 0.65 else (),
        requires=frozenset({"skill"}) if dice.random() < 0.25 else frozenset(),
    )


def _crew(number: int, start: int) -> Crew:
    rest = Break(window=Window(opens_s=int(11.5 * HOUR), closes_s=int(13.5 * HOUR)), duration_s=1_800)
    offers = frozenset({"skill"}) if number % 2 else frozenset[str]()
    shift = (8 * HOUR, 18 * HOUR)
    return Crew(id=f"c{number}", start=start, end=start, shift=shift, offers=offers, break_=rest)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one line for each way of solving the day."""
    asked = _parser().parse_args(arguments)
    spread = made_up(asked.visits, seed=asked.seed)
    if not asked.whole_only:
        began = time.monotonic()
        limits = Limits(seconds=asked.seconds, threads=1, seed=asked.seed)
        found = solve_spread(
            spread, between, limits, workers=asked.workers, most_tasks=asked.part, clock=time.process_time
        )
        _tell_parts(found, asked.visits, took=time.monotonic() - began)
    if asked.whole_seconds:
        _tell_whole(spread, asked)


def _tell_parts(found: SplitPlan, visits: int, *, took: float) -> None:
    left = len(found.plan.unserved)
    print(
        f"{visits} visits in {len(found.parts)} parts: cost {found.plan.cost:,} ({found.cost_before:,} before the "
        f"borders, {1 - found.plan.cost / found.cost_before:.2%} less after), {left} left out, {took:.0f} s on the "
        f"clock, {found.searched_s:.0f} s of processor in searches, judged without fault"
    )


def _tell_whole(spread: Spread, asked: argparse.Namespace) -> None:
    from routing.solver import solve

    began, busy = time.monotonic(), _busy()
    problem = spread.problem(list(spread.task_by_id), list(spread.crew_by_id), between)
    ready = time.monotonic() - began
    plan = solve(
        problem, Limits(seconds=asked.whole_seconds, threads=asked.workers, seed=asked.seed), clock=time.process_time
    )
    wrong = len(faults(problem, plan))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{asked.visits} visits at once: cost {plan.cost:,}, {len(plan.unserved)} left out, "
        f"{time.monotonic() - began:.0f} s on the clock ({ready:.0f} of them for travel times), "
        f"{_busy() - busy:.0f} s of processor, {memory:.1f} GiB, {wrong} faults"
    )


def _busy() -> float:
    """Seconds of processor time of this process."""
    return time.process_time()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m routing.split.measure", description=__doc__)
    parser.add_argument("--visits", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=20, help="of processor, for each part, both passes together")
    parser.add_argument("--part", type=int, default=500, help="visits in a part")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--whole-seconds", type=float, help="of processor, to solve it undivided too")
    parser.add_argument("--whole-only", action="store_true")
    return parser


if __name__ == "__main__":
    main()
