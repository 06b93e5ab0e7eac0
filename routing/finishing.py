"""The last look at tasks for two crews: none is left out for which two routes as they stand have room, if it pays.

The search tries the begins at which a crew could be there first; where two breaks leave little in common, the second
that both have may be none of these. `places` knows all that they have in common, by clocks of its own.
"""

from collections.abc import Callable
from itertools import islice

from routing.assembly import routes_of
from routing.improve.flat import Flat
from routing.improve.pairs import set_begin, take_pair_off
from routing.improve.recreate import is_open_pair, serve
from routing.improve.search import Lane
from routing.places import Place, Places
from routing.plan import Plan
from routing.problem import Task
from routing.standing import Standing

TRIED_BY_CLOCK = 24
"""How many meetings are made, shortest detour first, where their price is known only once they are made."""


def finish(flat: Flat, lane: Lane, in_time: Callable[[], bool]) -> None:
    """Put pairs in, the one worth most first, and whatever fits then, until no single one pays or time is up."""
    waiting = sorted(flat.pairs, key=lambda index: -flat.day.gain[flat.pairs[index][0]])
    again = True
    while again:
        again = False
        standing: Standing | None = None
        for index in waiting:
            rows = flat.pairs[index]
            if not in_time():
                return
            if not is_open_pair(flat.day, lane.routes, rows[0]):
                continue
            standing = standing or _standing(flat, lane)
            if _put_in(flat, lane, rows, Places(standing, flat.problem.tasks[index])):
                standing, again = None, True
        if again:
            lane.fill()


def _standing(flat: Flat, lane: Lane) -> Standing:
    return Standing(flat.problem, Plan(cost=0, mandatory_left=0, routes=routes_of(flat, lane.order())))


def _put_in(flat: Flat, lane: Lane, rows: tuple[int, int], places: Places) -> bool:
    """Put the pair where it lowers the whole cost most, of the meetings tried; whether any does."""
    priced, gain, before = places.priced, float(flat.day.gain[rows[0]]), lane.cost()
    met = (place for place in places.direct() if priced or place.extra < gain)
    best: tuple[float, Place | None, int] = before - 1e-6, None, 0
    for place in islice(met, TRIED_BY_CLOCK if priced else None):
        for begin in _begins(places.task, place, priced):
            _put(flat, lane, rows, place, begin)
            cost = lane.cost()
            best = (cost, place, begin) if cost < best[0] else best
            take_pair_off(flat, lane, rows)
        if best[1] is not None and not priced:
            break
    if best[1] is None:
        return False
    _put(flat, lane, rows, best[1], best[2])
    return True


def _put(flat: Flat, lane: Lane, rows: tuple[int, int], place: Place, begin: int) -> None:
    set_begin(flat, rows, begin)
    for row, half in zip(rows, place.halves, strict=True):
        serve(flat.day, lane.routes, flat.crew_numbers[half.crew.id], half.place, row)


def _begins(task: Task, place: Place, priced: bool) -> list[int]:
    """The ends of what both have in common; and, where it matters, when each of the two would come if it were alone."""
    found = list(place.begins)
    for half in place.halves if priced else ():
        route = half.line.table.best(half.line.with_task(half.place, (task, task.begins)))
        found += [] if route is None else [route.stops[half.place].begin_s]
    return list(dict.fromkeys(found))
