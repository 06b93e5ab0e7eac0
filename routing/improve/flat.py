"""From a problem to flat arrays, and from arrays back to the order of stops."""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from routing.improve.arrays import (
    FAR,
    LATEST,
    MOST_TASKS,
    NEVER,
    SERVICE,
    SHIFT_FROM,
    UNREACHABLE,
    Best,
    Day,
    Flags,
    Floats,
    Ints,
    Pool,
    Roads,
    Routes,
    Smalls,
    Work,
)
from routing.problem import Crew, Matrix, Problem, Task

NEIGHBOURS = 200
AT_ONCE = 500
"""For how many tasks the neighbours are sorted at once: of all of them the squares would take gigabytes."""
HOMES = 6
NO_LIMIT = 1 << 40
POOL_ROUTES = 12_000


@dataclass(frozen=True)
class Flat:
    """A problem as arrays. Row r stands for task `rows[r]`; a task for two crews has two rows, one for each crew.

    The rows of tasks for two crews are locked: the search goes around them, `pairs` places them.
    """

    problem: Problem
    rows: tuple[int, ...]
    day: Day

    @cached_property
    def pairs(self) -> dict[int, tuple[int, int]]:
        """The two rows of each task for two crews, by the task's index."""
        found: dict[int, list[int]] = {}
        for row, index in enumerate(self.rows):
            if self.problem.tasks[index].crews == 2:
                found.setdefault(index, []).append(row)
        return {index: (rows[0], rows[1]) for index, rows in found.items()}

    @cached_property
    def crew_numbers(self) -> dict[str, int]:
        return {crew.id: number for number, crew in enumerate(self.problem.crews)}

    def task_of(self, row: int) -> Task:
        return self.problem.tasks[self.rows[row]]


def flat(problem: Problem, excluded: frozenset[str] = frozenset()) -> Flat:
    """The arrays of a problem without the excluded tasks, which nobody could serve."""
    squares = [_known(matrix) for matrix in problem.travel.matrices]
    kept = _chain(problem, squares[0], [index for index, task in enumerate(problem.tasks) if task.id not in excluded])
    rows = tuple(index for index in kept for _ in range(problem.tasks[index].crews))
    return Flat(problem, rows, _day(problem, rows, squares))


def _chain(problem: Problem, square: Smalls, kept: list[int]) -> list[int]:
    """The tasks so that each is followed by the nearest of those to come.

    Neighbours in the country are then neighbours in memory, where the search spends its time waiting.
    """
    if not kept:
        return kept
    places = np.array([problem.tasks[index].location for index in kept], np.int64)
    here, chain, chained = 0, [0], np.zeros(len(kept), np.bool_)
    for _ in range(len(kept) - 1):
        chained[here] = True
        far = square[places[here], places].astype(np.int64) + square[places, places[here]]
        far[chained] = FAR
        here = int(np.argmin(far))
        chain.append(here)
    return [kept[position] for position in chain]


def _known(matrix: Matrix) -> Smalls:
    """Row by row: in one piece ten thousand places would take gigabytes on the way."""
    square = np.empty((len(matrix), len(matrix)), np.int32)
    for index, row in enumerate(matrix):
        # None becomes NaN: twice as fast as asking each cell.
        cells = np.array(row, np.float64)
        square[index] = np.where(np.isnan(cells), UNREACHABLE, cells)
    return square


def _day(problem: Problem, rows: tuple[int, ...], squares: list[Smalls]) -> Day:
    tasks = [problem.tasks[index] for index in rows]
    drive = _drives(problem, tasks, squares)
    # Of one band no second square is kept: for ten thousand visits it is half a gigabyte.
    longest = drive[0] if len(drive) == 1 else drive.max(axis=0)
    may = _permissions(problem, tasks)
    gain, duty = _gains(problem, tasks)
    load, room = _loads(problem, tasks)
    quotas, most = _quotas(problem, tasks)
    prices = problem.prices
    kinds = _kinds(problem, may)
    return Day(
        roads=Roads(drive, np.array(problem.travel.starts_s, np.int64)),
        longest=longest,
        ways=np.stack([longest[:, : len(tasks)].T, longest[: len(tasks)]], axis=2),
        tasks=_task_columns(problem, tasks),
        spans=_spans(tasks),
        gain=gain,
        duty=duty,
        load=load,
        shares=_shares(problem),
        quotas=quotas,
        most=most,
        crews=_crew_columns(problem),
        room=room,
        may=may,
        near=_nearest(drive[0], len(tasks)),
        homes=_homes(drive[0], may, len(tasks), kinds),
        kinds=kinds,
        alike=_alike(kinds),
        prices=np.array(
            [prices.travel, prices.wait, prices.crew_used, prices.change, prices.balance, *_share_prices(problem)],
            np.float64,
        ),
    )


def _drives(problem: Problem, tasks: list[Task], squares: list[Smalls]) -> Smalls:
    starts = [crew.start for crew in problem.crews]
    ends = [crew.start if crew.end is None else crew.end for crew in problem.crews]
    places = np.array([task.location for task in tasks] + starts + ends, np.int64)
    drives = np.empty((len(squares), len(places), len(places)), np.int32)
    for band, square in enumerate(squares):
        drives[band] = square[np.ix_(places, places)] if len(places) else 0
    for index, crew in enumerate(problem.crews):
        if crew.end is None:
            drives[:, :, len(tasks) + len(starts) + index] = 0
    return drives


def _permissions(problem: Problem, tasks: list[Task]) -> Flags:
    may = np.zeros((len(problem.crews), len(tasks)), np.bool_)
    for v, crew in enumerate(problem.crews):
        for c, task in enumerate(tasks):
            may[v, c] = bool(task.begins) and task.requires <= crew.offers and _alone(crew, task)
    return may


def _alone(crew: Crew, task: Task) -> bool:
    """What one crew must bring when it comes alone; of two, `pairs` looks at both together."""
    if task.crews == 2:
        return True
    return task.visitors <= crew.size and (task.pin is None or task.pin.crew in (None, crew.id))


def _gains(problem: Problem, tasks: list[Task]) -> tuple[Floats, Floats]:
    largest: dict[str, int] = {}
    for task in problem.tasks:
        # Also a mate that nobody could serve costs its value while none of the group is served.
        if task.group is not None:
            largest[task.group] = max(largest.get(task.group, 0), task.value_s)
    value = np.array([task.value_s if task.group is None else largest[task.group] for task in tasks], np.float64)
    duty = np.array([0 if t.published_crew is None else problem.prices.change for t in tasks], np.float64)
    duty += np.array([t.mandatory for t in tasks], np.float64) * _weight_of_duty(problem)
    for row in range(1, len(tasks)):
        if tasks[row].crews == 2 and tasks[row] is tasks[row - 1]:
            # The second row of a pair: its worth is counted with the first.
            value[row], duty[row] = 0, 0
    return value + duty, duty


def _weight_of_duty(problem: Problem) -> float:
    """More than serving one mandatory task could ever cost elsewhere, and small enough for exact sums."""
    prices = problem.prices
    values = sum(task.value_s for task in problem.tasks)
    longest = max((crew.latest_return_s - crew.shift[0] for crew in problem.crews), default=0)
    overtime = max((crew.overtime.price for crew in problem.crews if crew.overtime is not None), default=0)
    a_route = (prices.travel + prices.wait + overtime) * longest + prices.crew_used
    shares = prices.balance_risk * sum(task.risk for task in problem.tasks)
    shares += prices.balance_earning * sum(task.earning for task in problem.tasks)
    values += 2 * shares
    return float(
        values + (len(problem.crews) + 1) * a_route + prices.balance * longest + prices.change * len(problem.tasks) + 1
    )


def _task_columns(problem: Problem, tasks: list[Task]) -> Ints:
    groups = {name: index for index, name in enumerate(dict.fromkeys(t.group for t in tasks if t.group is not None))}
    crews = {crew.id: index for index, crew in enumerate(problem.crews)}
    columns = np.zeros((len(tasks), 4), np.int64)
    for row, task in enumerate(tasks):
        group = -1 if task.group is None else groups[task.group]
        published = -1 if task.published_crew is None or task.crews == 2 else crews[task.published_crew]
        columns[row] = (task.service_s, group, published, int(task.crews == 2))
    return columns


def _spans(tasks: list[Task]) -> Ints:
    """The begins of each task; of a task for two crews one span, which `pairs` sets to the common begin."""
    most = max((len(task.begins) for task in tasks), default=1)
    spans = np.full((len(tasks), max(1, most), 2), (FAR, NEVER), np.int64)
    for row, task in enumerate(tasks):
        begins = task.begins if task.crews == 1 else ((0, 0),)
        spans[row, : len(begins)] = begins
    return spans


def _loads(problem: Problem, tasks: list[Task]) -> tuple[Ints, Ints]:
    kinds = max((len(task.load) for task in tasks), default=0)
    load = np.zeros((len(tasks), kinds), np.int64)
    room = np.full((len(problem.crews), kinds), NO_LIMIT, np.int64)
    for row, task in enumerate(tasks):
        load[row, : len(task.load)] = task.load
    for row, crew in enumerate(problem.crews):
        if crew.capacity is not None:
            room[row] = [crew.capacity[kind] if kind < len(crew.capacity) else 0 for kind in range(kinds)]
    if not any(_share_prices(problem)):
        return load, room
    shares = np.array([(task.risk, task.earning) for task in tasks], np.int64).reshape(len(tasks), 2)
    endless = np.full((len(room), 2), NO_LIMIT, np.int64)
    return np.concatenate([load, shares], axis=1), np.concatenate([room, endless], axis=1)


def _share_prices(problem: Problem) -> tuple[int, int]:
    return problem.prices.balance_risk, problem.prices.balance_earning


def _shares(problem: Problem) -> Ints:
    before = [(crew.risk_before, crew.earning_before) for crew in problem.crews] if any(_share_prices(problem)) else []
    return np.array(before, np.int64).reshape(len(problem.crews), 2 if before else 0)


def _quotas(problem: Problem, tasks: list[Task]) -> tuple[Ints, Ints]:
    """What each row counts towards, and the limits: one of each group, and those of the quotas behind them."""
    groups = len({task.group for task in tasks if task.group is not None})
    number = {quota.id: groups + index for index, quota in enumerate(problem.quotas)}
    quotas = np.full((len(tasks), max((len(task.quotas) for task in tasks), default=0)), -1, np.int64)
    for row, task in enumerate(tasks):
        if task.quotas and not (row and tasks[row - 1] is task):
            quotas[row, : len(task.quotas)] = sorted(number[name] for name in task.quotas)
    return quotas, np.array([1] * groups + [quota.most for quota in problem.quotas], np.int64)


def _crew_columns(problem: Problem) -> Ints:
    prices, banded = problem.prices, len(problem.travel.matrices) > 1
    rows = []
    for crew in problem.crews:
        rest = crew.break_
        timed = banded or prices.wait > 0 or prices.balance > 0 or any(_share_prices(problem))
        timed = timed or crew.max_work_s is not None or crew.overtime is not None
        rows.append(
            (
                *(crew.shift[0], crew.shift[1], crew.latest_return_s),
                *((0, 0, 0, 0) if rest is None else (rest.window.opens_s, rest.window.closes_s, rest.duration_s, 1)),
                *(_limit(crew.max_tasks), _limit(crew.max_travel_s), _limit(crew.max_work_s)),
                *(int(crew.end is None), crew.work_before_s, int(timed)),
                0 if crew.overtime is None else crew.overtime.price,
            )
        )
    return np.array(rows, np.int64).reshape(len(rows), 14)


def _limit(limit: int | None) -> int:
    return NO_LIMIT if limit is None else limit


def _nearest(drive: Smalls, n: int) -> Ints:
    """For each task the others, nearest first, by the mean of both ways."""
    kept = min(NEIGHBOURS, n - 1) if n else 0
    near = np.empty((n, kept), np.int64)
    for first in range(0, n, AT_ONCE):
        some = np.arange(first, min(first + AT_ONCE, n))
        both = drive[some, :n].astype(np.int64) + drive[:n, some].T
        both[np.arange(len(some)), some] = FAR
        near[some] = np.argsort(both, axis=1, kind="stable")[:, :kept]
    return near


def _kinds(problem: Problem, may: Flags) -> Ints:
    """Crews that differ in their names only, and in whom they may visit not at all, are of one kind."""
    published = {task.published_crew for task in problem.tasks}
    numbers: dict[Hashable, int] = {}
    found = []
    for crew, able in zip(problem.crews, may, strict=True):
        levelled = problem.prices.balance or any(_share_prices(problem))
        name = crew.id if crew.id in published or levelled else ""
        found.append(numbers.setdefault((replace(crew, id="any"), name, able.tobytes()), len(numbers)))
    return np.array(found, np.int64)


def _alike(kinds: Ints) -> Ints:
    counts = np.bincount(kinds)
    alike = np.full((len(counts), int(counts.max(initial=1))), -1, np.int64)
    for kind in range(len(counts)):
        alike[kind, : counts[kind]] = np.flatnonzero(kinds == kind)
    return alike


def _homes(drive: Smalls, may: Flags, n: int, kinds: Ints) -> Ints:
    m = len(may)
    _, first = np.unique(kinds, return_index=True)
    out = np.full((n, min(HOMES, len(first))), -1, np.int64)
    far = np.where(may, drive[n : n + m, :n].astype(np.float64), np.inf)[first]
    order = np.argsort(far, axis=0, kind="stable")[: out.shape[1]]
    for row in range(n):
        able = [kind for kind in order[:, row] if may[first[kind], row]]
        out[row, : len(able)] = able
    return out


def longest_route(day: Day) -> int:
    """No route has more stops: their services alone would not end with the shift."""
    span = int((day.crews[:, LATEST] - day.crews[:, SHIFT_FROM]).max(initial=0))
    in_time = int(np.searchsorted(np.cumsum(np.sort(day.tasks[:, SERVICE])), span, side="right"))
    return min(in_time, int(day.crews[:, MOST_TASKS].max(initial=0)))


def empty_routes(day: Day) -> Routes:
    """No crew has a stop; `refresh` has still to be called for each crew."""
    n, m = len(day.tasks), len(day.crews)
    longest = longest_route(day)
    return Routes(
        stops=np.zeros((m, longest), np.int64),
        crew_of=np.full(n, -1, np.int64),
        totals=np.zeros((m, 3), np.int64),
        load=np.zeros((m, day.load.shape[1]), np.int64),
        leg=np.zeros((m, longest + 1), np.int64),
        version=np.zeros(m + 1, np.int64),
        vacant=np.full(len(day.alike), -1, np.int64),
        absent=np.arange(n, dtype=np.int64),
        absent_at=np.append(np.arange(n, dtype=np.int64), n),
        early=np.zeros((m, 3, longest + 1), np.int64),
        late=np.zeros((m, 3, longest + 1), np.int64),
        cost=np.zeros(m, np.float64),
        taken=np.zeros(len(day.most), np.int64),
        left=np.zeros(2, np.float64),
    )


def new_work(day: Day) -> Work:
    n, m = len(day.tasks), len(day.crews)
    return Work(
        numbers=np.array([0, 0, 0, 0, 0, n], np.int64),
        seeds=np.arange(n, dtype=np.int64),
        removed=np.zeros(n + 16, np.int64),
        keys=np.zeros(n + 16, np.float64),
        asked=np.zeros(m, np.int64),
        scratch=np.zeros(n + 1, np.int64),
        mark_task=np.zeros(n, np.int64),
        mark_crew=np.zeros(m, np.int64),
        saved_at=np.zeros(m, np.int64),
        touched=np.zeros(m, np.int64),
        memo=np.full((n, m, 2), -1, np.float64),
        kept=empty_routes(day),
    )


def new_best(day: Day) -> Best:
    m = len(day.crews)
    return Best(
        stops=np.zeros((m, longest_route(day)), np.int64),
        counts=np.zeros(m, np.int64),
        cost=np.full(1, np.inf),
        rounds=np.zeros(1, np.int64),
    )


def new_pool(day: Day) -> Pool:
    return Pool(
        used=np.zeros(2, np.int64),
        slots=np.zeros(8 * POOL_ROUTES, np.int64),
        marks=np.zeros(POOL_ROUTES, np.int64),
        crews=np.zeros(POOL_ROUTES, np.int64),
        starts=np.zeros(POOL_ROUTES + 1, np.int64),
        stops=np.zeros(40 * POOL_ROUTES, np.int64),
        costs=np.zeros(POOL_ROUTES, np.float64),
        works=np.zeros(POOL_ROUTES, np.int64),
    )
