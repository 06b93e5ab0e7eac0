"""All parts of a day on one machine, side by side in processes of their own; then the borders."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing import get_context

from routing.errors import FaultyPlan
from routing.limits import Limits
from routing.plan import Plan
from routing.split.borders import borders_of, orders_in
from routing.split.joining import joined, split_faults
from routing.split.parting import MOST_TASKS, Part, parts_of
from routing.split.quotas import shared_quotas
from routing.split.spread import Solved, Spread, TravelBetween

BORDER_SHARE = 0.3
"""The share of the time that the second pass has."""


@dataclass(frozen=True, kw_only=True)
class SplitPlan:
    """The plan of the whole, the parts that it was joined from, and the cost before the borders were mended.

    `searched_s`: the seconds of all searches of both passes, by the clock that was given.
    """

    plan: Plan
    parts: tuple[Solved, ...]
    cost_before: int
    searched_s: float


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
        run = partial(solve_part, clock=clock)

        def asked(parts: Sequence[Part], share: Limits, plans: Sequence[Plan]) -> list[AskedPart]:
            quotas = shared_quotas(spread.quotas, [part.tasks for part in parts], spread.task_by_id, served_in(plans))
            return [
                AskedPart(
                    spread=replace(_alone(spread, part), quotas=mine),
                    part=part,
                    between=between,
                    limits=share,
                    orders=orders_in(part, plans),
                )
                for part, mine in zip(parts, quotas, strict=True)
            ]

        solved = list(pool.map(run, asked(parts_of(spread, most_tasks=most_tasks), first, ())))
        before = joined(spread, solved).cost
        plans = [one.plan for one in solved]
        borders = borders_of(spread, plans, most_tasks=most_tasks)
        mended = list(pool.map(run, asked(borders, second, plans)))
    wrong = split_faults(spread, mended)
    if wrong:
        raise FaultyPlan(f"The parts do not make a plan: {wrong[0]}.")
    searched = sum(one.plan.seconds for one in (*solved, *mended))
    return SplitPlan(plan=joined(spread, mended), parts=tuple(mended), cost_before=before, searched_s=searched)


@dataclass(frozen=True, kw_only=True)
class AskedPart:
    """One part with all that it takes to solve it. `spread` needs to hold no more than the part; `orders`: the routes
    as they stand."""

    spread: Spread
    part: Part
    between: TravelBetween
    limits: Limits
    orders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def solve_part(asked: AskedPart, *, clock: Callable[[], float] = time.monotonic) -> Solved:
    """One part, from its routes as they stand where there are some."""
    from routing.solver import solve

    problem = asked.spread.problem(asked.part.tasks, asked.part.crews, asked.between)
    return Solved(problem=problem, plan=solve(problem, asked.limits, start=asked.orders, clock=clock))


def served_in(plans: Sequence[Plan]) -> frozenset[str]:
    return frozenset(stop.task for plan in plans for route in plan.routes for stop in route.stops)


def _shares(limits: Limits) -> tuple[Limits, Limits]:
    def share(part: float) -> Limits:
        rounds = None if limits.iterations is None else max(1, round(limits.iterations * part))
        seconds = None if limits.seconds is None else limits.seconds * part
        return replace(limits, iterations=rounds, seconds=seconds)

    return share(1 - BORDER_SHARE), share(BORDER_SHARE)


def _alone(spread: Spread, part: Part) -> Spread:
    """The tasks and crews of the part only: the whole need not go to every process."""
    return replace(
        spread,
        tasks=tuple(spread.task_by_id[name] for name in part.tasks),
        crews=tuple(spread.crew_by_id[name] for name in part.crews),
    )
