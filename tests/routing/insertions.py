"""A slow and simple search for a task that a plan should not have left out."""

from collections.abc import Iterator

from routing.plan import Plan, Route
from routing.pricing import mandatory_left, plan_price
from routing.problem import Crew, Problem, Quota, Task
from routing.schedule import clocked


def cheaper_insertions(problem: Problem, plan: Plan) -> list[str]:
    """Tasks for one crew that fit into a route as it stands and would make the plan better."""
    served = {stop.task for route in plan.routes for stop in route.stops}
    taken = {problem.task_by_id[name].group for name in served} - {None}
    full = {quota.id for quota in problem.quotas if counted(problem, served, quota) >= quota.most}
    found = []
    for task in problem.tasks:
        if task.id in served or task.group in taken or task.quotas & full or task.crews == 2:
            continue
        for routes in lawful_insertions(problem, plan, task):
            if (mandatory_left(problem, routes), plan_price(problem, routes)) < plan.rank:
                found.append(f"{task.id} on {routes[-1].crew} at {[stop.task for stop in routes[-1].stops]}")
    return found


def counted(problem: Problem, served: set[str], quota: Quota) -> int:
    return sum(quota.id in problem.task_by_id[name].quotas for name in served)


def lawful_insertions(problem: Problem, plan: Plan, task: Task) -> Iterator[list[Route]]:
    """The plan's routes with the task put in, once for every lawful way; the route that changed is the last."""
    for route in _with(problem, plan, task):
        yield [other for other in plan.routes if other.crew != route.crew] + [route]


def _with(problem: Problem, plan: Plan, task: Task) -> Iterator[Route]:
    """Every lawful route with the task put in somewhere, leaving as the plan does or with the shift."""
    present = {route.crew: route for route in plan.routes}
    for crew in problem.crews:
        route = present.get(crew.id)
        order = [] if route is None else [problem.task_by_id[stop.task] for stop in route.stops]
        if not _allowed(crew, task, order) or any(other.crews == 2 for other in order):
            continue
        for place in range(len(order) + 1):
            visits = [(each, each.begins) for each in [*order[:place], task, *order[place:]]]
            for departs in {crew.shift[0], crew.shift[0] if route is None else route.depart_s}:
                if (made := clocked(problem, crew, visits, departs)) is not None:
                    yield made


def _allowed(crew: Crew, task: Task, order: list[Task]) -> bool:
    if not task.requires <= crew.offers or task.visitors > crew.size or not task.begins:
        return False
    if task.pin is not None and task.pin.crew not in (None, crew.id):
        return False
    if crew.max_tasks is not None and len(order) >= crew.max_tasks:
        return False
    carried = sum(sum(each.load[:1]) for each in [*order, task])
    return crew.capacity is None or carried <= crew.capacity[0]
