"""Tasks for two crews while the search anneals: between two pieces of a stretch each lane moves its own pairs.

Each lane has begins of its own meanwhile. Afterwards the best solution of all is shared, with its begins: routes that
were met under others do not fit together with it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from routing.improve.arrays import Ints
from routing.improve.flat import Flat
from routing.improve.pairs import move_pairs
from routing.improve.search import Lane, Order, Stretch, Watch, run

PIECES = 12
MOVING = 0.25
"""At most this part of a piece's seconds goes into moving pairs, in all lanes together."""


@dataclass
class Pairing:
    """The lanes of one search over a problem with pairs. The first lane's begins are those of the problem's arrays."""

    flat: Flat
    lanes: Sequence[Lane]
    watch: Watch
    best: tuple[float, Order, Ints] | None = None
    own: list[Flat] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.own = [self.flat]
        for lane in self.lanes[1:]:
            lane.day = lane.day._replace(spans=lane.day.spans.copy())
            self.own.append(replace(self.flat, day=lane.day))

    def anneal(self, stretch: Stretch) -> None:
        """The stretch in pieces, and after each the pairs moved at its last temperature."""
        self.best, began, moving_s = None, self.watch.clock(), 0.0
        for number, piece in enumerate(pieces_of(stretch, PIECES), start=1):
            if piece.seconds is not None:
                # As long as the last move of the pairs took is kept for the next one.
                left = began + number * piece.seconds - self.watch.clock() - min(moving_s, MOVING * piece.seconds)
                piece = replace(piece, seconds=max(left, (1 - MOVING) * piece.seconds))
            run(self.lanes, piece, self.watch)
            self.note()
            moves_from = self.watch.clock()
            for index, (flat, lane) in enumerate(zip(self.own, self.lanes, strict=True), start=1):
                share_s = None if piece.seconds is None else MOVING * piece.seconds * index / len(self.lanes)
                if move_pairs(flat, lane, self.watch, piece.cold, self._within(moves_from, share_s)):
                    lane.forget()
                lane.keep()
            moving_s = self.watch.clock() - moves_from

    def _within(self, began: float, seconds: float | None) -> Callable[[], bool]:
        return lambda: seconds is None or self.watch.clock() < began + seconds

    def note(self) -> None:
        """Remember the best solution of the lanes, if it is the best so far."""
        for lane in self.lanes:
            cost = float(lane.best.cost[0])
            if np.isfinite(cost) and (self.best is None or cost < self.best[0]):
                self.best = cost, lane.best_order(), lane.day.spans.copy()

    def agree(self) -> None:
        """All lanes take on the best solution of any, and its begins."""
        self.note()
        if self.best is None:
            return
        _, order, spans = self.best
        for lane in self.lanes:
            lane.load(())
            if not np.array_equal(lane.day.spans, spans):
                lane.day.spans[:] = spans
                lane.forget()
            lane.load(order)
            lane.keep()

    def follow_first(self) -> None:
        """Before a solution of the first lane is shared: its begins."""
        for lane in self.lanes[1:]:
            lane.load(())
            lane.day.spans[:] = self.flat.day.spans


def pieces_of(stretch: Stretch, count: int) -> list[Stretch]:
    """The same course in so many pieces, or one for each round where there are fewer."""
    if stretch.rounds is not None:
        count = max(1, min(count, int(stretch.rounds)))
    heats = [stretch.hot * (stretch.cold / stretch.hot) ** (number / count) for number in range(count + 1)]
    return [replace(stretch.part(1 / count), hot=hot, cold=cold) for hot, cold in pairwise(heats)]
