"""All parts of a day on one machine, side by side in processes of their own; then the borders."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context

from routing.errors import FaultyPlan
from routing.limits import Limits
from routing.plan import Plan
from routing.split.borders import borders_of, orders_in
from routing.split.joining import joined, split_faults
from routing.split.parting import MOST_TASKS, Part, parts_of
from routing.split.spread import Solved, Spread, TravelBetween

BORDER_SHARE = 0.3
"""The share of the time that the second pass has."""


@dataclass(frozen=True, kw_only=True)
class SplitPlan:
    """The plan of the whole, the parts that it was joined from, and the cost before the borders were mended."""

    plan: Plan
    parts: tuple[Solved, ...]
    cost_before: int


def solve_spread(
    spread: Spread,
    between: TravelBetween,
    limits: Limits,
    *,
    workers: int,
    most_tasks: int = MOST_TASKS,
    clock: Callable[[], float] = time.monotonic,
) -> SplitPlan:
    """Solve in parts. `limits.seconds` and `limits.iterations` are those of one part, both passes together.

    `between` and `clock`, which counts the seconds, go to other processes: functions of a module. `FaultyPlan` where
    the judge of the whole objects.
    """
    first, second = _shares(limits)
    with ProcessPoolExecutor(workers, mp_context=get_context("forkserver")) as pool:
        parts = parts_of(spread, most_tasks=most_tasks)
        solved = list(pool.map(partial(solve_part, clock=clock), *_asked(spread, between, parts, first, [])))
        before = joined(spread, solved).cost
        plans = [one.plan for one in solved]
        borders = borders_of(spread, plans, most_tasks=most_tasks)
        mended = list(pool.map(partial(solve_part, clock=clock), *_asked(spread, between, borders, second, plans)))
    wrong = split_faults(spread, mended)
    if wrong:
        raise FaultyPlan(f"The parts do not make a plan: {wrong[0]}.")
    return SplitPlan(plan=joined(spread, mended), parts=tuple(mended), cost_before=before)


def solve_part(
    spread: Spread,
    part: Part,
    between: TravelBetween,
    limits: Limits,
    orders: dict[str, tuple[str, ...]],
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Solved:
    """One part, from its routes as they stand where there are some."""
    from routing.split.warm_start import solve_from

    problem = spread.problem(part.tasks, part.crews, between)
    return Solved(problem=problem, plan=solve_from(problem, orders, limits, clock=clock))


def _shares(limits: Limits) -> tuple[Limits, Limits]:
    def share(part: float) -> Limits:
        rounds = None if limits.iterations is None else max(1, round(limits.iterations * part))
        seconds = None if limits.seconds is None else limits.seconds * part
        return replace(limits, iterations=rounds, seconds=seconds)

    return share(1 - BORDER_SHARE), share(BORDER_SHARE)


def _asked(
    spread: Spread, between: TravelBetween, parts: Sequence[Part], limits: Limits, plans: Sequence[Plan]
) -> tuple[list[Spread], list[Part], list[TravelBetween], list[Limits], list[dict[str, tuple[str, ...]]]]:
    """The arguments of each part. Each gets its own tasks and crews only: the whole need not go to every process."""
    mine = [
        replace(
            spread,
            tasks=tuple(spread.task_by_id[name] for name in part.tasks),
            crews=tuple(spread.crew_by_id[name] for name in part.crews),
        )
        for part in parts
    ]
    count = len(parts)
    return mine, list(parts), [between] * count, [limits] * count, [orders_in(part, plans) for part in parts]
