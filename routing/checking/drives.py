"""The drives of a route, read back from its arrivals.

A plan tells when a crew arrives, not when it left. With one matrix the drive follows from that; with hour bands a drive
counts when it is the one of the band in which it would have started, and more than one may be consistent.
"""

from dataclasses import dataclass

from routing.plan import Route
from routing.problem import Crew, Problem, Travel


@dataclass(frozen=True, kw_only=True)
class Leg:
    """A drive that ends at `arrive_s` and may not start before `free_s`; `path` is the plan's place for it."""

    path: str
    origin: int
    target: int
    free_s: int
    arrive_s: int
    task: str | None


def legs_of(problem: Problem, crew: Crew, route: Route, path: str) -> list[Leg]:
    """The drives in order, the one home included; stops at tasks that nobody knows are passed over."""
    legs: list[Leg] = []
    here, free = crew.start, route.depart_s
    for index, stop in enumerate(route.stops):
        task = problem.task_by_id.get(stop.task)
        if task is None:
            continue
        where = f"{path}.stops[{index}]"
        legs.append(
            Leg(path=where, origin=here, target=task.location, free_s=free, arrive_s=stop.arrive_s, task=task.id)
        )
        here, free = task.location, stop.end_s
    if crew.end is not None and legs:
        legs.append(Leg(path=path, origin=here, target=crew.end, free_s=free, arrive_s=route.return_s, task=None))
    return legs


def consistent_drives(travel: Travel, leg: Leg) -> list[int]:
    """The lengths this drive may have had, shortest first, whenever it started; empty when there is no way."""
    lengths = set()
    for band, matrix in enumerate(travel.matrices):
        length = matrix[leg.origin][leg.target]
        if length is not None and travel.band_at(leg.arrive_s - length) == band:
            lengths.add(length)
    return sorted(lengths)


def timely_drives(travel: Travel, leg: Leg) -> list[int]:
    """Those of the consistent drives that start when the crew is free."""
    return [length for length in consistent_drives(travel, leg) if leg.arrive_s - length >= leg.free_s]


def reachable_sums(choices: list[list[int]]) -> set[int]:
    """All sums of one length from each list; every list holds at least one."""
    sums = {0}
    for lengths in choices:
        sums = {total + length for total in sums for length in lengths}
    return sums
