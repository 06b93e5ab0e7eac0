"""What a dispatcher asks of a plan, and the same in the words of the planning format."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from fieldvisit.errors import FieldVisitError, InvalidValue, Kind
from fieldvisit.planning.rest import Rest
from routing.edits import Edit, Put, Reorder, Retime, TakeOut
from routing.errors import InvalidProblem
from routing.problem import Problem


class EditKind(StrEnum):
    REMOVE = "remove"
    ADD = "add"
    MOVE = "move"
    REORDER = "reorder"
    RETIME = "retime"


class VisitHasBegun(FieldVisitError):
    code, kind = "visit_has_begun", Kind.CONFLICT
    says = "Visit {reference} has begun, or is over: it stays where it is."


NEEDS = {
    EditKind.ADD: ("visit_id", "crew"),
    EditKind.MOVE: ("visit_id", "crew"),
    EditKind.REMOVE: ("visit_id",),
    EditKind.REORDER: ("crew", "visit_ids"),
    EditKind.RETIME: ("visit_id",),
}


@dataclass(frozen=True, kw_only=True)
class PlanChange:
    """One change. `position`: from 1 among all stops of the crew, best place where it is left out. `begin_at` None:
    the time of the visit is free again. `partner`: the crew that meets the crew there, of a visit that needs two; the
    one with which it costs least where it is left out."""

    kind: EditKind
    visit_id: uuid.UUID | None = None
    crew: str | None = None
    partner: str | None = None
    position: int | None = None
    visit_ids: tuple[uuid.UUID, ...] | None = None
    begin_at: dt.datetime | None = None

    def __post_init__(self) -> None:
        for name in NEEDS[self.kind]:
            if getattr(self, name) is None:
                raise InvalidValue(path=name, reason="is needed for this kind of change")

    @property
    def visits(self) -> tuple[uuid.UUID, ...]:
        """The visits that it names."""
        return (*(() if self.visit_id is None else (self.visit_id,)), *(self.visit_ids or ()))

    @property
    def crews(self) -> tuple[str, ...]:
        """The crews that it names."""
        return tuple(crew for crew in (self.crew, self.partner) if crew is not None)

    @property
    def puts(self) -> bool:
        """Whether it gives a visit to a crew."""
        return self.kind in (EditKind.ADD, EditKind.MOVE)

    @property
    def adds(self) -> uuid.UUID | None:
        return self.visit_id if self.kind is EditKind.ADD else None

    @property
    def takes_out(self) -> bool:
        return self.kind is EditKind.REMOVE


def edits_of(rest: Rest, changes: Sequence[PlanChange]) -> list[Edit]:
    """The changes as edits of the rest of the day. Raises VisitHasBegun, and InvalidValue with the place."""
    planned = {stop.task for route in rest.plan.routes for stop in route.stops}
    found: list[Edit] = []
    for index, change in enumerate(changes):
        path = f"changes/{index}"
        _demand_open(rest, change, path)
        if change.kind is EditKind.ADD and str(change.visit_id) in planned:
            raise InvalidValue(path=f"{path}/visit_id", reason="is planned already: move it")
        if change.kind not in (EditKind.ADD, EditKind.REORDER) and str(change.visit_id) not in planned:
            raise InvalidValue(path=f"{path}/visit_id", reason="is not planned: add it")
        found.append(_edit(rest, change, path))
        planned = _planned_after(planned, change)
    return found


def _planned_after(planned: set[str], change: PlanChange) -> set[str]:
    if change.kind is EditKind.ADD:
        return planned | {str(change.visit_id)}
    return planned - {str(change.visit_id)} if change.kind is EditKind.REMOVE else planned


def _demand_open(rest: Rest, change: PlanChange, path: str) -> None:
    if change.crew is not None and change.crew not in rest.problem.crew_by_id:
        raise InvalidValue(path=f"{path}/crew", reason="is no crew of this day")
    if change.partner is not None and change.partner not in rest.problem.crew_by_id:
        raise InvalidValue(path=f"{path}/partner", reason="is no crew of this day")
    begun = {
        stop.visit_id: stop.visit.reference for code in rest.standing.routes for stop in rest.standing.frozen(code)
    }
    for visit_id in change.visits:
        if visit_id in begun:
            raise VisitHasBegun(reference=begun[visit_id])
        if str(visit_id) not in rest.problem.task_by_id:
            raise InvalidValue(path=f"{path}/visit_id", reason="is no visit of this day")
    if change.partner is not None and not (change.puts and two_meet(rest.problem, change)):
        raise InvalidValue(path=f"{path}/partner", reason="is for visits that two crews make")


def _edit(rest: Rest, change: PlanChange, path: str) -> Edit:
    task, crew = str(change.visit_id), change.crew or ""
    if change.kind is EditKind.REMOVE:
        return TakeOut(task=task)
    if change.kind is EditKind.RETIME:
        begin_s = None if change.begin_at is None else rest.standing.second(change.begin_at)
        return Retime(task=task, begin_s=begin_s)
    if change.kind is EditKind.REORDER:
        return Reorder(crew=crew, tasks=tuple(str(visit_id) for visit_id in change.visit_ids or ()))
    if change.position is None:
        return Put(task=task, crew=crew, partner=change.partner)
    place = change.position - 1 - len(rest.standing.frozen(crew))
    if place < 0:
        raise InvalidValue(path=f"{path}/position", reason="lies before what has begun")
    return Put(task=task, crew=crew, place=place, partner=change.partner)


def two_meet(problem: Problem, change: PlanChange) -> bool:
    """Whether the visit it names is one for which two crews meet."""
    task = problem.task_by_id.get(str(change.visit_id))
    return task is not None and task.crews == 2


def meaningless(error: InvalidProblem) -> InvalidValue:
    """What the planning format refuses of an edit, with the place in the request: its path is `[index].name`."""
    index, _, name = error.path.removeprefix("[").partition("].")
    if name == "tasks":
        path = f"changes/{index}/visit_ids"
        return InvalidValue(path=path, reason="must be the crew's visits that have not begun, each once")
    if name == "place":
        return InvalidValue(path=f"changes/{index}/position", reason="lies beyond the crew's last visit")
    if name == "partner":
        return InvalidValue(path=f"changes/{index}/crew", reason="meets no other crew there as the day is")
    return InvalidValue(path=f"changes/{index}", reason="means nothing in this plan")
