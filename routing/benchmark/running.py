"""One solver on one case, in a process of its own, and what the judge says of the plan."""

import os
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

from routing.benchmark.cases import Case
from routing.benchmark.judged import plan_of
from routing.benchmark.peers import Ask, PeerMissing, peers
from routing.benchmark.results import Run
from routing.checking import faults
from routing.errors import RoutingError, Unsupported

KEPT_OF_TRACE = 60


@dataclass(frozen=True)
class Cores:
    """How many cores each solver may use, and whether processor time counts in place of the clock."""

    threads: int
    processor: bool = False


def run_one(case: Case, solver: str, seed: int, cores: Cores) -> Run:
    """Measure in a fresh process, so that no run inherits another's memory or warmth."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(_measured, case, solver, seed, cores).result()


def _measured(case: Case, solver: str, seed: int, cores: Cores) -> Run:
    load = os.getloadavg()[0]
    run = Run(case=case.name, family=case.family, solver=solver, seed=seed, limit_s=case.seconds, threads=cores.threads)
    run.processor = cores.processor
    run.best_known, run.load = case.best_known, round(load, 1)
    problem = case.problem()
    ask = Ask(problem=problem, seconds=case.seconds, threads=cores.threads, seed=seed, processor=cores.processor)
    try:
        answer = peers()[solver](ask)
    except (Unsupported, PeerMissing) as refused:
        run.refused = str(refused)
        return run
    except RoutingError as failed:
        run.refused = f"failed: {failed}"
        return run
    plan = plan_of(problem, answer.orders)
    run.cost, run.mandatory_left, run.left = plan.cost, plan.mandatory_left, len(plan.unserved)
    run.seconds, run.version, run.note = round(answer.seconds, 2), answer.version, answer.note
    run.faults = [str(fault) for fault in faults(problem, plan)][:5]
    run.trace = _thinned(answer.trace)
    run.cpu_s, run.peak_mb = _spent()
    return run


def _thinned(trace: tuple[tuple[float, int], ...]) -> list[tuple[float, int]]:
    step = max(1, len(trace) // KEPT_OF_TRACE)
    kept = [*trace[::step], *trace[-1:]]
    return [(round(at, 2), cost) for at, cost in kept]


def _spent() -> tuple[float, int]:
    """Processor seconds and the peak of memory in MB, of this process and of those it started."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return round(sum(each.ru_utime + each.ru_stime for each in used), 1), max(each.ru_maxrss for each in used) // 1024


def measure(wanted: list[tuple[Case, str, int]], cores: Cores, keep: Callable[[Run], None], until: float | None) -> int:
    """Measure one after the other, telling each to `keep`; stop before one that could not end by `until`."""
    for done, (case, solver, seed) in enumerate(wanted):
        if until is not None and time.monotonic() + case.seconds > until:
            return done
        keep(run_one(case, solver, seed, cores))
    return len(wanted)
