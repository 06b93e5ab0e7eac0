"""Cutting a day into parts: neighbourhoods of tasks, and to each the crews that it needs and that start nearby."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from routing.demands import demand
from routing.errors import SolverFailed
from routing.geography import Flat, flattened, halved
from routing.problem import Crew, Task
from routing.split.spread import Spread

MOST_TASKS = 500
DRIVE_S = 600
"""What the way to a task is taken for, when work is weighed."""

type _Kind = tuple[frozenset[str], int]


@dataclass(frozen=True, kw_only=True)
class Part:
    """Ids, in the order of the day."""

    tasks: tuple[str, ...]
    crews: tuple[str, ...]


def parts_of(spread: Spread, *, most_tasks: int = MOST_TASKS, shift: float = 0.5) -> list[Part]:
    """The day in parts of about `most_tasks`; each task and each crew is in exactly one.

    Tasks of one group stay together, and a task goes where the crew is that it is pinned to or was published with.
    """
    demand(most_tasks >= 1, "most_tasks", "must be at least 1")
    cut = halved([spread.points[task.location] for task in spread.tasks], most_tasks, shift=shift)
    part_of = {spread.tasks[index].id: number for number, indices in enumerate(cut) for index in indices}
    _keep_groups(spread, part_of)
    count = len(cut)
    if count == 0:
        return [Part(tasks=(), crews=tuple(crew.id for crew in spread.crews))] if spread.crews else []
    crew_part = _crew_parts(spread, part_of, count)
    for task in spread.tasks:
        bound = bound_to(task)
        if bound in crew_part:
            part_of[task.id] = crew_part[bound]
    _keep_groups(spread, part_of)
    return [
        Part(
            tasks=tuple(task.id for task in spread.tasks if part_of[task.id] == number),
            crews=tuple(crew.id for crew in spread.crews if crew_part[crew.id] == number),
        )
        for number in range(count)
    ]


def bound_to(task: Task) -> str | None:
    """The crew that the task is pinned to, or was published with."""
    return task.pin.crew if task.pin and task.pin.crew else task.published_crew


def _keep_groups(spread: Spread, part_of: dict[str, int]) -> None:
    """All of a group go with the first that is bound to a crew, else with the first."""
    first: dict[str, int] = {}
    for task in sorted(spread.tasks, key=lambda task: bound_to(task) is None):
        if task.group is not None:
            part_of[task.id] = first.setdefault(task.group, part_of[task.id])


def _crew_parts(spread: Spread, part_of: Mapping[str, int], count: int) -> dict[str, int]:
    """Crew → part. Those with tasks of their own go with them; the others where work of their kind is, and near."""
    own: dict[str, Counter[int]] = defaultdict(Counter)
    for task in spread.tasks:
        bound = bound_to(task)
        if bound is not None:
            own[bound][part_of[task.id]] += 1
    found = {name: min(parts, key=lambda part: (-parts[part], part)) for name, parts in own.items()}
    wanted = frozenset().union(*(task.requires for task in spread.tasks))
    kinds: dict[_Kind, list[Crew]] = defaultdict(list)
    for crew in spread.crews:
        kinds[crew.offers & wanted, crew.size].append(crew)
    load = _loads(spread, kinds, part_of, count)
    middles = _middles(spread, part_of, count)
    for kind, crews in kinds.items():
        shares = _whole_shares(load[kind], len(crews))
        for crew in crews:
            if crew.id in found:
                shares[found[crew.id]] = max(0, shares[found[crew.id]] - 1)
        free = [crew for crew in crews if crew.id not in found]
        found |= _nearest(spread, free, shares, middles)
    return found


def _loads(
    spread: Spread, kinds: Mapping[_Kind, Sequence[Crew]], part_of: Mapping[str, int], count: int
) -> dict[_Kind, list[float]]:
    """The work in each part for each kind of crew: that of each task shared among all who could do it."""
    load = {kind: [0.0] * count for kind in kinds}
    able: dict[tuple[frozenset[str], int, int], list[_Kind]] = {}
    for task in spread.tasks:
        # Of a task for two crews either may be the smaller one.
        size = 1 if task.crews == 2 else task.visitors
        needs = (task.requires, size, task.crews)
        if needs not in able:
            able[needs] = [kind for kind in kinds if task.requires <= kind[0] and kind[1] >= size]
        crews = sum(len(kinds[kind]) for kind in able[needs])
        for kind in able[needs]:
            work = (task.service_s + DRIVE_S) * task.crews
            load[kind][part_of[task.id]] += work * len(kinds[kind]) / crews
    return load


def _middles(spread: Spread, part_of: Mapping[str, int], count: int) -> Flat:
    flat = flattened(spread.points)
    doors: list[list[int]] = [[] for _ in range(count)]
    for task in spread.tasks:
        doors[part_of[task.id]].append(task.location)
    # A part that lost all its tasks to groups elsewhere has no middle; nobody is sent there anyway.
    return np.array([np.median(flat[rows], axis=0) if rows else np.zeros(2) for rows in doors])


def _whole_shares(load: Sequence[float], crews: int) -> list[int]:
    """So many crews in parts of these loads: whole numbers, the largest remainders first."""
    total = sum(load)
    exact = [crews * one / total if total else crews / len(load) for one in load]
    shares = [int(one) for one in exact]
    order = sorted(range(len(load)), key=lambda part: (shares[part] - exact[part], part))
    for part in order[: crews - sum(shares)]:
        shares[part] += 1
    return shares


def _nearest(spread: Spread, crews: Sequence[Crew], shares: Sequence[int], middles: Flat) -> dict[str, int]:
    """The crews shared out so that together they start nearest to the middle of their parts."""
    if not crews:
        return {}
    # Imported here: to join parts, or to judge them, no solver is needed.
    from ortools.graph.python import min_cost_flow

    flat = flattened(spread.points)
    flow, count = min_cost_flow.SimpleMinCostFlow(), len(shares)
    arcs = []
    for number, crew in enumerate(crews):
        for part in range(count):
            metres = int(np.hypot(*(flat[crew.start] - middles[part])))
            arcs.append((flow.add_arc_with_capacity_and_unit_cost(number, len(crews) + part, 1, metres), crew.id, part))
        flow.set_node_supply(number, 1)
    sink = len(crews) + count
    # Those who went with tasks of their own may have taken more than a share: the last ones then find no place, and go
    # where it is nearest at a price beyond every distance.
    for part in range(count):
        flow.add_arc_with_capacity_and_unit_cost(len(crews) + part, sink, shares[part], 0)
        flow.add_arc_with_capacity_and_unit_cost(len(crews) + part, sink, len(crews), 10**8)
    flow.set_node_supply(sink, -len(crews))
    if flow.solve() != flow.OPTIMAL:
        raise SolverFailed("The crews could not be shared out among the parts.")
    return {name: part for arc, name, part in arcs if flow.flow(arc)}
