"""Keeping each different route that good solutions used, for the choice across routes."""

# The machine's whole numbers: numpy's stubs tell them apart from `int`, the compiler does not.
# mypy: disable-error-code="assignment, return-value, arg-type, no-any-return"

import numpy as np

from routing.improve.arrays import COUNT, WORK_S, Pool, Routes
from routing.improve.compiled import compiled


@compiled
def route_mark(routes: Routes, crew: int) -> int:
    """A number that differs, for all practical purposes, between different routes (FNV-1a over crew and stops)."""
    mark = np.uint64(1469598103934665603)
    mark = (mark ^ np.uint64(crew + 1)) * np.uint64(1099511628211)
    for k in range(routes.totals[crew, COUNT]):
        mark = (mark ^ np.uint64(routes.stops[crew, k] + 1)) * np.uint64(1099511628211)
    mark ^= mark >> np.uint64(29)
    return np.int64(mark & np.uint64(0x7FFFFFFFFFFFFFFF))


@compiled
def keep_route(routes: Routes, pool: Pool, crew: int) -> None:
    """Add a route to the pool unless it is there; a full pool takes no more."""
    count, used, filled = routes.totals[crew, COUNT], pool.used[0], pool.used[1]
    if count == 0 or used >= len(pool.crews) or filled + count > len(pool.stops):
        return
    mark = route_mark(routes, crew)
    slot = mark % len(pool.slots)
    while pool.slots[slot] != 0:
        if pool.marks[pool.slots[slot] - 1] == mark:
            return
        slot = (slot + 1) % len(pool.slots)
    pool.slots[slot] = used + 1
    pool.marks[used] = mark
    pool.crews[used] = crew
    pool.costs[used] = routes.cost[crew]
    pool.works[used] = routes.totals[crew, WORK_S]
    for k in range(count):
        pool.stops[filled + k] = routes.stops[crew, k]
    pool.starts[used + 1] = filled + count
    pool.used[0], pool.used[1] = used + 1, filled + count
