"""One plan out of the parts, and the judge of it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from routing.checking import Fault, faults
from routing.plan import Plan, Reason, Route, Unserved
from routing.pricing import shares_price
from routing.problem import Prices
from routing.split.spread import Solved, Spread


def joined(spread: Spread, parts: Sequence[Solved]) -> Plan:
    """The plan of the whole day, its routes in the order of the day's crews. `bound` and `pool_bound` are not known.

    Its cost is that of the parts, but for balance, which is a matter of all crews, and the change of a task whose
    published crew rides in another part.
    """
    routes = {route.crew: route for part in parts for route in part.plan.routes}
    balance = sum(_balance(part.problem.prices, _work_in(part)) + _shares_in(part) for part in parts)
    whole = _balance(spread.prices, _work(spread, routes)) + shares_price(spread, _stops(routes.values()))
    forgotten = sum(
        1
        for part in parts
        for task in part.problem.tasks
        if task.published_crew is None and spread.task_by_id[task.id].published_crew is not None
    )
    cost = sum(part.plan.cost for part in parts) - balance + whole + spread.prices.change * forgotten
    left = {one.task: _true(spread, _told(part, one, cost)) for part in parts for one in part.plan.unserved}
    return Plan(
        cost=cost,
        mandatory_left=sum(part.plan.mandatory_left for part in parts),
        routes=tuple(routes[crew.id] for crew in spread.crews if crew.id in routes),
        unserved=tuple(left[task.id] for task in spread.tasks if task.id in left),
        engine="+".join(sorted({part.plan.engine for part in parts})),
        seed=min((part.plan.seed for part in parts), default=0),
        iterations=sum(part.plan.iterations for part in parts),
        seconds=sum(part.plan.seconds for part in parts),
    )


def _stops(routes: Iterable[Route]) -> dict[str, list[str]]:
    return {route.crew: [stop.task for stop in route.stops] for route in routes}


def _shares_in(part: Solved) -> int:
    return shares_price(part.problem, _stops(part.plan.routes))


def _told(part: Solved, left: Unserved, cost: int) -> Unserved:
    """A remedy with what the whole day would cost then. Where balance has a price a part does not know it."""
    if left.remedy is None:
        return left
    prices = part.problem.prices
    if prices.balance or prices.balance_risk or prices.balance_earning:
        return replace(left, remedy=None)
    return replace(left, remedy=replace(left.remedy, cost=left.remedy.cost + cost - part.plan.cost))


def _true(spread: Spread, left: Unserved) -> Unserved:
    """The reason, told of all crews: where only those of its own part could not, it had no room."""
    task = spread.task_by_id[left.task]
    sizes = sorted((crew.size for crew in spread.crews if task.requires <= crew.offers), reverse=True)
    able = len(sizes) >= task.crews
    untrue = (left.reason is Reason.NO_CREW_OFFERS and able) or (
        left.reason is Reason.NO_CREW_LARGE_ENOUGH and able and sum(sizes[: task.crews]) >= task.visitors
    )
    return Unserved(task=left.task, reason=Reason.NO_ROOM, remedy=left.remedy) if untrue else left


def split_faults(spread: Spread, parts: Sequence[Solved]) -> list[Fault]:
    """What is wrong within a part, and between them: whoever is in two, and whatever is in none."""
    found = [fault for part in parts for fault in faults(part.problem, part.plan)]
    people = Counter(crew.id for part in parts for crew in part.problem.crews)
    tasks = Counter(task.id for part in parts for task in part.problem.tasks)
    for what, counts, known in (("crew", people, spread.crew_by_id), ("task", tasks, spread.task_by_id)):
        for name in sorted(set(known) | set(counts)):
            if counts[name] != 1 or name not in known:
                found.append(Fault(code=f"{what}_in_parts", path="parts", says=f"{name} is in {counts[name]} parts"))
    return found + _torn(spread, parts)


def _torn(spread: Spread, parts: Sequence[Solved]) -> list[Fault]:
    served = [stop.task for part in parts for route in part.plan.routes for stop in route.stops]
    groups = Counter(
        spread.task_by_id[name].group
        for name in set(served)
        if name in spread.task_by_id and spread.task_by_id[name].group is not None
    )
    counts = Counter(name for task in set(served) & set(spread.task_by_id) for name in spread.task_by_id[task].quotas)
    return [
        Fault(code="group", path="parts", says=f"{count} of group {group} are served")
        for group, count in sorted(groups.items(), key=str)
        if count > 1
    ] + [
        Fault(code="quota", path="parts", says=f"{counts[quota.id]} of quota {quota.id} are served")
        for quota in spread.quotas
        if counts[quota.id] > quota.most
    ]


def _work_in(part: Solved) -> dict[str, int]:
    work = {crew.id: crew.work_before_s for crew in part.problem.crews}
    for route in part.plan.routes:
        work[route.crew] += route.return_s - route.depart_s
    return work


def _work(spread: Spread, routes: dict[str, Route]) -> dict[str, int]:
    work = {crew.id: crew.work_before_s for crew in spread.crews}
    for name, route in routes.items():
        work[name] += route.return_s - route.depart_s
    return work


def _balance(prices: Prices, work: dict[str, int]) -> int:
    return prices.balance * (max(work.values()) - min(work.values())) if work else 0
