"""Putting removed visits back, and telling what a solution costs."""

# The machine's whole numbers: numpy's stubs tell them apart from `int`, the compiler does not.
# mypy: disable-error-code="assignment, return-value, arg-type, no-any-return"

import numpy as np

from routing.improve.arrays import (
    BALANCE,
    COUNT,
    GROUP,
    HAS_REST,
    LEFT,
    LOCKED,
    PLACE_BITS,
    REMOVED,
    ROUND,
    SEED,
    SEEN,
    SERVICE,
    STAMP,
    TOUCHED,
    TRAVEL,
    Day,
    Dice,
    Routes,
    Work,
)
from routing.improve.clock import last_of_all
from routing.improve.compiled import compiled
from routing.improve.places import best_place, chance, pick, put, spread_now, take_out, welcomes
from routing.improve.timing import NO_PRICE

NEAR_ABSENT, FAR_ABSENT = 10, 5
"""Visits left out before that are tried again beside the removed ones: from around the ruin, and from anywhere."""
GENEROUS, GENEROSITY = 0.3, 2.0
"""How often visits are put in at a loss, and up to how many times their worth they may then cost beyond it.

Of two visits far away neither pays for the way alone."""
NEAR_TASKS = 40
BLINK = 0.01


@compiled
def is_open(day: Day, routes: Routes, task: int) -> bool:
    """The task is absent, free to be moved, and no mate of its group is served."""
    return day.tasks[task, LOCKED] == 0 and is_open_pair(day, routes, task)


@compiled
def is_open_pair(day: Day, routes: Routes, task: int) -> bool:
    """As `is_open`, for a task that only `pairs` moves."""
    if routes.crew_of[task] >= 0:
        return False
    for k in range(day.quotas.shape[1]):
        quota = day.quotas[task, k]
        if quota >= 0 and routes.taken[quota] >= day.most[quota]:
            return False
    group = day.tasks[task, GROUP]
    return group < 0 or routes.taken[group] == 0


@compiled
def add_absent(day: Day, routes: Routes, dice: Dice, work: Work) -> None:
    """Append absent tasks to the removed ones: those around the ruin, and a few from anywhere."""
    removed, absent = work.numbers[REMOVED], routes.absent_at[-1]
    if absent == removed:
        return
    seed = work.numbers[SEED]
    take_absent(day, routes, seed, work)
    for j in range(min(NEAR_TASKS, day.near.shape[1])):
        if work.numbers[REMOVED] >= removed + NEAR_ABSENT:
            break
        take_absent(day, routes, day.near[seed, j], work)
    most, start = work.numbers[REMOVED] + FAR_ABSENT, pick(dice, absent)
    for step in range(absent):
        if work.numbers[REMOVED] >= most:
            break
        take_absent(day, routes, routes.absent[(start + step) % absent], work)


@compiled
def take_absent(day: Day, routes: Routes, task: int, work: Work) -> None:
    """Append a task to the removed ones if it is absent, free, and not among them."""
    if routes.crew_of[task] >= 0 or work.mark_task[task] == work.numbers[ROUND] or day.tasks[task, LOCKED]:
        return
    work.mark_task[task] = work.numbers[ROUND]
    work.removed[work.numbers[REMOVED]] = task
    work.numbers[REMOVED] += 1


@compiled
def insertion_order(day: Day, dice: Dice, work: Work) -> None:
    """Sort the removed by chance, or the dear, the narrow, the long or the early first."""
    count = work.numbers[REMOVED]
    rule = pick(dice, np.int64(11))
    for k in range(count):
        task = work.removed[k]
        if rule < 4:
            work.keys[k] = chance(dice)
        elif rule < 7:
            work.keys[k] = -day.gain[task]
        elif rule < 9:
            work.keys[k] = last_of_all(day.spans, task) - day.spans[task, 0, 0]
        elif rule == 9:
            work.keys[k] = -day.tasks[task, SERVICE]
        else:
            work.keys[k] = day.spans[task, 0, 0]
    sort_removed(work, count)


@compiled
def sort_removed(work: Work, count: int) -> None:
    """By key, smallest first. They are few: plain insertion beats a library's sort, which also compiles slowly."""
    for k in range(1, count):
        key, task, at = work.keys[k], work.removed[k], k
        while at > 0 and work.keys[at - 1] > key:
            work.keys[at], work.removed[at] = work.keys[at - 1], work.removed[at - 1]
            at -= 1
        work.keys[at], work.removed[at] = key, task


@compiled
def candidates(day: Day, routes: Routes, task: int, work: Work) -> int:
    """Crews worth asking: those of the nearest served tasks, and those whose start is nearest."""
    work.numbers[STAMP] += 1
    stamp, found = work.numbers[STAMP], np.int64(0)
    for j in range(min(NEAR_TASKS, day.near.shape[1])):
        crew = routes.crew_of[day.near[task, j]]
        if crew >= 0 and work.mark_crew[crew] != stamp:
            work.mark_crew[crew] = stamp
            work.asked[found] = crew
            found += 1
    for j in range(day.homes.shape[1]):
        if day.homes[task, j] < 0:
            break
        crew = freest(day, routes, day.homes[task, j])
        if crew >= 0 and work.mark_crew[crew] != stamp:
            work.mark_crew[crew] = stamp
            work.asked[found] = crew
            found += 1
    return found


@compiled
def freest(day: Day, routes: Routes, kind: int) -> int:
    """The only crew of a kind; of several one without a stop, or -1. All of these are as good as one."""
    if day.alike.shape[1] == 1 or day.alike[kind, 1] < 0:
        return day.alike[kind, 0]
    crew = routes.vacant[kind]
    if crew < 0 or routes.totals[crew, COUNT] == 0:
        return crew
    for k in range(day.alike.shape[1]):
        crew = day.alike[kind, k]
        if crew < 0 or routes.totals[crew, COUNT] == 0:
            break
    else:
        crew = np.int64(-1)
    routes.vacant[kind] = crew
    return crew


@compiled
def cheapest_place(day: Day, routes: Routes, crew: int, task: int, dice: Dice, work: Work) -> tuple[float, int]:
    """As `best_place`, out of memory where the route is as it was when it was last asked."""
    memo = work.memo[task, crew]
    seen = np.int64(memo[1])
    if seen >> PLACE_BITS == routes.version[crew]:
        return memo[0], (seen & ((1 << PLACE_BITS) - 1)) - 1
    price, place = NO_PRICE, np.int64(-1)
    if welcomes(day, routes, crew, task):
        price, place = best_place(day, routes, crew, task, NO_PRICE, 0.0, dice, work.scratch)
    memo[0], memo[1] = price, (routes.version[crew] << PLACE_BITS) | (place + 1)
    return price, place


@compiled
def recreate(day: Day, routes: Routes, dice: Dice, work: Work) -> None:
    """Insert what pays, one after the other, each at its cheapest place."""
    insertion_order(day, dice, work)
    # Seen in full, the price of unequal work would forbid the first of two visits that balance each other.
    levelled = day.prices[BALANCE] > 0 or day.shares.shape[1] > 0
    routes.left[SEEN] = chance(dice) ** 2 if levelled else 0.0
    generous = chance(dice) < GENEROUS
    worth = 1.0 + GENEROSITY * chance(dice) if generous else 1.0
    for q in range(work.numbers[REMOVED]):
        task = work.removed[q]
        if not is_open(day, routes, task):
            continue
        best, chosen, where = worth * day.gain[task], np.int64(-1), np.int64(-1)
        for k in range(candidates(day, routes, task, work)):
            crew = work.asked[k]
            if routes.left[SEEN] > 0:
                # What is seen of unequal work depends on all routes: nothing to remember.
                if not welcomes(day, routes, crew, task):
                    continue
                price, place = best_place(day, routes, crew, task, best, BLINK, dice, work.scratch)
            else:
                price, place = cheapest_place(day, routes, crew, task, dice, work)
                if price >= best or chance(dice) < BLINK:
                    continue
            if place >= 0 and price < best:
                best, chosen, where = price, crew, place
        if chosen >= 0:
            remember(day, routes, work, chosen)
            serve(day, routes, chosen, where, task)
    if generous:
        for k in range(work.numbers[TOUCHED]):
            drop_losses(day, routes, work.touched[k])


@compiled
def drop_losses(day: Day, routes: Routes, crew: int) -> None:
    """Take off stops whose detour costs more than leaving them out, the first one first."""
    k = np.int64(0)
    while k < routes.totals[crew, COUNT]:
        task = routes.stops[crew, k]
        costs = day.prices[TRAVEL] * detour_of(day, routes, crew, k)
        if costs > day.gain[task] and may_go(day, routes, crew, k):
            take_out(day, routes, crew, k)
            release(day, routes, task)
            k = max(0, k - 1)
        else:
            k += 1


@compiled
def may_go(day: Day, routes: Routes, crew: int, place: int) -> bool:
    """A task of a group may be worth more than the others of it that it keeps out: it stays, and a fixed one too."""
    task = routes.stops[crew, place]
    return day.tasks[task, LOCKED] == 0 and day.tasks[task, GROUP] < 0


@compiled
def detour_of(day: Day, routes: Routes, crew: int, place: int) -> int:
    """The seconds of travel that a stop adds to its route."""
    n, m, count = len(day.tasks), len(day.crews), routes.totals[crew, COUNT]
    if count == 1:
        return routes.leg[crew, 0] + routes.leg[crew, 1]
    before = n + crew if place == 0 else routes.stops[crew, place - 1]
    after = n + m + crew if place + 1 == count else routes.stops[crew, place + 1]
    return routes.leg[crew, place] + routes.leg[crew, place + 1] - np.int64(day.longest[before, after])


@compiled
def serve(day: Day, routes: Routes, crew: int, place: int, task: int) -> None:
    put(day, routes, crew, place, task)
    claim(day, routes, crew, task)


@compiled
def claim(day: Day, routes: Routes, crew: int, task: int) -> None:
    """Mark a task as served; the caller has put it on the route."""
    routes.crew_of[task] = crew
    at, last = routes.absent_at[task], routes.absent_at[-1] - 1
    routes.absent[at] = routes.absent[last]
    routes.absent_at[routes.absent[at]] = at
    routes.absent_at[task] = -1
    routes.absent_at[-1] = last
    group = day.tasks[task, GROUP]
    if group < 0 or routes.taken[group] == 0:
        routes.left[LEFT] -= day.gain[task] - day.duty[task]
    routes.left[LEFT] -= day.duty[task]
    if group >= 0:
        routes.taken[group] += 1
    for k in range(day.quotas.shape[1]):
        if day.quotas[task, k] >= 0:
            routes.taken[day.quotas[task, k]] += 1


@compiled
def release(day: Day, routes: Routes, task: int) -> None:
    """Mark a task as absent; the caller takes it off its route."""
    routes.crew_of[task] = -1
    count = routes.absent_at[-1]
    routes.absent[count] = task
    routes.absent_at[task] = count
    routes.absent_at[-1] = count + 1
    group = day.tasks[task, GROUP]
    if group >= 0:
        routes.taken[group] -= 1
    for k in range(day.quotas.shape[1]):
        if day.quotas[task, k] >= 0:
            routes.taken[day.quotas[task, k]] -= 1
    if group < 0 or routes.taken[group] == 0:
        routes.left[LEFT] += day.gain[task] - day.duty[task]
    routes.left[LEFT] += day.duty[task]


@compiled
def remember(day: Day, routes: Routes, work: Work, crew: int) -> None:
    """Keep a route as it was before this round, once."""
    if work.saved_at[crew] == work.numbers[ROUND]:
        return
    work.saved_at[crew] = work.numbers[ROUND]
    work.touched[work.numbers[TOUCHED]] = crew
    work.numbers[TOUCHED] += 1
    copy_route(day, routes, work.kept, crew)


@compiled
def copy_route(day: Day, origin: Routes, target: Routes, crew: int) -> None:
    """All that is told of one route alone."""
    count = origin.totals[crew, COUNT]
    target.version[crew], target.cost[crew] = origin.version[crew], origin.cost[crew]
    for column in range(origin.totals.shape[1]):
        target.totals[crew, column] = origin.totals[crew, column]
    for kind in range(origin.load.shape[1]):
        target.load[crew, kind] = origin.load[crew, kind]
    for k in range(count):
        target.stops[crew, k] = origin.stops[crew, k]
    for k in range(count + 1):
        target.leg[crew, k] = origin.leg[crew, k]
    for state in range(3 if day.crews[crew, HAS_REST] else 1):
        for k in range(count + 1):
            target.early[crew, state, k] = origin.early[crew, state, k]
        for k in range(count + 1):
            target.late[crew, state, k] = origin.late[crew, state, k]


@compiled
def whole_cost(day: Day, routes: Routes) -> float:
    cost = routes.left[LEFT] + spread_now(day, routes)
    for crew in range(len(routes.cost)):
        cost += routes.cost[crew]
    return cost
