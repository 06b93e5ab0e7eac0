"""Where two crews could meet at one door: the begins worth trying, and the cheapest crews at each."""

# The machine's whole numbers: numpy's stubs tell them apart from `int`, the compiler does not.
# mypy: disable-error-code="assignment, return-value, arg-type, no-any-return"

import numpy as np

from routing.improve.arrays import AFTERNOON, COUNT, FAR, Day, Dice, Floats, Ints, Routes
from routing.improve.clock import drive_at
from routing.improve.compiled import allocating
from routing.improve.places import best_place, welcomes
from routing.improve.timing import NO_PRICE


@allocating
def first_begins(day: Day, routes: Routes, task: int, spans: Ints) -> Ints:
    """When each crew could begin first in each of the spans [(s, 2)], from any place of its route; not sorted."""
    n = len(day.tasks)
    found, number = np.zeros(len(day.crews) * routes.early.shape[2] * 3 * len(spans), np.int64), 0
    for crew in range(len(day.crews)):
        if not day.may[crew, task]:
            continue
        for place in range(routes.totals[crew, COUNT] + 1):
            here = n + crew if place == 0 else routes.stops[crew, place - 1]
            for state in range(AFTERNOON + 1):
                ready = routes.early[crew, state, place]
                arrives = ready + drive_at(day.roads, ready, here, task) if ready < FAR else np.int64(FAR)
                for span in range(len(spans)):
                    if arrives <= spans[span, 1]:
                        found[number] = max(arrives, spans[span, 0])
                        number += 1
    return found[:number]


@allocating
def cheapest_crews_at(
    day: Day, routes: Routes, rows: Ints, begins: Ints, sizes: Ints, wish: Ints, dice: Dice
) -> tuple[Floats, Ints]:
    """([1], [3]) the least price and its begin and two crews, `NO_PRICE` where no two can meet.

    `sizes` are the people of each crew, `wish` the people needed and the crew that must be one of the two, or -1. The
    spans of the pair's rows hold the last begin tried afterwards.
    """
    m, visitors, pinned = len(day.crews), wish[0], wish[1]
    least, chosen = np.full(1, NO_PRICE), np.full(3, -1, np.int64)
    prices, scratch = np.zeros(m), np.zeros(len(day.tasks) + 1, np.int64)
    for begin in begins:
        for row in rows:
            day.spans[row, 0, 0], day.spans[row, 0, 1] = begin, begin
        for crew in range(m):
            prices[crew] = NO_PRICE
            if welcomes(day, routes, crew, rows[0]):
                price, place = best_place(day, routes, crew, rows[0], NO_PRICE, 0.0, dice, scratch)
                prices[crew] = price if place >= 0 else NO_PRICE
        for one in range(m):
            for other in range(one + 1, m):
                if sizes[one] + sizes[other] < visitors or (pinned >= 0 and one != pinned and other != pinned):
                    continue
                price = prices[one] + prices[other]
                if price < least[0]:
                    least[0], chosen[0], chosen[1], chosen[2] = price, begin, one, other
    return least, chosen
