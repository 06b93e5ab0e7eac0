"""Ours, in the way a user calls it."""

from importlib.metadata import version

from routing.benchmark.peers import Answer, Ask
from routing.limits import Limits, Progress


def ask_ours(ask: Ask) -> Answer:
    """The search with as many threads as it may have; the kernel is loaded before the clock starts."""
    from routing import warm
    from routing.solver import solve

    assert warm.TOOK_S >= 0
    told: list[Progress] = []
    began = ask.clock()
    limits = Limits(seconds=ask.seconds, threads=ask.threads, seed=ask.seed)
    plan = solve(ask.problem, limits, on_progress=told.append, clock=ask.clock)
    trace = [(progress.seconds, progress.cost) for progress in told]
    return Answer(
        orders={route.crew: tuple(stop.task for stop in route.stops) for route in plan.routes},
        seconds=ask.clock() - began,
        version=version("fieldvisit"),
        trace=(*trace, (ask.clock() - began, plan.cost)),
        note=f"{plan.iterations} rounds",
    )
