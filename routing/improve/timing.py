"""The best clock for a fixed order of stops: when to leave, when one is back, and how long one waits.

The earliest return as a function of departure is a staircase of flat parts (a later departure only shortens the
waiting) and of rising parts without waiting. So it is enough to look at the right end of each flat part.
"""

# The machine's whole numbers: numpy's stubs tell them apart from `int`, the compiler does not.
# mypy: disable-error-code="assignment, return-value, arg-type, no-any-return"

import numpy as np

from routing.improve.arrays import (
    FAR,
    HAS_REST,
    LATEST,
    MOST_TRAVEL,
    MOST_WORK,
    NEVER,
    OVERTIME_PRICE,
    REST_FROM,
    REST_S,
    REST_TO,
    SERVICE,
    SHIFT_FROM,
    SHIFT_TO,
    TRAVEL,
    WAIT,
    Day,
    Ints,
)
from routing.improve.clock import drive_at, first_begin, last_begin, rested_arrival, rested_return, resting_ready
from routing.improve.compiled import compiled

NO_PRICE = 1e300
"""The price of a route that cannot be driven."""
FLATS = 8
"""How many flat parts are looked at; a day rarely has more windows to slip into."""


@compiled
def earliest_return(day: Day, crew: int, stops: Ints, count: int, depart: int) -> tuple[int, int, bool]:
    """(return, travel, whether a break is taken) of the earliest lawful return, FAR if there is none."""
    n, m = len(day.tasks), len(day.crews)
    rests = day.crews[crew, HAS_REST] == 1
    here, ready, rested = n + crew, depart, np.int64(FAR)
    travel, rested_travel = np.int64(0), np.int64(0)
    for k in range(count):
        task = stops[k]
        service = day.tasks[task, SERVICE]
        drive = drive_at(day.roads, ready, here, task)
        if rests:
            after = drive_at(day.roads, rested, here, task)
            begin = first_begin(day.spans, task, rested + after)
            rested_travel += after
            arrives = rested_arrival(day, crew, ready, here, task)
            fresh = first_begin(day.spans, task, arrives)
            if fresh < begin:
                begin = fresh
                rested_travel = travel + fresh_drive(day, crew, ready, here, task)
            rested = begin + service
        travel += drive
        ready = first_begin(day.spans, task, ready + drive) + service
        here = task
    return home_again(day, crew, here, n + m + crew, (ready, travel), (rested, rested_travel), depart)


@compiled
def fresh_drive(day: Day, crew: int, ready: int, here: int, task: int) -> int:
    """The drive that `rested_arrival` chose: right away, or after the break."""
    drive = drive_at(day.roads, ready, here, task)
    there = ready + drive
    arrives = rested_arrival(day, crew, ready, here, task)
    if there < day.crews[crew, REST_TO] and arrives == max(there, day.crews[crew, REST_FROM]) + day.crews[crew, REST_S]:
        return drive
    leaves = max(ready, day.crews[crew, REST_FROM]) + day.crews[crew, REST_S]
    return drive_at(day.roads, leaves, here, task)


@compiled
def home_again(
    day: Day, crew: int, here: int, end: int, whole: tuple[int, int], rested: tuple[int, int], depart: int
) -> tuple[int, int, bool]:
    """The better of coming home with and without a break."""
    latest = day.crews[crew, LATEST]
    drive = drive_at(day.roads, whole[0], here, end)
    plain = whole[0] + drive
    if not day.crews[crew, HAS_REST]:
        return (plain if plain <= latest else FAR), whole[1] + drive, False
    after = drive_at(day.roads, rested[0], here, end)
    best, travel = rested[0] + after, rested[1] + after
    arrives = rested_return(day, crew, whole[0], here)
    if arrives < best:
        leaves = max(whole[0], day.crews[crew, REST_FROM]) + day.crews[crew, REST_S]
        best, travel = arrives, whole[1] + drive_at(day.roads, leaves, here, end)
    spared = plain < day.crews[crew, REST_FROM] or depart >= day.crews[crew, REST_TO]
    if spared and plain < best:
        return (plain if plain <= latest else FAR), whole[1] + drive, False
    return (best if best <= latest else FAR), travel, True


@compiled
def latest_departure(day: Day, crew: int, stops: Ints, count: int, returns: int) -> int:
    """The latest departure that still returns by `returns`, NEVER if there is none."""
    n, m = len(day.tasks), len(day.crews)
    rests = day.crews[crew, HAS_REST] == 1
    there, free, resting = n + m + crew, returns, np.int64(NEVER)
    morning = min(returns, day.crews[crew, REST_FROM] - 1)
    for k in range(count - 1, -2, -1):
        here = stops[k] if k >= 0 else n + crew
        drive = np.int64(day.longest[here, there])
        if rests:
            resting = max(resting - drive, resting_ready(day, crew, free, drive, k + 1 == count))
        free, morning = free - drive, morning - drive
        if k >= 0:
            service = day.tasks[here, SERVICE]
            free = last_begin(day.spans, here, free - service)
            morning = last_begin(day.spans, here, morning - service)
            resting = last_begin(day.spans, here, resting - service)
        there = here
    if not rests:
        return free
    return max(morning, resting, free if free >= day.crews[crew, REST_TO] else NEVER)


@compiled
def best_timing(day: Day, crew: int, stops: Ints, count: int) -> tuple[float, int, int, int, bool]:
    """(price, depart, return, travel, rests) of the cheapest clock found; price is infinite if there is none.

    The price is that of travel, waiting and overtime. Limits of work and travel are kept.
    """
    service = np.int64(0)
    for k in range(count):
        service += day.tasks[stops[k], SERVICE]
    depart = day.crews[crew, SHIFT_FROM]
    found = (NO_PRICE, np.int64(NEVER), np.int64(FAR), np.int64(0), count < 0)
    for _ in range(FLATS):
        depart, returns, travel, rests = departure_return(day, crew, stops, count, depart)
        if returns >= FAR:
            break
        later = latest_departure(day, crew, stops, count, returns)
        if later > depart:
            depart, returns, travel, rests = departure_return(day, crew, stops, count, later)
        wait = returns - depart - travel - service - (day.crews[crew, REST_S] if rests else 0)
        overtime = max(0, returns - day.crews[crew, SHIFT_TO]) * day.crews[crew, OVERTIME_PRICE]
        price = day.prices[TRAVEL] * travel + day.prices[WAIT] * wait + overtime
        lawful = returns - depart <= day.crews[crew, MOST_WORK] and travel <= day.crews[crew, MOST_TRAVEL]
        if lawful and price < found[0]:
            found = (price, depart, returns, travel, rests)
        if wait == 0 or (lawful and day.prices[WAIT] == 0):
            break
        depart += 1
    return found


@compiled
def departure_return(day: Day, crew: int, stops: Ints, count: int, depart: int) -> tuple[int, int, int, bool]:
    """The departure and its `earliest_return`, or leaving only after the break's window where that is home earlier."""
    returns, travel, rests = earliest_return(day, crew, stops, count, depart)
    closes = day.crews[crew, REST_TO]
    if day.crews[crew, HAS_REST] and depart < closes:
        afternoon, driven, rested = earliest_return(day, crew, stops, count, closes)
        if afternoon < returns:
            return closes, afternoon, driven, rested
    return depart, returns, travel, rests
