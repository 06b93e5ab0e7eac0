"""How many visits left out have a reason that was checked, and a remedy that was solved again:
``python -m routing.benchmark.remedies --visits 100 300``, with ``--pairs 0.1 --quota 0.5`` for visits that need two
crews and for a day that may hold no more than half of its visits.

Each made-up day is planned with all its crews and with half of them. Reasons are checked by trying each visit at every
place of every crew, two crews at every ten minutes; remedies by making them and asking the judge.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import combinations
from statistics import median

from routing.benchmark.days import LANDS, DayShape, field_day
from routing.checking import faults
from routing.explain import Explanation, Wishes, applied, explain, explained
from routing.limits import Limits
from routing.options import options_for
from routing.plan import Plan, Reason
from routing.problem import Crew, Problem, Quota, Task
from routing.schedule import Visit, clocked
from routing.solver import solve
from routing.timetable import timed

SKILLS = frozenset({"skill"})
"""What may be lent."""
DAY, GRID = 24 * 3_600, 600


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
    if told.reason is Reason.QUOTA_FULL:
        served = {stop.task for route in plan.routes for stop in route.stops}
        counts = {
            quota.id: sum(quota.id in problem.task_by_id[name].quotas for name in served) for quota in problem.quotas
        }
        return any(counts[quota.id] >= quota.most for quota in problem.quotas if quota.id in task.quotas)
    alone = any(insertions(problem, Plan(cost=0, mandatory_left=0), task))
    return not any(insertions(problem, plan, task)) and alone == (told.reason is Reason.NO_ROOM)


def insertions(problem: Problem, plan: Plan, task: Task) -> Iterator[bool]:
    """True for each place at which the visit could be made as the plan stands; for each two crews that could meet."""
    if task.crews == 1:
        for crew in problem.crews:
            if task.visitors <= crew.size and any(served(problem, plan, crew, (task, task.begins))):
                yield True
        return
    begins = [begin for opens, last in task.begins for begin in range(max(0, opens), min(last, DAY) + 1, GRID)]
    able = {
        crew.id: {begin for begin in begins if any(served(problem, plan, crew, (task, ((begin, begin),))))}
        for crew in problem.crews
    }
    for one, other in combinations(problem.crews, 2):
        if one.size + other.size >= task.visitors and able[one.id] & able[other.id]:
            yield True


def served(problem: Problem, plan: Plan, crew: Crew, visit: Visit) -> Iterator[bool]:
    """True for each place of the crew's route at which a clock serves the visit; met pairs stay when they are."""
    if not visit[0].requires <= crew.offers:
        return
    stops = [stop for route in plan.routes if route.crew == crew.id for stop in route.stops]
    order = [(problem.task_by_id[stop.task], ((stop.begin_s, stop.begin_s),)) for stop in stops]
    kept = [(each, spans if each.crews == 2 else each.begins) for each, spans in order]
    for place in range(len(kept) + 1):
        visits = [*kept[:place], visit, *kept[place:]]
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
    parser.add_argument("--pairs", type=float, default=0.0, help="the share of visits that need two crews")
    parser.add_argument("--quota", type=float, default=1.0, help="the share of all visits that a day may hold")
    asked = parser.parse_args(arguments)
    total = Tally()
    for visits in asked.visits:
        for style in LANDS:
            for crews in (None, max(2, visits // 20)):
                shape = DayShape(
                    style=style, visits=visits, seed=asked.seed, crews=crews, breaks=True, pairs=asked.pairs
                )
                problem = limited(field_day(shape), asked.quota)
                plan = solve(problem, Limits(iterations=asked.iterations, threads=1, seed=asked.seed))
                tally = checked(problem, plan)
                _tell(f"{shape.name}, {len(problem.crews)} crews", tally)
                print(
                    f"  options of a visit in {asking_ms(problem, plan):.0f} ms of processor at the median", flush=True
                )
                total.add(tally)
    _tell("all days", total)


def asking_ms(problem: Problem, plan: Plan, visits: int = 20) -> float:
    """The processor time in which the options of one visit are told, at the median over some, planned or not."""
    spent = []
    for task in problem.tasks[:: max(1, len(problem.tasks) // visits)]:
        began = time.process_time()
        options_for(problem, plan, task.id)
        spent.append(1_000 * (time.process_time() - began))
    return median(spent)


def limited(problem: Problem, share: float) -> Problem:
    """The day that may hold no more than this share of its visits."""
    if share >= 1:
        return problem
    tasks = tuple(replace(task, quotas=frozenset({"all"})) for task in problem.tasks)
    return replace(problem, tasks=tasks, quotas=(Quota(id="all", most=int(share * len(tasks))),))


def _tell(name: str, tally: Tally) -> None:
    shares = "nobody left out"
    if tally.left:
        shares = f"reason {tally.reasons / tally.left:.1%}, remedy {tally.remedies / tally.left:.1%}"
        shares += f" ({tally.told} told)"
    print(f"{name}: {tally.left} left out, {shares}, explained in {tally.seconds:.1f} s of processor", flush=True)


if __name__ == "__main__":
    main()
