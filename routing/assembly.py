"""From the order of stops that the search found to the routes of a plan."""

import numpy as np

from routing.errors import FaultyPlan
from routing.improve.flat import Flat
from routing.improve.search import Order
from routing.improve.timing import best_timing
from routing.plan import Route
from routing.schedule import Visit, clocked


def routes_of(flat: Flat, order: Order) -> tuple[Route, ...]:
    """The routes with their clocks, in the problem's order of crews; crews without a stop are not listed."""
    return tuple(_route(flat, crew, rows) for crew, rows in enumerate(order) if rows)


def _route(flat: Flat, crew: int, rows: tuple[int, ...]) -> Route:
    _, depart, *_ = best_timing(flat.day, crew, np.array(rows, np.int64), len(rows))
    visits = [_visit(flat, row) for row in rows]
    route = clocked(flat.problem, flat.problem.crews[crew], visits, int(depart))
    if route is None:
        names = [task.id for task, _ in visits]
        raise FaultyPlan(f"The search made a route that has no clock: crew {flat.problem.crews[crew].id}, {names}.")
    return route


def _visit(flat: Flat, row: int) -> Visit:
    spans = [(int(opens), int(last)) for opens, last in flat.day.spans[row]]
    return flat.task_of(row), [(opens, last) for opens, last in spans if opens <= last]
