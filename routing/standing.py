"""A plan as it stands, ready to be asked: every crew's line, who serves what, and which quotas are full."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property

from routing.lines import Line
from routing.plan import Plan, Route
from routing.problem import Crew, Problem, Task
from routing.schedule import Visit
from routing.timetable import Timetable


def full_quotas(problem: Problem, served: Iterable[str]) -> frozenset[str]:
    """The quotas of which no more tasks may be served."""
    if not problem.quotas:
        return frozenset()
    counts = Counter(name for task in set(served) for name in problem.task_by_id[task].quotas)
    return frozenset(quota.id for quota in problem.quotas if counts[quota.id] >= quota.most)


@dataclass(frozen=True)
class Standing:
    """A plan's routes over its problem, by crew."""

    problem: Problem
    plan: Plan

    @cached_property
    def routes(self) -> dict[str, Route]:
        return {route.crew: route for route in self.plan.routes}

    @cached_property
    def lines(self) -> dict[str, Line]:
        """Every crew's line, in the problem's order; those without a stop as well."""
        return {crew.id: Line(Timetable(self.problem, crew), self._visits(crew)) for crew in self.problem.crews}

    def _visits(self, crew: Crew) -> tuple[Visit, ...]:
        route = self.routes.get(crew.id)
        stops = () if route is None else route.stops
        return tuple((self.problem.task_by_id[stop.task], self.spans(stop.task, stop.begin_s)) for stop in stops)

    def spans(self, name: str, begin_s: int) -> tuple[tuple[int, int], ...]:
        """Of a task for two crews the begin stays: the other crew is there at that second."""
        task = self.problem.task_by_id[name]
        return ((begin_s, begin_s),) if task.crews == 2 else task.begins

    @cached_property
    def crews_of(self) -> dict[str, tuple[str, ...]]:
        """Task → the crews that serve it: one, or two."""
        found: dict[str, tuple[str, ...]] = {}
        for route in self.plan.routes:
            for stop in route.stops:
                found[stop.task] = (*found.get(stop.task, ()), route.crew)
        return found

    @cached_property
    def taken_groups(self) -> dict[str, str]:
        """Group → the task of it that is served."""
        served = (self.problem.task_by_id[name] for name in self.crews_of)
        return {task.group: task.id for task in served if task.group is not None}

    def holding(self, task: Task, gone: Collection[str] = ()) -> tuple[str, ...] | None:
        """The served tasks that fill quotas of this one, itself and `gone` left aside; None where there is room.

        Only one that counts towards all of the full quotas makes room by itself.
        """
        left = [self.problem.task_by_id[name] for name in (task.id, *gone) if name in self.crews_of]
        full = frozenset(
            name
            for name in task.quotas
            if self._counts[name] - sum(name in one.quotas for one in left) >= self.problem.most_of[name]
        )
        if not full:
            return None
        filling = self._filling(full)
        return tuple(name for name in filling if name not in {one.id for one in left}) if left else filling

    @cached_property
    def _counts(self) -> Counter[str]:
        return Counter(name for task in self.crews_of for name in self.problem.task_by_id[task].quotas)

    def _filling(self, full: frozenset[str]) -> tuple[str, ...]:
        """The served tasks that count towards all of these; kept, since each of many tasks asks for them."""
        known = self._fillings.get(full)
        if known is None:
            found = (name for name in self.crews_of if full <= self.problem.task_by_id[name].quotas)
            known = self._fillings[full] = tuple(found)
        return known

    @cached_property
    def _fillings(self) -> dict[frozenset[str], tuple[str, ...]]:
        return {}
