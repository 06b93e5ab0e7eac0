"""The clock of a route, written out: from an order of stops and a departure to a `Route`.

Plain Python over the problem's own values, so that what is published does not rest on the compiled arrays.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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


def clocked(problem: Problem, crew: Crew, visits: Sequence[Visit], depart_s: int) -> Route | None:
    """The route that leaves at `depart_s` and returns earliest, each drive right after a service; None if none does."""
    found = [
        route for rest in _rests(crew, len(visits)) if (route := _driven(problem, crew, visits, depart_s, rest=rest))
    ]
    # With equal returns a break beats idle waiting.
    return min(found, key=lambda route: (route.return_s, route.wait_s, route.travel_s), default=None)


def _rests(crew: Crew, count: int) -> Iterator[_Rest | None]:
    yield None
    if crew.break_ is not None:
        for before in range(count):
            yield from (_Rest(before, at_door=True), _Rest(before, at_door=False))
        if crew.end is not None:
            yield _Rest(count, at_door=False)


def _driven(
    problem: Problem, crew: Crew, visits: Sequence[Visit], depart_s: int, *, rest: _Rest | None
) -> Route | None:
    now, here, travel, rested_at = depart_s, crew.start, 0, None
    stops: list[Stop] = []
    for index, (task, spans) in enumerate(visits):
        resting = rest is not None and rest.before == index
        if resting and rest is not None and not rest.at_door:
            now, rested_at = _rested(crew, now)
        if rested_at is not None and crew.break_ is not None and rested_at >= crew.break_.window.closes_s:
            return None
        drive = _drive(problem.travel, now, here, task.location)
        if drive is None or now > crew.latest_return_s:
            return None
        arrive = now = now + drive
        if resting and rest is not None and rest.at_door:
            now, rested_at = _rested(crew, now)
        begin = next((max(now, opens) for opens, last in spans if now <= last), None)
        if begin is None:
            return None
        now, here, travel = begin + task.service_s, task.location, travel + drive
        stops.append(Stop(task=task.id, arrive_s=arrive, begin_s=begin, end_s=now))
    if rest is not None and rest.before == len(visits):
        now, rested_at = _rested(crew, now)
    drive = 0 if crew.end is None else _drive(problem.travel, now, here, crew.end)
    if drive is None:
        return None
    return _judged(crew, visits, tuple(stops), (depart_s, now + drive, travel + drive, rested_at))


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
