"""A slow and simple search for a task that a plan should not have left out: one crew's, or two crews' at one begin."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

from routing.plan import Plan, Route
from routing.pricing import mandatory_left, plan_price, route_price
from routing.problem import Crew, Problem, Quota, Task
from routing.schedule import Visit, clocked


def cheaper_insertions(problem: Problem, plan: Plan) -> list[str]:
    """Tasks that fit into a route as it stands, or into two at one begin, and would make the plan better."""
    served = {stop.task for route in plan.routes for stop in route.stops}
    taken = {problem.task_by_id[name].group for name in served} - {None}
    full = {quota.id for quota in problem.quotas if counted(problem, served, quota) >= quota.most}
    found = []
    for task in problem.tasks:
        if task.id in served or task.group in taken or task.quotas & full:
            continue
        ways = lawful_insertions(problem, plan, task) if task.crews == 1 else meeting_routes(problem, plan, task)
        for routes in ways:
            if (mandatory_left(problem, routes), plan_price(problem, routes)) < plan.rank:
                found.append(f"{task.id} on {[(r.crew, [s.task for s in r.stops]) for r in routes[-task.crews :]]}")
    return found


def counted(problem: Problem, served: set[str], quota: Quota) -> int:
    return sum(quota.id in problem.task_by_id[name].quotas for name in served)


def lawful_insertions(problem: Problem, plan: Plan, task: Task) -> Iterator[list[Route]]:
    """The plan's routes with the task put in, once for every lawful way; the route that changed is the last."""
    for route in _with(problem, plan, task):
        yield [other for other in plan.routes if other.crew != route.crew] + [route]


def _with(problem: Problem, plan: Plan, task: Task) -> Iterator[Route]:
    """Every lawful route with the task put in somewhere, leaving as the plan does or with the shift."""
    for crew in problem.crews:
        yield from _on(problem, plan, crew, (task, task.begins))


def _on(problem: Problem, plan: Plan, crew: Crew, visit: Visit) -> Iterator[Route]:
    """The same for one crew. Pairs that it has keep their begin: the other crew is there at that second."""
    route = next((route for route in plan.routes if route.crew == crew.id), None)
    stops = [] if route is None else [(problem.task_by_id[stop.task], stop.begin_s) for stop in route.stops]
    if not _allowed(crew, visit[0], [each for each, _ in stops]):
        return
    order = [(each, ((begin, begin),) if each.crews == 2 else each.begins) for each, begin in stops]
    leaves = {crew.shift[0], crew.shift[0] if route is None else route.depart_s}
    for place in range(len(order) + 1):
        for departs in sorted(leaves):
            if made := clocked(problem, crew, [*order[:place], visit, *order[place:]], departs):
                yield made


def meeting_routes(problem: Problem, plan: Plan, task: Task, step: int = 500) -> Iterator[list[Route]]:
    """The plan's routes with a task for two crews put in, for the begins that open, those a step apart, and those at
    which one of the crews could be there first: of each crew's ways to be there the cheapest; the two come last."""
    alone = replace(task, crews=1, visitors=1, pin=None)
    able: dict[str, dict[int, Route]] = {crew.id: {} for crew in problem.crews}
    first = {
        stop.begin_s
        for crew in problem.crews
        for route in _on(problem, plan, crew, (alone, task.begins))
        for stop in route.stops
        if stop.task == task.id
    }
    begins = {*range(0, 12_000, step), *(opens for opens, _ in task.begins), *first}
    lawful = [begin for begin in sorted(begins) if any(opens <= begin <= last for opens, last in task.begins)]
    for crew in problem.crews:
        for begin in lawful:
            ways = _on(problem, plan, crew, (alone, ((begin, begin),)))
            best = min(ways, key=lambda route: route_price(problem, route), default=None)
            if best is not None:
                able[crew.id][begin] = best
    for one, other in combinations(problem.crews, 2):
        if one.size + other.size < task.visitors or not (task.pin is None or task.pin.crew in (None, one.id, other.id)):
            continue
        rest = [route for route in plan.routes if route.crew not in (one.id, other.id)]
        for begin in sorted(able[one.id].keys() & able[other.id].keys()):
            yield [*rest, able[one.id][begin], able[other.id][begin]]


def _allowed(crew: Crew, task: Task, order: list[Task]) -> bool:
    if not task.requires <= crew.offers or task.visitors > crew.size or not task.begins:
        return False
    if task.pin is not None and task.pin.crew not in (None, crew.id):
        return False
    if crew.max_tasks is not None and len(order) >= crew.max_tasks:
        return False
    carried = sum(sum(each.load[:1]) for each in [*order, task])
    return crew.capacity is None or carried <= crew.capacity[0]


def lawful_meetings(problem: Problem, plan: Plan, task: Task, step: int = 250) -> list[tuple[str, str, int]]:
    """Two crews and a begin at which a task for two crews would fit, of all begins a step apart and all that open."""
    begins = {*range(0, 12_000, step), *(opens for opens, _ in task.begins)}
    lawful = [begin for begin in sorted(begins) if any(opens <= begin <= last for opens, last in task.begins)]
    able = {crew.id: _attends(problem, plan, crew, task, lawful) for crew in problem.crews}
    return [
        (one.id, other.id, begin)
        for one, other in combinations(problem.crews, 2)
        if one.size + other.size >= task.visitors and (task.pin is None or task.pin.crew in (None, one.id, other.id))
        for begin in sorted(able[one.id] & able[other.id])
    ]


def _attends(problem: Problem, plan: Plan, crew: Crew, task: Task, begins: list[int]) -> set[int]:
    """The begins at which the crew could be there, its other stops kept and their pairs met."""
    route = next((route for route in plan.routes if route.crew == crew.id), None)
    stops = [] if route is None else [(problem.task_by_id[stop.task], stop.begin_s) for stop in route.stops]
    alone = replace(task, crews=1, visitors=1, pin=None)
    if not _allowed(crew, alone, [each for each, _ in stops]) or not task.begins:
        return set()
    order = [(each, ((begin, begin),) if each.crews == 2 else each.begins) for each, begin in stops]
    leaves = {crew.shift[0], *([crew.break_.window.closes_s] if crew.break_ else [])}
    return {
        begin
        for begin in begins
        for place in range(len(order) + 1)
        if any(
            clocked(problem, crew, [*order[:place], (task, ((begin, begin),)), *order[place:]], departs)
            for departs in leaves
            if crew.shift[0] <= departs <= crew.shift[1]
        )
    }
