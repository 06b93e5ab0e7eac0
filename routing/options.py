"""Where one task could go in a plan as it stands: every crew's best place, dearest last, with what follows for others.

`options_for` answers in a web process, between two requests: plain Python, no search. Its costs are exact: an option
costs what the plan costs once `put` has put the task there.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from routing.errors import InvalidProblem, Unsupported
from routing.plan import Plan, Reason, Route, Unserved
from routing.pricing import mandatory_left, plan_price
from routing.problem import Problem, Task
from routing.schedule import Visit
from routing.screening import Ways, hopelessness
from routing.standing import Line, Standing

MOST = 10
FRAIL = (Reason.GROUP_TAKEN, Reason.QUOTA_FULL, Reason.NO_CREW_OFFERS, Reason.NO_CREW_LARGE_ENOUGH)
"""Reasons that stop being true when a mate falls out, or a crew is given what it lacked."""


@dataclass(frozen=True, kw_only=True)
class Shift:
    """A visit that begins at another time than before."""

    task: str
    before_s: int
    after_s: int


@dataclass(frozen=True, kw_only=True)
class Option:
    """One way to serve the task. `cost`: of the whole plan then; `displaces`: tasks that fall out of it.

    `routes` are those that change, with their clocks; a crew without a stop has none. `emptied` are crews that lose
    their last one. `shifts` are the other tasks that keep their crew and change their time.
    """

    task: str
    crew: str
    place: int
    begin_s: int
    cost: int
    mandatory_left: int
    displaces: tuple[str, ...]
    shifts: tuple[Shift, ...]
    routes: tuple[Route, ...]
    emptied: tuple[str, ...] = ()

    @property
    def rank(self) -> tuple[int, int]:
        return self.mandatory_left, self.cost


def options_for(problem: Problem, plan: Plan, name: str, *, most: int = MOST) -> tuple[Option, ...]:
    """The best options, cheapest first, at most one for each crew and task that falls out; empty where there is none.

    A task that is served already is taken off its route first: then these are the places to which it could move. Only
    one task ever falls out, and none that is mandatory for one that is not. Raises InvalidProblem for a task that is
    not there, and Unsupported for one that needs two crews.
    """
    task = problem.task_by_id.get(name)
    if task is None:
        raise InvalidProblem("task", f"there is no task {name!r}")
    if task.crews == 2:
        raise Unsupported("The places of a task for two crews are not listed.")
    return Places(Standing(problem, plan), task).options(most)


def put(problem: Problem, plan: Plan, option: Option) -> Plan:
    """The plan with the option taken; its cost is the option's."""
    changed = {route.crew: route for route in option.routes}
    kept = {route.crew: route for route in plan.routes if route.crew not in option.emptied} | changed
    routes = tuple(kept[crew.id] for crew in problem.crews if crew.id in kept)
    left = tuple(one for one in plan.unserved if one.task != option.task)
    after = replace(plan, cost=option.cost, mandatory_left=option.mandatory_left, routes=routes, unserved=left)
    return with_reasons(problem, after, option.displaces)


def with_reasons(problem: Problem, plan: Plan, fallen_out: tuple[str, ...] = ()) -> Plan:
    """The plan with these tasks among the unserved, and with reasons that hold for its routes as they are now."""
    standing = Standing(problem, plan)
    left = [*plan.unserved, *(Unserved(task=name, reason=Reason.NO_ROOM) for name in fallen_out)]
    order = {task.id: index for index, task in enumerate(problem.tasks)}
    told = [_told(standing, one, fresh=one.task in fallen_out) for one in left]
    return replace(plan, unserved=tuple(sorted(told, key=lambda one: order.get(one.task, len(order)))))


def _told(standing: Standing, left: Unserved, *, fresh: bool) -> Unserved:
    """A reason is told anew where the task has just fallen out, or where changes elsewhere could make it untrue."""
    task = standing.problem.task_by_id[left.task]
    mate = standing.taken_groups.get(task.group) if task.group is not None else None
    if mate is not None:
        return Unserved(task=task.id, reason=Reason.GROUP_TAKEN, detail=(mate,))
    if not fresh and left.reason not in FRAIL and not task.quotas:
        return left
    hopeless = hopelessness(standing.problem, task, Ways(standing.problem.travel))
    if hopeless is not None:
        return hopeless
    holding = standing.holding(task)
    if holding is not None:
        return Unserved(task=task.id, reason=Reason.QUOTA_FULL, detail=holding or None)
    fits = task.crews == 1 and any(True for _ in Places(standing, task).lawful())
    return Unserved(task=task.id, reason=Reason.NOT_WORTH_ITS_COST if fits else Reason.NO_ROOM)


@dataclass(frozen=True)
class Place:
    """A place that might do: `extra` is how much dearer the crew's route gets, and `displaces` what goes for it."""

    extra: int
    line: Line
    place: int
    displaces: tuple[str, ...]


class Places:
    """The places of one task over a standing plan."""

    def __init__(self, standing: Standing, task: Task) -> None:
        self.standing, self.task = standing, task
        self.problem = standing.problem
        # The task itself is taken off, and so is a mate of its group, of which only one may be served.
        mate = standing.taken_groups.get(task.group) if task.group is not None else None
        self.gone: tuple[str, ...] = () if mate in (None, task.id) else (mate,)
        loosened = [(name, crew) for name in (task.id, *self.gone) for crew in standing.crews_of.get(name, ())]
        self.holding = standing.holding(task, self.gone)
        self.lines = dict(standing.lines)
        for name, crew in loosened:
            self.lines[crew] = self.lines[crew].without(name)
        self.loosened = frozenset(crew for _, crew in loosened)

    @property
    def visit(self) -> Visit:
        return self.task, self.task.begins

    def options(self, most: int) -> tuple[Option, ...]:
        """The best of those in which nothing falls out and of those in which one task does."""
        found: list[Option] = []
        seen: set[tuple[str, tuple[str, ...]]] = set()
        for place in sorted([*self.direct(), *self.displacing()], key=lambda each: each.extra):
            key = place.line.crew.id, place.displaces
            if key in seen or not self.may(place):
                continue
            option = self.option(place)
            if option is not None:
                seen.add(key)
                found.append(option)
            if len(found) >= most and not self._priced:
                break
        return tuple(sorted(found, key=lambda option: (option.rank, len(option.displaces)))[:most])

    @property
    def _priced(self) -> bool:
        """Whether what a place costs is known only once its clock is: then all of them have to be looked at."""
        prices = self.problem.prices
        shared = prices.balance_risk > 0 or prices.balance_earning > 0
        return shared or any(line.table.priced for line in self.lines.values())

    def lawful(self) -> Iterator[Place]:
        """The places in which nothing falls out, cheapest first."""
        return (place for place in sorted(self.direct(), key=lambda each: each.extra) if self.may(place))

    def direct(self) -> Iterator[Place]:
        """The places that might do without anybody falling out but a mate of the group."""
        if self.task.begins and self.holding is None and not any(self._outranks(name) for name in self.gone):
            for line in self.lines.values():
                if line.takes(self.task):
                    yield from self._hopeful(line, ())

    def displacing(self) -> Iterator[Place]:
        """The places that might do if one stop of the route goes."""
        if not self.task.begins or self.gone:
            return
        for line in self.lines.values():
            for other in line.tasks:
                if other.crews == 2 or self._outranks(other.id):
                    continue
                if self.holding is not None and other.id not in self.holding:
                    continue
                shorter = line.without(other.id)
                if shorter.takes(self.task):
                    yield from self._hopeful(shorter, (other.id,))

    def _outranks(self, name: str) -> bool:
        return self.problem.task_by_id[name].mandatory and not self.task.mandatory

    def _hopeful(self, line: Line, displaces: tuple[str, ...]) -> Iterator[Place]:
        given_up = sum(self._worth(self.problem.task_by_id[name]) for name in displaces)
        change = self.problem.prices.change
        given_up += change if self.task.published_crew not in (None, line.crew.id) else 0
        used = 0 if line.visits or displaces else self.problem.prices.crew_used
        for place in line.hopeful(self.task, self.task.begins):
            travel = line.extra_travel(place, self.task) - (self._spared(line, displaces) if displaces else 0)
            yield Place(self.problem.prices.travel * travel + given_up + used, line, place, displaces)

    def _spared(self, line: Line, displaces: tuple[str, ...]) -> int:
        """What leaving these out spares on the road."""
        whole = self.lines[line.crew.id]
        return whole.table.travels(whole.visits) - (line.table.travels(line.visits) if line.visits else 0)

    def _worth(self, task: Task) -> int:
        return task.value_s + (self.problem.prices.change if task.published_crew is not None else 0)

    def may(self, place: Place) -> bool:
        """Whether a clock serves the route with the task at this place."""
        return place.line.table.lawful(place.line.with_task(place.place, self.visit))

    def option(self, place: Place) -> Option | None:
        """The place with its clock, or None where another route would lose its own."""
        crew = place.line.crew.id
        route = place.line.table.best(place.line.with_task(place.place, self.visit))
        changed: dict[str, Route] = {} if route is None else {crew: route}
        emptied: list[str] = []
        for other in sorted(self.loosened - {crew}):
            if not self.lines[other].visits:
                emptied.append(other)
                continue
            loosened = self.lines[other].table.best(self.lines[other].visits)
            if loosened is None:
                return None
            changed[other] = loosened
        return None if route is None else self._option(place, changed, emptied)

    def _option(self, place: Place, changed: dict[str, Route], emptied: list[str]) -> Option:
        standing = self.standing
        routes = [route for name, route in (standing.routes | changed).items() if name not in emptied]
        before = {stop.task: (route.crew, stop.begin_s) for route in standing.plan.routes for stop in route.stops}
        shifts = [
            Shift(task=stop.task, before_s=before[stop.task][1], after_s=stop.begin_s)
            for route in changed.values()
            for stop in route.stops
            if stop.task != self.task.id and stop.begin_s != before[stop.task][1]
        ]
        crew = place.line.crew.id
        begin = next(stop.begin_s for stop in changed[crew].stops if stop.task == self.task.id)
        return Option(
            task=self.task.id,
            crew=crew,
            place=place.place,
            begin_s=begin,
            cost=plan_price(self.problem, routes),
            mandatory_left=mandatory_left(self.problem, routes),
            displaces=self.gone + place.displaces,
            shifts=tuple(shifts),
            routes=tuple(changed.values()),
            emptied=tuple(emptied),
        )
