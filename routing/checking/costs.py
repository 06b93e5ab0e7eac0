"""What a plan costs, counted again from nothing but the problem, the stops and the judge's own drives."""

from collections.abc import Iterator, Sequence

from routing.checking.fault import Fault
from routing.checking.routes import RouteFacts
from routing.plan import Plan
from routing.problem import Problem


def cost_faults(problem: Problem, plan: Plan, facts: Sequence[RouteFacts]) -> Iterator[Fault]:
    """A wrong cost or count of mandatory tasks, or a bound that the plan itself disproves.

    No cost can be told where a drive has no length.
    """
    served = {stop.task for route in plan.routes for stop in route.stops}
    left = sum(task.mandatory and task.id not in served for task in problem.tasks)
    if left != plan.mandatory_left:
        says = f"mandatory_left is {plan.mandatory_left}, but {left} mandatory tasks are left out"
        yield Fault(code="mandatory_left_wrong", path="mandatory_left", says=says)
    if any(fact.travel_s is None for fact in facts):
        return
    cost = (
        sum(route_cost(problem, fact) for fact in facts)
        + _change_cost(problem, plan)
        + _balance_cost(problem, facts)
        + _share_cost(problem, plan)
        + value_left(problem, served)
    )
    if cost != plan.cost:
        yield Fault(code="cost_wrong", path="cost", says=f"cost is {plan.cost}, but the plan costs {cost}")
    # With a mandatory task left out a plan may be cheaper than any that leaves none: such bounds say nothing of it.
    if plan.bound is not None and left == 0 and plan.bound > cost:
        says = f"bound is {plan.bound}, but this plan costs {cost}"
        yield Fault(code="bound_wrong", path="bound", says=says)


def route_cost(problem: Problem, fact: RouteFacts) -> int:
    prices = problem.prices
    overtime = 0 if fact.crew.overtime is None else fact.crew.overtime.price * fact.overtime_s
    return prices.travel * (fact.travel_s or 0) + prices.wait * (fact.wait_s or 0) + prices.crew_used + overtime


def _change_cost(problem: Problem, plan: Plan) -> int:
    """Each task with a published crew that is not served by it: by another crew, or by none."""
    kept = {(stop.task, route.crew) for route in plan.routes for stop in route.stops}
    published = [task for task in problem.tasks if task.published_crew is not None]
    return problem.prices.change * sum((task.id, task.published_crew) not in kept for task in published)


def _balance_cost(problem: Problem, facts: Sequence[RouteFacts]) -> int:
    worked = {fact.crew.id: fact.work_s for fact in facts}
    totals = [crew.work_before_s + worked.get(crew.id, 0) for crew in problem.crews]
    return problem.prices.balance * (max(totals) - min(totals)) if totals else 0


def _share_cost(problem: Problem, plan: Plan) -> int:
    """Unequal shares of risk and of the chance to earn: what is carried in and the tasks of the day, over all crews."""
    prices, stops = problem.prices, {route.crew: {stop.task for stop in route.stops} for route in plan.routes}
    risk, earning = [], []
    for crew in problem.crews:
        tasks = [problem.task_by_id[name] for name in stops.get(crew.id, ()) if name in problem.task_by_id]
        risk.append(crew.risk_before + sum(task.risk for task in tasks))
        earning.append(crew.earning_before + sum(task.earning for task in tasks))
    if not problem.crews:
        return 0
    return prices.balance_risk * (max(risk) - min(risk)) + prices.balance_earning * (max(earning) - min(earning))


def value_left(problem: Problem, served: set[str]) -> int:
    """The values of the tasks left out; a group of which one is served costs nothing, else its largest once."""
    taken = {task.group for task in problem.tasks if task.id in served and task.group is not None}
    alone = sum(task.value_s for task in problem.tasks if task.group is None and task.id not in served)
    largest: dict[str, int] = {}
    for task in problem.tasks:
        if task.group is not None and task.group not in taken:
            largest[task.group] = max(largest.get(task.group, 0), task.value_s)
    return alone + sum(largest.values())
