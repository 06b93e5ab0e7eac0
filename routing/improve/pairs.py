"""Tasks for two crews: both must stand at one door in one second.

A place for a pair is a begin and two crews. Once chosen, the begin is fixed for both rows and the search goes
around it; between stretches of the search every pair may move to a better begin or better crews.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from routing.improve.anneal import take_off
from routing.improve.arrays import COUNT, FAR
from routing.improve.clock import drive_at
from routing.improve.flat import Flat
from routing.improve.holders import crew_prices
from routing.improve.places import best_place
from routing.improve.recreate import is_open_pair, serve
from routing.improve.search import Lane, Watch
from routing.problem import Task

BEGINS_TRIED = 60

UNPAYABLE = 1e299

type Seat = tuple[float, int]
"""A price and a crew."""


@dataclass(frozen=True)
class Meeting:
    """When two crews meet at a door, and what it costs them together."""

    price: float
    begin: int
    crews: tuple[int, int]


def place_pairs(flat: Flat, lane: Lane, watch: Watch) -> None:
    """Serve each absent pair at its cheapest begin if that pays, the dearest first, until the watch says stop."""
    for index in sorted(flat.pairs, key=lambda index: -flat.day.gain[flat.pairs[index][0]]):
        watch.look()
        if watch.ended:
            break
        if not served(flat, lane, index):
            _place(flat, lane, index)


def move_pairs(flat: Flat, lane: Lane, watch: Watch) -> bool:
    """Try another place for each pair until the watch says stop; keep what lowers the whole cost.

    Whether any begin changed.
    """
    moved = False
    for index, rows in flat.pairs.items():
        watch.look()
        if watch.ended:
            break
        before, order, begins = lane.cost(), lane.order(), _spans(flat, rows)
        if served(flat, lane, index):
            for row in rows:
                take_off(flat.day, lane.routes, row)
        _place(flat, lane, index)
        if lane.cost() < before - 1e-6:
            moved = True
        else:
            _set_spans(flat, rows, begins)
            lane.load(order)
    return moved


def served(flat: Flat, lane: Lane, index: int) -> bool:
    return bool(lane.routes.crew_of[flat.pairs[index][0]] >= 0)


def _spans(flat: Flat, rows: tuple[int, int]) -> int:
    return int(flat.day.spans[rows[0], 0, 0])


def _set_spans(flat: Flat, rows: tuple[int, int], begin: int) -> None:
    for row in rows:
        flat.day.spans[row, 0] = begin


def _place(flat: Flat, lane: Lane, index: int) -> None:
    rows = flat.pairs[index]
    best = cheapest_meeting(flat, lane, index)
    if best is None or best.price >= flat.day.gain[rows[0]]:
        return
    _set_spans(flat, rows, best.begin)
    for row, crew in zip(rows, best.crews, strict=True):
        _, place = best_place(flat.day, lane.routes, crew, row, UNPAYABLE, 0.0, lane.dice, lane.work.scratch)
        serve(flat.day, lane.routes, crew, place, row)


def cheapest_meeting(flat: Flat, lane: Lane, index: int) -> Meeting | None:
    """The cheapest begin and crews for an absent pair as things stand, None if no two crews can meet."""
    rows, task = flat.pairs[index], flat.problem.tasks[index]
    if not is_open_pair(flat.day, lane.routes, rows[0]):
        return None
    best: Meeting | None = None
    for begin in sorted(set(_begins(flat, lane, rows[0], task)))[:BEGINS_TRIED]:
        _set_spans(flat, rows, begin)
        for (a, one), (b, other) in combinations(_seats(flat, lane, rows[0]), 2):
            if _suits(flat, task, one, other) and (best is None or a + b < best.price):
                best = Meeting(a + b, begin, (one, other))
    return best


def _begins(flat: Flat, lane: Lane, row: int, task: Task) -> Iterator[int]:
    """When one of the crews could be there first, from any place of its route, and when the windows open."""
    yield from (opens for opens, _ in task.begins if len(task.windows) > 0)
    day, routes = flat.day, lane.routes
    for crew in range(len(day.crews)):
        if not day.may[crew, row]:
            continue
        for place in range(routes.totals[crew, COUNT] + 1):
            here = len(day.tasks) + crew if place == 0 else routes.stops[crew, place - 1]
            for ready in routes.early[crew, :, place]:
                arrive = int(ready) + drive_at(day.roads, int(ready), int(here), row) if ready < FAR else FAR
                yield from (max(arrive, opens) for opens, last in task.begins if arrive <= last)


def _seats(flat: Flat, lane: Lane, row: int) -> list[Seat]:
    """Each crew that could come at the begin now set, with its price, cheapest first."""
    prices = crew_prices(flat.day, lane.routes, row, lane.dice).tolist()
    return sorted((price, crew) for crew, price in enumerate(prices) if price < UNPAYABLE)


def _suits(flat: Flat, task: Task, one: int, other: int) -> bool:
    first, second = flat.problem.crews[one], flat.problem.crews[other]
    pinned = task.pin.crew if task.pin is not None else None
    return first.size + second.size >= task.visitors and pinned in (None, first.id, second.id)
