"""Why a task that somebody could serve is left out of a plan, told from the plan as it stands."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from routing.improve.flat import Flat
from routing.improve.holders import cheapest_crews, holders
from routing.improve.pairs import UNPAYABLE, cheapest_meeting
from routing.improve.search import Lane
from routing.plan import Reason, Unserved
from routing.problem import Problem, Task
from routing.screening import Ways, refusal
from routing.standing import full_quotas

CREWS_EXPLAINED = 8
"""Of how many crews, nearest first, the tasks that hold the place are looked for."""
ASKED_AT_ONCE = 16
"""For how many tasks a crew's stops are looked at between two looks at the time: some milliseconds."""


@dataclass(frozen=True)
class Teller:
    """Tells reasons of one final solution, which the lane holds."""

    flat: Flat
    lane: Lane
    ways: Ways
    in_time: Callable[[], bool]

    def prices(self, rows: Sequence[int]) -> dict[int, tuple[float, int]]:
        """Row → the price of its cheapest place and the crew; rows without a place are not named."""
        asked = np.array(rows, np.int64)
        prices, crews = cheapest_crews(self.flat.day, self.lane.routes, asked, self.lane.dice)
        found = zip(rows, prices.tolist(), crews.tolist(), strict=True)
        return {row: (price, crew) for row, price, crew in found if price < UNPAYABLE}

    def held(self, rows: Sequence[int]) -> dict[int, tuple[str, ...]]:
        """Row → the tasks any one of which would have to go for it to fit, of those rows that there was time for."""
        near = {row: self._near(row) for row in rows}
        asked: dict[int, list[int]] = defaultdict(list)
        for row, crews in near.items():
            for crew in crews:
                asked[crew].append(row)
        found: dict[tuple[int, int], list[str]] = defaultdict(list)
        late: set[int] = set()
        for crew, mine in asked.items():
            for first in range(0, len(mine), ASKED_AT_ONCE):
                some = mine[first : first + ASKED_AT_ONCE]
                if not self.in_time():
                    late.update(some)
                    continue
                pairs = holders(self.flat.day, self.lane.routes, crew, np.array(some, np.int64), self.lane.dice)
                for row, stop in pairs.tolist():
                    found[row, crew].append(self.flat.task_of(stop).id)
        told = [row for row in rows if row not in late]
        return {row: tuple(dict.fromkeys(name for crew in near[row] for name in found[row, crew])) for row in told}

    def _near(self, row: int) -> list[int]:
        day = self.flat.day
        starts = len(day.tasks) + np.arange(len(day.crews))
        near = np.argsort(day.roads.drive[0, starts, row], kind="stable").tolist()
        return [crew for crew in near if day.may[crew, row]][:CREWS_EXPLAINED]


def unserved(teller: Teller, impossible: Mapping[str, Unserved]) -> tuple[Unserved, ...]:
    """Each task without a route, with its reason, in the problem's order.

    Which tasks hold a place takes longest to find: it is told only while there is time, and `explain` tells it too.
    """
    flat, lane = teller.flat, teller.lane
    rows = {flat.task_of(row).id: row for row in range(len(flat.rows) - 1, -1, -1)}
    served = {name for name, row in rows.items() if lane.routes.crew_of[row] >= 0}
    taken = {task.group for task in flat.problem.tasks if task.id in served and task.group is not None}
    found: dict[str, Unserved] = {}
    lost: list[Task] = []
    for task in flat.problem.tasks:
        if task.id in served:
            continue
        if task.group in taken:
            found[task.id] = _taken(flat.problem, task, served)
        elif task.id in impossible:
            found[task.id] = impossible[task.id]
        elif full := full_quotas(flat.problem, served) & task.quotas:
            holding = tuple(each.id for each in flat.problem.tasks if each.id in served and each.quotas & full)
            found[task.id] = Unserved(task=task.id, reason=Reason.QUOTA_FULL, detail=holding)
        else:
            lost.append(task)
    found |= _lost(teller, lost, rows)
    return tuple(found[task.id] for task in flat.problem.tasks if task.id in found)


def _taken(problem: Problem, task: Task, served: set[str]) -> Unserved:
    mates = tuple(mate.id for mate in problem.tasks if mate.group == task.group and mate.id in served)
    return Unserved(task=task.id, reason=Reason.GROUP_TAKEN, detail=mates)


def _lost(teller: Teller, lost: Sequence[Task], rows: Mapping[str, int]) -> dict[str, Unserved]:
    """A task with a place costs more than it is worth; one without is kept out by others: which, if there is time."""
    flat = teller.flat
    alone = [rows[task.id] for task in lost if task.crews == 1]
    prices = teller.prices(alone)
    held = teller.held([row for row in alone if row not in prices])
    found: dict[str, Unserved] = {}
    for task in lost:
        row = rows[task.id]
        price, crews = _meeting(teller, row) if task.crews == 2 else _place(prices, row)
        if crews:
            told = f"costs {round(price)}, saves {round(float(flat.day.gain[row]))}"
            detail = {flat.problem.crews[crew].id: told for crew in crews}
            found[task.id] = Unserved(task=task.id, reason=Reason.NOT_WORTH_ITS_COST, detail=detail)
        elif held.get(row):
            found[task.id] = Unserved(task=task.id, reason=Reason.NO_ROOM, detail=held[row])
        else:
            found[task.id] = Unserved(task=task.id, reason=Reason.NO_ROOM, detail=_refusals(teller, task))
    return found


def _place(prices: Mapping[int, tuple[float, int]], row: int) -> tuple[float, tuple[int, ...]]:
    price, crew = prices.get(row, (0.0, -1))
    return price, () if crew < 0 else (crew,)


def _meeting(teller: Teller, row: int) -> tuple[float, tuple[int, ...]]:
    meeting = cheapest_meeting(teller.flat, teller.lane, teller.flat.rows[row])
    return (0.0, ()) if meeting is None else (meeting.price, meeting.crews)


def _refusals(teller: Teller, task: Task) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for crew in teller.flat.problem.crews:
        if not teller.in_time():
            return None
        found[crew.id] = (refusal(task, crew, teller.ways) or Reason.NO_ROOM).value
    return found
