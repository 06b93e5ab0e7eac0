"""OR-Tools' routing library: parallel cheapest insertion, then guided local search, as its guide advises.

The library searches with one thread, whatever it is given.
"""

from importlib.metadata import version

from routing.benchmark.peers import Answer, Ask
from routing.limits import Limits


def ask_ortools(ask: Ask) -> Answer:
    """The reference engine of this package, which is that library."""
    from routing import warm
    from routing.reference import demand_modelled
    from routing.solver import solve

    demand_modelled(ask.problem)
    assert warm.TOOK_S >= 0
    began = ask.clock(1)
    # The library has a limit on the wall's clock only; its solutions are frequent enough to end it at the other.
    limits = Limits(seconds=ask.at_most_s, threads=1, seed=ask.seed, engine="ortools")
    plan = solve(ask.problem, limits, should_stop=lambda: ask.clock(1) - began > ask.seconds)
    return Answer(
        orders={route.crew: tuple(stop.task for stop in route.stops) for route in plan.routes},
        seconds=ask.clock(1) - began,
        version=version("ortools"),
        note="one thread",
    )
