"""The clock of one route for a fixed order of stops, in plain Python: for whoever tries one change at a time.

`Timetable` answers when a crew is back if it leaves at a given moment, in one pass over the stops. `timed` writes the
cheapest lawful route out; `forced` writes out a route for any order, lawful or not, so that a judge can name all that
is wrong with it at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from routing.demands import LARGEST
from routing.plan import Route, Stop
from routing.pricing import route_price
from routing.problem import Crew, Problem, Task
from routing.schedule import Visit, clocked

FAR = 1 << 40
"""Later than every instant: a time that cannot be kept."""
ANY_TIME = ((-FAR, FAR - 1),)
FLATS = 8
"""How many departures are looked at where waiting has a price; a day rarely has more windows to slip into."""


@dataclass(frozen=True)
class Timetable:
    """One crew's clock over orders of stops."""

    problem: Problem
    crew: Crew

    @cached_property
    def priced(self) -> bool:
        """Whether the moment of departure matters: to the price, or to a limit."""
        prices, crew = self.problem.prices, self.crew
        timed = prices.wait > 0 or prices.balance > 0 or crew.max_work_s is not None or crew.overtime is not None
        return timed or len(self.problem.travel.matrices) > 1

    @cached_property
    def searched(self) -> bool:
        """Whether the law itself asks for a departure: how long one works, or how long a drive takes, depends on it."""
        return self.crew.max_work_s is not None or len(self.problem.travel.matrices) > 1

    def drive(self, at_s: int, origin: int, target: int) -> int:
        """The seconds of a drive that starts then; FAR where there is no way."""
        travel = self.problem.travel
        matrices = travel.matrices
        matrix = matrices[0] if len(matrices) == 1 else matrices[travel.band_at(at_s)]
        length = matrix[origin][target]
        return FAR if length is None else length

    def returns(self, visits: Sequence[Visit], depart_s: int) -> int:
        """The earliest lawful return from these visits, FAR where there is none."""
        rest = self.crew.break_
        return self._plain(visits, depart_s) if rest is None else self._rested(visits, depart_s)

    def _plain(self, visits: Sequence[Visit], depart_s: int) -> int:
        now, here = depart_s, self.crew.start
        for task, spans in visits:
            now = first_begin(spans, now + self.drive(now, here, task.location)) + task.service_s
            if now >= FAR:
                return FAR
            here = task.location
        back = now if self.crew.end is None else now + self.drive(now, here, self.crew.end)
        return back if back <= self.crew.latest_return_s else FAR

    def _rested(self, visits: Sequence[Visit], depart_s: int) -> int:
        """Two clocks side by side: without the break so far, and with the break behind."""
        rest, latest = self.crew.break_, self.crew.latest_return_s
        assert rest is not None
        now, rested, here = depart_s, FAR, self.crew.start
        for task, spans in visits:
            target = task.location
            after = first_begin(spans, rested + self.drive(rested, here, target)) if rested < FAR else FAR
            fresh = first_begin(spans, self._rests_on_the_way(now, here, target)) if now < FAR else FAR
            rested = min(after, fresh) + task.service_s
            now = first_begin(spans, now + self.drive(now, here, target)) + task.service_s if now < FAR else FAR
            if min(now, rested) >= FAR:
                return FAR
            here = target
        plain = now + self._home(now, here) if now < FAR else FAR
        if plain < rest.window.opens_s or depart_s >= rest.window.closes_s:
            # Home before the break's window, or gone after it: none is needed.
            return plain if plain <= latest else FAR
        back = rested + self._home(rested, here) if rested < FAR else FAR
        if self.crew.end is not None and now < rest.window.closes_s:
            leaves = max(now, rest.window.opens_s) + rest.duration_s
            back = min(back, leaves + self.drive(leaves, here, self.crew.end))
        return back if back <= latest else FAR

    def _home(self, at_s: int, here: int) -> int:
        return 0 if self.crew.end is None else self.drive(at_s, here, self.crew.end)

    def _rests_on_the_way(self, now: int, here: int, target: int) -> int:
        """The arrival, ready to begin, with the break before the drive or at the door."""
        rest = self.crew.break_
        assert rest is not None
        there, best = now + self.drive(now, here, target), FAR
        if there < rest.window.closes_s:
            best = max(there, rest.window.opens_s) + rest.duration_s
        if now < rest.window.closes_s:
            leaves = max(now, rest.window.opens_s) + rest.duration_s
            best = min(best, leaves + self.drive(leaves, here, target))
        return best

    def departures(self) -> tuple[int, ...]:
        """When it may make sense to leave: with the shift, or once the break's window is over."""
        begins = self.crew.shift[0]
        if self.crew.break_ is not None and begins < self.crew.break_.window.closes_s <= self.crew.latest_return_s:
            return begins, self.crew.break_.window.closes_s
        return (begins,)

    def lawful(self, visits: Sequence[Visit]) -> bool:
        """Whether some clock serves these visits in this order. Exact but for hour bands, where it may miss one."""
        if self.searched:
            return any(self._flats(visits, departs) for departs in self.departures())
        if not self._travels_within_limits(visits):
            return False
        return any(self.returns(visits, departs) < FAR for departs in self.departures())

    def _travels_within_limits(self, visits: Sequence[Visit]) -> bool:
        limit = self.crew.max_travel_s
        return limit is None or self.travels(visits) <= limit

    def travels(self, visits: Sequence[Visit]) -> int:
        """The seconds on the road, by the first hour band."""
        here, total = self.crew.start, 0
        for task, _ in visits:
            total += self.drive(self.crew.shift[0], here, task.location)
            here = task.location
        return total if self.crew.end is None else total + self.drive(self.crew.shift[0], here, self.crew.end)

    def best(self, visits: Sequence[Visit]) -> Route | None:
        """The cheapest lawful route; among equals the one that leaves latest for the same return."""
        found: list[Route] = []
        for departs in self.departures():
            found += self._flats(visits, departs)
        return min(found, key=lambda route: (route_price(self.problem, route), route.return_s), default=None)

    def _flats(self, visits: Sequence[Visit], departs: int) -> list[Route]:
        """Routes that leave as late as their return allows, for each return from the earliest on."""
        found: list[Route] = []
        busy = self.travels(visits) + sum(task.service_s for task, _ in visits)
        for _ in range(FLATS):
            returns = self.returns(visits, departs)
            if returns >= FAR:
                break
            at_least = busy + self._rest_between(departs, returns)
            departs = self._latest(visits, departs, returns, at_least)
            route = clocked(self.problem, self.crew, visits, departs)
            if route is not None:
                found.append(route)
            if returns - departs <= at_least or not self.priced:
                break
            departs += 1
        return found

    def _rest_between(self, departs: int, returns: int) -> int:
        """The seconds of the break that any route needs which leaves then, or later before the break's window has
        closed, and returns then. By hour bands later drives may be shorter: nothing is certain."""
        rest = self.crew.break_
        if rest is None or len(self.problem.travel.matrices) > 1:
            return 0
        return rest.duration_s if departs < rest.window.closes_s and returns >= rest.window.opens_s else 0

    def _latest(self, visits: Sequence[Visit], departs: int, returns: int, at_least: int) -> int:
        """The latest departure that is back no later, by halving: leaving later never brings one back earlier."""
        low, high = departs, min(returns, self.crew.latest_return_s)
        if self.crew.break_ is not None and departs < self.crew.break_.window.closes_s:
            high = min(high, self.crew.break_.window.closes_s - 1)
        if len(self.problem.travel.matrices) == 1:
            # Who leaves later would be back later without waiting at all: mostly nothing is left to be halved.
            high = max(low, min(high, returns - at_least))
        middle = high
        while low < high:
            if self.returns(visits, middle) <= returns:
                low = middle
            else:
                high = middle - 1
            middle = (low + high + 1) // 2
        return low


def first_begin(spans: Sequence[tuple[int, int]], arrive_s: int) -> int:
    """The first lawful begin from then on, FAR where there is none."""
    for opens, last in spans:
        if arrive_s <= last:
            return opens if arrive_s < opens else arrive_s
    return FAR


def last_begin(spans: Sequence[tuple[int, int]], latest_s: int) -> int:
    """The last lawful begin up to then, minus FAR where there is none."""
    for opens, last in reversed(spans):
        if latest_s >= opens:
            return min(last, latest_s)
    return -FAR


def timed(problem: Problem, crew: Crew, visits: Sequence[Visit]) -> Route | None:
    """The cheapest lawful route over these visits in this order, or None."""
    return Timetable(problem, crew).best(visits)


def forced(problem: Problem, crew: Crew, tasks: Sequence[Task]) -> Route:
    """The route in this order that keeps what can be kept: what it cannot keep, the judge will name.

    A visit that comes too late in this order begins on arrival, and the shift and its limits have no end then. Where
    there is no way, the drive takes no time, which is a fault as well.
    """
    visits = [(task, task.begins) for task in tasks]
    route = timed(problem, crew, visits)
    if route is not None:
        return route
    endless = replace(crew, shift=(crew.shift[0], LARGEST), overtime=None, max_travel_s=None, max_work_s=None)
    clock = Timetable(problem, endless)
    kept: list[Visit] = []
    for task in tasks:
        wishes = [task.begins, () if task.pin is None or task.pin.begin is None else (task.pin.begin,), ANY_TIME]
        for spans in wishes:
            if spans and clock.lawful([*kept, (task, spans)]):
                kept.append((task, spans))
                break
        else:
            return _driven(problem, crew, tasks)
    return clock.best(kept) or _driven(problem, crew, tasks)


def _driven(problem: Problem, crew: Crew, tasks: Sequence[Task]) -> Route:
    """Stop after stop without a break, each at its first lawful moment or on arrival."""
    now = depart = crew.shift[0]
    here, travel, stops = crew.start, 0, list[Stop]()
    for task in tasks:
        drive = _any_drive(problem, now, here, task.location)
        begin = first_begin(task.begins, now + drive)
        begin = now + drive if begin >= FAR else begin
        stops.append(Stop(task=task.id, arrive_s=now + drive, begin_s=begin, end_s=begin + task.service_s))
        now, here, travel = begin + task.service_s, task.location, travel + drive
    home = 0 if crew.end is None else _any_drive(problem, now, here, crew.end)
    wait = now - depart - travel - sum(task.service_s for task in tasks)
    return Route(
        crew=crew.id,
        depart_s=depart,
        return_s=now + home,
        travel_s=travel + home,
        wait_s=wait,
        stops=tuple(stops),
    )


def _any_drive(problem: Problem, at_s: int, origin: int, target: int) -> int:
    return problem.travel.matrices[problem.travel.band_at(at_s)][origin][target] or 0
