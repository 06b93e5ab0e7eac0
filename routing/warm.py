"""Loads all that a solve needs: compiles the kernel, or reads it from its cache, and imports OR-Tools.

Importing this module does it, so that a forkserver can preload it by name and its children solve at once. The cache
lies where `NUMBA_CACHE_DIR` says, else beside the code. Nothing with threads or sockets of its own stays behind.
"""

import time

from routing.plan import Plan
from routing.problem import Break, Crew, Problem, Task, Travel, Window
from routing.solver import Limits, solve


def smallest_day() -> Problem:
    """A day that meets every compiled function: a break, a pair, a task that fits and one that does not."""
    seconds = ((0, 60, 60), (60, 0, 60), (60, 60, 0))
    rest = Break(window=Window(opens_s=600, closes_s=1200), duration_s=60)
    crews = tuple(Crew(id=name, start=0, end=0, shift=(0, 3600), break_=rest) for name in "ab")
    tasks = (
        Task(id="pair", location=1, service_s=60, value_s=9000, crews=2),
        Task(id="fits", location=2, service_s=1500, value_s=9000),
        Task(id="too", location=2, service_s=3000, value_s=9000),
        Task(id="dear", location=2, service_s=60, value_s=1),
    )
    return Problem(travel=Travel(seconds=seconds), tasks=tasks, crews=crews)


def warm() -> Plan:
    """Solve the smallest day with few rounds."""
    return solve(smallest_day(), Limits(iterations=20, threads=1, seed=1))


_began = time.monotonic()
warm()
TOOK_S = time.monotonic() - _began
"""How long the kernel took to load; the imports come on top."""
