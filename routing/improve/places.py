"""Where one more visit fits, exactly and in constant time a place, and what it would cost there."""

# The machine's whole numbers: numpy's stubs tell them apart from `int`, the compiler does not.
# mypy: disable-error-code="assignment, return-value, arg-type, no-any-return"

import numpy as np

from routing.improve.arrays import (
    AFTERNOON,
    BALANCE,
    CHANGE,
    COUNT,
    FAR,
    FREE,
    HAS_REST,
    MORNING,
    MOST_TASKS,
    MOST_TRAVEL,
    PUBLISHED,
    RESTED,
    RESTING,
    SEEN,
    SERVICE,
    SHARES,
    TIMED,
    TRAVEL,
    TRAVEL_S,
    USED,
    WHOLE,
    WORK_BEFORE,
    WORK_S,
    Day,
    Dice,
    Ints,
    Routes,
)
from routing.improve.clock import (
    drive_at,
    end_late,
    first_begin,
    last_of_all,
    refresh_early,
    refresh_late,
    rested_arrival,
    rested_return,
)
from routing.improve.compiled import compiled
from routing.improve.timing import NO_PRICE, best_timing

NEVER_LIMITED = 1 << 60


@compiled
def fits(day: Day, routes: Routes, crew: int, place: int, task: int) -> bool:
    """Whether `task` may be put before stop `place` (or last) so that every time of the route can be kept."""
    n, m = len(day.tasks), len(day.crews)
    count = routes.totals[crew, COUNT]
    before = n + crew if place == 0 else routes.stops[crew, place - 1]
    after = n + m + crew if place == count else routes.stops[crew, place]
    ready = routes.early[crew, WHOLE, place]
    service = day.tasks[task, SERVICE]
    done = first_begin(day.spans, task, ready + drive_at(day.roads, ready, before, task)) + service
    arrives = done + drive_at(day.roads, done, task, after)
    if not day.crews[crew, HAS_REST]:
        return arrives <= routes.late[crew, FREE, place]
    # A break never brings a crew there earlier, but for hour bands.
    if arrives > routes.late[crew, FREE, place] and len(day.roads.band_from) == 1:
        return False
    if arrives <= routes.late[crew, MORNING, place] or arrives <= routes.late[crew, RESTING, place]:
        return True
    free, home = routes.late[crew, FREE, place], place == count
    if (rested_return(day, crew, done, task) if home else rested_arrival(day, crew, done, task, after)) <= free:
        return True
    begin = first_begin(day.spans, task, rested_arrival(day, crew, ready, before, task))
    return (
        keeps(day, begin + service, task, after, free)
        or passes(day, routes.early[crew, RESTED, place], before, task, after, free)
        or passes(day, routes.early[crew, AFTERNOON, place], before, task, after, free)
    )


@compiled
def keeps(day: Day, done: int, task: int, after: int, free: int) -> bool:
    return done + drive_at(day.roads, done, task, after) <= free


@compiled
def passes(day: Day, ready: int, before: int, task: int, after: int, free: int) -> bool:
    begin = first_begin(day.spans, task, ready + drive_at(day.roads, ready, before, task))
    return keeps(day, begin + day.tasks[task, SERVICE], task, after, free)


@compiled
def welcomes(day: Day, routes: Routes, crew: int, task: int) -> bool:
    """What does not depend on the place: permission, number of stops and load."""
    if not day.may[crew, task]:
        return False
    if routes.totals[crew, COUNT] >= min(day.crews[crew, MOST_TASKS], routes.stops.shape[1]):
        return False
    for kind in range(day.load.shape[1]):
        if routes.load[crew, kind] + day.load[task, kind] > day.room[crew, kind]:
            return False
    return True


@compiled
def best_place(
    day: Day, routes: Routes, crew: int, task: int, least: float, blink: float, dice: Dice, scratch: Ints
) -> tuple[float, int]:
    """(price, place) of the cheapest place that costs less than `least`; place -1 if there is none.

    Each place is overlooked with probability `blink`.
    """
    n, m = len(day.tasks), len(day.crews)
    count = routes.totals[crew, COUNT]
    stops, leg, early, late = routes.stops[crew], routes.leg[crew], routes.early[crew, WHOLE], routes.late[crew, FREE]
    ways = day.ways[task]
    service, driven = day.tasks[task, SERVICE], routes.totals[crew, TRAVEL_S]
    rests, banded = day.crews[crew, HAS_REST] == 1, len(day.roads.band_from) > 1
    fixed = day.prices[USED] if count == 0 else 0.0
    if day.tasks[task, PUBLISHED] >= 0 and day.tasks[task, PUBLISHED] != crew:
        fixed += day.prices[CHANGE]
    timed = day.crews[crew, TIMED]
    # Filling a gap may save waiting and level the work: then the detour alone is no lower bound.
    # At most what the route's clock costs now, unless the hour decides how long a drive takes.
    saved = 0.0
    if timed:
        loose = banded or routes.left[SEEN] > 0
        saved = NO_PRICE if loose else routes.cost[crew] - day.prices[TRAVEL] * driven
    last_span = last_of_all(day.spans, task)
    best, where = least, np.int64(-1)
    most_travel = NEVER_LIMITED if timed else day.crews[crew, MOST_TRAVEL]
    first = np.int64(0) if banded else first_late(late, count, day.spans[task, 0, 0] + service)
    before = n + crew if first == 0 else stops[first - 1]
    for place in range(first, count + 1):
        ready = early[place]
        if ready > last_span and not banded:
            break
        after = n + m + crew if place == count else stops[place]
        there, on = np.int64(ways[before, 0]), np.int64(ways[after, 1])
        detour = there + on - (leg[place] if count > 0 else 0)
        price = fixed + day.prices[TRAVEL] * detour
        before = after
        if price - saved >= best or driven + detour > most_travel or (blink > 0 and chance(dice) < blink):
            continue
        if not banded:
            # What `fits` looks at first, without its call: most places fail here.
            arrives = first_begin(day.spans, task, ready + there) + service + on
            if arrives > late[place]:
                continue
        if (banded or rests) and not fits(day, routes, crew, place, task):
            continue
        if timed:
            price = timed_price(day, routes, crew, place, task, scratch)
        if price < best:
            best, where = price, place
    return best, where


@compiled
def first_late(late: Ints, count: int, done: int) -> int:
    """The first place that need not be left before `done`: the latest times never fall along a route."""
    low, high = np.int64(0), count
    while low < high:
        middle = (low + high) // 2
        if late[middle] < done:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def timed_price(day: Day, routes: Routes, crew: int, place: int, task: int, scratch: Ints) -> float:
    """What the route costs more with the task put in, clock included, and what is seen of unequal work."""
    count = routes.totals[crew, COUNT]
    for k in range(count + 1):
        scratch[k] = task if k == place else routes.stops[crew, k if k < place else k - 1]
    price, _, work_s = route_price(day, crew, scratch, count + 1)
    if routes.left[SEEN] > 0:
        price += routes.left[SEEN] * (spread(day, routes, crew, work_s, task) - spread_now(day, routes))
    return price - routes.cost[crew]


@compiled
def spread(day: Day, routes: Routes, other: int, work_s: int, task: int) -> float:
    """The price of unequal work and shares over all crews, were the work of crew `other` (or none, -1) `work_s` and
    `task` one of its own."""
    price, count = 0.0, len(day.crews)
    if day.prices[BALANCE] > 0 and count > 0:
        least, most = np.int64(FAR), np.int64(0)
        for crew in range(count):
            total = day.crews[crew, WORK_BEFORE] + (work_s if crew == other else routes.totals[crew, WORK_S])
            least, most = min(least, total), max(most, total)
        price += day.prices[BALANCE] * (most - least)
    for share in range(day.shares.shape[1] if count > 0 else 0):
        kind, least, most = day.load.shape[1] - day.shares.shape[1] + share, np.int64(FAR), np.int64(0)
        for crew in range(count):
            total = day.shares[crew, share] + routes.load[crew, kind]
            if crew == other:
                total += day.load[task, kind]
            least, most = min(least, total), max(most, total)
        price += day.prices[SHARES + share] * (most - least)
    return price


@compiled
def spread_now(day: Day, routes: Routes) -> float:
    return spread(day, routes, np.int64(-1), np.int64(0), np.int64(0))


@compiled
def route_price(day: Day, crew: int, stops: Ints, count: int) -> tuple[float, int, int]:
    """(price, travel, work) of an order of stops, exactly as the format counts them; without balance."""
    if count == 0:
        return 0.0, np.int64(0), np.int64(0)
    price, departs, returns, travel, _ = best_timing(day, crew, stops, count)
    for k in range(count):
        published = day.tasks[stops[k], PUBLISHED]
        if published >= 0 and published != crew:
            price += day.prices[CHANGE]
    return price + day.prices[USED], travel, returns - departs


@compiled
def refresh(day: Day, routes: Routes, crew: int) -> None:
    """Tell clock, load, price and totals of a route anew, whatever its stops were before."""
    count = routes.totals[crew, COUNT]
    for kind in range(day.load.shape[1]):
        routes.load[crew, kind] = 0
        for k in range(count):
            routes.load[crew, kind] += day.load[routes.stops[crew, k], kind]
    end_late(day, routes, crew)
    refresh_around(day, routes, crew, np.int64(0), count)


@compiled
def refresh_around(day: Day, routes: Routes, crew: int, first: int, last: int) -> None:
    """Tell clock, price and totals anew after stops from `first` up to `last`, exclusive, are new, or others are gone.

    What is told of the stops after them has moved with them, and the load is right.
    """
    refresh_legs(day, routes, crew, first, last)
    refresh_early(day, routes, crew, first, last)
    refresh_late(day, routes, crew, last - 1, first)
    count = routes.totals[crew, COUNT]
    # Afterwards no memory of the route as it was holds any more.
    routes.version[-1] += 1
    routes.version[crew] = routes.version[-1]
    if count == 0:
        routes.vacant[day.kinds[crew]] = crew
    if day.crews[crew, TIMED]:
        price, travel, work = route_price(day, crew, routes.stops[crew], count)
        routes.totals[crew, WORK_S] = work
    else:
        price, travel = plain_price(day, routes, crew)
        if travel > day.crews[crew, MOST_TRAVEL] or not in_time(day, routes, crew):
            price = NO_PRICE
    routes.cost[crew] = price
    routes.totals[crew, TRAVEL_S] = travel


@compiled
def in_time(day: Day, routes: Routes, crew: int) -> bool:
    """Whether the refreshed route keeps its times: without a triangle inequality taking a stop out can break them."""
    n, m = len(day.tasks), len(day.crews)
    count = routes.totals[crew, COUNT]
    if count == 0:
        return True
    last, end = routes.stops[crew, count - 1], n + m + crew
    ready = routes.early[crew, WHOLE, count]
    home = ready + drive_at(day.roads, ready, last, end)
    if not day.crews[crew, HAS_REST]:
        return home <= routes.late[crew, FREE, count]
    rested, afternoon = routes.early[crew, RESTED, count], routes.early[crew, AFTERNOON, count]
    home_rested = min(rested + drive_at(day.roads, rested, last, end), rested_return(day, crew, ready, last))
    home_rested = min(home_rested, afternoon + drive_at(day.roads, afternoon, last, end))
    return home <= routes.late[crew, MORNING, count] or home_rested <= routes.late[crew, FREE, count]


@compiled
def refresh_legs(day: Day, routes: Routes, crew: int, first: int, last: int) -> None:
    """The drives to the stops from `first` to `last`, which may be the end."""
    n, m, count = len(day.tasks), len(day.crews), routes.totals[crew, COUNT]
    here = n + crew if first == 0 else routes.stops[crew, first - 1]
    for k in range(first, min(last + 1, count)):
        task = routes.stops[crew, k]
        routes.leg[crew, k] = day.ways[task, here, 0]
        here = task
    if last == count:
        routes.leg[crew, count] = day.longest[here, n + m + crew]


@compiled
def plain_price(day: Day, routes: Routes, crew: int) -> tuple[float, int]:
    """(price, travel) where the clock costs nothing: one matrix, no price on waiting, overtime or balance."""
    count = routes.totals[crew, COUNT]
    if count == 0:
        return 0.0, np.int64(0)
    travel, changed = routes.leg[crew, count], np.int64(0)
    for k in range(count):
        travel += routes.leg[crew, k]
    if day.prices[CHANGE] > 0:
        for k in range(count):
            published = day.tasks[routes.stops[crew, k], PUBLISHED]
            changed += published >= 0 and published != crew
    return day.prices[USED] + day.prices[TRAVEL] * travel + day.prices[CHANGE] * changed, travel


@compiled
def move_stop(day: Day, routes: Routes, crew: int, origin: int, target: int) -> None:
    """Take a stop to another place of its route, with all that is told of what comes after it."""
    routes.stops[crew, target] = routes.stops[crew, origin]
    routes.leg[crew, target] = routes.leg[crew, origin]
    for state in range(3 if day.crews[crew, HAS_REST] else 1):
        routes.early[crew, state, target + 1] = routes.early[crew, state, origin + 1]
        routes.late[crew, state, target] = routes.late[crew, state, origin]


@compiled
def move_end(day: Day, routes: Routes, crew: int, count: int) -> None:
    """The route has `count` stops from now on."""
    before = routes.totals[crew, COUNT]
    routes.leg[crew, count] = routes.leg[crew, before]
    for state in range(3):
        routes.late[crew, state, count] = routes.late[crew, state, before]
    routes.totals[crew, COUNT] = count


@compiled
def put(day: Day, routes: Routes, crew: int, place: int, task: int) -> None:
    """Make `task` the stop at `place`."""
    count = routes.totals[crew, COUNT]
    move_end(day, routes, crew, count + 1)
    for k in range(count, place, -1):
        move_stop(day, routes, crew, k - 1, k)
    routes.stops[crew, place] = task
    routes.crew_of[task] = crew
    for kind in range(day.load.shape[1]):
        routes.load[crew, kind] += day.load[task, kind]
    refresh_around(day, routes, crew, place, place + 1)


@compiled
def take_out(day: Day, routes: Routes, crew: int, place: int) -> None:
    """Take the stop at `place` off its route; the caller says that it is absent."""
    count = routes.totals[crew, COUNT]
    for kind in range(day.load.shape[1]):
        routes.load[crew, kind] -= day.load[routes.stops[crew, place], kind]
    for k in range(place, count - 1):
        move_stop(day, routes, crew, k + 1, k)
    move_end(day, routes, crew, count - 1)
    refresh_around(day, routes, crew, place, place)


@compiled
def chance(dice: Dice) -> float:
    """A number from 0 up to 1, from our own state: a thread's result depends on its seed alone (xorshift64*)."""
    x = dice[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    dice[0] = x
    return np.float64((x * np.uint64(2685821657736338717)) >> np.uint64(11)) / 9007199254740992.0


@compiled
def pick(dice: Dice, count: int) -> int:
    """A whole number from 0 up to `count`, exclusive."""
    return min(count - 1, np.int64(chance(dice) * count))
