"""Taking strings of visits out of the routes around one visit."""

# The machine's whole numbers: numpy's stubs tell them apart from `int`, the compiler does not.
# mypy: disable-error-code="assignment, return-value, arg-type, no-any-return"

import numpy as np

from routing.improve.arrays import COUNT, LOCKED, REMOVED, ROUND, SEED, SEEDS, Day, Dice, Routes, Work
from routing.improve.compiled import compiled
from routing.improve.places import chance, move_end, move_stop, pick, refresh_around
from routing.improve.recreate import release, remember

LONGEST_STRING = 6
REMOVED_ON_AVERAGE = 10
SPLIT = 0.5
"""How often a string keeps some visits in its middle, and how likely each further one is kept."""


@compiled
def ruin(day: Day, routes: Routes, dice: Dice, work: Work, served: int) -> None:
    """Take strings out of routes near one visit picked by chance; `served` is how many visits are on routes."""
    m = len(day.crews)
    longest = max(1.0, min(float(LONGEST_STRING), served / m))
    wanted = np.int64(chance(dice) * (4 * REMOVED_ON_AVERAGE / (1 + longest) - 1) + 1)
    seed, done = work.seeds[pick(dice, work.numbers[SEEDS])], 0
    work.numbers[SEED] = seed
    for j in range(-1, day.near.shape[1]):
        if done >= wanted:
            break
        task = seed if j < 0 else day.near[seed, j]
        crew = routes.crew_of[task]
        if crew >= 0 and work.saved_at[crew] != work.numbers[ROUND]:
            remember(day, routes, work, crew)
            take_string(day, routes, crew, task, longest, dice, work)
            done += 1


@compiled
def take_string(day: Day, routes: Routes, crew: int, task: int, longest: float, dice: Dice, work: Work) -> None:
    """Remove a string of visits that holds `task`, sometimes sparing a part of its middle."""
    count = routes.totals[crew, COUNT]
    length = min(count, np.int64(chance(dice) * min(longest, count) + 1))
    spared = 0
    if chance(dice) < SPLIT:
        while length + spared < count and chance(dice) > SPLIT:
            spared += 1
    position = 0
    while routes.stops[crew, position] != task:
        position += 1
    span = length + spared
    low, high = max(0, position - span + 1), min(position, count - span)
    start = low + pick(dice, high - low + 1)
    keep = start + pick(dice, length + 1)
    write = settled = start
    for k in range(start, count):
        stop = routes.stops[crew, k]
        if k < start + span and not (keep <= k < keep + spared) and not day.tasks[stop, LOCKED]:
            remove_stop(day, routes, crew, stop, work)
        else:
            move_stop(day, routes, crew, k, write)
            write += 1
            settled = write if k < start + span else settled
    move_end(day, routes, crew, write)
    refresh_around(day, routes, crew, start, settled)


@compiled
def remove_stop(day: Day, routes: Routes, crew: int, stop: int, work: Work) -> None:
    """Note a stop among the removed; the caller closes the gap."""
    work.removed[work.numbers[REMOVED]] = stop
    work.numbers[REMOVED] += 1
    work.mark_task[stop] = work.numbers[ROUND]
    for kind in range(day.load.shape[1]):
        routes.load[crew, kind] -= day.load[stop, kind]
    release(day, routes, stop)
