"""What a plan of the solver costs. The judge has its own count; the two must agree."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from routing.plan import Route
from routing.problem import Crew, Prices, Problem, Task


def route_price(problem: Problem, route: Route) -> int:
    """Travel, waiting, the crew and its overtime."""
    prices, crew = problem.prices, problem.crew_by_id[route.crew]
    overtime = 0 if crew.overtime is None else crew.overtime.price * max(0, route.return_s - crew.shift[1])
    return prices.travel * route.travel_s + prices.wait * route.wait_s + prices.crew_used + overtime


def plan_price(problem: Problem, routes: Sequence[Route]) -> int:
    """The cost of a plan with these routes and no others."""
    return (
        sum(route_price(problem, route) for route in routes)
        + _changes(problem, routes)
        + _imbalance(problem, routes)
        + shares_price(problem, {route.crew: [stop.task for stop in route.stops] for route in routes})
        + _left(problem, {stop.task for route in routes for stop in route.stops})
    )


def mandatory_left(problem: Problem, routes: Iterable[Route]) -> int:
    served = {stop.task for route in routes for stop in route.stops}
    return sum(1 for task in problem.tasks if task.mandatory and task.id not in served)


def _changes(problem: Problem, routes: Sequence[Route]) -> int:
    crews: dict[str, set[str]] = {}
    for route in routes:
        for stop in route.stops:
            crews.setdefault(stop.task, set()).add(route.crew)
    changed = [t for t in problem.tasks if t.published_crew and t.published_crew not in crews.get(t.id, ())]
    return problem.prices.change * len(changed)


def _imbalance(problem: Problem, routes: Sequence[Route]) -> int:
    work = {crew.id: crew.work_before_s for crew in problem.crews}
    for route in routes:
        work[route.crew] += route.return_s - route.depart_s
    return problem.prices.balance * (max(work.values()) - min(work.values())) if work else 0


class Shared(Protocol):
    """A problem, or a day without its travel times."""

    @property
    def prices(self) -> Prices: ...
    @property
    def crews(self) -> tuple[Crew, ...]: ...
    @property
    def task_by_id(self) -> dict[str, Task]: ...


def shares_price(problem: Shared, stops: Mapping[str, Sequence[str]]) -> int:
    """The price of unequal risk and unequal chances to earn, where each crew serves these tasks."""
    prices, total = problem.prices, 0
    for price, of_task, before in (
        (prices.balance_risk, "risk", "risk_before"),
        (prices.balance_earning, "earning", "earning_before"),
    ):
        if price and problem.crews:
            shares = [
                getattr(crew, before)
                + sum(getattr(problem.task_by_id[name], of_task) for name in stops.get(crew.id, ()))
                for crew in problem.crews
            ]
            total += price * (max(shares) - min(shares))
    return total


def _left(problem: Problem, served: set[str]) -> int:
    groups: dict[str, list[tuple[bool, int]]] = {}
    total = 0
    for task in problem.tasks:
        if task.group is not None:
            groups.setdefault(task.group, []).append((task.id in served, task.value_s))
        elif task.id not in served:
            total += task.value_s
    return total + sum(max(value for _, value in g) for g in groups.values() if not any(taken for taken, _ in g))
