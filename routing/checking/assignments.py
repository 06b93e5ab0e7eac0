"""Who serves what: every task is served as it asks, or unserved once with a reason that may be true."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import combinations

from routing.checking.fault import Fault
from routing.plan import Plan, Reason, Stop, Unserved
from routing.problem import Problem, Task

type Services = dict[str, list[tuple[str, Stop]]]


def assignment_faults(problem: Problem, plan: Plan) -> Iterator[Fault]:
    """Faults of the lists as a whole: crews, tasks, pairs of crews, groups and reasons."""
    services: Services = defaultdict(list)
    yield from _crew_faults(problem, plan)
    for index, route in enumerate(plan.routes):
        for place, stop in enumerate(route.stops):
            services[stop.task].append((route.crew, stop))
            if stop.task not in problem.task_by_id:
                path = f"routes[{index}].stops[{place}]"
                yield Fault(code="unknown_task", path=path, says=f"there is no task {stop.task!r}", task=stop.task)
    for task in problem.tasks:
        if task.id in services:
            yield from _service_faults(problem, task, services[task.id])
    yield from _group_faults(problem, services)
    yield from _quota_faults(problem, services)
    yield from _unserved_faults(problem, plan, services)


def _crew_faults(problem: Problem, plan: Plan) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, route in enumerate(plan.routes):
        path = f"routes[{index}].crew"
        if route.crew not in problem.crew_by_id:
            yield Fault(code="unknown_crew", path=path, says=f"there is no crew {route.crew!r}", crew=route.crew)
        if route.crew in seen:
            yield Fault(code="crew_listed_twice", path=path, says="a crew has one route", crew=route.crew)
        seen.add(route.crew)


def _service_faults(problem: Problem, task: Task, services: list[tuple[str, Stop]]) -> Iterator[Fault]:
    def fault(code: str, says: str) -> Fault:
        return Fault(code=code, path="routes", says=says, task=task.id)

    crews = [crew for crew, _ in services]
    if task.crews == 1:
        if len(services) > 1:
            yield fault("served_twice", f"is served {len(services)} times, by {crews}")
        return
    if len(services) != 2 or len(set(crews)) != 2:
        yield fault("needs_two_crews", f"needs two different crews, has {crews}")
        return
    if services[0][1].begin_s != services[1][1].begin_s:
        yield fault("crews_begin_apart", "the two crews do not begin in the same second")
    if sum(problem.crew_by_id[crew].size for crew in crews if crew in problem.crew_by_id) < task.visitors:
        yield fault("crew_too_small", f"{task.visitors} visitors are needed, the two crews have fewer")
    if task.pin is not None and task.pin.crew is not None and task.pin.crew not in crews:
        yield fault("pinned_to_another_crew", f"is pinned to {task.pin.crew!r}")


def _group_faults(problem: Problem, services: Services) -> Iterator[Fault]:
    served = Counter(task.group for task in problem.tasks if task.group is not None and task.id in services)
    for group, count in served.items():
        if count > 1:
            says = f"{count} tasks of group {group!r} are served, at most one may be"
            yield Fault(code="group_served_twice", path="routes", says=says)


def _quota_faults(problem: Problem, services: Services) -> Iterator[Fault]:
    served = _counted(problem, services)
    for index, quota in enumerate(problem.quotas):
        if served[quota.id] > quota.most:
            says = f"{served[quota.id]} tasks of quota {quota.id!r} are served, at most {quota.most} may be"
            yield Fault(code="quota_passed", path=f"quotas[{index}]", says=says)


def _counted(problem: Problem, services: Services) -> Counter[str]:
    """Quota → how many of its tasks are served; a task for two crews is one."""
    return Counter(name for task in problem.tasks if task.id in services for name in task.quotas)


def _unserved_faults(problem: Problem, plan: Plan, services: Services) -> Iterator[Fault]:
    seen: set[str] = set()
    counted = _counted(problem, services)
    full = frozenset(quota.id for quota in problem.quotas if counted[quota.id] >= quota.most)
    for index, left in enumerate(plan.unserved):
        path = f"unserved[{index}]"
        task = problem.task_by_id.get(left.task)
        if task is None:
            yield Fault(code="unknown_task", path=path, says=f"there is no task {left.task!r}", task=left.task)
            continue
        if left.task in seen:
            yield Fault(code="unserved_twice", path=path, says="is listed as unserved twice", task=left.task)
        if left.task in services:
            yield Fault(code="served_and_unserved", path=path, says="is served and unserved at once", task=left.task)
        seen.add(left.task)
        if left.reason is Reason.QUOTA_FULL and not full & task.quotas:
            says = "none of its quotas is full"
            yield Fault(code="reason_untrue", path=f"{path}.reason", says=says, task=task.id)
        yield from _reason_faults(problem, task, left, path, services=services)
    for task in problem.tasks:
        if task.id not in seen and task.id not in services:
            says = "is neither served nor unserved"
            yield Fault(code="task_forgotten", path="unserved", says=says, task=task.id)


def _reason_faults(problem: Problem, task: Task, left: Unserved, path: str, *, services: Services) -> Iterator[Fault]:
    """Only what can be seen to be untrue: `no_room` would need a search."""

    def fault(says: str) -> Fault:
        return Fault(code="reason_untrue", path=f"{path}.reason", says=says, task=task.id)

    taken = task.group is not None and any(
        mate.id in services for mate in problem.tasks if mate.group == task.group and mate.id != task.id
    )
    if taken != (left.reason is Reason.GROUP_TAKEN):
        yield fault("a mate of its group is served" if taken else "no mate of its group is served")
    able = [crew for crew in problem.crews if task.requires <= crew.offers]
    if left.reason is Reason.NO_CREW_OFFERS and len(able) >= task.crews:
        yield fault(f"crew {able[0].id!r} offers what is required")
    teams = combinations(able, task.crews)
    if left.reason is Reason.NO_CREW_LARGE_ENOUGH and any(
        sum(crew.size for crew in team) >= task.visitors for team in teams
    ):
        yield fault("there is a crew large enough that offers what is required")
