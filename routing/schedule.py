"""The clock of a route, written out: from an order of stops and a departure to a `Route`.

Plain Python over the problem's own values, so that what is published does not rest on the compiled arrays.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf

from routing.plan import Route, Stop
from routing.problem import Crew, Problem, Task, Travel

type Visit = tuple[Task, Sequence[tuple[int, int]]]
"""A task and the spans in which it may begin (both ends included)."""


@dataclass(frozen=True)
class _Rest:
    """A break on the way to a stop: before the drive, or at the door. `before` counts the stops, the last is home."""

    before: int
    at_door: bool


@dataclass(frozen=True)
class _Underway:
    """Free to set out for the next stop: when, where, after how much travel, with these stops behind."""

    now: int
    here: int
    travel: int
    stops: tuple[Stop, ...] = ()


def clocked(problem: Problem, crew: Crew, visits: Sequence[Visit], depart_s: int) -> Route | None:
    """The route that leaves at `depart_s` and returns earliest, each drive right after a service; None if none does."""
    way = _unrested(problem, crew, visits, _Underway(depart_s, crew.start, 0))
    found = [] if len(way) <= len(visits) else [_home(problem, crew, visits, (depart_s, way[-1]), None)]
    # Up to the break every way is the same.
    for rest in _rests(crew, way, len(visits)):
        found.append(_rested_way(problem, crew, visits, (depart_s, way[rest.before]), rest))
    # With equal returns a break beats idle waiting.
    lawful = [route for route in found if route is not None]
    return min(lawful, key=lambda route: (route.return_s, route.wait_s, route.travel_s), default=None)


def _rests(crew: Crew, way: Sequence[_Underway], count: int) -> Iterator[_Rest]:
    """Where a break may be taken: only where its window has not closed yet."""
    if crew.break_ is None:
        return
    for before, underway in enumerate(way):
        if underway.now >= crew.break_.window.closes_s:
            return
        if before < count:
            yield _Rest(before, at_door=True)
        if before < count or crew.end is not None:
            yield _Rest(before, at_door=False)


def _unrested(problem: Problem, crew: Crew, visits: Sequence[Visit], underway: _Underway) -> list[_Underway]:
    """The way from where the crew is, before each of the visits and after the last, as far as its hours allow."""
    way = [underway]
    for visit in visits:
        drive = _drive(problem.travel, underway.now, underway.here, visit[0].location)
        if drive is None or underway.now > crew.latest_return_s:
            break
        begun = _begun(underway, visit, drive, underway.now + drive)
        if begun is None:
            break
        underway = begun
        way.append(underway)
    return way


def _begun(underway: _Underway, visit: Visit, drive: int, ready_s: int) -> _Underway | None:
    """After the visit, which begins as soon as it may once the crew is ready at its door."""
    task, spans = visit
    begin = next((max(ready_s, opens) for opens, last in spans if ready_s <= last), None)
    if begin is None:
        return None
    ends = begin + task.service_s
    stop = Stop(task=task.id, arrive_s=underway.now + drive, begin_s=begin, end_s=ends)
    return _Underway(ends, task.location, underway.travel + drive, (*underway.stops, stop))


def _rested_way(
    problem: Problem, crew: Crew, visits: Sequence[Visit], begun: tuple[int, _Underway], rest: _Rest
) -> Route | None:
    """The route that rests there, from where it has come without a break."""
    depart_s, underway = begun
    rested_at = 0
    if not rest.at_door:
        now, rested_at = _rested(crew, underway.now)
        underway = replace(underway, now=now)
    if rest.before < len(visits):
        visit = visits[rest.before]
        drive = _drive(problem.travel, underway.now, underway.here, visit[0].location)
        if drive is None or underway.now > crew.latest_return_s:
            return None
        ready_s = underway.now + drive
        if rest.at_door:
            ready_s, rested_at = _rested(crew, ready_s)
            if crew.break_ is not None and rested_at >= crew.break_.window.closes_s:
                return None
        after = _begun(underway, visit, drive, ready_s)
        if after is None:
            return None
        way = _unrested(problem, crew, visits[rest.before + 1 :], after)
        if len(way) < len(visits) - rest.before:
            return None
        underway = way[-1]
    return _home(problem, crew, visits, (depart_s, underway), rested_at)


def _home(
    problem: Problem, crew: Crew, visits: Sequence[Visit], driven: tuple[int, _Underway], rested_at: int | None
) -> Route | None:
    depart_s, underway = driven
    drive = 0 if crew.end is None else _drive(problem.travel, underway.now, underway.here, crew.end)
    if drive is None:
        return None
    clock = (depart_s, underway.now + drive, underway.travel + drive, rested_at)
    return _judged(crew, visits, underway.stops, clock)


def _judged(
    crew: Crew, visits: Sequence[Visit], stops: tuple[Stop, ...], clock: tuple[int, int, int, int | None]
) -> Route | None:
    """The route, if its break and its return are lawful."""
    depart, back, travel, rested_at = clock
    rest = crew.break_
    if back > crew.latest_return_s or depart < crew.shift[0]:
        return None
    if travel > _limit(crew.max_travel_s) or back - depart > _limit(crew.max_work_s):
        return None
    resting_s = 0
    if rest is not None and rested_at is not None:
        if not rest.window.opens_s <= rested_at < rest.window.closes_s:
            return None
        resting_s = rest.duration_s
    elif rest is not None and depart < rest.window.closes_s and back >= rest.window.opens_s:
        return None
    wait = back - depart - travel - resting_s - sum(task.service_s for task, _ in visits)
    return Route(
        crew=crew.id,
        depart_s=depart,
        return_s=back,
        travel_s=travel,
        wait_s=wait,
        break_begin_s=rested_at,
        stops=stops,
    )


def _limit(limit: int | None) -> float:
    return inf if limit is None else limit


def _rested(crew: Crew, now: int) -> tuple[int, int]:
    """When the break is over, and when it began."""
    assert crew.break_ is not None
    begin = max(now, crew.break_.window.opens_s)
    return begin + crew.break_.duration_s, begin


def _drive(travel: Travel, at_s: int, origin: int, target: int) -> int | None:
    return travel.matrices[travel.band_at(at_s)][origin][target]
