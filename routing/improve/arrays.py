"""The arrays that the compiled functions share, and the names of their columns.

Few wide arrays and not many narrow ones: a compiled call hands over every array of a named tuple. All but the drives
are of 64 bits, so that each function is compiled for one kind of index only.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

type Ints = npt.NDArray[np.int64]
type Smalls = npt.NDArray[np.int32]
type Floats = npt.NDArray[np.float64]
type Dice = npt.NDArray[np.uint64]
type Flags = npt.NDArray[np.bool_]

FAR = 1 << 40
"""Later than every instant: a time that cannot be kept."""
NEVER = -FAR
UNREACHABLE = 2_100_000_000
"""A drive where there is no way: added to any instant it lies beyond every shift."""

# columns of Day.tasks
SERVICE, GROUP, PUBLISHED, LOCKED = range(4)
# columns of Day.crews
SHIFT_FROM, SHIFT_TO, LATEST, REST_FROM, REST_TO, REST_S, HAS_REST = range(7)
MOST_TASKS, MOST_TRAVEL, MOST_WORK, IS_OPEN, WORK_BEFORE, TIMED, OVERTIME_PRICE = range(7, 14)
# Day.prices
TRAVEL, WAIT, USED, CHANGE, BALANCE, SHARES = range(6)
# middle axis of Routes.early: no break yet, break taken, departed after the break's window
WHOLE, RESTED, AFTERNOON = range(3)
# middle axis of Routes.late: break taken or none needed, break still to come, home before the break's window
FREE, RESTING, MORNING = range(3)
# Routes.left
LEFT, SEEN = range(2)
# columns of Routes.totals
COUNT, TRAVEL_S, WORK_S = range(3)


class Roads(NamedTuple):
    """Apart from the rest of the day: compiling a call takes time for each array that it hands over."""

    drive: Smalls
    """[bands, nodes, nodes] seconds"""
    band_from: Ints


class Day(NamedTuple):
    """One problem. Nodes are the n tasks, then m starts, then m ends. Nothing here changes while a search runs."""

    roads: Roads
    longest: Smalls
    """[nodes, nodes] the longest over all bands: what a backward look must fear"""
    ways: Smalls
    """[tasks, nodes, 2] the longest drive to the task and from it, side by side: reading them takes most of the time"""
    tasks: Ints
    spans: Ints
    """[n, most spans, 2] first and last begin of each span in order; the rest of a row is (FAR, NEVER)"""
    gain: Floats
    """[n] what serving saves: value (of a group its largest), the price of change, the weight of duty"""
    duty: Floats
    """[n] the part of `gain` that is the task's own, whoever else of its group is served"""
    load: Ints
    """[n, kinds] the last kinds, as many as `shares` has, are what a task adds to a crew's shares"""
    shares: Ints
    """[m, 0 or 2] what each crew carries in of risk and of chances to earn; their prices stand from `SHARES` on"""
    quotas: Ints
    """[n, most quotas] which entries of `most` a task counts towards, then -1; of a pair the first row alone"""
    most: Ints
    """[groups + quotas] how many may be served of each, as `Routes.taken` counts them"""
    crews: Ints
    room: Ints
    may: Flags
    """[m, n] the crew offers what is required, is large enough and not excluded by a pin"""
    near: Ints
    """[n, k] other tasks, nearest first"""
    homes: Ints
    """[n, h] kinds of crews that may serve, nearest start first, then -1"""
    kinds: Ints
    """[m] which crews are alike in everything: the number of their kind"""
    alike: Ints
    """[kinds, most alike] the crews of each kind, then -1"""
    prices: Floats


class Routes(NamedTuple):
    """A solution, and the clock of each of its routes."""

    stops: Ints
    """[m, longest route] tasks in order"""
    crew_of: Ints
    """[n] the crew that serves, or -1"""
    totals: Ints
    load: Ints
    leg: Ints
    """[m, places] the longest drive to stop k or, last, to the end"""
    version: Ints
    """[m + 1] a number for each content that a route ever had; the last entry is the latest number given"""
    vacant: Ints
    """[kinds] a crew of the kind without a stop, if it still has none"""
    absent: Ints
    """[n] the tasks without a crew, as many as there are"""
    absent_at: Ints
    """[n + 1] where each task stands among the absent, or -1; the last entry is their number"""
    early: Ints
    """[m, 3, places] when the crew is ready to leave the start (0) or the k-th stop, by the state of its break"""
    late: Ints
    """[m, 3, places] the latest arrival at stop k or at the end, by what is still to come"""
    cost: Floats
    """[m] price of each route"""
    taken: Ints
    """[groups + quotas] how many of each are served"""
    left: Floats
    """what the absent tasks cost, and how much of the price of unequal work an insertion sees (`LEFT`, `SEEN`)"""


class Work(NamedTuple):
    """Scratch space of one thread."""

    numbers: Ints
    """how many are removed, the round, the stamp of `candidates`, how many routes are touched, where the ruin began,
    around how many it might have"""
    seeds: Ints
    """[n] the tasks around which a ruin may begin, as many as there may be"""
    removed: Ints
    keys: Floats
    asked: Ints
    scratch: Ints
    mark_task: Ints
    mark_crew: Ints
    saved_at: Ints
    """[m] the round in which the route was last kept in `kept`"""
    touched: Ints
    memo: Floats
    """[n, m, 2] the price of the cheapest place on a route; and the route's version at that time, with the place + 1
    (0 where there is none) in the lowest `PLACE_BITS` bits: a whole number, exact up to 2⁵³"""
    kept: Routes
    """The routes that the round touched, as they were before it; only what belongs to one route is filled"""


class Best(NamedTuple):
    """The best solution of one thread, and how far the thread is. The main thread reads it while the search runs."""

    stops: Ints
    counts: Ints
    cost: Floats
    rounds: Ints


class Pool(NamedTuple):
    """The different routes met, in the order they were met."""

    used: Ints
    """how many routes, how many stops"""
    slots: Ints
    """open addressing: a route's number + 1, or 0"""
    marks: Ints
    """[routes] a number that tells routes apart"""
    crews: Ints
    starts: Ints
    """[routes + 1] where the stops of each begin"""
    stops: Ints
    costs: Floats
    works: Ints


PLACE_BITS = 20

# names of Work.numbers
REMOVED, ROUND, STAMP, TOUCHED, SEED, SEEDS = range(6)
