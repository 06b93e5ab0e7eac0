"""OR-Tools' routing library as a second engine: a reference to measure the search against, judged by the same judge.

It models windows, skills, sizes, values, pins, groups, loads, limits of tasks and travel, open ends and the price of a
crew. Anything else is refused: a reference that leaves a rule out would be no reference.
"""

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from routing.errors import SolverFailed, Unsupported
from routing.improve.arrays import UNREACHABLE
from routing.improve.flat import Flat
from routing.improve.search import Order, Watch
from routing.limits import Limits
from routing.problem import Problem

FAR_S = 4_000_000_000
"""A drive where there is no way: beyond every horizon, inside the library's whole numbers."""


def demand_modelled(problem: Problem) -> None:
    """`Unsupported` with the first thing in the problem that this engine cannot model."""
    prices = problem.prices
    refused = {
        "travel by hour band": len(problem.travel.matrices) > 1,
        "two crews at one door": any(task.crews == 2 for task in problem.tasks),
        "breaks": any(crew.break_ is not None for crew in problem.crews),
        "overtime": any(crew.overtime is not None for crew in problem.crews),
        "a limit of work": any(crew.max_work_s is not None for crew in problem.crews),
        "a price on waiting": prices.wait > 0,
        "a price on unequal work": prices.balance > 0,
        "a price on unequal risk or earning": prices.balance_risk > 0 or prices.balance_earning > 0,
        "quotas": any(task.quotas for task in problem.tasks),
        "a price on change": prices.change > 0 and any(task.published_crew for task in problem.tasks),
    }
    for what, there in refused.items():
        if there:
            raise Unsupported(f"The engine ortools cannot model {what}.")


def reference_order(flat: Flat, limits: Limits, watch: Watch) -> Order:
    """The order of stops that the library finds. `Unsupported` or `SolverFailed`; no error of the library leaves."""
    demand_modelled(flat.problem)
    try:
        return _Model(flat).solved(limits, watch)
    except Exception as error:  # The library raises bare exceptions.
        raise SolverFailed(f"The engine ortools stopped: {error}") from error


class _Model:
    """The routing library's own objects; they must live as long as the model."""

    def __init__(self, flat: Flat) -> None:
        self.flat, day = flat, flat.day
        n, m = len(day.tasks), len(day.crews)
        self.manager = pywrapcp.RoutingIndexManager(
            n + 2 * m, m, [n + v for v in range(m)], [n + m + v for v in range(m)]
        )
        self.routing = pywrapcp.RoutingModel(self.manager)
        drives = day.roads.drive[0].astype(np.int64)
        self.drives = np.where(drives == UNREACHABLE, FAR_S, drives)
        self._travel()
        self._time()
        self._loads()
        self._visits()

    def _matrix(self, seconds: npt.NDArray[np.int64]) -> int:
        """A matrix by node. A callback in Python would take the interpreter's lock for every arc."""
        return int(self.routing.RegisterTransitMatrix(seconds.tolist()))

    def _travel(self) -> None:
        prices = self.flat.problem.prices
        self.routing.SetArcCostEvaluatorOfAllVehicles(self._matrix(prices.travel * self.drives))
        self.routing.SetFixedCostOfAllVehicles(prices.crew_used)
        limits = [FAR_S - 1 if c.max_travel_s is None else c.max_travel_s for c in self.flat.problem.crews]
        travelled = self._matrix(self.drives)
        self.routing.AddDimensionWithVehicleCapacity(travelled, 0, limits, True, "travel")

    def _time(self) -> None:
        services = [self.flat.task_of(row).service_s for row in range(len(self.flat.rows))]
        services += [0] * (2 * len(self.flat.problem.crews))
        crews = self.flat.problem.crews
        # Cumulated time is never negative here, so all times are told from the earliest shift.
        self.zero = min(crew.shift[0] for crew in crews)
        horizon = max(crew.shift[1] for crew in crews) - self.zero
        moved = self._matrix(self.drives + np.array(services, np.int64)[:, None])
        self.routing.AddDimension(moved, horizon, horizon, False, "time")
        self.time = self.routing.GetDimensionOrDie("time")
        for v, crew in enumerate(crews):
            for index in (self.routing.Start(v), self.routing.End(v)):
                self.time.CumulVar(index).SetRange(crew.shift[0] - self.zero, crew.shift[1] - self.zero)
        for row in range(len(self.flat.rows)):
            self._window(row, horizon)

    def _window(self, row: int, horizon: int) -> None:
        begins = [(opens - self.zero, last - self.zero) for opens, last in self.flat.task_of(row).begins]
        spans = [(max(0, opens), min(horizon, last)) for opens, last in begins if opens <= horizon and last >= 0]
        cumul = self.time.CumulVar(self.manager.NodeToIndex(row))
        cumul.SetRange(spans[0][0], spans[-1][1])
        for (_, last), (opens, _) in pairwise(spans):
            if last + 1 <= opens - 1:
                cumul.RemoveInterval(last + 1, opens - 1)

    def _loads(self) -> None:
        day = self.flat.day
        for kind in range(day.load.shape[1]):
            load = day.load[:, kind].tolist() + [0] * (2 * len(day.crews))
            carried = int(self.routing.RegisterUnaryTransitVector(load))
            self.routing.AddDimensionWithVehicleCapacity(carried, 0, day.room[:, kind].tolist(), True, f"load {kind}")
        counted = int(self.routing.RegisterUnaryTransitVector([1] * len(day.tasks) + [0] * (2 * len(day.crews))))
        limits = [len(day.tasks) if c.max_tasks is None else c.max_tasks for c in self.flat.problem.crews]
        self.routing.AddDimensionWithVehicleCapacity(counted, 0, limits, True, "tasks")

    def _visits(self) -> None:
        day, groups = self.flat.day, dict[str, list[int]]()
        for row in range(len(day.tasks)):
            index, task = self.manager.NodeToIndex(row), self.flat.task_of(row)
            # `SetAllowedVehiclesForIndex` refuses a Python list in this release.
            self.routing.VehicleVar(index).SetValues([-1, *(int(v) for v in day.may[:, row].nonzero()[0])])
            if task.group is None:
                self.routing.AddDisjunction([index], round(float(day.gain[row])))
            else:
                groups.setdefault(task.group, []).append(index)
        for indices in groups.values():
            dearest = max(round(float(day.gain[self.manager.IndexToNode(index)])) for index in indices)
            self.routing.AddDisjunction(indices, dearest, 1)

    def solved(self, limits: Limits, watch: Watch) -> Order:
        parameters = pywrapcp.DefaultRoutingSearchParameters()
        parameters.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
        parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
        if limits.iterations is not None:
            parameters.solution_limit = limits.iterations
        left = watch.remaining_s()
        if left is not None:
            parameters.time_limit.FromMilliseconds(max(1, int(left * 1000)))
        self.routing.AddAtSolutionCallback(lambda: self._look(watch))
        answer = self.routing.SolveWithParameters(parameters)
        crews = range(len(self.flat.problem.crews))
        return tuple(self._route(answer, crew) if answer else () for crew in crews)

    def _look(self, watch: Watch) -> None:
        watch.look()
        if watch.ended:
            self.routing.solver().FinishCurrentSearch()

    def _route(self, answer: Any, crew: int) -> tuple[int, ...]:
        rows, index = [], answer.Value(self.routing.NextVar(self.routing.Start(crew)))
        while not self.routing.IsEnd(index):
            rows.append(int(self.manager.IndexToNode(index)))
            index = answer.Value(self.routing.NextVar(index))
        return tuple(rows)
