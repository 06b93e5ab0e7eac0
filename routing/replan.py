"""A day planned anew while it runs: within a price for each visit that changes hands, or a most number of them.

The problem holds only what is left: what is done or under way is not in it, and crews start where they are
(`Crew.start`, `Crew.shift`). Visits carry the crew that was published for them. Pins hold as in any problem.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from routing.checking.drives import legs_of, timely_drives
from routing.errors import InvalidProblem
from routing.limits import Limits
from routing.options import with_reasons
from routing.plan import Plan, Route, Stop
from routing.pricing import mandatory_left, plan_price
from routing.problem import Crew, Pin, Problem, Task

type Solve = Callable[[Problem, Limits], Plan]

DEARER = 8
"""How much dearer a change gets where a plan changes too many visits."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """`price`: of each visit that changes hands or falls out, in seconds of travel. `most`: how many may; None: any."""

    price: int
    most: int | None = None

    def __post_init__(self) -> None:
        if self.price < 0 or (self.most is not None and self.most < 0):
            raise InvalidProblem("budget", "must not be negative")


@dataclass(frozen=True, kw_only=True)
class Replanned:
    """The problem with the price of change that was asked, and its plan. `changed`: visits not with their published
    crew.

    `within`: whether no more changed than were allowed. Where even keeping every visit to its crew changes more,
    because a crew is gone or late, the plan with the fewest changes met is given.
    """

    problem: Problem
    plan: Plan
    changed: tuple[str, ...]
    within: bool


def changed_tasks(problem: Problem, plan: Plan) -> tuple[str, ...]:
    """The tasks that their published crew does not serve, in the problem's order."""
    kept = {(stop.task, route.crew) for route in plan.routes for stop in route.stops}
    published = [task for task in problem.tasks if task.published_crew is not None]
    return tuple(task.id for task in published if (task.id, task.published_crew) not in kept)


def replan(problem: Problem, budget: Budget, limits: Limits, solve: Solve) -> Replanned:
    """The best plan within the budget. With a most number of changes the time is shared among three searches: at the
    price asked, at a dearer one where that changed too many, and with every visit kept to its crew at last."""
    asked = replace(problem, prices=replace(problem.prices, change=budget.price))
    if budget.most is None:
        return _made(asked, solve(asked, limits), budget)
    share = _share(limits, 3)
    found = [_made(asked, solve(asked, share), budget)]
    for harder in (_dearer(asked, budget), kept_to_crews(asked)):
        if found[-1].within:
            break
        plan = _priced_as_asked(asked, solve(harder, share))
        found.append(_made(asked, plan, budget))
    within = [one for one in found if one.within]
    return min(within, key=lambda one: one.plan.rank) if within else min(found, key=lambda one: len(one.changed))


def kept_to_crews(problem: Problem) -> Problem:
    """The problem in which every published visit stays with its crew, and is the last to be left out."""
    return replace(problem, tasks=tuple(_kept(task) for task in problem.tasks))


def _kept(task: Task) -> Task:
    if task.published_crew is None:
        return task
    begin = None if task.pin is None else task.pin.begin
    return replace(task, mandatory=True, pin=Pin(crew=task.published_crew, begin=begin))


def _dearer(problem: Problem, budget: Budget) -> Problem:
    values = [task.value_s for task in problem.tasks]
    price = max(budget.price, max(values, default=0) // 2, 600) * DEARER
    return replace(problem, prices=replace(problem.prices, change=price))


def _share(limits: Limits, parts: int) -> Limits:
    seconds = None if limits.seconds is None else limits.seconds / parts
    iterations = None if limits.iterations is None else max(1, limits.iterations // parts)
    return replace(limits, seconds=seconds, iterations=iterations)


def _made(problem: Problem, plan: Plan, budget: Budget) -> Replanned:
    changed = changed_tasks(problem, plan)
    within = budget.most is None or len(changed) <= budget.most
    return Replanned(problem=problem, plan=plan, changed=changed, within=within)


def _priced_as_asked(problem: Problem, plan: Plan) -> Plan:
    """A plan of the harder problem as one of the problem that was asked: its routes, priced and explained anew."""
    left = tuple(one.task for one in plan.unserved)
    bare = replace(
        plan,
        cost=plan_price(problem, plan.routes),
        mandatory_left=mandatory_left(problem, plan.routes),
        unserved=(),
        bound=None,
        pool_bound=None,
    )
    return with_reasons(problem, bare, left)


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A plan cut at one moment. `problem`: what is left to be planned; `done`: crew → the stops that stay as they are,
    the one that the crew is at or on its way to included."""

    problem: Problem
    done: dict[str, tuple[Stop, ...]]


def cut_at(problem: Problem, plan: Plan, now_s: int) -> Cut:
    """What is left of a plan that was driven up to then as it was written.

    Where one of two crews has set out for a door and the other has not, the other one has to be there in time: to it
    the task is one for a single crew, at that second, before all others.
    """
    routes = {route.crew: route for route in plan.routes}
    done = {crew: _done(problem, route, now_s) for crew, route in routes.items()}
    begun = {stop.task for stops in done.values() for stop in stops}
    awaited = {one.id: one for task in problem.tasks if (one := _awaited(problem, task, plan, done)) is not None}
    over = begun - awaited.keys()
    tasks = tuple(awaited.get(task.id) or _published(task, routes) for task in problem.tasks if task.id not in over)
    taken = {problem.task_by_id[name].group for name in begun} - {None}
    kept = tuple(task for task in tasks if task.group is None or task.group not in taken)
    counts = Counter(name for task in begun for name in problem.task_by_id[task].quotas)
    quotas = tuple(replace(quota, most=max(0, quota.most - counts[quota.id])) for quota in problem.quotas)
    driven = _Driven(problem, now_s)
    crews = tuple(driven.rest(crew, routes.get(crew.id), done.get(crew.id, ())) for crew in problem.crews)
    return Cut(
        problem=replace(problem, tasks=kept, crews=crews, quotas=quotas),
        done={crew: s for crew, s in done.items() if s},
    )


def _done(problem: Problem, route: Route, now_s: int) -> tuple[Stop, ...]:
    """The stops whose drive has begun."""
    legs = legs_of(problem, problem.crew_by_id[route.crew], route, "")
    sets_out = [leg.arrive_s - max(timely_drives(problem.travel, leg), default=0) for leg in legs]
    begun = sum(at < now_s for at in sets_out[: len(route.stops)])
    return route.stops[:begun]


def _awaited(problem: Problem, task: Task, plan: Plan, done: dict[str, tuple[Stop, ...]]) -> Task | None:
    """A task for two crews to which one of them has set out, as what is left of it for the other."""
    if task.crews == 1:
        return None
    there = {route.crew: stop for route in plan.routes for stop in route.stops if stop.task == task.id}
    gone = [crew for crew, stop in there.items() if stop in done[crew]]
    if len(gone) != 1:
        return None
    (other,) = there.keys() - set(gone)
    begin_s = there[other].begin_s
    return replace(
        task,
        crews=1,
        visitors=max(1, task.visitors - problem.crew_by_id[gone[0]].size),
        pin=Pin(crew=other, begin=(begin_s, begin_s)),
        mandatory=True,
        group=None,
        quotas=frozenset(),
        published_crew=other,
    )


def _published(task: Task, routes: dict[str, Route]) -> Task:
    crews = [crew for crew, route in routes.items() if any(stop.task == task.id for stop in route.stops)]
    return replace(task, published_crew=crews[0] if crews else task.published_crew)


@dataclass(frozen=True)
class _Driven:
    """A day that was driven up to a moment."""

    problem: Problem
    now_s: int

    def rest(self, crew: Crew, route: Route | None, done: tuple[Stop, ...]) -> Crew:
        """The crew from now on: where it will be free, when, and with what is left of its limits."""
        problem, now_s = self.problem, self.now_s
        begins, ends, start = max(crew.shift[0], now_s), crew.shift[1], crew.start
        most = (crew.max_tasks, crew.max_travel_s)
        until = crew.latest_return_s
        if route is not None and done:
            start, begins = problem.task_by_id[done[-1].task].location, max(now_s, done[-1].end_s)
            driven = _driven(problem, crew, route, len(done))
            most = (_less(crew.max_tasks, len(done)), _less(crew.max_travel_s, driven))
            if crew.max_work_s is not None:
                until = min(until, route.depart_s + crew.max_work_s)
        rest = crew.break_
        if rest is not None and route is not None and route.break_begin_s is not None and route.break_begin_s < begins:
            begins, rest = max(begins, route.break_begin_s + rest.duration_s), None
        ends = max(begins, min(ends, until))
        late = None if crew.overtime is None or until <= ends else replace(crew.overtime, until_s=until)
        return replace(
            crew,
            start=start,
            shift=(begins, ends),
            break_=rest,
            overtime=late,
            max_tasks=most[0],
            max_travel_s=most[1],
            max_work_s=None if done else crew.max_work_s,
            capacity=_room_left(problem, crew, done),
            risk_before=crew.risk_before + sum(problem.task_by_id[stop.task].risk for stop in done),
            earning_before=crew.earning_before + sum(problem.task_by_id[stop.task].earning for stop in done),
        )


def _driven(problem: Problem, crew: Crew, route: Route, count: int) -> int:
    legs = legs_of(problem, crew, route, "")[:count]
    return sum(max(timely_drives(problem.travel, leg), default=0) for leg in legs)


def _less(limit: int | None, used: int) -> int | None:
    return None if limit is None else max(0, limit - used)


def _room_left(problem: Problem, crew: Crew, done: tuple[Stop, ...]) -> tuple[int, ...] | None:
    if crew.capacity is None:
        return None
    loads = [problem.task_by_id[stop.task].load for stop in done]
    return tuple(
        max(0, room - sum(load[kind] for load in loads if kind < len(load))) for kind, room in enumerate(crew.capacity)
    )
