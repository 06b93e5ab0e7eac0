"""Why a task that somebody could serve is left out of a plan, told from the plan as it stands."""

from collections.abc import Callable, Mapping

import numpy as np

from routing.improve.flat import Flat
from routing.improve.holders import crew_prices, holders
from routing.improve.pairs import UNPAYABLE, cheapest_meeting
from routing.improve.search import Lane
from routing.plan import Reason, Unserved
from routing.problem import Problem, Task
from routing.screening import Ways, refusal

CREWS_EXPLAINED = 8
"""Of how many crews, nearest first, the tasks that hold the place are looked for."""


def unserved(
    flat: Flat, lane: Lane, impossible: Mapping[str, Unserved], in_time: Callable[[], bool]
) -> tuple[Unserved, ...]:
    """Each task without a route, with its reason, in the problem's order. The lane holds the final solution.

    Which tasks hold a place takes longest to find: it is told only while there is time, and `explain` tells it too.
    """
    rows = {flat.task_of(row).id: row for row in range(len(flat.rows) - 1, -1, -1)}
    served = {name for name, row in rows.items() if lane.routes.crew_of[row] >= 0}
    taken = {task.group for task in flat.problem.tasks if task.id in served and task.group is not None}
    ways = Ways(flat.problem.travel)
    found = []
    for task in flat.problem.tasks:
        if task.id in served:
            continue
        if task.group in taken:
            found.append(_taken(flat.problem, task, served))
        elif task.id in impossible:
            found.append(impossible[task.id])
        else:
            found.append(_lost(flat, lane, task, rows[task.id], ways=ways if in_time() else None))
    return tuple(found)


def _taken(problem: Problem, task: Task, served: set[str]) -> Unserved:
    mates = tuple(mate.id for mate in problem.tasks if mate.group == task.group and mate.id in served)
    return Unserved(task=task.id, reason=Reason.GROUP_TAKEN, detail=mates)


def _lost(flat: Flat, lane: Lane, task: Task, row: int, *, ways: Ways | None) -> Unserved:
    """A task with a place costs more than it is worth; one without is kept out by others: which, if there is time."""
    price, crews = _cheapest_meeting(flat, lane, row) if task.crews == 2 else _cheapest(flat, lane, row)
    if crews:
        told = f"costs {round(price)}, saves {round(float(flat.day.gain[row]))}"
        detail = {flat.problem.crews[crew].id: told for crew in crews}
        return Unserved(task=task.id, reason=Reason.NOT_WORTH_ITS_COST, detail=detail)
    if ways is None:
        return Unserved(task=task.id, reason=Reason.NO_ROOM)
    held = () if task.crews == 2 else _held(flat, lane, row)
    return Unserved(task=task.id, reason=Reason.NO_ROOM, detail=held or _refusals(flat, task, ways))


def _cheapest_meeting(flat: Flat, lane: Lane, row: int) -> tuple[float, tuple[int, ...]]:
    meeting = cheapest_meeting(flat, lane, flat.rows[row])
    return (0.0, ()) if meeting is None else (meeting.price, meeting.crews)


def _cheapest(flat: Flat, lane: Lane, row: int) -> tuple[float, tuple[int, ...]]:
    prices = crew_prices(flat.day, lane.routes, row, lane.dice)
    crew = int(prices.argmin())
    return float(prices[crew]), (crew,) if prices[crew] < UNPAYABLE else ()


def _held(flat: Flat, lane: Lane, row: int) -> tuple[str, ...]:
    """The tasks any one of which would have to go for this one to fit."""
    day = flat.day
    starts = len(day.tasks) + np.arange(len(day.crews))
    near = np.argsort(day.roads.drive[0, starts, row], kind="stable")
    able = [int(crew) for crew in near if day.may[crew, row]][:CREWS_EXPLAINED]
    held: list[str] = []
    for crew in able:
        held += [flat.task_of(int(other)).id for other in holders(day, lane.routes, crew, row, lane.dice)]
    return tuple(dict.fromkeys(held))


def _refusals(flat: Flat, task: Task, ways: Ways) -> dict[str, str]:
    refusals = {crew.id: refusal(task, crew, ways) or Reason.NO_ROOM for crew in flat.problem.crews}
    return {crew: reason.value for crew, reason in refusals.items()}
