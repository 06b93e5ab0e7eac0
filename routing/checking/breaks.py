"""A crew's break: when a route needs one, and where it may lie."""

from collections.abc import Iterator

from routing.checking.fault import Fault
from routing.plan import Route
from routing.problem import Crew, Problem


def break_faults(problem: Problem, crew: Crew, route: Route, path: str) -> Iterator[Fault]:
    """The faults of the break but for its drives, which `routes` judges with the drives."""

    def fault(code: str, says: str) -> Fault:
        return Fault(code=code, path=path, says=says, crew=crew.id)

    begin, rest = route.break_begin_s, crew.break_
    if not route.stops:
        return
    if rest is None:
        if begin is not None:
            yield fault("break_unknown", "this crew has no break")
        return
    window = rest.window
    if begin is None:
        if route.depart_s < window.closes_s and route.return_s >= window.opens_s:
            yield fault("break_missing", f"the route meets the break's window from {window.opens_s}")
        return
    if not window.opens_s <= begin < window.closes_s:
        yield fault("break_outside_window", f"the break begins at {begin}, outside its window")
    if begin < route.depart_s or begin + rest.duration_s > route.return_s:
        yield fault("break_outside_route", f"the break from {begin} does not lie between departure and return")
    for stop in route.stops:
        task = problem.task_by_id.get(stop.task)
        if task is not None and not clear_of_break(crew, route, (stop.begin_s, stop.begin_s + task.service_s)):
            yield fault("break_overlaps_service", f"the break overlaps the service of {task.id!r}")


def clear_of_break(crew: Crew, route: Route, span: tuple[int, int]) -> bool:
    """The half-open span shares no second with the route's break."""
    if crew.break_ is None or route.break_begin_s is None:
        return True
    return max(span[0], route.break_begin_s) >= min(span[1], route.break_begin_s + crew.break_.duration_s)
