"""The threads of a search, and the clock that the compiled code does not have."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace

import numpy as np

from routing.improve.anneal import anneal, fill, keep_best, take_on
from routing.improve.arrays import COUNT, GROUP, LEFT, SEEDS, Best, Day, Floats, Ints, Pool, Routes, Work
from routing.improve.flat import empty_routes, new_best, new_pool, new_work
from routing.improve.places import refresh
from routing.improve.recreate import whole_cost

TICK_S = 0.02
"""How often the main thread looks at the clock and at the wish to stop."""

type Order = tuple[tuple[int, ...], ...]
"""The rows of each crew, in order."""


class Lane:
    """What one thread owns: a solution, its best, the routes it met, its dice."""

    def __init__(self, day: Day, seed: int) -> None:
        self.day = day
        self.routes: Routes = empty_routes(day)
        self.best: Best = new_best(day)
        self.pool: Pool = new_pool(day)
        self.work: Work = new_work(day)
        # Neighbouring seeds must not give neighbouring dice, and the state may not be 0.
        self.dice = np.random.SeedSequence(seed).generate_state(1, np.uint64) | np.uint64(1)
        self.routes.left[LEFT] = _everything_left(day)
        for crew in range(len(day.crews)):
            refresh(day, self.routes, crew)

    def load(self, order: Order) -> None:
        """Take on another solution."""
        stops = np.zeros_like(self.routes.stops)
        counts = np.zeros(len(self.day.crews), np.int64)
        for crew, rows in enumerate(order):
            stops[crew, : len(rows)], counts[crew] = rows, len(rows)
        take_on(self.day, self.routes, stops, counts)

    def recount(self) -> None:
        """Tell anew what the absent tasks cost after their worth has changed; what was best and met counts no more."""
        order = self.order()
        self.load(())
        self.routes.left[LEFT] = _everything_left(self.day)
        self.load(order)
        self.forget()
        self.keep()

    def keep(self) -> None:
        """Take the solution as the best if it is."""
        cost = self.cost()
        if cost < self.best.cost[0]:
            keep_best(self.routes, self.best, self.pool, cost)

    def forget(self) -> None:
        """Drop the best and the routes met: they were made under begins that no longer hold."""
        self.best.cost[0] = np.inf
        self.pool.used[:] = 0
        self.pool.slots[:] = 0

    def order(self) -> Order:
        return tuple(
            tuple(int(row) for row in self.routes.stops[crew, : self.routes.totals[crew, COUNT]])
            for crew in range(len(self.day.crews))
        )

    def best_order(self) -> Order:
        counts = self.best.counts
        return tuple(tuple(int(row) for row in self.best.stops[crew, : counts[crew]]) for crew in range(len(counts)))

    def search_around(self, rows: Sequence[int]) -> None:
        """Let ruins begin around these alone, or around all where none is named."""
        chosen = rows or range(len(self.day.tasks))
        self.work.seeds[: len(chosen)] = chosen
        self.work.numbers[SEEDS] = len(chosen)

    @property
    def seeds(self) -> int:
        """Around how many tasks ruins begin."""
        return int(self.work.numbers[SEEDS])

    def anneal(self, heat: Floats, stop: Ints, rounds: int) -> int:
        return int(anneal(self.day, self.routes, self.best, self.pool, self.work, self.dice, heat, stop, rounds))

    def cost(self) -> float:
        return float(whole_cost(self.day, self.routes))

    def fill(self) -> int:
        """Put in whatever fits as things stand and pays; the number of tasks put in."""
        return int(fill(self.day, self.routes, self.work, self.dice))


def _everything_left(day: Day) -> float:
    """The cost of serving nobody; a group's value counts once."""
    value = day.gain - day.duty
    groups = day.tasks[:, GROUP]
    alone = float(value[groups < 0].sum())
    return alone + float(day.duty.sum()) + sum(float(value[groups == g].max()) for g in np.unique(groups[groups >= 0]))


@dataclass
class Watch:
    """The wish to stop, told to all threads: a deadline, or somebody's word."""

    deadline: float | None
    should_stop: Callable[[], bool]
    on_tick: Callable[[], None]
    clock: Callable[[], float] = time.monotonic
    stop: Ints = field(default_factory=lambda: np.zeros(1, np.int64))
    ended: bool = False
    ended_at: float = np.inf
    """When the end was first seen, by the clock."""

    def look(self) -> None:
        """Stop for good when the time is up or somebody wishes it."""
        if self.should_stop() or (self.deadline is not None and self.clock() >= self.deadline):
            self.ended_at = min(self.ended_at, self.clock())
            self.ended = True
            self.stop[0] = 1
        self.on_tick()

    def remaining_s(self) -> float | None:
        return None if self.deadline is None else max(0.0, self.deadline - self.clock())


@dataclass(frozen=True)
class Stretch:
    """One phase of annealing: first and last temperature, and rounds for each thread or seconds."""

    hot: float
    cold: float
    rounds: float | None
    seconds: float | None

    def part(self, share: float) -> "Stretch":
        """As hot and cold, but only so long."""
        rounds = None if self.rounds is None else self.rounds * share
        return replace(self, rounds=rounds, seconds=None if self.seconds is None else self.seconds * share)


def run(lanes: Sequence[Lane], stretch: Stretch, watch: Watch) -> None:
    """Let every lane search from where it is; returns when the stretch is over or the watch says stop."""
    if watch.ended:
        return
    heat = np.array([stretch.hot, stretch.cold, 0.0])
    began = watch.clock()
    with ThreadPoolExecutor(len(lanes)) as threads:
        rounds = -1 if stretch.rounds is None else max(1, round(stretch.rounds))
        running = [threads.submit(lane.anneal, heat, watch.stop, rounds) for lane in lanes]
        _attend(running, stretch, watch, heat, began)
    for thread in running:
        thread.result()
    if not watch.ended:
        watch.stop[0] = 0


def _attend(running: "list[Future[int]]", stretch: Stretch, watch: Watch, heat: Floats, began: float) -> None:
    left: set[Future[int]] = set(running)
    while left:
        left = wait(left, timeout=TICK_S).not_done
        watch.look()
        if stretch.seconds is not None:
            heat[2] = min(1.0, (watch.clock() - began) / max(stretch.seconds, 1e-9))
            if heat[2] >= 1.0:
                watch.stop[0] = 1
