"""Small days solved exactly, by a model that shares nothing with the solver but the values: circuits and intervals.

Everything of the format is modelled but travel by hour band. Costs are those of `docs/planning.md`.
"""

from dataclasses import dataclass, field
from functools import cached_property

from ortools.sat.python import cp_model

from routing.problem import Crew, Problem, Task

OF_A_DUTY = 10**8
"""A mandatory task left out weighs more than all costs of a small day."""

type Bool = cp_model.IntVar
type Whole = cp_model.LinearExprT


def best_rank(problem: Problem, seconds: float = 20.0) -> tuple[int, int] | None:
    """(mandatory left, cost) of the best plan there is, None if the proof takes longer."""
    model = _Day(problem)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_time_in_seconds = seconds
    if solver.solve(model.model) != cp_model.OPTIMAL:
        return None
    return divmod(round(solver.objective_value), OF_A_DUTY)


@dataclass
class _Tour:
    """One crew's day."""

    crew: Crew
    used: Bool
    depart: cp_model.IntVar
    back: cp_model.IntVar
    serves: dict[int, Bool] = field(default_factory=dict)
    begins: dict[int, cp_model.IntVar] = field(default_factory=dict)
    travel: list[tuple[Bool, int]] = field(default_factory=list)
    busy: list[cp_model.IntervalVar] = field(default_factory=list)
    resting: Whole = 0


class _Day:
    def __init__(self, problem: Problem) -> None:
        self.problem, self.model = problem, cp_model.CpModel()
        assert len(problem.travel.matrices) == 1
        self.seconds = problem.travel.matrices[0]
        self.low = min(crew.shift[0] for crew in problem.crews)
        self.high = max(crew.latest_return_s for crew in problem.crews)
        self.tours = [self._tour(crew) for crew in problem.crews]
        self.model.minimize(sum(map(self._tour_price, self.tours)) + self._left() + self._balances() + self._change())

    def _tour(self, crew: Crew) -> _Tour:
        model = self.model
        moment = [model.new_int_var(crew.shift[0], crew.latest_return_s, "") for _ in range(2)]
        tour = _Tour(crew, model.new_bool_var(""), *moment)
        arrivals = {i: model.new_int_var(self.low, self.high, "") for i in range(len(self.problem.tasks))}
        for i, task in enumerate(self.problem.tasks):
            tour.serves[i] = model.new_bool_var("")
            tour.begins[i] = model.new_int_var(self.low, self.high, "")
            self._visit(tour, i, task, arrivals[i])
        self._circuit(tour, arrivals)
        self._rest(tour)
        model.add_no_overlap(tour.busy)
        self._limits(tour)
        return tour

    def _visit(self, tour: _Tour, i: int, task: Task, arrive: cp_model.IntVar) -> None:
        model, serves, begin = self.model, tour.serves[i], tour.begins[i]
        # Else visits that take no time at one place could follow each other in a ring that never was at the base.
        model.add_implication(serves, tour.used)
        if not self._may(tour.crew, task):
            model.add(serves == 0)
        spans = [model.new_bool_var("") for _ in task.begins]
        model.add(sum(spans) == serves)
        for chosen, (opens, last) in zip(spans, task.begins, strict=True):
            model.add(begin >= max(opens, self.low)).only_enforce_if(chosen)
            model.add(begin <= min(last, self.high)).only_enforce_if(chosen)
        model.add(begin >= arrive).only_enforce_if(serves)
        tour.busy.append(model.new_optional_interval_var(begin, task.service_s, begin + task.service_s, serves, ""))

    def _may(self, crew: Crew, task: Task) -> bool:
        alone = task.crews == 1
        pinned = task.pin is not None and task.pin.crew not in (None, crew.id)
        return task.requires <= crew.offers and not (alone and (pinned or task.visitors > crew.size))

    def _circuit(self, tour: _Tour, arrivals: dict[int, cp_model.IntVar]) -> None:
        """Node 0 is the crew's base; a loop at a node means that it is not visited."""
        model, crew, tasks = self.model, tour.crew, self.problem.tasks
        arcs = [(0, 0, tour.used.negated())]
        arcs += [(i + 1, i + 1, serves.negated()) for i, serves in tour.serves.items()]
        for j, task in enumerate(tasks):
            origins = [(0, crew.start, tour.depart)]
            origins += [
                (i + 1, tasks[i].location, tour.begins[i] + tasks[i].service_s) for i in range(len(tasks)) if i != j
            ]
            for node, place, ready in origins:
                seconds = self.seconds[place][task.location]
                if seconds is not None:
                    arcs.append((node, j + 1, self._drive(tour, ready, seconds, arrivals[j])))
            seconds = 0 if crew.end is None else self.seconds[task.location][crew.end]
            if seconds is not None:
                done = tour.begins[j] + task.service_s
                literal = self._drive(tour, done, seconds, tour.back)
                arcs.append((j + 1, 0, literal))
                if crew.end is None:
                    model.add(tour.back == done).only_enforce_if(literal)
        model.add_circuit(arcs)

    def _drive(self, tour: _Tour, ready: Whole, seconds: int, arrive: cp_model.IntVar) -> Bool:
        literal = self.model.new_bool_var("")
        begin = self.model.new_int_var(self.low - seconds, self.high, "")
        self.model.add(begin >= ready).only_enforce_if(literal)
        tour.busy.append(self.model.new_optional_interval_var(begin, seconds, arrive, literal, ""))
        tour.travel.append((literal, seconds))
        return literal

    def _rest(self, tour: _Tour) -> None:
        """A used tour needs the break unless it is back before the window opens, or leaves when it has closed."""
        model, rest = self.model, tour.crew.break_
        if rest is None:
            return
        rests, morning, afternoon = (model.new_bool_var("") for _ in range(3))
        model.add_bool_or(rests, morning, afternoon, tour.used.negated())
        model.add(tour.back < rest.window.opens_s).only_enforce_if(morning)
        model.add(tour.depart >= rest.window.closes_s).only_enforce_if(afternoon)
        begin = model.new_int_var(rest.window.opens_s, rest.window.closes_s - 1, "")
        model.add(begin >= tour.depart).only_enforce_if(rests)
        model.add(begin + rest.duration_s <= tour.back).only_enforce_if(rests)
        model.add_implication(rests, tour.used)
        tour.busy.append(model.new_optional_interval_var(begin, rest.duration_s, begin + rest.duration_s, rests, ""))
        tour.resting = rests * rest.duration_s

    def _limits(self, tour: _Tour) -> None:
        model, crew, tasks = self.model, tour.crew, self.problem.tasks
        model.add(tour.back >= tour.depart)
        model.add(tour.back == tour.depart).only_enforce_if(tour.used.negated())
        if crew.max_tasks is not None:
            model.add(sum(tour.serves.values()) <= crew.max_tasks)
        if crew.max_travel_s is not None:
            model.add(sum(literal * seconds for literal, seconds in tour.travel) <= crew.max_travel_s)
        if crew.max_work_s is not None:
            model.add(tour.back - tour.depart <= crew.max_work_s)
        for kind in range(max((len(task.load) for task in tasks), default=0)) if crew.capacity is not None else ():
            room = crew.capacity[kind] if kind < len(crew.capacity) else 0
            loads = [task.load[kind] if kind < len(task.load) else 0 for task in tasks]
            model.add(sum(tour.serves[i] * load for i, load in enumerate(loads)) <= room)

    def _tour_price(self, tour: _Tour) -> Whole:
        prices, crew, tasks = self.problem.prices, tour.crew, self.problem.tasks
        travel = sum(literal * seconds for literal, seconds in tour.travel)
        service = sum(serves * tasks[i].service_s for i, serves in tour.serves.items())
        wait = tour.back - tour.depart - travel - service - tour.resting
        price: Whole = prices.travel * travel + prices.wait * wait + prices.crew_used * tour.used
        if crew.overtime is not None:
            over = self.model.new_int_var(0, max(0, crew.latest_return_s - crew.shift[1]), "")
            self.model.add(over >= tour.back - crew.shift[1]).only_enforce_if(tour.used)
            price += crew.overtime.price * over
        return price

    @cached_property
    def _served(self) -> dict[int, Bool]:
        """Whether each task is served: by one crew, or by two that begin together."""
        served = {}
        for i, task in enumerate(self.problem.tasks):
            served[i] = self.model.new_bool_var("")
            by = [tour.serves[i] for tour in self.tours]
            self.model.add(sum(by) == task.crews * served[i])
            if task.crews == 2:
                self._meet(i, task, served[i])
        return served

    def _meet(self, i: int, task: Task, served: Bool) -> None:
        sizes = sum(tour.serves[i] * tour.crew.size for tour in self.tours)
        self.model.add(sizes >= task.visitors).only_enforce_if(served)
        together = self.model.new_int_var(self.low, self.high, "")
        for tour in self.tours:
            self.model.add(tour.begins[i] == together).only_enforce_if(tour.serves[i])
        if task.pin is not None and task.pin.crew is not None:
            self.model.add(sum(t.serves[i] for t in self.tours if t.crew.id == task.pin.crew) >= served)

    def _left(self) -> Whole:
        groups: dict[str, list[int]] = {}
        price: Whole = 0
        for i, task in enumerate(self.problem.tasks):
            price += OF_A_DUTY * task.mandatory * (1 - self._served[i])
            if task.group is None:
                price += task.value_s * (1 - self._served[i])
            else:
                groups.setdefault(task.group, []).append(i)
        for quota in self.problem.quotas:
            counted = [self._served[i] for i, task in enumerate(self.problem.tasks) if quota.id in task.quotas]
            self.model.add(sum(counted) <= quota.most)
        for members in groups.values():
            any_of = sum(self._served[i] for i in members)
            self.model.add(any_of <= 1)
            price += max(self.problem.tasks[i].value_s for i in members) * (1 - any_of)
        return price

    def _change(self) -> Whole:
        price: Whole = 0
        for i, task in enumerate(self.problem.tasks):
            if task.published_crew is not None:
                kept = sum(tour.serves[i] for tour in self.tours if tour.crew.id == task.published_crew)
                price += self.problem.prices.change * (1 - kept)
        return price

    def _balances(self) -> Whole:
        prices, tasks = self.problem.prices, self.problem.tasks
        work = [tour.crew.work_before_s + tour.back - tour.depart for tour in self.tours]
        risk = [
            tour.crew.risk_before + sum(serves * tasks[i].risk for i, serves in tour.serves.items())
            for tour in self.tours
        ]
        earning = [
            tour.crew.earning_before + sum(serves * tasks[i].earning for i, serves in tour.serves.items())
            for tour in self.tours
        ]
        prices_of = (prices.balance, prices.balance_risk, prices.balance_earning)
        return sum(self._apart(price, each) for price, each in zip(prices_of, (work, risk, earning), strict=True))

    def _apart(self, price: int, shares: list[Whole]) -> Whole:
        if price == 0:
            return 0
        least, most = (self.model.new_int_var(0, 10**6, "") for _ in range(2))
        for share in shares:
            self.model.add(least <= share)
            self.model.add(most >= share)
        return price * (most - least)
