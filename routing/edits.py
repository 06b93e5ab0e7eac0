"""A plan changed by hand: every wish is carried out as it is said, and what it breaks is named by the judge.

`edited` refuses only what means nothing (a crew or a task that is not there). A route that can be driven lawfully gets
its best clock; one that cannot still gets a clock, so that `faults` has something to speak of.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from routing.changes import freed, with_task
from routing.checking.routes import judged_route
from routing.errors import InvalidProblem
from routing.options import with_reasons
from routing.places import Places
from routing.plan import Plan, Route
from routing.pricing import mandatory_left, plan_price
from routing.problem import Pin, Problem, Task
from routing.standing import Standing
from routing.timetable import forced


@dataclass(frozen=True, kw_only=True)
class Put:
    """Have this crew serve the task: at this place of its route (from 0), or, without one, where it costs least.

    A task that is planned already moves; one that is not is added. A task for two crews gets the partner that is named,
    or the one with which it costs least, a place on its route, and the begin that suits both.
    """

    task: str
    crew: str
    place: int | None = None
    partner: str | None = None


@dataclass(frozen=True, kw_only=True)
class TakeOut:
    """Leave the task out."""

    task: str


@dataclass(frozen=True, kw_only=True)
class Reorder:
    """Have this crew make its visits in this order: all of them, and no others."""

    crew: str
    tasks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Retime:
    """Have the task begin at this second exactly; None gives the time free again."""

    task: str
    begin_s: int | None


type Edit = Put | TakeOut | Reorder | Retime


@dataclass(frozen=True, kw_only=True)
class Edited:
    """The day after the edits: its problem (a stated time is a pin), its plan, and the crews whose route changed."""

    problem: Problem
    plan: Plan
    crews: frozenset[str]


def edited(problem: Problem, plan: Plan, edits: Sequence[Edit]) -> Edited:
    """The edits carried out one after the other. Raises InvalidProblem with the path of an edit that means nothing."""
    hand = _Hand(problem, plan)
    for index, edit in enumerate(edits):
        try:
            hand.carry_out(edit)
        except InvalidProblem as error:
            raise error.below(f"[{index}]") from None
    return hand.result(plan)


class _Hand:
    """The orders of stops while they are changed."""

    def __init__(self, problem: Problem, plan: Plan) -> None:
        self.problem = problem
        self.orders: dict[str, list[str]] = {crew.id: [] for crew in problem.crews}
        for route in plan.routes:
            self.orders[route.crew] = [stop.task for stop in route.stops]
        self.touched: set[str] = set()
        # Two crews that meet are timed apart: the second at which they do stays, until it is changed.
        self.meets = {
            stop.task: stop.begin_s
            for route in plan.routes
            for stop in route.stops
            if problem.task_by_id[stop.task].crews == 2
        }

    def carry_out(self, edit: Edit) -> None:
        match edit:
            case Put():
                self._put(edit)
            case TakeOut():
                self._take_out(edit.task)
            case Reorder():
                self._reorder(edit)
            case Retime():
                self._retime(edit)

    def _put(self, edit: Put) -> None:
        self._demand_crew(edit.crew)
        self._demand_task(edit.task)
        if self._crews_of(edit.task):
            self._take_out(edit.task)
        if self.problem.task_by_id[edit.task].crews == 2:
            self._have_met(edit)
            return
        order = self.orders[edit.crew]
        if edit.place is not None and not 0 <= edit.place <= len(order):
            raise InvalidProblem("place", f"must be from 0 to {len(order)}, not {edit.place}")
        order.insert(self._best_place(edit) if edit.place is None else edit.place, edit.task)
        self.touched.add(edit.crew)

    def _have_met(self, edit: Put) -> None:
        """The cheapest meeting of the crew with its partner, as the routes are."""
        if edit.partner is not None:
            self._demand_crew(edit.partner)
        before = Plan(cost=0, mandatory_left=0)
        routes = tuple(self._route(crew, order) for crew, order in self.orders.items() if order)
        places = Places(
            Standing(self.problem, as_plan(self.problem, routes, before)), self.problem.task_by_id[edit.task]
        )
        for option in (found for place in places.meeting(edit.crew, edit.partner) if (found := places.option(place))):
            where = {option.crew: option.place, option.partner: option.partner_place}
            if edit.place in (None, where[edit.crew]):
                for crew, order in self.orders.items():
                    if crew in where:
                        order.insert(where[crew] or 0, edit.task)
                        self.touched.add(crew)
                self.meets[edit.task] = option.begin_s
                return
        raise InvalidProblem("partner", f"no two crews can meet there for {edit.task!r} as the day is")

    def _best_place(self, edit: Put) -> int:
        """Where the route is lawful and cheapest; where it is lawful nowhere, the least detour."""
        order = self.orders[edit.crew]
        found = []
        for place in range(len(order) + 1):
            route = self._route(edit.crew, [*order[:place], edit.task, *order[place:]])
            broken = len(judged_route(self.problem, route, "")[1])
            found.append((broken, route.travel_s, route.wait_s, place))
        return min(found)[-1]

    def _take_out(self, name: str) -> None:
        for crew in self._planned(name):
            self.orders[crew].remove(name)
            self.touched.add(crew)
        self.meets.pop(name, None)

    def _reorder(self, edit: Reorder) -> None:
        self._demand_crew(edit.crew)
        if sorted(edit.tasks) != sorted(self.orders[edit.crew]):
            raise InvalidProblem("tasks", "must be the visits that the crew has, each once")
        self.orders[edit.crew] = list(edit.tasks)
        self.touched.add(edit.crew)

    def _retime(self, edit: Retime) -> None:
        crews = self._planned(edit.task)
        task = self.problem.task_by_id[edit.task]
        pin = freed(task, "begin")
        if edit.begin_s is not None:
            pin = Pin(crew=None if pin is None else pin.crew, begin=(edit.begin_s, edit.begin_s))
            if task.crews == 2:
                self.meets[edit.task] = edit.begin_s
        self.problem = with_task(self.problem, replace(task, pin=pin))
        self.touched |= crews

    def _crews_of(self, name: str) -> set[str]:
        return {crew for crew, order in self.orders.items() if name in order}

    def _planned(self, name: str) -> set[str]:
        """The crews that serve it: one, or two."""
        self._demand_task(name)
        crews = self._crews_of(name)
        if not crews:
            raise InvalidProblem("task", f"{name!r} is not planned")
        return crews

    def _demand_crew(self, crew: str) -> None:
        if crew not in self.orders:
            raise InvalidProblem("crew", f"there is no crew {crew!r}")

    def _demand_task(self, name: str) -> None:
        if name not in self.problem.task_by_id:
            raise InvalidProblem("task", f"there is no task {name!r}")

    def _route(self, crew: str, order: Sequence[str]) -> Route:
        return forced(self.problem, self.problem.crew_by_id[crew], [self._timed(name) for name in order])

    def _timed(self, name: str) -> Task:
        """The task, held to the second at which its other crew comes."""
        task, begin_s = self.problem.task_by_id[name], self.meets.get(name)
        if begin_s is None:
            return task
        return replace(task, pin=Pin(crew=None if task.pin is None else task.pin.crew, begin=(begin_s, begin_s)))

    def result(self, plan: Plan) -> Edited:
        kept = {route.crew: route for route in plan.routes if route.crew not in self.touched}
        made = {crew: self._route(crew, self.orders[crew]) for crew in self.touched if self.orders[crew]}
        routes = tuple((kept | made)[crew.id] for crew in self.problem.crews if crew.id in kept | made)
        return Edited(problem=self.problem, plan=as_plan(self.problem, routes, plan), crews=frozenset(self.touched))


def as_plan(problem: Problem, routes: tuple[Route, ...], before: Plan) -> Plan:
    """These routes as a plan: priced, and with a reason for each task that they do not serve."""
    served = {stop.task for route in routes for stop in route.stops}
    known = {left.task for left in before.unserved}
    plan = Plan(
        cost=plan_price(problem, routes),
        mandatory_left=mandatory_left(problem, routes),
        routes=routes,
        unserved=tuple(left for left in before.unserved if left.task not in served),
        engine="hand",
    )
    fallen = tuple(task.id for task in problem.tasks if task.id not in served | known)
    return with_reasons(problem, plan, fallen)
