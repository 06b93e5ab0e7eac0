"""A day without its travel times, which for ten thousand places would be a hundred million of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from routing.demands import LARGEST, demand, demand_distinct
from routing.plan import Plan
from routing.problem import Crew, Pin, Prices, Problem, Quota, Task, Travel
from routing.travel.tables import Point

NEVER = Pin(begin=(LARGEST, LARGEST))
"""The pin of a task whose crew rides in another part: nobody here may meet it."""

type TravelBetween = Callable[[Sequence[Point]], Travel]


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Tasks and crews whose locations are indices of `points`."""

    points: tuple[Point, ...]
    tasks: tuple[Task, ...] = ()
    crews: tuple[Crew, ...] = ()
    prices: Prices = field(default_factory=Prices)
    quotas: tuple[Quota, ...] = ()
    """Of the whole day; of a part, once it is asked alone, its share (`shared_quotas`)."""
    origin: datetime | None = None

    def __post_init__(self) -> None:
        demand_distinct((task.id for task in self.tasks), "tasks")
        demand_distinct((crew.id for crew in self.crews), "crews")
        for index, task in enumerate(self.tasks):
            demand(task.location < len(self.points), f"tasks[{index}].location", "there is no such point")
        for index, crew in enumerate(self.crews):
            known = crew.start < len(self.points) and (crew.end is None or crew.end < len(self.points))
            demand(known, f"crews[{index}]", "starts or ends at a point that is not there")

    @cached_property
    def task_by_id(self) -> dict[str, Task]:
        return {task.id: task for task in self.tasks}

    @cached_property
    def crew_by_id(self) -> dict[str, Crew]:
        return {crew.id: crew for crew in self.crews}

    def problem(self, tasks: Sequence[str], crews: Sequence[str], between: TravelBetween) -> Problem:
        """The problem of these tasks and crews alone, with the travel times between their own points.

        A crew that is named by a pin or was published but is not among them is forgotten.
        """
        mine = set(crews)
        asked = [self._alone(self.task_by_id[name], mine) for name in tasks]
        riding = [self.crew_by_id[name] for name in crews]
        used = {task.location for task in asked} | {crew.start for crew in riding}
        used |= {crew.end for crew in riding if crew.end is not None}
        place = {index: number for number, index in enumerate(sorted(used))}
        return Problem(
            travel=between([self.points[index] for index in sorted(used)]),
            tasks=tuple(replace(task, location=place[task.location]) for task in asked),
            crews=tuple(
                replace(crew, start=place[crew.start], end=None if crew.end is None else place[crew.end])
                for crew in riding
            ),
            prices=self.prices,
            quotas=self.quotas,
            origin=self.origin,
        )

    @staticmethod
    def _alone(task: Task, crews: set[str]) -> Task:
        if task.pin and task.pin.crew and task.pin.crew not in crews:
            task = replace(task, pin=NEVER)
        return task if task.published_crew in crews else replace(task, published_crew=None)


@dataclass(frozen=True, kw_only=True)
class Solved:
    """A part with its answer."""

    problem: Problem
    plan: Plan
