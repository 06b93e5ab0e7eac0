"""How long a solve may take, and what it tells while it runs."""

from dataclasses import dataclass
from typing import Literal

from routing.demands import demand, demand_whole

type Engine = Literal["ruin", "ortools"]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """When to stop: seconds on the clock, rounds for each thread, or whichever comes first.

    With `iterations`, a fixed number of threads and no clock, the plan depends on nothing else.
    """

    seconds: float | None = None
    iterations: int | None = None
    threads: int = 1
    seed: int = 1
    engine: Engine = "ruin"

    def __post_init__(self) -> None:
        demand(self.seconds is not None or self.iterations is not None, "limits", "need seconds, iterations, or both")
        demand(self.seconds is None or self.seconds > 0, "limits.seconds", "must be more than 0")
        if self.iterations is not None:
            demand_whole(self.iterations, "limits.iterations", least=1)
        demand_whole(self.threads, "limits.threads", least=1, most=256)
        demand_whole(self.seed, "limits.seed", least=0)
        demand(self.engine in ("ruin", "ortools"), "limits.engine", "must be ruin or ortools")


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long CP-SAT may think about clocks: seconds by the clock, or deterministic ones."""

    seconds: float | None = None
    deterministic: float | None = None
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a solve is. `cost` counts a mandatory task left out by the search's own heavy weight."""

    seconds: float
    iterations: int
    cost: int
    served: int
    unserved: int
