"""Which crews have a place for a visit, and which visits hold the place of one that does not fit."""

import numpy as np

from routing.improve.arrays import COUNT, LOCKED, Day, Dice, Floats, Ints, Routes
from routing.improve.compiled import allocating
from routing.improve.places import best_place, refresh, welcomes
from routing.improve.timing import NO_PRICE


@allocating
def crew_prices(day: Day, routes: Routes, task: int, dice: Dice) -> Floats:
    """[m] the price of the cheapest place for an absent task with each crew, `NO_PRICE` where there is none."""
    prices, scratch = np.full(len(day.crews), NO_PRICE), np.zeros(len(day.tasks) + 1, np.int64)
    for crew in range(len(day.crews)):
        if welcomes(day, routes, crew, task):
            price, place = best_place(day, routes, crew, task, NO_PRICE, 0.0, dice, scratch)
            if place >= 0:
                prices[crew] = price
    return prices


@allocating
def holders(day: Day, routes: Routes, crew: int, task: int, dice: Dice) -> Ints:
    """The stops of a crew any one of which would have to go for `task` to fit; the routes are as before afterwards."""
    count = routes.totals[crew, COUNT]
    before, scratch = routes.stops[crew].copy(), np.zeros(count + 1, np.int64)
    found, number = np.zeros(count, np.int64), 0
    for gone in range(count):
        if day.tasks[before[gone], LOCKED]:
            continue
        for k in range(gone, count - 1):
            routes.stops[crew, k] = before[k + 1]
        routes.totals[crew, COUNT] = count - 1
        refresh(day, routes, crew)
        lawful = routes.cost[crew] < NO_PRICE and welcomes(day, routes, crew, task)
        if lawful and best_place(day, routes, crew, task, NO_PRICE, 0.0, dice, scratch)[1] >= 0:
            found[number] = before[gone]
            number += 1
        for k in range(count):
            routes.stops[crew, k] = before[k]
        routes.totals[crew, COUNT] = count
    refresh(day, routes, crew)
    return found[:number]
