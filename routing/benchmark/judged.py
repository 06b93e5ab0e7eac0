"""From the bare order of stops, whoever made it, to a plan that the judge can read."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from routing.plan import Plan, Reason, Route, Unserved
from routing.pricing import mandatory_left, plan_price
from routing.problem import Problem
from routing.schedule import clocked


def plan_of(problem: Problem, orders: Mapping[str, Sequence[str]]) -> Plan:
    """The plan with these stops. A route that has no lawful clock is left out: the cost tells."""
    routes = tuple(route for crew in problem.crews if (route := _route(problem, crew.id, orders.get(crew.id, ()))))
    served = {stop.task for route in routes for stop in route.stops}
    taken = {problem.task_by_id[name].group for name in served} - {None}
    unserved = tuple(
        Unserved(task=task.id, reason=Reason.GROUP_TAKEN if task.group in taken else Reason.NO_ROOM)
        for task in problem.tasks
        if task.id not in served
    )
    return Plan(
        cost=plan_price(problem, routes),
        mandatory_left=mandatory_left(problem, routes),
        routes=routes,
        unserved=unserved,
    )


def _route(problem: Problem, name: str, stops: Sequence[str]) -> Route | None:
    """The route that returns earliest, and of those the one that leaves last."""
    if not stops:
        return None
    crew, visits = problem.crew_by_id[name], [(t := problem.task_by_id[stop], t.begins) for stop in stops]
    patient = replace(crew, max_work_s=None)
    first = clocked(problem, patient, visits, crew.shift[0])
    if first is None:
        return None
    low, high = crew.shift[0], first.return_s
    # The return never falls as the departure grows, so the last departure with the same return is found by halving.
    while low < high:
        middle = (low + high + 1) // 2
        later = clocked(problem, patient, visits, middle)
        if later is not None and later.return_s == first.return_s:
            low = middle
        else:
            high = middle - 1
    return clocked(problem, crew, visits, low)
