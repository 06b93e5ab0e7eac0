"""The face of the package: a problem in, a lawful plan out."""

import time
from collections.abc import Callable, Mapping

from routing.campaign import Campaign, Outcome, Reporter
from routing.checking import faults
from routing.errors import FaultyPlan, Unsupported
from routing.finishing import settle
from routing.improve.flat import Flat, flat
from routing.improve.search import Lane
from routing.levelling import ties_clocks
from routing.limits import Engine, Limits, Progress
from routing.plan import Plan, Unserved
from routing.pricing import mandatory_left, plan_price
from routing.problem import Problem
from routing.reasons import Teller, unserved
from routing.screening import Ways, impossible
from routing.starting import Orders, demand_known

__all__ = ["Engine", "Limits", "Orders", "Progress", "solve"]


def solve(
    problem: Problem,
    limits: Limits,
    *,
    start: Orders | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Plan:
    """The best plan found within the limits, or until `should_stop` says so; then the best so far.

    `start` gives routes to begin from: the plan is then never worse than what is lawful of them. `clock` tells the
    seconds that `limits.seconds` counts. A task that cannot be served is a reason in the plan. `InvalidProblem` if
    `start` names what is not there; `FaultyPlan` if the judge refuses the plan, which is an error of this package;
    `Unsupported` if the engine asked for cannot model the problem, or begin from routes.
    """
    demand_known(problem, start or {})
    reporter = Reporter(limits, clock, should_stop, on_progress)
    ways = Ways(problem.travel)
    hopeless = impossible(problem, ways)
    if not problem.crews or len(hopeless) == len(problem.tasks):
        return _judged(problem, _nobody_served(problem, limits, reporter, hopeless))
    arrays = flat(problem, frozenset(hopeless))
    reporter.keep_time_to_finish()
    if ties_clocks(problem):
        reporter.keep_time_to_level()
    lane, outcome = _searched(arrays, limits, reporter, start)
    before = lane.cost()
    routes = settle(arrays, lane, reporter)
    cost = plan_price(problem, routes)
    plan = Plan(
        cost=cost,
        mandatory_left=mandatory_left(problem, routes),
        routes=routes,
        unserved=unserved(Teller(arrays, lane, ways, reporter.may_tell), hopeless),
        pool_bound=None if outcome.gap is None else cost - max(0, int(outcome.gap + lane.cost() - before)),
        engine=limits.engine,
        seed=limits.seed,
        iterations=outcome.iterations,
        seconds=reporter.clock() - reporter.began,
    )
    return _judged(problem, plan)


def _searched(arrays: Flat, limits: Limits, reporter: Reporter, start: Orders | None) -> tuple[Lane, Outcome]:
    """What the engine asked for found, and a lane that holds it."""
    if limits.engine == "ortools":
        if start is not None:
            raise Unsupported("The reference engine cannot begin from routes.")
        from routing.reference import reference_order  # OR-Tools' routing library is large and rarely asked for.

        lane = Lane(arrays.day, limits.seed)
        order = reference_order(arrays, limits, reporter.watch)
        lane.load(order)
        return lane, Outcome(order, 0, None)
    campaign = Campaign(arrays, limits, reporter.watch)
    reporter.lanes = campaign.lanes
    outcome = campaign.search(start)
    return campaign.lanes[0], outcome


def _nobody_served(problem: Problem, limits: Limits, reporter: Reporter, hopeless: Mapping[str, Unserved]) -> Plan:
    return Plan(
        cost=plan_price(problem, ()),
        mandatory_left=mandatory_left(problem, ()),
        unserved=tuple(hopeless[task.id] for task in problem.tasks),
        engine=limits.engine,
        seed=limits.seed,
        seconds=reporter.clock() - reporter.began,
    )


def _judged(problem: Problem, plan: Plan) -> Plan:
    wrong = faults(problem, plan)
    if wrong:
        raise FaultyPlan("; ".join(str(fault) for fault in wrong[:5]))
    return plan
