"""Where one task could go in a plan as it stands: every crew's best place, dearest last, with what follows for others.

`options_for` answers in a web process, between two requests: plain Python, no search. Its costs are exact: an option
costs what the plan costs once `put` has put the task there.
"""

from collections.abc import Collection
from dataclasses import replace

from routing.errors import InvalidProblem
from routing.places import Option, Places, Shift
from routing.plan import Plan, Reason, Unserved
from routing.problem import Problem
from routing.screening import Ways, hopelessness
from routing.standing import Standing

__all__ = ["MOST", "Option", "Shift", "options_for", "put", "with_reasons"]

MOST = 10
POSSIBLE = (Reason.QUOTA_FULL, Reason.NO_ROOM, Reason.NOT_WORTH_ITS_COST)
"""Reasons of tasks that somebody could serve."""
FRAIL = (Reason.GROUP_TAKEN, Reason.QUOTA_FULL, Reason.NO_CREW_OFFERS, Reason.NO_CREW_LARGE_ENOUGH)
"""Reasons that stop being true when a mate falls out, or a crew is given what it lacked."""


def options_for(problem: Problem, plan: Plan, name: str, *, most: int = MOST) -> tuple[Option, ...]:
    """The best options, cheapest first, at most one for each crew and task that falls out; empty where there is none.

    A task for two crews is put on two routes, and its options are at most one for each two crews. A task that is served
    already is taken off its route first: then these are the places to which it could move. One task falls out at most,
    or one of each of two crews' routes where nothing less makes them meet; none that is mandatory for one that is not.
    Raises InvalidProblem for a task that is not there.
    """
    task = problem.task_by_id.get(name)
    if task is None:
        raise InvalidProblem("task", f"there is no task {name!r}")
    return Places(Standing(problem, plan), task).options(most)


def put(problem: Problem, plan: Plan, option: Option) -> Plan:
    """The plan with the option taken; its cost is the option's. The routes that were met no longer bound it."""
    changed = {route.crew: route for route in option.routes}
    kept = {route.crew: route for route in plan.routes if route.crew not in option.emptied} | changed
    routes = tuple(kept[crew.id] for crew in problem.crews if crew.id in kept)
    left = tuple(one for one in plan.unserved if one.task != option.task)
    after = replace(plan, cost=option.cost, mandatory_left=option.mandatory_left, routes=routes, unserved=left)
    return with_reasons(problem, replace(after, pool_bound=None), option.displaces, possible=option.displaces)


def with_reasons(
    problem: Problem, plan: Plan, fallen_out: tuple[str, ...] = (), *, possible: Collection[str] = ()
) -> Plan:
    """The plan with these tasks among the unserved, and with reasons that hold for its routes as they are now.

    `possible`: those of which it is known that somebody could serve them.
    """
    standing, ways = Standing(problem, plan), Ways(problem.travel)
    left = [*plan.unserved, *(Unserved(task=name, reason=Reason.NO_ROOM) for name in fallen_out)]
    order = {task.id: index for index, task in enumerate(problem.tasks)}
    told = []
    for one in left:
        fresh = one.task in fallen_out
        known = one.task in possible if fresh else one.reason in POSSIBLE
        told.append(_told(standing, one, None if known else ways, fresh=fresh))
    return replace(plan, unserved=tuple(sorted(told, key=lambda one: order.get(one.task, len(order)))))


def _told(standing: Standing, left: Unserved, ways: Ways | None, *, fresh: bool) -> Unserved:
    """A reason is told anew where the task has just fallen out, or where changes elsewhere could make it untrue.

    `ways`: None where it need not be asked whether anybody could ever serve the task.
    """
    task = standing.problem.task_by_id[left.task]
    mate = standing.taken_groups.get(task.group) if task.group is not None else None
    if mate is not None:
        return Unserved(task=task.id, reason=Reason.GROUP_TAKEN, detail=(mate,))
    if not fresh and left.reason not in FRAIL and not task.quotas:
        return left
    hopeless = None if ways is None else hopelessness(standing.problem, task, ways)
    if hopeless is not None:
        return hopeless
    holding = standing.holding(task)
    if holding is not None:
        return Unserved(task=task.id, reason=Reason.QUOTA_FULL, detail=holding or None)
    fits = any(True for _ in Places(standing, task).lawful())
    return Unserved(task=task.id, reason=Reason.NOT_WORTH_ITS_COST if fits else Reason.NO_ROOM)
