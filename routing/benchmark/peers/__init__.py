"""Who is measured. Each peer gets the problem, the time, the cores and a seed, and gives the order of its stops.

A peer's package belongs to the extra `bench`; where it is missing `PeerMissing` says so. What a peer cannot model it
refuses with `Unsupported`: a peer that leaves a rule out would be no peer.
"""

import importlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from routing.errors import RoutingError, Unsupported
from routing.problem import Problem

type Orders = dict[str, tuple[str, ...]]
"""The ids of the tasks that each crew serves, in order."""


WORST_SHARE = 8
"""How many times longer than its processor time a run may take on the clock."""


class PeerMissing(RoutingError):
    """The peer's package is not installed: `pip install fieldvisit[bench]`."""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What a solver is asked: the problem, seconds, cores, and a seed.

    On a machine that others use too, `processor` makes a second one of processor time on each core.
    """

    problem: Problem
    seconds: float
    threads: int
    seed: int
    processor: bool = False

    def clock(self, threads: int | None = None) -> float:
        """The time that counts for a solver with so many threads (all that it may have, unless told)."""
        return time.process_time() / (threads or self.threads) if self.processor else time.monotonic()

    @property
    def at_most_s(self) -> float:
        """Seconds on the wall's clock, for a solver that knows no other."""
        return self.seconds * (WORST_SHARE if self.processor else 1)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What it answers; `trace` holds (seconds, cost) of each better solution, as far as the solver tells."""

    orders: Orders
    seconds: float
    version: str
    trace: tuple[tuple[float, int], ...] = field(default=())
    note: str = ""


type Peer = Callable[[Ask], Answer]


def peers() -> dict[str, Peer]:
    """All solvers that can be measured, by name; ours is the first."""
    from routing.benchmark.peers.ortools_routing import ask_ortools
    from routing.benchmark.peers.ours import ask_ours
    from routing.benchmark.peers.pyvrp_search import ask_pyvrp
    from routing.benchmark.peers.vroom_search import ask_vroom

    return {"fieldvisit": ask_ours, "pyvrp": ask_pyvrp, "vroom": ask_vroom, "ortools": ask_ortools}


def package(name: str) -> Any:
    """A peer's package. `PeerMissing` where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as missing:
        raise PeerMissing(f"{name} is not installed; it comes with the extra `bench`: {missing}") from missing


def refuse(peer: str, present: Sequence[tuple[str, bool]]) -> None:
    """`Unsupported` with the first thing in the problem that the peer cannot model."""
    for what, there in present:
        if there:
            raise Unsupported(f"{peer} cannot model {what}")
