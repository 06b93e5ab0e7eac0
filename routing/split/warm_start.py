"""A search that starts from routes as they stand: never worse than they are, and no time lost on finding them again."""

import time
from collections.abc import Callable, Mapping

from routing.assembly import routes_of
from routing.campaign import Campaign, Outcome, Reporter
from routing.checking import faults
from routing.errors import FaultyPlan
from routing.improve.flat import Flat, flat
from routing.limits import Limits, Progress
from routing.plan import Plan
from routing.pricing import mandatory_left, plan_price
from routing.problem import Problem
from routing.reasons import unserved
from routing.screening import impossible
from routing.solver import solve

type Orders = Mapping[str, tuple[str, ...]]
"""Crew → the ids of its stops in order."""

WARM_STRETCH = 1
"""Which stretch of a campaign begins warm."""
ROUNDS = 2
"""Stretches of warm annealing, each from the choice across the routes met so far."""


def solve_from(
    problem: Problem,
    orders: Orders,
    limits: Limits,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Plan:
    """The best plan found from these routes. `FaultyPlan` if the judge refuses it, which is an error of this package.

    With tasks for two crews the search begins from nothing, since a pair's begin is not told by an order.
    """
    hopeless = impossible(problem)
    known = {name for stops in orders.values() for name in stops}
    cold = any(task.crews == 2 for task in problem.tasks) or bool(known & set(hopeless))
    if cold or not known or not problem.crews:
        return solve(problem, limits, on_progress=on_progress, should_stop=should_stop, clock=clock)
    reporter = Reporter(limits, clock, should_stop, on_progress)
    arrays = flat(problem, frozenset(hopeless))
    campaign = _Warm(arrays, limits, reporter.watch)
    campaign.orders = orders
    reporter.lanes = campaign.lanes
    outcome = campaign.search()
    routes = routes_of(arrays, outcome.order)
    cost = plan_price(problem, routes)
    plan = Plan(
        cost=cost,
        mandatory_left=mandatory_left(problem, routes),
        routes=routes,
        unserved=unserved(arrays, campaign.lanes[0], hopeless),
        pool_bound=None if outcome.gap is None else cost - int(outcome.gap),
        engine=limits.engine,
        seed=limits.seed,
        iterations=outcome.iterations,
        seconds=reporter.clock() - reporter.began,
    )
    found = faults(problem, plan)
    if found:
        raise FaultyPlan(f"The judge refuses the plan: {found[0]}.")
    return plan


class _Warm(Campaign):
    """The same course without its hot beginning."""

    orders: Orders

    def search(self) -> Outcome:
        """Anneal warmly from the orders, choose and fill until the limits are reached."""
        first = self.lanes[0]
        first.load(_rows(self.flat, self.orders))
        first.fill()
        self._share(first.order())
        for _ in range(ROUNDS):
            self._cool(WARM_STRETCH, 1 / ROUNDS)
            self._share(self._chosen())
            if not self.watch.ended:
                self._mend()
        for lane in self.lanes:
            lane.load(self._best_lane().best_order())
        first.fill()
        return Outcome(first.order(), sum(int(lane.best.rounds[0]) for lane in self.lanes), self._gap(first.cost()))


def _rows(arrays: Flat, orders: Orders) -> tuple[tuple[int, ...], ...]:
    row_of = {arrays.task_of(row).id: row for row in range(len(arrays.rows))}
    return tuple(
        tuple(row_of[name] for name in orders.get(crew.id, ()) if name in row_of) for crew in arrays.problem.crews
    )
