"""When one more visit could begin at each place of a route: exact, whatever becomes of the break, and at once.

Over one matrix, and for an order of stops, a visit put in at a place may begin from when the crew can be there until
what follows can no longer be kept. A break makes two such spans: it is over by then, or still to come. `Timetable`
tells the same for one begin in a pass over all stops; whoever explains a day of 300 visits asks for a million places.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from routing.problem import Break, Matrix, Task
from routing.schedule import Visit
from routing.timetable import FAR, Timetable, first_begin, last_begin

type Spans = Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Openings:
    """The places of one route. Limits on travel and on work are left aside; `FAR` and `-FAR` stand for never."""

    table: Timetable
    visits: tuple[Visit, ...]

    def begins(self, task: Task, spans: Spans) -> Iterator[tuple[int, Spans]]:
        """Each place at which the task fits, with the spans in which it may begin there; they may overlap."""
        if not spans:
            return
        service_s, opens_s, last_s = task.service_s, spans[0][0], spans[-1][1]
        soonest, late, here, after = self._soonest, self._late, self._here, self._next
        to, away, target = self._matrix, self._matrix[task.location], task.location
        for place in range(bisect_left(late, opens_s + service_s), bisect_right(soonest, last_s)):
            there = to[here[place]][target]
            back = 0 if (home := after[place]) is None else away[home]
            if there is None or back is None:
                continue
            # Most places fail here already, by the best that could become of the break.
            begin = soonest[place] + there
            if begin > last_s or (begin if begin > opens_s else opens_s) + service_s + back > late[place]:
                continue
            found = [
                (max(opens, first), min(closes, leaves - service_s))
                for first, leaves in self._between(place, there, back)
                for opens, closes in spans
                if max(opens, first) <= min(closes, leaves - service_s)
            ]
            if found:
                yield place, found

    def _between(self, place: int, there: int, back: int) -> Iterator[tuple[int, int]]:
        """The earliest begin and the latest end of a visit here: with no break to come, and with it to come."""
        soonest, rest = self._rested[place] + there, self._rest
        if rest is not None:
            fresh = self._fresh[place]
            soonest = min(soonest, _rested_on_the_way(rest, fresh, there))
            yield fresh + there, self._leaves(place, back)
        yield soonest, self._late[place] - back

    @cached_property
    def _matrix(self) -> Matrix:
        return self.table.problem.travel.matrices[0]

    @cached_property
    def _rest(self) -> Break | None:
        """The break that the route may need; whoever begins after its window needs none."""
        rest = self.table.crew.break_
        return None if rest is None or self.table.crew.shift[0] >= rest.window.closes_s else rest

    @cached_property
    def _here(self) -> list[int]:
        return [self.table.crew.start, *(task.location for task, _ in self.visits)]

    @cached_property
    def _next(self) -> list[int | None]:
        return [*(task.location for task, _ in self.visits), self.table.crew.end]

    def _drive(self, place: int) -> int:
        """From the stop before the place to the one after it."""
        after = self._next[place]
        length = 0 if after is None else self._matrix[self._here[place]][after]
        return FAR if length is None else length

    @cached_property
    def _fresh(self) -> list[int]:
        """When the crew is ready to leave for each place without having rested; FAR throughout if it never has to."""
        return self._ready(FAR if self._rest is None else self.table.crew.shift[0])

    def _ready(self, now: int) -> list[int]:
        found = [now]
        for place, (task, spans) in enumerate(self.visits):
            now = min(FAR, first_begin(spans, now + self._drive(place)) + task.service_s)
            found.append(now)
        return found

    @cached_property
    def _rested(self) -> list[int]:
        """The same with no break to come: it is over, or the crew leaves after its window."""
        rest, crew = self._rest, self.table.crew
        if rest is None:
            return self._ready(crew.shift[0])
        late = rest.window.closes_s in self.table.departures()
        gone = self._ready(rest.window.closes_s if late else FAR)
        now, found = FAR, [gone[0]]
        for place, (task, spans) in enumerate(self.visits):
            drive = self._drive(place)
            now = min(now + drive, _rested_on_the_way(rest, self._fresh[place], drive))
            now = min(FAR, first_begin(spans, now) + task.service_s)
            found.append(min(now, gone[place + 1]))
        return found

    @cached_property
    def _soonest(self) -> list[int]:
        return [min(both) for both in zip(self._fresh, self._rested, strict=True)]

    @cached_property
    def _late(self) -> list[int]:
        """The latest arrival after each place with no break to come: at the stop, at last at the end."""
        found = [self.table.crew.latest_return_s]
        for place in range(len(self.visits) - 1, -1, -1):
            task, spans = self.visits[place]
            found.append(last_begin(spans, found[-1] - self._drive(place + 1) - task.service_s))
        return found[::-1]

    @cached_property
    def _late_fresh(self) -> list[int]:
        """The same with the break to come, or home before its window."""
        rest, latest = self._rest, self.table.crew.latest_return_s
        found = [latest if rest is None else min(latest, rest.window.opens_s - 1)]
        for place in range(len(self.visits), 0, -1):
            task, spans = self.visits[place - 1]
            leaves = self._left_by(place, self._drive(place), found[-1])
            found.append(last_begin(spans, leaves - task.service_s))
        return found[::-1]

    def _leaves(self, place: int, drive: int) -> int:
        return self._left_by(place, drive, self._late_fresh[place])

    def _left_by(self, place: int, drive: int, fresh: int) -> int:
        """The latest moment to leave for what follows the place with the break to come; `fresh`: if it comes later."""
        rest, leaves = self._rest, fresh - drive
        assert rest is not None
        latest, last = self._late[place], rest.window.closes_s - 1
        soonest = rest.window.opens_s + rest.duration_s
        if self._next[place] is not None and soonest + drive <= latest:
            leaves = max(leaves, min(last, latest - rest.duration_s - drive))
        if place < len(self.visits) and soonest <= latest:
            leaves = max(leaves, min(last, latest - rest.duration_s) - drive)
        return leaves


def _rested_on_the_way(rest: Break, now: int, drive: int) -> int:
    """The arrival, ready to begin, with the break before the drive or at the door."""
    opens, closes = rest.window.opens_s, rest.window.closes_s
    best = FAR
    if now + drive < closes:
        best = max(now + drive, opens) + rest.duration_s
    if now < closes:
        best = min(best, max(now, opens) + rest.duration_s + drive)
    return best
