"""A plan as it stands, ready to be asked for places: where could one more task go, at once and at what price.

Plain Python without numpy: a web process asks it between two requests. Each place is first judged by a look that may
only be too hopeful (the times without the break), then exactly.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from routing.plan import Plan, Route
from routing.problem import Crew, Problem, Task
from routing.schedule import Visit
from routing.timetable import FAR, Timetable, first_begin


@dataclass(frozen=True)
class Line:
    """One crew and its stops in order, each with the spans in which it may begin."""

    table: Timetable
    visits: tuple[Visit, ...]

    @property
    def crew(self) -> Crew:
        return self.table.crew

    @cached_property
    def tasks(self) -> tuple[Task, ...]:
        return tuple(task for task, _ in self.visits)

    @cached_property
    def early(self) -> list[int]:
        """When the crew is ready to leave its start (0) or the k-th stop, breaks left aside."""
        now, here = self.crew.shift[0], self.crew.start
        ready = [now]
        for task, spans in self.visits:
            now = min(FAR, first_begin(spans, now + self.table.drive(now, here, task.location)) + task.service_s)
            here = task.location
            ready.append(now)
        return ready

    @cached_property
    def late(self) -> list[int]:
        """The latest arrival at stop k, at last at the end, breaks left aside; exact for one band, else hopeful."""
        latest = self.crew.latest_return_s
        there: int | None = self.crew.end
        found = [latest]
        for task, spans in reversed(self.visits):
            latest -= 0 if there is None else self._shortest(task.location, there)
            latest = last_begin(spans, latest - task.service_s)
            there = task.location
            found.append(latest)
        return found[::-1]

    def _shortest(self, origin: int, target: int) -> int:
        lengths = [matrix[origin][target] for matrix in self.table.problem.travel.matrices]
        if len(lengths) == 1:
            return FAR if lengths[0] is None else lengths[0]
        return min(FAR if length is None else length for length in lengths)

    def hopeful(self, task: Task, spans: Sequence[tuple[int, int]]) -> Iterator[int]:
        """The places at which the task might fit, by their number."""
        drive, visits = self._shortest, self.visits
        early, late = self.early, self.late
        for place in range(len(visits) + 1):
            here = self.crew.start if place == 0 else visits[place - 1][0].location
            begin = first_begin(spans, early[place] + drive(here, task.location))
            there = visits[place][0].location if place < len(visits) else self.crew.end
            home = 0 if there is None else drive(task.location, there)
            if begin < FAR and begin + task.service_s + home <= late[place]:
                yield place

    def with_task(self, place: int, visit: Visit) -> tuple[Visit, ...]:
        return (*self.visits[:place], visit, *self.visits[place:])

    def without(self, name: str) -> "Line":
        """The line once this task is gone; kept, since each of many tasks asks for it."""
        shorter = self._shorter.get(name)
        if shorter is None:
            shorter = Line(self.table, tuple(visit for visit in self.visits if visit[0].id != name))
            self._shorter[name] = shorter
        return shorter

    @cached_property
    def _shorter(self) -> "dict[str, Line]":
        return {}

    def takes(self, task: Task) -> bool:
        """Whether nothing but the clock could speak against it; of a pair each crew is asked alone."""
        crew = self.crew
        if not task.requires <= crew.offers or (task.crews == 1 and task.visitors > crew.size):
            return False
        if task.crews == 1 and task.pin is not None and task.pin.crew not in (None, crew.id):
            return False
        if crew.max_tasks is not None and len(self.visits) >= crew.max_tasks:
            return False
        return crew.capacity is None or not self._overloaded(task, crew.capacity)

    def _overloaded(self, task: Task, capacity: tuple[int, ...]) -> bool:
        loads = [*(each.load for each in self.tasks), task.load]
        kinds = range(max(len(load) for load in loads))
        room = (*capacity, *([0] * len(kinds)))
        return any(sum(load[kind] for load in loads if kind < len(load)) > room[kind] for kind in kinds)

    def extra_travel(self, place: int, task: Task) -> int:
        """How much longer one drives with the task at this place, by the first band."""
        drive, departs = self.table.drive, self.crew.shift[0]
        here = self.crew.start if place == 0 else self.visits[place - 1][0].location
        there = self.visits[place][0].location if place < len(self.visits) else self.crew.end
        longer = drive(departs, here, task.location)
        if there is None:
            return longer
        direct = drive(departs, here, there) if self.visits or place else 0
        return longer + drive(departs, task.location, there) - direct


def last_begin(spans: Sequence[tuple[int, int]], latest_s: int) -> int:
    """The last lawful begin up to then, minus FAR where there is none."""
    for opens, last in reversed(spans):
        if latest_s >= opens:
            return min(last, latest_s)
    return -FAR


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
        served = [name for name in self.crews_of if name != task.id and name not in gone]
        full = full_quotas(self.problem, served) & task.quotas
        if not full:
            return None
        return tuple(name for name in served if full <= self.problem.task_by_id[name].quotas)
