"""How many visits left out have a reason that was checked, and a remedy that was solved again:
``python -m routing.benchmark.remedies --visits 100 300``.

Each made-up day is planned with all its crews and with half of them. Reasons are checked by trying each visit at every
place of every crew; remedies by making them and asking the judge.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

from routing.benchmark.days import LANDS, DayShape, field_day
from routing.checking import faults
from routing.explain import Explanation, Wishes, applied, explain, explained
from routing.limits import Limits
from routing.plan import Plan, Reason
from routing.problem import Problem, Task
from routing.schedule import clocked
from routing.solver import solve
from routing.timetable import timed

SKILLS = frozenset({"skill"})
"""What may be lent."""


@dataclass
class Tally:
    """Visits left out, those whose reason holds, those that were told a remedy, and those whose remedy holds."""

    left: int = 0
    reasons: int = 0
    told: int = 0
    remedies: int = 0
    seconds: float = 0.0

    def add(self, other: "Tally") -> None:
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))


def checked(problem: Problem, plan: Plan) -> Tally:
    """Explain the plan, and check each explanation by other means."""
    began = time.process_time()
    wishes = Wishes(skills=SKILLS)
    told = explain(problem, plan, wishes)
    tally = Tally(left=len(told), seconds=time.process_time() - began)
    after = explained(problem, plan, wishes)
    for one in told:
        tally.reasons += reason_holds(problem, plan, one)
        tally.told += one.remedy is not None
        tally.remedies += one.remedy is not None and remedy_holds(problem, after, one)
    return tally


def reason_holds(problem: Problem, plan: Plan, told: Explanation) -> bool:
    """Whether the visit, tried everywhere, fits where it is said to and nowhere else."""
    task = problem.task_by_id[told.task]
    if told.reason is Reason.NOT_WORTH_ITS_COST:
        return any(insertions(problem, plan, task))
    if told.reason is Reason.GROUP_TAKEN:
        served = {stop.task for route in plan.routes for stop in route.stops}
        return any(mate.group == task.group and mate.id in served for mate in problem.tasks)
    alone = any(insertions(problem, Plan(cost=0, mandatory_left=0), task))
    return not any(insertions(problem, plan, task)) and alone == (told.reason is Reason.NO_ROOM)


def insertions(problem: Problem, plan: Plan, task: Task) -> Iterator[bool]:
    """True for each place at which the visit could be made as the plan stands."""
    routes = {route.crew: route for route in plan.routes}
    for crew in problem.crews:
        if task.requires <= crew.offers and task.visitors <= crew.size:
            route = routes.get(crew.id)
            order = [] if route is None else [problem.task_by_id[stop.task] for stop in route.stops]
            for place in range(len(order) + 1):
                visits = [(each, each.begins) for each in (*order[:place], task, *order[place:])]
                if clocked(problem, crew, visits, crew.shift[0]) or timed(problem, crew, visits):
                    yield True


def remedy_holds(problem: Problem, plan: Plan, told: Explanation) -> bool:
    """Whether the changed day has a faultless plan at the price that was told, with the visit in it."""
    if told.remedy is None:
        return False
    day, made = applied(problem, plan, told.task, told.remedy)
    served = {stop.task for route in made.routes for stop in route.stops}
    return told.task in served and made.cost == told.remedy.cost and not faults(day, made)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line for each day, and one for all."""
    parser = argparse.ArgumentParser(prog="python -m routing.benchmark.remedies", description=__doc__)
    parser.add_argument("--visits", type=int, nargs="+", default=[100, 300])
    parser.add_argument("--iterations", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    total = Tally()
    for visits in asked.visits:
        for style in LANDS:
            for crews in (None, max(2, visits // 20)):
                shape = DayShape(style=style, visits=visits, seed=asked.seed, crews=crews, breaks=True)
                problem = field_day(shape)
                plan = solve(problem, Limits(iterations=asked.iterations, threads=1, seed=asked.seed))
                tally = checked(problem, plan)
                _tell(f"{shape.name}, {len(problem.crews)} crews", tally)
                total.add(tally)
    _tell("all days", total)


def _tell(name: str, tally: Tally) -> None:
    shares = "nobody left out"
    if tally.left:
        shares = f"reason {tally.reasons / tally.left:.1%}, remedy {tally.remedies / tally.left:.1%}"
        shares += f" ({tally.told} told)"
    print(f"{name}: {tally.left} left out, {shares}, explained in {tally.seconds:.1f} s of processor", flush=True)


if __name__ == "__main__":
    main()
