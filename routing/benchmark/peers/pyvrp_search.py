"""PyVRP: its own defaults, one process for each core with a seed of its own, and the best of them.

Its search has one thread, so several seeds side by side are how it uses several cores. Skills are profiles in which
the doors that a vehicle may not serve are too far away; equal crews are one vehicle type; a visit with several windows
is a group of clients of which one is served.
"""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from multiprocessing import get_context
from typing import Any

import numpy as np
import numpy.typing as npt

from routing.benchmark.peers import Answer, Ask, Orders, package, refuse
from routing.problem import Crew, Problem, Task

FAR_S = 10**8
"""Beyond every shift, and far below what would overflow when summed."""

type Squares = npt.NDArray[np.int64]


def ask_pyvrp(ask: Ask) -> Answer:
    """The best of as many seeds as there are cores."""
    package("pyvrp")
    demand_modelled(ask.problem)
    seeds = [ask.seed * 100 + number for number in range(ask.threads)]
    with ProcessPoolExecutor(len(seeds), mp_context=get_context("spawn")) as processes:
        found = list(processes.map(partial(_one, ask), seeds))
    return min(found, key=lambda answer: answer.trace[-1][1])


def demand_modelled(problem: Problem) -> None:
    """`Unsupported` for what PyVRP has no notion of."""
    prices, tasks, crews = problem.prices, problem.tasks, problem.crews
    refuse(
        "PyVRP",
        [
            ("travel by hour band", len(problem.travel.matrices) > 1),
            ("two crews at one door", any(task.crews == 2 for task in tasks)),
            ("breaks", any(crew.break_ for crew in crews)),
            ("open ends", any(crew.end is None for crew in crews)),
            ("overtime", any(crew.overtime for crew in crews)),
            ("prices on waiting, change or balance", prices.wait + prices.change + prices.balance > 0),
            ("groups of mandatory visits", any(task.mandatory and task.group for task in tasks)),
        ],
    )


@dataclass(frozen=True)
class _Model:
    """PyVRP's data, the task of each client, and the crews of each vehicle type."""

    data: Any
    tasks: list[Task]
    types: list[list[Crew]]
    surplus: int
    """What its cost counts more than ours: the prizes of a visit's other windows and of its mates."""


def _one(ask: Ask, seed: int) -> Answer:
    pyvrp = package("pyvrp")
    model = _model(pyvrp, ask.problem)
    began = ask.clock(1)
    result = pyvrp.solve(model.data, lambda _: ask.clock(1) - began > ask.seconds, seed=seed, display=False)
    seconds = ask.clock(1) - began
    trace, at, spent = list[tuple[float, int]](), 0.0, sum(result.stats.runtimes)
    for datum, took in zip(result.stats.data, result.stats.runtimes, strict=False):
        at += took * seconds / max(spent, 1e-9)
        cost = datum.best_cost - model.surplus
        if datum.best_feas and (not trace or cost < trace[-1][1]):
            trace.append((at, cost))
    last = round(result.cost()) - model.surplus if result.is_feasible() else 2**62
    return Answer(
        orders=_orders(result.best, model) if result.is_feasible() else {},
        seconds=seconds,
        version=version("pyvrp"),
        trace=(*trace, (seconds, last)),
        note=f"{result.num_iterations} iterations, the better of {ask.threads}",
    )


def _orders(best: Any, model: _Model) -> Orders:
    free = [list(crews) for crews in model.types]
    orders: Orders = {}
    for route in best.routes():
        stops = [model.tasks[step.idx].id for step in route if step.is_client()]
        if stops:
            orders[free[route.vehicle_type()].pop(0).id] = tuple(stops)
    return orders


def _model(pyvrp: Any, problem: Problem) -> _Model:
    served = [task for task in problem.tasks if task.begins]
    groups = list(dict.fromkeys(task.group or task.id for task in served if task.group or len(task.begins) > 1))
    copies = [(task, begins) for task in served for begins in task.begins]
    largest = {name: max(t.value_s for t in served if (t.group or t.id) == name) for name in groups}
    clients, surplus = [], -sum(task.value_s for task in served if not task.group)
    zero = min(crew.shift[0] for crew in problem.crews)
    for number, (task, (opens, last)) in enumerate(copies):
        name = task.group or task.id
        grouped, value = name in largest, largest.get(name, task.value_s)
        surplus += value
        clients.append(
            pyvrp.Client(
                location=number,
                delivery=_loads(problem, task),
                service_duration=task.service_s,
                tw_early=max(0, opens - zero),
                tw_late=max(0, min(last - zero, FAR_S)),
                prize=value,
                required=task.mandatory and not grouped,
                group=groups.index(name) if grouped else None,
            )
        )
    surplus -= sum(largest[name] for name in groups if name not in problem.task_by_id)
    members = [[n for n, (task, _) in enumerate(copies) if (task.group or task.id) == name] for name in groups]
    required = [name in problem.task_by_id and problem.task_by_id[name].mandatory for name in groups]
    types = list(_alike(problem).values())
    profiles = list(dict.fromkeys(_served(problem, crews[0]) for crews in types))
    matrices = [_matrix(problem, [task for task, _ in copies], able) for able in profiles]
    places = problem.travel.size
    data = pyvrp.ProblemData(
        locations=[pyvrp.Location(0, 0) for _ in range(len(copies) + places)],
        clients=clients,
        depots=[pyvrp.Depot(location=len(copies) + place) for place in range(places)],
        vehicle_types=[_type(pyvrp, problem, crews, profiles, zero=zero) for crews in types],
        distance_matrices=matrices,
        duration_matrices=matrices,
        groups=[pyvrp.ClientGroup(group, required=must) for group, must in zip(members, required, strict=True)],
    )
    return _Model(data, [task for task, _ in copies], types, surplus)


def _alike(problem: Problem) -> dict[tuple[Crew, frozenset[str]], list[Crew]]:
    alike: dict[tuple[Crew, frozenset[str]], list[Crew]] = {}
    for crew in problem.crews:
        alike.setdefault((replace(crew, id="any"), _served(problem, crew)), []).append(crew)
    return alike


def _served(problem: Problem, crew: Crew) -> frozenset[str]:
    """The tasks that this crew may serve."""
    return frozenset(
        task.id
        for task in problem.tasks
        if task.requires <= crew.offers
        and task.visitors <= crew.size
        and (task.pin is None or task.pin.crew in (None, crew.id))
    )


def _matrix(problem: Problem, clients: list[Task], able: frozenset[str]) -> Squares:
    """Clients first, then all places as depots; what this profile may not serve is far from everywhere."""
    known = problem.travel.matrices[0]
    seconds = np.array([[FAR_S if cell is None else cell for cell in row] for row in known], np.int64)
    places = [task.location for task in clients] + list(range(len(known)))
    matrix = seconds[np.ix_(places, places)]
    closed = [number for number, task in enumerate(clients) if task.id not in able]
    matrix[closed, :], matrix[:, closed] = FAR_S, FAR_S
    np.fill_diagonal(matrix, 0)
    return np.ascontiguousarray(matrix)


def _loads(problem: Problem, task: Task) -> list[int]:
    kinds = max((len(each.load) for each in problem.tasks), default=0)
    return [*task.load, *[0] * (kinds - len(task.load)), 1]


def _type(pyvrp: Any, problem: Problem, crews: list[Crew], profiles: list[frozenset[str]], *, zero: int) -> Any:
    crew = crews[0]
    kinds = max((len(each.load) for each in problem.tasks), default=0)
    room = [FAR_S if crew.capacity is None else (*crew.capacity, *[0] * kinds)[kind] for kind in range(kinds)]
    most = FAR_S if crew.max_tasks is None else crew.max_tasks
    assert crew.end is not None
    return pyvrp.VehicleType(
        num_available=len(crews),
        capacity=[*room, most],
        start_depot=crew.start,
        end_depot=crew.end,
        fixed_cost=problem.prices.crew_used,
        tw_early=crew.shift[0] - zero,
        tw_late=crew.shift[1] - zero,
        shift_duration=FAR_S if crew.max_work_s is None else crew.max_work_s,
        max_distance=FAR_S if crew.max_travel_s is None else crew.max_travel_s,
        unit_distance_cost=problem.prices.travel,
        profile=profiles.index(_served(problem, crew)),
    )
