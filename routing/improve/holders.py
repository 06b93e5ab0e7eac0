"""Questions about a solution as it stands: what an absent task would cost, and which stops hold its place.

Each asks for many tasks at once: to hand the solution over to compiled code takes longer than most answers.
"""

# The machine's whole numbers: numpy's stubs tell them apart from `int`, the compiler does not.
# mypy: disable-error-code="assignment, return-value, arg-type, no-any-return"

import numpy as np

from routing.improve.arrays import COUNT, LOCKED, Day, Dice, Floats, Ints, Routes
from routing.improve.compiled import allocating
from routing.improve.places import best_place, refresh, welcomes
from routing.improve.timing import NO_PRICE


@allocating
def cheapest_crews(day: Day, routes: Routes, tasks: Ints, dice: Dice) -> tuple[Floats, Ints]:
    """([k], [k]) the price of the cheapest place for each absent task and its crew, `NO_PRICE` and -1 where is none."""
    prices, crews = np.full(len(tasks), NO_PRICE), np.full(len(tasks), -1, np.int64)
    scratch = np.zeros(len(day.tasks) + 1, np.int64)
    for k in range(len(tasks)):
        for crew in range(len(day.crews)):
            if welcomes(day, routes, crew, tasks[k]):
                price, place = best_place(day, routes, crew, tasks[k], prices[k], 0.0, dice, scratch)
                if place >= 0:
                    prices[k], crews[k] = price, crew
    return prices, crews


@allocating
def holders(day: Day, routes: Routes, crew: int, tasks: Ints, dice: Dice) -> Ints:
    """[(k, 2)] pairs of a task and a stop of the crew without which the task would fit; the routes are as before then.

    The route without one of its stops is told once for all tasks.
    """
    count = routes.totals[crew, COUNT]
    before, scratch = routes.stops[crew].copy(), np.zeros(count + 1, np.int64)
    found, number = np.zeros((count * len(tasks), 2), np.int64), 0
    for gone in range(count):
        if day.tasks[before[gone], LOCKED]:
            continue
        for k in range(gone, count - 1):
            routes.stops[crew, k] = before[k + 1]
        routes.totals[crew, COUNT] = count - 1
        refresh(day, routes, crew)
        if routes.cost[crew] < NO_PRICE:
            for task in tasks:
                if not welcomes(day, routes, crew, task):
                    continue
                if best_place(day, routes, crew, task, NO_PRICE, 0.0, dice, scratch)[1] >= 0:
                    found[number, 0], found[number, 1] = task, before[gone]
                    number += 1
        for k in range(count):
            routes.stops[crew, k] = before[k]
        routes.totals[crew, COUNT] = count
    refresh(day, routes, crew)
    return found[:number]
