"""Tasks for two crews: both must stand at one door in one second.

A place for a pair is a begin and two crews. Once chosen, the begin is fixed for both rows and the search goes
around it; between stretches of the search every pair may move to a better begin or better crews.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import log

import numpy as np

from routing.improve.anneal import take_off
from routing.improve.arrays import Ints
from routing.improve.flat import Flat
from routing.improve.meetings import cheapest_crews_at, first_begins
from routing.improve.places import best_place, chance
from routing.improve.recreate import is_open_pair, serve
from routing.improve.search import Lane, Watch
from routing.problem import Task

BEGINS_TRIED = 60
UNPAYABLE = 1e299


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


def move_pairs(
    flat: Flat, lane: Lane, watch: Watch, heat: float = 0.0, in_time: Callable[[], bool] | None = None
) -> bool:
    """Try another place for each pair until the watch says stop, or it is no longer `in_time`; keep what lowers the
    whole cost, or at a temperature what annealing would. Whether anything changed.
    """
    moved = False
    for index in list(flat.pairs):
        watch.look()
        if watch.ended or not (in_time is None or in_time()):
            break
        moved |= _move(flat, lane, index, heat)
        # The next sweep begins with those that there was no time for.
        flat.pairs[index] = flat.pairs.pop(index)
    return moved


def _move(flat: Flat, lane: Lane, index: int, heat: float) -> bool:
    rows = flat.pairs[index]
    before, begin, where = lane.cost(), _spans(flat, rows), _places(lane, rows)
    take_pair_off(flat, lane, rows)
    _place(flat, lane, index)
    after = lane.cost()
    if after < before - heat * log(1 - chance(lane.dice)) - 1e-6:
        return _places(lane, rows) != where or (len(where) > 0 and _spans(flat, rows) != begin)
    take_pair_off(flat, lane, rows)
    set_begin(flat, rows, begin)
    for row, (crew, place) in zip(rows, where, strict=False):
        serve(flat.day, lane.routes, crew, place, row)
    return False


def take_pair_off(flat: Flat, lane: Lane, rows: tuple[int, int]) -> None:
    """Remove both visits of the pair from their routes, where it is served."""
    for row in rows:
        if lane.routes.crew_of[row] >= 0:
            take_off(flat.day, lane.routes, row)


def _places(lane: Lane, rows: tuple[int, int]) -> list[tuple[int, int]]:
    """The crew and the place of each row; empty where the pair is left out."""
    found = []
    for row in rows:
        crew = int(lane.routes.crew_of[row])
        if crew >= 0:
            found.append((crew, int(np.flatnonzero(lane.routes.stops[crew] == row)[0])))
    return found


def served(flat: Flat, lane: Lane, index: int) -> bool:
    return bool(lane.routes.crew_of[flat.pairs[index][0]] >= 0)


def _spans(flat: Flat, rows: tuple[int, int]) -> int:
    return int(flat.day.spans[rows[0], 0, 0])


def set_begin(flat: Flat, rows: tuple[int, int], begin: int) -> None:
    """Let both visits of an absent pair begin then and at no other time."""
    for row in rows:
        flat.day.spans[row, 0] = begin


def _place(flat: Flat, lane: Lane, index: int) -> None:
    rows = flat.pairs[index]
    best = cheapest_meeting(flat, lane, index)
    if best is None or best.price >= flat.day.gain[rows[0]]:
        return
    set_begin(flat, rows, best.begin)
    for row, crew in zip(rows, best.crews, strict=True):
        _, place = best_place(flat.day, lane.routes, crew, row, UNPAYABLE, 0.0, lane.dice, lane.work.scratch)
        serve(flat.day, lane.routes, crew, place, row)


def cheapest_meeting(flat: Flat, lane: Lane, index: int) -> Meeting | None:
    """The cheapest begin and crews for an absent pair as things stand, None if no two crews can meet."""
    rows, task = flat.pairs[index], flat.problem.tasks[index]
    if not is_open_pair(flat.day, lane.routes, rows[0]):
        return None
    begins = _begins(flat, lane, rows[0], task)
    pinned = None if task.pin is None else task.pin.crew
    wish = np.array([task.visitors, -1 if pinned is None else flat.crew_numbers[pinned]], np.int64)
    price, (begin, *crews) = _cheapest(flat, lane, np.array(rows, np.int64), begins, wish)
    return None if price >= UNPAYABLE else Meeting(price, begin, (crews[0], crews[1]))


def _cheapest(flat: Flat, lane: Lane, rows: Ints, begins: Ints, wish: Ints) -> tuple[float, list[int]]:
    sizes = np.array([crew.size for crew in flat.problem.crews], np.int64)
    least, chosen = cheapest_crews_at(flat.day, lane.routes, rows, begins, sizes, wish, lane.dice)
    return float(least[0]), chosen.tolist()


def _begins(flat: Flat, lane: Lane, row: int, task: Task) -> Ints:
    """When the windows open, and when one of the crews could be there first, from any place of its route.

    Of too many an even share, another one each time.
    """
    opens = np.array([opens for opens, _ in task.begins if task.windows], np.int64)
    spans = np.array(task.begins, np.int64).reshape(-1, 2)
    every = np.unique(np.concatenate([opens, first_begins(flat.day, lane.routes, row, spans)]))
    if len(every) <= BEGINS_TRIED:
        return every
    step = len(every) / BEGINS_TRIED
    share = (np.arange(BEGINS_TRIED) + chance(lane.dice)) * step
    return every[share.astype(np.int64)]
