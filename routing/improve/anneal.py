"""The search of one thread: ruin, recreate, accept by simulated annealing, keep the best."""

# The machine's whole numbers: numpy's stubs tell them apart from `int`, the compiler does not.
# mypy: disable-error-code="assignment, return-value, arg-type, no-any-return"

import numpy as np

from routing.improve.arrays import (
    COUNT,
    REMOVED,
    ROUND,
    SEEN,
    TOUCHED,
    Best,
    Day,
    Dice,
    Floats,
    Ints,
    Pool,
    Routes,
    Work,
)
from routing.improve.compiled import compiled
from routing.improve.places import best_place, chance, refresh, take_out, welcomes
from routing.improve.pool import keep_route
from routing.improve.recreate import (
    add_absent,
    claim,
    copy_route,
    freest,
    is_open,
    recreate,
    release,
    serve,
    whole_cost,
)
from routing.improve.ruin import ruin

NEAR_BEST = 1.01
"""Routes of solutions this close to the best go to the pool."""


@compiled
def anneal(
    day: Day, routes: Routes, best: Best, pool: Pool, work: Work, dice: Dice, heat: Floats, stop: Ints, rounds: int
) -> int:
    """Search for `rounds` rounds, or until `stop[0]` is set; return how many were done.

    heat: first and last temperature, and how much of the search is done (0 to 1). With rounds < 0 the caller keeps
    that share up to date from its clock; else it is the share of the rounds.
    """
    cost = whole_cost(day, routes)
    if cost < best.cost[0]:
        keep_best(routes, best, pool, cost)
    done = 0
    while stop[0] == 0 and (rounds < 0 or done < rounds):
        share = done / rounds if rounds > 0 else heat[2]
        temperature = heat[0] * (heat[1] / heat[0]) ** share
        work.numbers[ROUND] += 1
        work.numbers[REMOVED] = 0
        work.numbers[TOUCHED] = 0
        ruin(day, routes, dice, work, served_count(day, routes))
        add_absent(day, routes, dice, work)
        recreate(day, routes, dice, work)
        found = whole_cost(day, routes)
        if found < cost - temperature * np.log(1.0 - chance(dice)):
            cost = found
            if cost < best.cost[0]:
                keep_best(routes, best, pool, cost)
            elif cost < best.cost[0] * NEAR_BEST:
                for k in range(work.numbers[TOUCHED]):
                    keep_route(routes, pool, work.touched[k])
        else:
            undo(day, routes, work)
        done += 1
        best.rounds[0] += 1
    return done


@compiled
def served_count(day: Day, routes: Routes) -> int:
    return len(day.tasks) - routes.absent_at[-1]


@compiled
def keep_best(routes: Routes, best: Best, pool: Pool, cost: float) -> None:
    best.cost[0] = cost
    for crew in range(len(best.counts)):
        count = routes.totals[crew, COUNT]
        best.counts[crew] = count
        for k in range(count):
            best.stops[crew, k] = routes.stops[crew, k]
        keep_route(routes, pool, crew)


@compiled
def undo(day: Day, routes: Routes, work: Work) -> None:
    """Bring back each touched route as it was remembered."""
    for j in range(work.numbers[TOUCHED]):
        crew = work.touched[j]
        for k in range(routes.totals[crew, COUNT]):
            if work.mark_task[routes.stops[crew, k]] == work.numbers[ROUND]:
                release(day, routes, routes.stops[crew, k])
    for j in range(work.numbers[TOUCHED]):
        crew = work.touched[j]
        # With its version: what was remembered of the route as it was holds again.
        copy_route(day, work.kept, routes, crew)
        for k in range(routes.totals[crew, COUNT]):
            if routes.crew_of[routes.stops[crew, k]] < 0:
                claim(day, routes, crew, routes.stops[crew, k])


@compiled
def load_route(day: Day, routes: Routes, crew: int, stops: Ints, count: int) -> None:
    """Put absent tasks on a route that holds none."""
    routes.totals[crew, COUNT] = count
    for k in range(count):
        routes.stops[crew, k] = stops[k]
        claim(day, routes, crew, stops[k])
    refresh(day, routes, crew)


@compiled
def take_on(day: Day, routes: Routes, stops: Ints, counts: Ints) -> None:
    """Stand on another solution: only the routes that differ are told anew."""
    for crew in range(len(counts)):
        if same_route(routes, crew, stops, counts[crew]):
            continue
        for k in range(routes.totals[crew, COUNT]):
            release(day, routes, routes.stops[crew, k])
        routes.totals[crew, COUNT] = -1
    for crew in range(len(counts)):
        if routes.totals[crew, COUNT] < 0:
            routes.totals[crew, COUNT] = 0
            load_route(day, routes, crew, stops[crew], counts[crew])


@compiled
def same_route(routes: Routes, crew: int, stops: Ints, count: int) -> bool:
    same, k = routes.totals[crew, COUNT] == count, 0
    while same and k < count:
        same = routes.stops[crew, k] == stops[crew, k]
        k += 1
    return same


@compiled
def fill(day: Day, routes: Routes, work: Work, dice: Dice) -> int:
    """Serve every absent task that fits as things stand and lowers the whole cost; return how many were put in.

    Asks every crew and every place, and counts unequal work, so afterwards no single insertion pays.
    """
    added, again = 0, True
    while again:
        again = False
        for task in range(len(day.tasks)):
            while is_open(day, routes, task) and put_where_it_pays(day, routes, task, work, dice):
                added += 1
                again = True
    return added


@compiled
def put_where_it_pays(day: Day, routes: Routes, task: int, work: Work, dice: Dice) -> bool:
    routes.left[SEEN] = 1.0
    least, chosen, where = -1e-9, np.int64(-1), np.int64(-1)
    for crew in range(len(day.crews)):
        if not welcomes(day, routes, crew, task):
            continue
        if routes.totals[crew, COUNT] == 0 and freest(day, routes, day.kinds[crew]) != crew:
            continue
        price, place = best_place(day, routes, crew, task, 1e300, 0.0, dice, work.scratch)
        if place < 0:
            continue
        if price - day.gain[task] < least:
            least, chosen, where = price - day.gain[task], crew, place
    if chosen >= 0:
        serve(day, routes, chosen, where, task)
    return chosen >= 0


@compiled
def take_off(day: Day, routes: Routes, task: int) -> None:
    """Remove a served task from its route."""
    crew, place = routes.crew_of[task], 0
    while routes.stops[crew, place] != task:
        place += 1
    take_out(day, routes, crew, place)
    release(day, routes, task)
