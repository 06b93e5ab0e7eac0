"""Clocks anew for routes whose stops are settled, where time has a price that ties routes together.

Where unequal work costs more than waiting, the cheapest day may keep a crew outside until it has worked as long as the
others; and a pair may begin at another second than the one the search fixed. CP-SAT tells both at once, exactly for
these orders of stops, and breaks are moved where that helps. Travel of one hour band only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from ortools.sat.python import cp_model

from routing.limits import Patience
from routing.plan import Route, Stop
from routing.pricing import plan_price
from routing.problem import Crew, Problem, Task

TOO_LARGE = 1 << 61
"""Beyond that CP-SAT's sums might overflow: such prices are left to the clock of each route."""

type Whole = cp_model.LinearExpr | int


def ties_clocks(problem: Problem) -> bool:
    """Whether the clock of one route may be cheaper for what another does: work is levelled by waiting, pairs meet."""
    prices = problem.prices
    if len(problem.travel.matrices) > 1:
        return False
    overtime = any(crew.overtime is not None and crew.overtime.price > 0 for crew in problem.crews)
    timed = prices.wait > 0 or prices.balance > 0 or overtime
    return prices.balance > prices.wait or (timed and any(task.crews == 2 for task in problem.tasks))


def pays(problem: Problem, routes: Sequence[Route]) -> bool:
    """Whether other clocks for these stops could be cheaper than those of each route alone."""
    met = any(problem.task_by_id[stop.task].crews == 2 for route in routes for stop in route.stops)
    levels = problem.prices.balance > problem.prices.wait and len(problem.crews) > 1
    return bool(routes) and (met or levels) and ties_clocks(problem)


def levelled(problem: Problem, routes: Sequence[Route], patience: Patience) -> tuple[Route, ...]:
    """The same stops in the same order, at the cheapest clocks found; never dearer than the routes that are given."""
    if _dearest(problem, len(routes)) > TOO_LARGE:
        return tuple(routes)
    clocks = _Clocks(problem, tuple(routes))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers, solver.parameters.random_seed = 1, patience.seed
    if patience.seconds is not None:
        solver.parameters.max_time_in_seconds = max(0.01, patience.seconds)
    if patience.deterministic is not None:
        solver.parameters.max_deterministic_time = patience.deterministic
    status = solver.solve(clocks.model)
    assert status != cp_model.MODEL_INVALID, clocks.model.validate()
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return tuple(routes)
    found = tuple(clock.route(solver) for clock in clocks.of_routes)
    return found if plan_price(problem, found) < plan_price(problem, routes) else tuple(routes)


def _span(problem: Problem) -> int:
    """No crew works longer, nor waits."""
    return max(crew.latest_return_s - crew.shift[0] for crew in problem.crews)


def _dearest(problem: Problem, routes: int) -> int:
    """More than all clocks could cost, as the model counts it."""
    before = [crew.work_before_s for crew in problem.crews]
    overtime = max((crew.overtime.price for crew in problem.crews if crew.overtime is not None), default=0)
    work = _span(problem) + max(before)
    return (
        (1 + _span(problem) * routes) * work * (problem.prices.balance + routes * (problem.prices.wait + overtime + 1))
    )


class _Clocks:
    """All routes of a day as one model."""

    def __init__(self, problem: Problem, routes: tuple[Route, ...]) -> None:
        self.problem, self.model = problem, cp_model.CpModel()
        self.met: dict[str, cp_model.IntVar] = {}
        self.of_routes = [self._clock(route) for route in routes]
        prices = problem.prices
        # Among equal prices nobody waits longer than need be.
        scale = 1 + _span(problem) * len(routes)
        priced = [(scale * prices.wait + 1) * clock.wait + scale * clock.overtime_price() for clock in self.of_routes]
        if prices.balance:
            priced.append(scale * prices.balance * self._apart())
        self.model.minimize(cp_model.LinearExpr.sum(priced))

    def _clock(self, route: Route) -> "_Clock":
        crew, model = self.problem.crew_by_id[route.crew], self.model
        tasks = [self.problem.task_by_id[stop.task] for stop in route.stops]
        begins = [self._begin(task, stop.begin_s) for task, stop in zip(tasks, route.stops, strict=True)]
        clock = _Clock(self.problem, model, crew, route, tasks, begins)
        clock.drive()
        return clock

    def _begin(self, task: Task, hint: int) -> cp_model.IntVar:
        """One for both crews of a pair."""
        if task.id in self.met:
            return self.met[task.id]
        low = min(crew.shift[0] for crew in self.problem.crews)
        high = max(crew.latest_return_s for crew in self.problem.crews)
        spans = [[max(opens, low), min(last, high)] for opens, last in task.begins]
        domain = cp_model.Domain.from_intervals([span for span in spans if span[0] <= span[1]])
        begin = self.model.new_int_var_from_domain(domain, task.id)
        self.model.add_hint(begin, hint)
        if task.crews == 2:
            self.met[task.id] = begin
        return begin

    def _apart(self) -> Whole:
        """The most work of all crews less the least."""
        model, worked = self.model, {clock.crew.id: clock.work for clock in self.of_routes}
        totals = [crew.work_before_s + worked.get(crew.id, 0) for crew in self.problem.crews]
        bound = max(crew.work_before_s for crew in self.problem.crews) + _span(self.problem)
        least, most = (model.new_int_var(0, bound, "") for _ in range(2))
        for total in totals:
            model.add(least <= total)
            model.add(most >= total)
        return most - least


@dataclass
class _Clock:
    """One route: when it leaves, begins each visit, rests and is back."""

    problem: Problem
    model: cp_model.CpModel
    crew: Crew
    before: Route
    tasks: list[Task]
    begins: list[cp_model.IntVar]
    rests: list[tuple[cp_model.IntVar, int, bool]] = field(default_factory=list)
    """Whether the break is taken before the drive to a stop (or home), or at its door: literal, stop, at the door."""

    @cached_property
    def depart(self) -> cp_model.IntVar:
        return self._moment(self.before.depart_s)

    @cached_property
    def back(self) -> cp_model.IntVar:
        return self._moment(self.before.return_s)

    @cached_property
    def rest(self) -> cp_model.IntVar:
        """When the break begins, where one is taken."""
        assert self.crew.break_ is not None
        window = self.crew.break_.window
        begin = self.model.new_int_var(window.opens_s, window.closes_s - 1, "")
        self.model.add_hint(begin, self.before.break_begin_s or window.opens_s)
        return begin

    def _moment(self, hint: int) -> cp_model.IntVar:
        made = self.model.new_int_var(self.crew.shift[0], self.crew.latest_return_s, "")
        self.model.add_hint(made, hint)
        return made

    @cached_property
    def work(self) -> Whole:
        return self.back - self.depart

    @cached_property
    def wait(self) -> Whole:
        rest = 0 if self.crew.break_ is None else self.crew.break_.duration_s
        resting = rest * cp_model.LinearExpr.sum([literal for literal, _, _ in self.rests])
        return self.work - resting - self.before.travel_s - sum(task.service_s for task in self.tasks)

    def overtime_price(self) -> Whole:
        crew = self.crew
        if crew.overtime is None or not crew.overtime.price:
            return 0
        over = self.model.new_int_var(0, max(0, crew.latest_return_s - crew.shift[1]), "")
        self.model.add(over >= self.back - crew.shift[1])
        return crew.overtime.price * over

    def drive(self) -> None:
        """The chain of stops, and the break somewhere between two of them."""
        model, last = self.model, len(self.tasks)
        for stop in range(last):
            model.add(self._reached(stop) >= self._ready(stop) + self._drive(stop))
        if self.crew.end is None:
            model.add(self.back == self._ready(last))
        else:
            model.add(self.back >= self._ready(last) + self._drive(last))
        if self.crew.max_work_s is not None:
            model.add(self.work <= self.crew.max_work_s)
        if self.crew.break_ is not None:
            self._rest_somewhere()

    def _ready(self, stop: int) -> Whole:
        """When the crew is free to set out for a stop, or home."""
        return self.depart if stop == 0 else self.begins[stop - 1] + self.tasks[stop - 1].service_s

    def _reached(self, stop: int) -> Whole:
        return self.back if stop == len(self.tasks) else self.begins[stop]

    def _drive(self, stop: int) -> int:
        here = self.crew.start if stop == 0 else self.tasks[stop - 1].location
        there = self.crew.end if stop == len(self.tasks) else self.tasks[stop].location
        return 0 if there is None else self.problem.travel.matrices[0][here][there] or 0

    def _rest_somewhere(self) -> None:
        """A break is taken, or one is home before its window opens, or leaves when it has closed."""
        model, rest = self.model, self.crew.break_
        assert rest is not None
        morning, afternoon = model.new_bool_var(""), model.new_bool_var("")
        model.add(self.back < rest.window.opens_s).only_enforce_if(morning)
        model.add(self.depart >= rest.window.closes_s).only_enforce_if(afternoon)
        last = len(self.tasks)
        for stop in range(last + (self.crew.end is not None)):
            for at_door in (False, True) if stop < last else (False,):
                taken = model.new_bool_var("")
                drive = self._drive(stop)
                sets_out, comes = (drive, 0) if at_door else (0, drive)
                model.add(self.rest >= self._ready(stop) + sets_out).only_enforce_if(taken)
                model.add(self.rest + rest.duration_s + comes <= self._reached(stop)).only_enforce_if(taken)
                self.rests.append((taken, stop, at_door))
        model.add_exactly_one(morning, afternoon, *(literal for literal, _, _ in self.rests))

    def route(self, solver: cp_model.CpSolver) -> Route:
        """As the solver told it; each drive right after the service or the break before it."""
        taken = [(stop, at_door) for literal, stop, at_door in self.rests if solver.boolean_value(literal)]
        rest_s = solver.value(self.rest) if taken else None
        stops = []
        for number, (task, begin) in enumerate(zip(self.tasks, self.begins, strict=True)):
            sets_out = solver.value(self._ready(number))
            if rest_s is not None and self.crew.break_ is not None and taken[0] == (number, False):
                sets_out = rest_s + self.crew.break_.duration_s
            begin_s, arrive_s = solver.value(begin), sets_out + self._drive(number)
            stops.append(Stop(task=task.id, arrive_s=arrive_s, begin_s=begin_s, end_s=begin_s + task.service_s))
        depart_s, return_s = solver.value(self.depart), solver.value(self.back)
        wait_s = solver.value(self.wait)
        return replace(
            self.before,
            depart_s=depart_s,
            return_s=return_s,
            wait_s=wait_s,
            break_begin_s=rest_s,
            stops=tuple(stops),
        )
