"""One route: its clock, its drives, its break and the limits of its crew."""

from collections.abc import Iterator
from dataclasses import dataclass

from routing.checking.breaks import break_faults, clear_of_break
from routing.checking.drives import Leg, consistent_drives, legs_of, reachable_sums, timely_drives
from routing.checking.fault import Fault
from routing.plan import Route, Stop
from routing.problem import Crew, Problem, Task


@dataclass(frozen=True, kw_only=True)
class RouteFacts:
    """What the route costs by the judge's own count. `travel_s` is None where the drives cannot be told."""

    crew: Crew
    travel_s: int | None
    wait_s: int | None
    work_s: int
    overtime_s: int


def judged_route(problem: Problem, route: Route, path: str) -> tuple[RouteFacts, list[Fault]]:
    """The facts of a route of a known crew, and its faults."""
    crew = problem.crew_by_id[route.crew]
    found = list(_clock_faults(problem, crew, route, path))
    found += break_faults(problem, crew, route, path)
    travel, wrong = _judged_travel(problem, crew, route, path)
    found += wrong
    facts = _facts(problem, crew, route, travel)
    if facts.wait_s is not None and facts.wait_s != route.wait_s:
        found.append(_fault("wait_wrong", path, crew, f"wait_s is {route.wait_s}, but {facts.wait_s} s are waited"))
    found += _limit_faults(problem, facts, route, path)
    return facts, found


def _facts(problem: Problem, crew: Crew, route: Route, travel: int | None) -> RouteFacts:
    known = [problem.task_by_id[stop.task] for stop in route.stops if stop.task in problem.task_by_id]
    rest = crew.break_.duration_s if crew.break_ is not None and route.break_begin_s is not None else 0
    work = route.return_s - route.depart_s
    wait = None if travel is None else work - travel - sum(task.service_s for task in known) - rest
    overtime = max(0, route.return_s - crew.shift[1])
    return RouteFacts(crew=crew, travel_s=travel, wait_s=wait, work_s=work, overtime_s=overtime)


def _clock_faults(problem: Problem, crew: Crew, route: Route, path: str) -> Iterator[Fault]:
    if not route.stops:
        yield _fault("route_without_stops", path, crew, "a crew without a stop is not listed")
        return
    if route.depart_s < crew.shift[0]:
        yield _fault("departs_before_shift", path, crew, f"leaves at {route.depart_s}, the shift is {crew.shift}")
    if route.return_s > crew.latest_return_s:
        yield _fault("returns_after_shift", path, crew, f"returns at {route.return_s}, after {crew.latest_return_s}")
    if crew.end is None and route.return_s != route.stops[-1].end_s:
        yield _fault("return_wrong", path, crew, "an open route returns with the end of its last service")
    for index, stop in enumerate(route.stops):
        task = problem.task_by_id.get(stop.task)
        if task is not None:
            yield from _stop_faults(crew, task, stop, f"{path}.stops[{index}]")


def _stop_faults(crew: Crew, task: Task, stop: Stop, path: str) -> Iterator[Fault]:
    def fault(code: str, says: str) -> Fault:
        return Fault(code=code, path=path, says=says, task=task.id, crew=crew.id)

    if stop.begin_s < stop.arrive_s:
        yield fault("begins_before_arrival", f"begins at {stop.begin_s}, arrives at {stop.arrive_s}")
    if stop.end_s != stop.begin_s + task.service_s:
        yield fault("end_wrong", f"ends at {stop.end_s}, but begin and service make {stop.begin_s + task.service_s}")
    ends = stop.begin_s + task.service_s
    if task.windows and not any(w.opens_s <= stop.begin_s and ends <= w.closes_s for w in task.windows):
        yield fault("outside_window", f"from {stop.begin_s} to {ends} lies in no window")
    if not task.requires <= crew.offers:
        yield fault("requires_missing", f"the crew does not offer {sorted(task.requires - crew.offers)}")
    if task.crews == 1 and task.visitors > crew.size:
        yield fault("crew_too_small", f"{task.visitors} visitors are needed, the crew has {crew.size}")
    if task.pin is None:
        return
    if task.pin.crew is not None and task.pin.crew != crew.id and task.crews == 1:
        yield fault("pinned_to_another_crew", f"is pinned to {task.pin.crew!r}")
    if task.pin.begin is not None and not task.pin.begin[0] <= stop.begin_s <= task.pin.begin[1]:
        yield fault("outside_pin", f"begins at {stop.begin_s}, is pinned to {list(task.pin.begin)}")


def _judged_travel(problem: Problem, crew: Crew, route: Route, path: str) -> tuple[int | None, list[Fault]]:
    """The travel seconds, None where a drive cannot be told, and the faults of the drives."""
    found: list[Fault] = []
    choices: list[list[int]] = []
    for leg in legs_of(problem, crew, route, path):
        lengths, wrong = _lengths(problem, crew, route, leg)
        choices.append(lengths)
        found += wrong
    if not all(choices):
        return None, found
    sums = reachable_sums(choices)
    if route.travel_s in sums:
        return route.travel_s, found
    says = f"travel_s is {route.travel_s}, but {min(sums)} s are driven"
    return min(sums), [*found, _fault("travel_wrong", path, crew, says)]


def _lengths(problem: Problem, crew: Crew, route: Route, leg: Leg) -> tuple[list[int], list[Fault]]:
    def fault(code: str, says: str) -> list[Fault]:
        return [Fault(code=code, path=leg.path, says=says, task=leg.task, crew=crew.id)]

    matrices = problem.travel.matrices
    if all(matrix[leg.origin][leg.target] is None for matrix in matrices):
        return [], fault("no_way", f"there is no way from place {leg.origin} to {leg.target}")
    consistent = consistent_drives(problem.travel, leg)
    timely = timely_drives(problem.travel, leg)
    clear = [length for length in timely if clear_of_break(crew, route, (leg.arrive_s - length, leg.arrive_s))]
    if clear:
        return clear, []
    if timely:
        return timely, fault("break_overlaps_drive", f"the drive that arrives at {leg.arrive_s} overlaps the break")
    says = f"no drive from {leg.origin} to {leg.target} that starts at {leg.free_s} or later arrives at {leg.arrive_s}"
    return consistent, fault("drive_does_not_fit", says)


def _limit_faults(problem: Problem, facts: RouteFacts, route: Route, path: str) -> Iterator[Fault]:
    crew = facts.crew
    if crew.max_tasks is not None and len(route.stops) > crew.max_tasks:
        yield _fault("over_max_tasks", path, crew, f"{len(route.stops)} stops, at most {crew.max_tasks}")
    if crew.max_work_s is not None and facts.work_s > crew.max_work_s:
        yield _fault("over_max_work", path, crew, f"{facts.work_s} s of work, at most {crew.max_work_s}")
    if crew.max_travel_s is not None and facts.travel_s is not None and facts.travel_s > crew.max_travel_s:
        yield _fault("over_max_travel", path, crew, f"{facts.travel_s} s of travel, at most {crew.max_travel_s}")
    if crew.capacity is not None:
        for kind, carried in enumerate(_loads(problem, route)):
            room = crew.capacity[kind] if kind < len(crew.capacity) else 0
            if carried > room:
                yield _fault("over_capacity", path, crew, f"load {kind} is {carried}, the capacity {room}")


def _loads(problem: Problem, route: Route) -> list[int]:
    loads = [problem.task_by_id[stop.task].load for stop in route.stops if stop.task in problem.task_by_id]
    kinds = max((len(load) for load in loads), default=0)
    return [sum(load[kind] for load in loads if kind < len(load)) for kind in range(kinds)]


def _fault(code: str, path: str, crew: Crew, says: str) -> Fault:
    return Fault(code=code, path=path, says=says, crew=crew.id)
