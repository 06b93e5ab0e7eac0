"""The second cut: across the borders of the first, around routes that lie on them, to mend what the first cut broke."""

from collections.abc import Sequence

import numpy as np

from routing.geography import flattened, halved
from routing.plan import Plan
from routing.split.parting import MOST_TASKS, Part, bound_to
from routing.split.spread import Spread
from routing.travel.tables import Point

SHIFT = 0.35
"""Where the second cut begins; a half would meet the first one's borders again."""


def borders_of(
    spread: Spread, plans: Sequence[Plan], *, most_tasks: int = MOST_TASKS, shift: float = SHIFT
) -> list[Part]:
    """The whole day cut anew, around whole routes: each crew with its stops, each task left out with the nearest crew.

    Routes are cut by the middle of their stops, crews without a stop by their start. Of a group all go with the one
    that is served; a task that is bound to a crew goes with it.
    """
    served = {route.crew: tuple(stop.task for stop in route.stops) for plan in plans for route in plan.routes}
    units = [_middle(spread, served.get(crew.id, ()), crew.start) for crew in spread.crews]
    tasks_a_crew = max(1.0, len(spread.tasks) / max(1, len(units)))
    cut = halved(units, max(2, round(most_tasks / tasks_a_crew)), shift=shift)
    home = {spread.crews[index].id: number for number, indices in enumerate(cut) for index in indices}
    part_of = {name: home[crew] for crew, stops in served.items() for name in stops}
    left = [task.id for task in spread.tasks if task.id not in part_of]
    groups = {spread.task_by_id[name].group: part for name, part in part_of.items()}
    for name, crew in zip(left, _closest(spread, left, units), strict=True):
        group, bound = spread.task_by_id[name].group, bound_to(spread.task_by_id[name])
        near = home[bound] if bound in home else home[spread.crews[crew].id]
        part_of[name] = near if group is None else groups.setdefault(group, near)
    return [
        Part(
            tasks=tuple(task.id for task in spread.tasks if part_of.get(task.id) == number),
            crews=tuple(crew.id for crew in spread.crews if home[crew.id] == number),
        )
        for number in range(len(cut))
    ]


def orders_in(part: Part, plans: Sequence[Plan]) -> dict[str, tuple[str, ...]]:
    """Crew → its stops as they stand, of the crews of this part."""
    mine = set(part.crews)
    return {
        route.crew: tuple(stop.task for stop in route.stops)
        for plan in plans
        for route in plan.routes
        if route.crew in mine
    }


def _middle(spread: Spread, stops: Sequence[str], start: int) -> Point:
    points = [spread.points[spread.task_by_id[name].location] for name in stops] or [spread.points[start]]
    return Point(lat=sum(p.lat for p in points) / len(points), lon=sum(p.lon for p in points) / len(points))


def _closest(spread: Spread, left: Sequence[str], units: Sequence[Point]) -> list[int]:
    """For each task left out the nearest of the units."""
    flat = flattened([*units, *(spread.points[spread.task_by_id[name].location] for name in left)])
    middles, points = flat[: len(units)], flat[len(units) :]
    return [int(np.argmin(((middles - point) ** 2).sum(axis=1))) for point in points]
