"""Time on a route: forward to the earliest, backward to the latest, with several windows and a break.

A route has three lawful ways past its break: take it inside the window (`RESTED`), be home before the window opens
(`MORNING`), or leave after it has closed (`AFTERNOON`). Each way has its own earliest and latest times, so that a place
for one more visit is checked in constant time.
"""

# The machine's whole numbers: numpy's stubs tell them apart from `int`, the compiler does not.
# mypy: disable-error-code="assignment, return-value, arg-type, no-any-return"

import numpy as np

from routing.improve.arrays import (
    AFTERNOON,
    COUNT,
    FAR,
    FREE,
    HAS_REST,
    IS_OPEN,
    LATEST,
    MORNING,
    NEVER,
    REST_FROM,
    REST_S,
    REST_TO,
    RESTED,
    RESTING,
    SERVICE,
    SHIFT_FROM,
    WHOLE,
    Day,
    Ints,
    Roads,
    Routes,
)
from routing.improve.compiled import compiled


@compiled
def drive_at(roads: Roads, at: int, origin: int, target: int) -> int:
    """Seconds of a drive that starts at `at`."""
    band = np.int64(0)
    while band + 1 < len(roads.band_from) and roads.band_from[band + 1] <= at:
        band += 1
    return np.int64(roads.drive[band, origin, target])


@compiled
def first_begin(spans: Ints, task: int, at: int) -> int:
    """The first lawful begin at `at` or later."""
    for span in range(spans.shape[1]):
        if at <= spans[task, span, 1]:
            return max(at, spans[task, span, 0])
    return np.int64(FAR)


@compiled
def last_of_all(spans: Ints, task: int) -> int:
    """The last moment at which the service may begin."""
    last = spans[task, 0, 1]
    for span in range(1, spans.shape[1]):
        last = max(last, spans[task, span, 1])
    return last


@compiled
def last_begin(spans: Ints, task: int, at: int) -> int:
    """The last lawful begin at `at` or earlier."""
    for span in range(spans.shape[1] - 1, -1, -1):
        if at >= spans[task, span, 0]:
            return min(at, spans[task, span, 1])
    return np.int64(NEVER)


@compiled
def rested_arrival(day: Day, crew: int, ready: int, origin: int, target: int) -> int:
    """When the crew is at the door with its break taken, there or before the drive.

    At the door is never later, but for hour bands: waiting may bring a quicker hour, or the only one with a way.
    """
    opens, closes, lasts = day.crews[crew, REST_FROM], day.crews[crew, REST_TO], day.crews[crew, REST_S]
    if ready >= closes:
        return np.int64(FAR)
    there = ready + drive_at(day.roads, ready, origin, target)
    at_door = max(there, opens) + lasts if there < closes else np.int64(FAR)
    if there < closes and len(day.roads.band_from) == 1:
        return at_door
    leaves = max(ready, opens) + lasts
    return min(at_door, leaves + drive_at(day.roads, leaves, origin, target))


@compiled
def rested_return(day: Day, crew: int, ready: int, origin: int) -> int:
    """When the crew is home with a break before the drive; an open route has no break after its last service."""
    opens, closes, lasts = day.crews[crew, REST_FROM], day.crews[crew, REST_TO], day.crews[crew, REST_S]
    if ready >= closes or day.crews[crew, IS_OPEN]:
        return np.int64(FAR)
    leaves = max(ready, opens) + lasts
    return leaves + drive_at(day.roads, leaves, origin, len(day.tasks) + len(day.crews) + crew)


@compiled
def resting_ready(day: Day, crew: int, arrives: int, drive: int, home: bool) -> int:
    """The latest moment to be ready, break still to be taken on the way, to be done by `arrives`."""
    opens, closes, lasts = day.crews[crew, REST_FROM], day.crews[crew, REST_TO], day.crews[crew, REST_S]
    best = np.int64(NEVER)
    if not home:
        begin = min(arrives - lasts, closes - 1)
        if begin >= opens:
            best = begin - drive
    if not (home and day.crews[crew, IS_OPEN]):
        begin = min(arrives - drive - lasts, closes - 1)
        if begin >= opens:
            best = max(best, begin)
    return best


@compiled
def refresh_early(day: Day, routes: Routes, crew: int, first: int, settled: int) -> None:
    """From stop `first` on; from stop `settled` on only as long as something changes."""
    early, rests = routes.early[crew], day.crews[crew, HAS_REST]
    here = len(day.tasks) + crew
    early[WHOLE, 0] = day.crews[crew, SHIFT_FROM]
    early[RESTED, 0] = FAR
    early[AFTERNOON, 0] = max(day.crews[crew, SHIFT_FROM], day.crews[crew, REST_TO]) if rests else FAR
    if first > 0:
        here = routes.stops[crew, first - 1]
    for k in range(first, routes.totals[crew, COUNT]):
        task = routes.stops[crew, k]
        service = day.tasks[task, SERVICE]
        ready = early[WHOLE, k]
        whole = first_begin(day.spans, task, ready + drive_at(day.roads, ready, here, task)) + service
        same = early[WHOLE, k + 1] == whole
        early[WHOLE, k + 1] = whole
        if rests:
            rested = early[RESTED, k]
            begin = first_begin(day.spans, task, rested + drive_at(day.roads, rested, here, task))
            begin = min(begin, first_begin(day.spans, task, rested_arrival(day, crew, ready, here, task)))
            late = early[AFTERNOON, k]
            noon = first_begin(day.spans, task, late + drive_at(day.roads, late, here, task)) + service
            same = same and early[RESTED, k + 1] == begin + service and early[AFTERNOON, k + 1] == noon
            early[RESTED, k + 1] = begin + service
            early[AFTERNOON, k + 1] = noon
        if same and k >= settled:
            return
        here = task


@compiled
def end_late(day: Day, routes: Routes, crew: int) -> None:
    """The latest times of coming home."""
    count, late = routes.totals[crew, COUNT], routes.late[crew]
    late[FREE, count] = day.crews[crew, LATEST]
    late[RESTING, count] = NEVER
    late[MORNING, count] = min(day.crews[crew, LATEST], day.crews[crew, REST_FROM] - 1)


@compiled
def refresh_late(day: Day, routes: Routes, crew: int, last: int, settled: int) -> None:
    """From stop `last` back to the first; before stop `settled` only as long as something changes."""
    late, rests = routes.late[crew], day.crews[crew, HAS_REST]
    count = routes.totals[crew, COUNT]
    there = len(day.tasks) + len(day.crews) + crew if last + 1 == count else routes.stops[crew, last + 1]
    for k in range(last, -1, -1):
        task = routes.stops[crew, k]
        drive, service = np.int64(day.longest[task, there]), day.tasks[task, SERVICE]
        free = late[FREE, k + 1]
        begin = last_begin(day.spans, task, free - drive - service)
        same = late[FREE, k] == begin
        late[FREE, k] = begin
        if rests:
            ready = resting_ready(day, crew, free, drive, k + 1 == count)
            ready = max(ready, late[RESTING, k + 1] - drive)
            resting = last_begin(day.spans, task, ready - service)
            morning = last_begin(day.spans, task, late[MORNING, k + 1] - drive - service)
            same = same and late[RESTING, k] == resting and late[MORNING, k] == morning
            late[RESTING, k] = resting
            late[MORNING, k] = morning
        if same and k < settled:
            return
        there = task
