"""The course of one search: hot, choose across routes, warm again from the choice, and fill what is left."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np

from routing.improve.flat import Flat
from routing.improve.pairs import move_pairs, place_pairs
from routing.improve.search import Lane, Order, Stretch, Watch, run
from routing.limits import Limits, Patience, Progress
from routing.pairing import Pairing
from routing.population import Population
from routing.select import Choice, Effort, Met, choose, pooled
from routing.starting import Orders, begin
from routing.worth import dearer, pay_only_together, typical_worth

HOT, WARM, MILD, COLD = 16.0, 2.0, 1.0, 0.08
"""Temperatures, in drives to a near neighbour."""
TOGETHER_HOT, TOGETHER_COLD, TOGETHER_SHARE = 4.0, 1.0, 0.15
"""Of the first stretch where visits pay only together (`worth`), and how much of the budget it has."""
COURSE = ((0.8, HOT), (0.2, MILD))
"""The share of the budget and the first temperature of each stretch of annealing; the later start from the choice."""
SMALL, COURSE_OF_SMALL = 150, ((0.5, HOT), *((0.1, WARM),) * 5)
"""The same for so few visits that the whole day may be warmed again: of a large one each part would need its turn."""
FOUNDING, BRED = 0.3, 0.85
"""How much of the budget is gone when a population is founded, and when it is bred: then comes the warm stretch."""
ROUNDS_TO_BREED, SECONDS_TO_BREED = 800, 0.015
"""So many rounds of each thread, or seconds, for each visit are worth a population, if the visits are few."""
COURSE_FROM_ROUTES = ((0.5, MILD), (0.5, MILD))
"""The same where the search begins from routes: they are not to be melted."""
WORTH_HOT = 0.5
"""Where they pay only together no later stretch is hotter than this part of a visit's worth: it would lose them."""
MELTING = 0.7
"""Routes met in this part of a stretch are forgotten: they would fill the pool, and the best day has none of them."""
CHOOSING = 0.06
"""The most that each choice across routes may have of the clock."""
LAST = 0.02
"""The share of the clock that no stretch may have: for the last choice. What a choice does not need, they get."""
DETERMINISTIC_PER_ITERATION = 4e-6
TOLD_EVERY_S = 0.25
FINISHING = 0.1
"""At most this share of the clock is kept for writing the plan out."""
LEVELLING_S, LEVELLING_DETERMINISTIC = 0.2, 0.1
"""Where clocks of several routes are told together: at most so long, and no more than `FINISHING`."""
TELLING_S = 0.1
"""How long after its end a search may still look for the tasks that hold the place of others."""


@dataclass(frozen=True)
class Outcome:
    """What a search ends with. `gap` is how far its pool's bound lies below the cost, None without a bound."""

    order: Order
    iterations: int
    gap: float | None


class Campaign:
    """One search over one flat problem."""

    def __init__(self, flat: Flat, limits: Limits, watch: Watch) -> None:
        self.flat, self.limits, self.watch = flat, limits, watch
        # Seeds of neighbouring solves must not share lanes.
        self.lanes = [Lane(flat.day, limits.seed * 1009 + number) for number in range(limits.threads)]
        self.unit = typical_drive(flat)
        self.hottest, self.rest = np.inf, 1.0
        self.choice: Choice | None = None
        self.population: Population | None = None
        self.pairing = Pairing(flat, self.lanes, watch) if flat.pairs else None

    def search(self, start: Orders | None = None) -> Outcome:
        """Anneal, choose and fill until the limits are reached; warmly from routes, where some are given."""
        first = self.lanes[0]
        if start:
            begin(self.flat, first, start)
        place_pairs(self.flat, first, self.watch)
        first.fill()
        self._share(first.order())
        if not start:
            self._begin_together()
        course, ahead = self._course(start), 1.0
        if not start and self._is_worth_breeding():
            self._share(self._bred())
            ahead = 1 - BRED
            course = ((ahead, MILD),)
        for share, hot in course:
            self._cool(share * self.rest, ahead * self.rest, hot)
            ahead -= share
            self._share(self._chosen())
            if not self.watch.ended:
                self._mend()
        for lane in self.lanes:
            lane.load(self._best_lane().best_order())
        first.fill()
        return Outcome(first.order(), sum(int(lane.best.rounds[0]) for lane in self.lanes), self._gap(first.cost()))

    def _course(self, start: Orders | None) -> Sequence[tuple[float, float]]:
        if start:
            return COURSE_FROM_ROUTES
        return COURSE_OF_SMALL if len(self.flat.rows) <= SMALL else COURSE

    def _begin_together(self) -> None:
        """Where many visits would pay only together, search with all worth more first."""
        if self.watch.ended or not pay_only_together(self.lanes[0]):
            return
        paying = self.lanes[0].order()
        stretch = replace(self._stretch(TOGETHER_SHARE, 1.0, TOGETHER_HOT), cold=TOGETHER_COLD * self.unit)
        with dearer(self.lanes):
            run(self.lanes, stretch, self.watch)
        found = self._best_lane().best_order()
        # What pays as it is stays the best for now, in case the search is stopped soon.
        self._share(paying)
        self._share(found)
        self.hottest, self.rest = WORTH_HOT * typical_worth(self.lanes[0]), 1 - TOGETHER_SHARE

    def _is_worth_breeding(self) -> bool:
        """Pairs have begins of their own in each lane, and what pays only together would not outlive a founding."""
        limits, visits = self.limits, len(self.flat.rows)
        if visits > SMALL or self.pairing is not None or np.isfinite(self.hottest):
            return False
        if limits.iterations is not None:
            return limits.iterations >= ROUNDS_TO_BREED * visits
        return limits.seconds is None or limits.seconds >= SECONDS_TO_BREED * visits

    def _bred(self) -> Order:
        """The best day of a population, or the better combination of all routes that it met."""
        population = Population(self.lanes, self.watch, self.unit, Random(self.limits.seed))
        population.greet(self.lanes[0])
        population.found(lambda: self._gone(population) >= FOUNDING)
        population.breed(lambda: self._gone(population) >= BRED)
        self.population, best = population, population.best
        return self._better(best.order, best.cost, population.met)

    def _gone(self, population: Population) -> float:
        """The share of the budget that is used up."""
        limits, left = self.limits, self.watch.remaining_s()
        if limits.iterations is not None:
            return population.rounds / limits.iterations
        return 0.0 if left is None or limits.seconds is None else 1 - left / limits.seconds

    def _cool(self, share: float, ahead: float, hot: float) -> None:
        """Anneal for a share of the budget; only what the later part of it meets is chosen from.

        `ahead` is the share of this stretch and all to come: a clock's seconds are those of what is left of it.
        """
        whole = self._stretch(share, ahead, hot)
        middle = whole.hot * (whole.cold / whole.hot) ** MELTING
        early = replace(whole.part(MELTING), cold=middle)
        if self.pairing is None:
            run(self.lanes, early, self.watch)
        else:
            self.pairing.anneal(early)
        for lane in self.lanes:
            lane.pool.used[:] = 0
            lane.pool.slots[:] = 0
        run(self.lanes, replace(whole.part(1 - MELTING), hot=middle), self.watch)
        if self.pairing is not None:
            self.pairing.agree()

    def _stretch(self, share: float, ahead: float, hot: float) -> Stretch:
        limits = self.limits
        rounds = None if limits.iterations is None else limits.iterations * share
        seconds = None
        if rounds is None and limits.seconds is not None:
            left = self.watch.remaining_s()
            assert left is not None
            seconds = max(0.0, left - LAST * limits.seconds) * share / ahead
        return Stretch(min(hot * self.unit, self.hottest), COLD * self.unit, rounds, seconds)

    def _best_lane(self) -> Lane:
        return min(self.lanes, key=lambda lane: float(lane.best.cost[0]))

    def _chosen(self) -> Order:
        """The best of all lanes, or the better combination of their routes."""
        best = self._best_lane()
        order = best.best_order()
        if self.watch.ended:
            return order
        for lane in self.lanes:
            lane.load(lane.best_order())
        return self._better(order, float(best.best.cost[0]), pooled(self.lanes))

    def _better(self, order: Order, cost: float, met: Met) -> Order:
        """This order, or a better combination of the routes that were met."""
        if self.watch.ended:
            return order
        self.choice = choose(self.flat, list(met.values()), order, self.watch, self._effort())
        return self.choice.order if self.choice is not None and self.choice.cost < cost else order

    def _effort(self) -> Effort:
        limits = self.limits
        if limits.iterations is not None:
            return Effort(None, max(0.05, limits.iterations * DETERMINISTIC_PER_ITERATION), 1, limits.seed)
        left = self.watch.remaining_s()
        assert limits.seconds is not None
        wanted = limits.seconds * CHOOSING
        return Effort(wanted if left is None else min(wanted, left), None, limits.threads, limits.seed)

    def _share(self, order: Order) -> None:
        if self.pairing is not None:
            self.pairing.follow_first()
        for lane in self.lanes:
            lane.load(order)
            lane.keep()

    def _mend(self) -> None:
        """Let pairs move and fill gaps on one lane, then hand the result to all."""
        first = self.lanes[0]
        if move_pairs(self.flat, first, self.watch):
            self.choice = None
            for lane in self.lanes:
                lane.forget()
        first.fill()
        self._share(first.order())

    def _gap(self, cost: float) -> float | None:
        return None if self.choice is None else max(0.0, cost - self.choice.bound)


def typical_drive(flat: Flat) -> float:
    """The mean price of a drive to the third nearest task: what temperatures are measured in."""
    day = flat.day
    rank = min(2, day.near.shape[1] - 1)
    if rank < 0:
        return 1.0
    rows = np.arange(len(day.tasks))
    drives = day.roads.drive[0, rows, day.near[:, rank]].astype(np.float64)
    reachable = drives[drives < 10**9]
    mean = float(reachable.mean()) if len(reachable) else 1.0
    return max(1.0, mean * max(1.0, float(day.prices[0])))


class Reporter:
    """Tells how far the lanes are, a few times a second."""

    def __init__(
        self,
        limits: Limits,
        clock: Callable[[], float],
        should_stop: Callable[[], bool] | None,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self.limits, self.clock, self.began, self.on_progress = limits, clock, clock(), on_progress
        self.lanes: Sequence[Lane] = ()
        self._told = self.began
        self._best = np.inf, 0
        self._kept_s = 0.0
        deadline = None if limits.seconds is None else self.began + limits.seconds
        self.watch = Watch(deadline, should_stop or (lambda: False), self.tick, clock)

    def keep_time_to_finish(self) -> None:
        """Asked when the problem is read: writing the plan out takes about as long, on a busy machine too."""
        if self.watch.deadline is not None and self.limits.seconds is not None:
            self.watch.deadline -= min(FINISHING * self.limits.seconds, self.clock() - self.began)

    def keep_time_to_level(self) -> None:
        """Asked where clocks of several routes will be told together."""
        if self.watch.deadline is not None and self.limits.seconds is not None:
            self._kept_s = min(FINISHING * self.limits.seconds, LEVELLING_S)
            self.watch.deadline -= self._kept_s

    def patience(self) -> Patience | None:
        """How long that may take; None where there is no time for it. Whoever wished to stop waits no longer for it
        than for what is pleasant to know."""
        if not self.watch.ended and self.limits.seconds is None:
            return Patience(deterministic=LEVELLING_DETERMINISTIC, seed=self.limits.seed)
        stopped = self.watch.ended and (self.watch.deadline is None or self.watch.ended_at < self.watch.deadline)
        seconds = self.watch.ended_at + TELLING_S - self.clock() if stopped else self._kept_s
        return Patience(seconds=seconds, seed=self.limits.seed) if seconds > 0 else None

    def has_levelled(self) -> None:
        """The time that was kept for it is used up; what comes after has its own."""
        self.watch.ended_at += self._kept_s
        self._kept_s = 0.0

    def may_tell(self) -> bool:
        """Whether there is still time to look for what is pleasant to know."""
        if self.watch.ended:
            return self.clock() < self.watch.ended_at + TELLING_S
        return self.limits.seconds is None or self.clock() < self.began + self.limits.seconds

    def tick(self) -> None:
        now = self.clock()
        if self.on_progress is None or not self.lanes or now - self._told < TOLD_EVERY_S:
            return
        self._told = now
        best = min(self.lanes, key=lambda lane: float(lane.best.cost[0]))
        # A lane that begins anew forgets its best, the search does not.
        self._best = min(self._best, (float(best.best.cost[0]), int(best.best.counts.sum())))
        cost, served = self._best
        if np.isfinite(cost):
            rows = len(best.day.tasks)
            iterations = sum(int(lane.best.rounds[0]) for lane in self.lanes)
            seconds = now - self.began
            self.on_progress(
                Progress(
                    seconds=seconds, iterations=iterations, cost=round(cost), served=served, unserved=rows - served
                )
            )
