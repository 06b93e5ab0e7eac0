"""Routes as they stand, for a search to begin from: as far as they are lawful in the problem as it is."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from routing.demands import demand
from routing.improve.arrays import MOST_TASKS
from routing.improve.flat import Flat
from routing.improve.search import Lane, Order
from routing.improve.timing import NO_PRICE
from routing.problem import Problem, Task

type Orders = Mapping[str, Sequence[str]]
"""Crew → the ids of its stops in order."""


def demand_known(problem: Problem, start: Orders) -> None:
    """Raise InvalidProblem where a crew or a task is unknown, or a task stands there too often."""
    counts: Counter[str] = Counter()
    for crew, stops in start.items():
        demand(crew in problem.crew_by_id, f"start.{crew}", f"there is no crew {crew!r}")
        for index, name in enumerate(stops):
            path = f"start.{crew}[{index}]"
            demand(name in problem.task_by_id, path, f"there is no task {name!r}")
            counts[name] += 1
            demand(counts[name] <= problem.task_by_id[name].crews, path, f"{name!r} is there too often")


def begin(flat: Flat, lane: Lane, start: Orders) -> None:
    """Let the lane take on these routes. What a crew may not do is left out of its route, and a route that cannot be
    driven is left out whole. Tasks for two crews are left out too: no order tells when they meet."""
    stand(lane, _allowed(flat, start))


def stand(lane: Lane, order: Order) -> None:
    """Let the lane take on an order of lawful stops, without the routes that cannot be driven."""
    longest = lane.routes.stops.shape[1]
    order = tuple(rows if len(rows) <= longest else () for rows in order)
    lane.load(order)
    driven = lane.routes.cost < NO_PRICE
    if not driven.all():
        lane.load(tuple(rows if driven[crew] else () for crew, rows in enumerate(order)))


def _allowed(flat: Flat, start: Orders) -> Order:
    row_of = {flat.task_of(row).id: row for row in range(len(flat.rows)) if flat.task_of(row).crews == 1}
    room = Taken(set(), dict(flat.problem.most_of))
    crews = enumerate(flat.problem.crews)
    return tuple(
        tuple(_fitting(flat, crew, [row_of[name] for name in start.get(one.id, ()) if name in row_of], room))
        for crew, one in crews
    )


@dataclass
class Taken:
    """The groups of which one is served, and how many more of each quota may be."""

    groups: set[str]
    left: dict[str, int]

    def takes(self, task: Task) -> bool:
        return task.group not in self.groups and all(self.left[name] > 0 for name in task.quotas)

    def took(self, task: Task) -> None:
        self.groups |= set() if task.group is None else {task.group}
        for name in task.quotas:
            self.left[name] -= 1


def _fitting(flat: Flat, crew: int, rows: Sequence[int], taken: Taken) -> Iterator[int]:
    """The rows that this crew may serve, no more than it can carry, of a group one and of a quota no more than may."""
    day, room, count = flat.day, flat.day.room[crew].copy(), 0
    for row in rows:
        task = flat.task_of(row)
        if not day.may[crew, row] or not taken.takes(task) or (day.load[row] > room).any():
            continue
        if count == day.crews[crew, MOST_TASKS]:
            return
        room -= day.load[row]
        count += 1
        taken.took(task)
        yield row
