"""A search that begins as if what is optional were worth more.

The first visit far away never pays for the way alone, though thirty would: a search that puts in one at a time and
only what pays never gets there. With everything worth more it does, and then drops what does not pay after all.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from routing.improve.search import Lane

DEARER = 8.0
SHUT_OUT = 0.05
"""The share of all tasks that must be left out for their way alone for a search to begin like this."""


@contextmanager
def dearer(lanes: Sequence[Lane]) -> Iterator[None]:
    """Meanwhile the lanes, which share one day, search with all values `DEARER` times what they are."""
    day = lanes[0].day
    gain = day.gain.copy()
    day.gain[:] = day.duty + DEARER * (gain - day.duty)
    for lane in lanes:
        lane.recount()
    try:
        yield
    finally:
        day.gain[:] = gain
        for lane in lanes:
            lane.recount()


def pay_only_together(lane: Lane) -> bool:
    """Whether many tasks that the lane leaves out would have a place, if only they were worth more."""
    order = lane.order()
    with dearer([lane]):
        found = lane.fill()
    lane.load(order)
    lane.keep()
    return found > SHUT_OUT * len(lane.day.tasks)


def typical_worth(lane: Lane) -> float:
    """The median value of what is worth anything, 0 where nothing is."""
    value = lane.day.gain - lane.day.duty
    return float(np.median(value[value > 0])) if bool((value > 0).any()) else 0.0
