"""The end of a search: pairs that two routes as they stand have room for, and clocks anew for all routes together.

The search tries the begins at which a crew could be there first; where two breaks leave little in common, the second
that both have may be none of these. `places` knows all that they have in common, by clocks of its own.
"""

from collections.abc import Callable, Sequence
from itertools import islice

from routing.assembly import routes_of
from routing.campaign import Reporter
from routing.improve.flat import Flat
from routing.improve.pairs import set_begin, take_pair_off
from routing.improve.recreate import is_open_pair, serve
from routing.improve.search import Lane
from routing.improve.timing import NO_PRICE
from routing.levelling import levelled, pays
from routing.places import Place, Places
from routing.plan import Plan, Route
from routing.problem import Task
from routing.standing import Standing

LEVELLED_AT_MOST = 2
"""Once more where other clocks of pairs made room for somebody."""
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


def settle(flat: Flat, lane: Lane, reporter: Reporter) -> tuple[Route, ...]:
    """The routes of the plan, once nothing fits any more; the lane then holds the same stops, and pairs begin in it as
    they do in the plan."""
    finish(flat, lane, reporter.may_tell)
    routes = routes_of(flat, lane.order())
    for _ in range(LEVELLED_AT_MOST):
        patience = reporter.patience()
        if patience is None or not pays(flat.problem, routes):
            break
        found = levelled(flat.problem, routes, patience)
        reporter.has_levelled()
        if not _meets_as(flat, lane, found):
            break
        order, routes = lane.order(), found
        finish(flat, lane, reporter.may_tell)
        if lane.order() == order:
            break
        routes = routes_of(flat, lane.order())
    return routes


def _meets_as(flat: Flat, lane: Lane, routes: Sequence[Route]) -> bool:
    """Let the lane's pairs begin as they do in these routes of the same stops; False where its clocks deny that."""
    begins = {stop.task: stop.begin_s for route in routes for stop in route.stops}
    order, before = lane.order(), lane.day.spans.copy()
    lane.load(())
    for index, rows in flat.pairs.items():
        if (begin := begins.get(flat.problem.tasks[index].id)) is not None:
            set_begin(flat, rows, begin)
    lane.load(order)
    if (lane.routes.cost < NO_PRICE).all():
        return True
    lane.load(())
    lane.day.spans[:] = before
    lane.load(order)
    return False


def _standing(flat: Flat, lane: Lane) -> Standing:
    return Standing(flat.problem, Plan(cost=0, mandatory_left=0, routes=routes_of(flat, lane.order())))


def _put_in(flat: Flat, lane: Lane, rows: tuple[int, int], places: Places) -> bool:
    """Put the pair where it lowers the whole cost most, of the meetings tried; whether any does."""
    priced, gain, before = places.priced, float(flat.day.gain[rows[0]]), lane.cost()
    met = (place for place in places.direct() if priced or place.extra < gain)
    best: tuple[float, Place | None, int] = before - 1e-6, None, 0
    for place in islice(met, TRIED_BY_CLOCK if priced else None):
        for begin in _begins(places.task, place, priced):
            _put(flat, lane, rows, place=place, begin=begin)
            cost = lane.cost()
            best = (cost, place, begin) if cost < best[0] else best
            take_pair_off(flat, lane, rows)
        if best[1] is not None and not priced:
            break
    if best[1] is None:
        return False
    _put(flat, lane, rows, place=best[1], begin=best[2])
    return True


def _put(flat: Flat, lane: Lane, rows: tuple[int, int], *, place: Place, begin: int) -> None:
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
