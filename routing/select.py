"""OR-Tools as the judge across routes: the best day out of the pool of lawful routes that the search met.

Exact over the pool: each crew drives at most one route, each task is served at most once, of a group at most one, a
pair by both its crews or by none. The bound holds for the pool only.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial

import numpy as np
from ortools.sat.python import cp_model

from routing.errors import SolverFailed
from routing.improve.arrays import GROUP, WORK_BEFORE, WORK_S, Ints
from routing.improve.flat import Flat
from routing.improve.search import Lane, Order, Watch

TICK_S = 0.02
TOO_LARGE = 10**15
"""Costs beyond this would leave the solver's whole numbers when summed."""


LOOKED_AT_EVERY = 256
"""After how many routes the watch is looked at while the model is built: some milliseconds."""

type Term = tuple[cp_model.IntVar, int]


@dataclass(frozen=True)
class PoolRoute:
    """A route the search met, with its price and its crew's work."""

    crew: int
    rows: tuple[int, ...]
    cost: int
    work_s: int


type Met = dict[tuple[int, tuple[int, ...]], PoolRoute]
"""Routes by crew and rows."""


@dataclass(frozen=True)
class Choice:
    """The best combination found, what it costs to the search, and the bound over the pool."""

    order: Order
    cost: int
    bound: int


@dataclass(frozen=True)
class Effort:
    """How long to choose: seconds on the clock, or deterministic time with one worker."""

    seconds: float | None
    deterministic: float | None
    workers: int
    seed: int


def pooled(lanes: Sequence[Lane]) -> Met:
    """The different routes that the lanes met or stand on, in a fixed order."""
    found: Met = {}
    for lane in lanes:
        used = int(lane.pool.used[0])
        # As Python's own numbers all at once: one by one they take half of the time of a choice.
        starts, stops = (array.tolist() for array in (lane.pool.starts[: used + 1], lane.pool.stops))
        columns = (array[:used].tolist() for array in (lane.pool.crews, lane.pool.costs, lane.pool.works))
        for number, (crew, cost, work_s) in enumerate(zip(*columns, strict=True)):
            if cost < TOO_LARGE:
                rows = tuple(stops[starts[number] : starts[number + 1]])
                found[crew, rows] = PoolRoute(crew, rows, round(cost), work_s)
        found.update(standing(lane))
    return found


def standing(lane: Lane) -> Met:
    """The routes that a lane stands on."""
    found: Met = {}
    for crew, rows in enumerate(lane.order()):
        cost = float(lane.routes.cost[crew])
        if rows and cost < TOO_LARGE:
            found[crew, rows] = PoolRoute(crew, rows, round(cost), int(lane.routes.totals[crew, WORK_S]))
    return found


class _CalledOff(Exception):
    """The watch said stop while the model was built."""


def _attended[Item](items: Iterable[Item], watch: Watch) -> Iterator[Item]:
    """The items, with a look at the watch now and then."""
    for number, item in enumerate(items):
        if number % LOOKED_AT_EVERY == 0:
            watch.look()
            if watch.ended:
                raise _CalledOff
        yield item


def choose(flat: Flat, routes: Sequence[PoolRoute], hint: Order, watch: Watch, effort: Effort) -> Choice | None:
    """The best combination of pooled routes, or None if none was found in time or the costs are too large.

    The time of `effort` is the solver's; `watch` is looked at while the model is built too.
    """
    if not routes or float(flat.day.gain.sum()) > TOO_LARGE:
        return None
    try:
        model, chosen = _model(flat, routes, hint, watch)
        solver = _solved(model, watch, effort)
    except _CalledOff:
        return None
    except Exception as error:  # OR-Tools raises bare exceptions; none of them may leave this package.
        raise SolverFailed(f"The choice among routes failed: {error}") from error
    if solver is None:
        return None
    order: list[tuple[int, ...]] = [()] * len(flat.problem.crews)
    for route, variable in zip(routes, chosen, strict=True):
        if solver.boolean_value(variable):
            order[route.crew] = route.rows
    return Choice(tuple(order), round(solver.objective_value), int(-(-solver.best_objective_bound // 1)))


def _model(
    flat: Flat, routes: Sequence[PoolRoute], hint: Order, watch: Watch
) -> tuple[cp_model.CpModel, list[cp_model.IntVar]]:
    model, chosen = cp_model.CpModel(), list[cp_model.IntVar]()
    by_crew: list[list[tuple[cp_model.IntVar, PoolRoute]]] = [[] for _ in flat.problem.crews]
    by_row: dict[int, list[cp_model.IntVar]] = {row: [] for row in range(len(flat.rows))}
    for route in _attended(routes, watch):
        variable = model.new_bool_var("")
        model.add_hint(variable, hint[route.crew] == route.rows)
        chosen.append(variable)
        by_crew[route.crew].append((variable, route))
        for row in route.rows:
            by_row[row].append(variable)
    for mine in by_crew:
        model.add_at_most_one(variable for variable, _ in mine)
    terms = [(variable, route.cost) for route, variable in zip(routes, chosen, strict=True)]
    terms += _left(flat, model, dict(_attended(by_row.items(), watch)))
    terms += _spread(flat, model, by_crew)
    model.minimize(_sum(terms))
    return model, chosen


def _sum(terms: Sequence[Term]) -> cp_model.LinearExprT:
    return cp_model.LinearExpr.weighted_sum([variable for variable, _ in terms], [price for _, price in terms])


def _left(flat: Flat, model: cp_model.CpModel, by_row: dict[int, list[cp_model.IntVar]]) -> list[Term]:
    """The price of what no chosen route serves, and the rules on who serves what."""
    day, terms = flat.day, list[Term]()
    groups: dict[int, list[tuple[int, int]]] = {}
    for row, variables in by_row.items():
        left = model.new_bool_var("")
        model.add_exactly_one([left, *variables])
        group, duty = int(day.tasks[row, GROUP]), round(float(day.duty[row]))
        value = round(float(day.gain[row])) - duty
        if group >= 0:
            groups.setdefault(group, []).append((row, value))
        terms.append((left, duty if group >= 0 else value + duty))
    for first, second in flat.pairs.values():
        model.add(_sum([(v, 1) for v in by_row[first]] + [(v, -1) for v in by_row[second]]) == 0)
    for quota in range(int(day.tasks[:, GROUP].max(initial=-1)) + 1, len(day.most)):
        rows = np.flatnonzero((day.quotas == quota).any(axis=1)).tolist()
        model.add(_sum([(variable, 1) for row in rows for variable in by_row[row]]) <= int(day.most[quota]))
    for members in groups.values():
        untouched = model.new_bool_var("")
        # The second row of a pair follows the first: counting it would forbid the pair as two of one group.
        rows = [row for row, _ in members if row not in {second for _, second in flat.pairs.values()}]
        model.add_exactly_one([untouched, *(variable for row in rows for variable in by_row[row])])
        terms.append((untouched, max(value for _, value in members)))
    return terms


def _spread(
    flat: Flat, model: cp_model.CpModel, by_crew: Sequence[Sequence[tuple[cp_model.IntVar, PoolRoute]]]
) -> list[Term]:
    """The price of unequal work, and of unequal shares of risk and chances to earn, over all crews."""
    day, prices, first = flat.day, flat.problem.prices, flat.day.load.shape[1] - flat.day.shares.shape[1]
    terms = _apart(model, by_crew, day.crews[:, WORK_BEFORE].tolist(), lambda route: route.work_s, price=prices.balance)
    share_prices = (prices.balance_risk, prices.balance_earning)
    for share in range(day.shares.shape[1]):
        added = partial(_share_of, day.load[:, first + share])
        terms += _apart(model, by_crew, day.shares[:, share].tolist(), added, price=share_prices[share])
    return terms


def _share_of(added: Ints, route: PoolRoute) -> int:
    return int(added[list(route.rows)].sum())


def _apart(
    model: cp_model.CpModel,
    by_crew: Sequence[Sequence[tuple[cp_model.IntVar, PoolRoute]]],
    before: Sequence[int],
    amount: Callable[[PoolRoute], int],
    *,
    price: int,
) -> list[Term]:
    if price == 0:
        return []
    amounts = [[(variable, amount(route)) for variable, route in mine] for mine in by_crew]
    longest = max(before) + max(each for mine in amounts for _, each in mine)
    least, most = model.new_int_var(0, longest, ""), model.new_int_var(0, longest, "")
    for carried, mine in zip(before, amounts, strict=True):
        total = _sum(mine) + carried
        model.add(least <= total)
        model.add(most >= total)
    return [(most, price), (least, -price)]


def _solved(model: cp_model.CpModel, watch: Watch, effort: Effort) -> cp_model.CpSolver | None:
    """The solver with an answer, or None; it is told to stop as soon as the watch says so."""
    solver = cp_model.CpSolver()
    solver.parameters.random_seed = effort.seed % (1 << 31)
    # Measured on 6,000 routes: looking for symmetries and cliques takes seconds and finds nothing that helps.
    solver.parameters.cp_model_probing_level = 0
    solver.parameters.symmetry_level = 0
    solver.parameters.merge_at_most_one_work_limit = 0
    # Only one worker is the same every time.
    solver.parameters.num_workers = effort.workers if effort.deterministic is None else 1
    if effort.deterministic is not None:
        solver.parameters.max_deterministic_time = effort.deterministic
    if effort.seconds is not None:
        solver.parameters.max_time_in_seconds = max(0.01, effort.seconds)
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(solver.solve, model)
        while wait([running], timeout=TICK_S).not_done:
            watch.look()
            if watch.ended:
                solver.stop_search()
                time.sleep(TICK_S)
        status = running.result()
    # An answer that is neither of these has a meaningless objective.
    return solver if status in (cp_model.OPTIMAL, cp_model.FEASIBLE) else None
