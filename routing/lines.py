"""One crew and its stops in order, ready to be asked for places: where could one more task go, and when would it begin.

Plain Python without numpy: a web process asks it between two requests.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from routing.openings import Openings, Spans
from routing.problem import Crew, Task
from routing.schedule import Visit
from routing.timetable import FAR, Timetable, first_begin, last_begin


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
    def travel_s(self) -> int:
        """The seconds on the road by the first band; none without a stop."""
        return self.table.travels(self.visits) if self.visits else 0

    def begins(self, task: Task, spans: Spans) -> Iterator[tuple[int, Spans]]:
        """Each place at which the task might fit, with the spans in which it might begin there.

        Exact but for limits on travel and on work, and for hour bands, of which it may be too hopeful.
        """
        if len(self.table.problem.travel.matrices) > 1:
            return ((place, spans) for place in self._hopeful(task, spans))
        return self._openings.begins(task, spans)

    def may(self, place: int, visit: Visit) -> bool:
        """Whether a clock serves the line with the visit at a place that `begins` told."""
        if self.table.searched:
            return self.table.lawful(self.with_task(place, visit))
        limit = self.crew.max_travel_s
        return limit is None or self.travel_s + self.extra_travel(place, visit[0]) <= limit

    @cached_property
    def _openings(self) -> Openings:
        return Openings(self.table, self.visits)

    @cached_property
    def _early(self) -> list[int]:
        """When the crew is ready to leave its start (0) or the k-th stop, breaks left aside."""
        now, here = self.crew.shift[0], self.crew.start
        ready = [now]
        for task, spans in self.visits:
            now = min(FAR, first_begin(spans, now + self.table.drive(now, here, task.location)) + task.service_s)
            here = task.location
            ready.append(now)
        return ready

    @cached_property
    def _late(self) -> list[int]:
        """The latest arrival at stop k, at last at the end, breaks left aside, over the shortest drives of any hour."""
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
        return min(FAR if length is None else length for length in lengths)

    def _hopeful(self, task: Task, spans: Sequence[tuple[int, int]]) -> Iterator[int]:
        drive, visits = self._shortest, self.visits
        early, late = self._early, self._late
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
