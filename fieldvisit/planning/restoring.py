"""The version before the published one as the day's draft again, as far as what has happened since allows.

What has begun stays with who began it, what was cancelled stays so, and crews that are out go on from where they are.
Every other visit goes back to its crew and, where that can still be kept, to its time to the second.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.models import DayPlan, Route, Stop
from fieldvisit.planning.drafting import earlier_drafts
from fieldvisit.planning.holding import hand_over
from fieldvisit.planning.joining import NotToBePlanned, joined_by
from fieldvisit.planning.plans import DayIsOver, get_plan, release_drafts, today_of
from fieldvisit.planning.repairing import Begins, met, send_back
from fieldvisit.planning.rest import Rest, Standing, as_shown, rest_of, standing_of
from fieldvisit.planning.rewriting import Rewritten, new_row, write_plan
from fieldvisit.vocabulary import DayPlanState, VisitState
from routing import plan as answers
from routing.checking import faults
from routing.edits import as_plan
from routing.format import problem_from_document
from routing.problem import Problem
from routing.timetable import forced

APART = ("needs_two_crews", "crews_begin_apart", "served_twice", "crew_too_small")
"""Faults of a visit that two crews make, or made."""
type Orders = dict[str, list[str]]
"""Crew → its open visits in order."""


class NothingToUndo(FieldVisitError):
    code, kind = "nothing_to_undo", Kind.CONFLICT
    says = "There is nothing to undo: this plan was not made by hand, and no version was published before it."


def restore_version_before(session: Session, plan_id: uuid.UUID, *, by: uuid.UUID | None, now: dt.datetime) -> DayPlan:
    """A draft that repairs the published plan into the version before it; every other draft of the day is dropped.

    What can no longer be kept is left out there, with its reason. The caller has the organisation's turn.
    Raises NothingToUndo and DayIsOver.
    """
    row = get_plan(session, plan_id)
    before = _version_before(session, row)
    if before is None:
        raise NothingToUndo
    if row.planned_on < today_of(session, row.org_id, now):
        raise DayIsOver(planned_on=row.planned_on)
    release_drafts(session, earlier_drafts(session, row), now)
    before = get_plan(session, before.id)
    standing = _pinned_as_before(_with_all_of(session, standing_of(session, row, now), before, now), before)
    wanted = _wanted(standing, before)
    routes = {route.crew_code: route for route in before.routes}
    changed = {crew for crew in wanted if not _stands(standing, crew, routes.get(crew), wanted[crew])}
    changed |= _meeting(standing.problem, wanted, changed)
    rest = rest_of(standing, changed)
    draft = new_row(row, by=by, repairs=row.id, now=now)
    session.add(draft)
    session.flush()
    plan = _Restored(rest, routes, {crew: wanted[crew] for crew in changed}).plan()
    write_plan(session, draft, Rewritten(standing=standing, problem=rest.problem, plan=plan, crews=changed))
    session.flush()
    hand_over(session, row, get_plan(session, draft.id), now)
    send_back(session, draft, changed, standing, now=now)
    session.flush()
    return draft


def _version_before(session: Session, row: DayPlan) -> DayPlan | None:
    return session.scalars(
        sa.select(DayPlan)
        .where(
            DayPlan.area_id == row.area_id,
            DayPlan.planned_on == row.planned_on,
            DayPlan.state == DayPlanState.SUPERSEDED,
            DayPlan.version < row.version,
        )
        .order_by(DayPlan.version.desc())
        .limit(1)
    ).one_or_none()


def _with_all_of(session: Session, standing: Standing, before: DayPlan, now: dt.datetime) -> Standing:
    """The standing plan with the visits that have fallen out of it since, where they may still be planned."""
    for route in before.routes:
        for stop in route.stops:
            if stop.visit.state is VisitState.ELIGIBLE:
                try:
                    standing = joined_by(session, standing, stop.visit_id, now)
                except NotToBePlanned:
                    # It then stays among those that wait, as it is now.
                    continue
    return standing


def _pinned_as_before(standing: Standing, before: DayPlan) -> Standing:
    """A time that was given by hand since is free again, and one that was freed holds again."""
    pins = {task.id: task.pin for task in problem_from_document(before.problem or {}).tasks}
    tasks = tuple(replace(task, pin=pins.get(task.id, task.pin)) for task in standing.problem.tasks)
    return replace(standing, problem=replace(standing.problem, tasks=tasks))


def _wanted(standing: Standing, before: DayPlan) -> Orders:
    """What each crew of today would have to do still; of what it did then, that which nobody has begun or cancelled."""
    orders: Orders = {crew: [] for crew in standing.problem.crew_by_id}
    for route in before.routes:
        if route.crew_code in orders:
            orders[route.crew_code] = [str(stop.visit_id) for stop in route.stops if _waits(standing, stop)]
    return orders


def _waits(standing: Standing, stop: Stop) -> bool:
    known = str(stop.visit_id) in standing.problem.task_by_id
    return known and (stop.visit_id in standing.open or stop.visit.state is VisitState.ELIGIBLE)


def _stands(standing: Standing, crew: str, before: Route | None, wanted: Sequence[str]) -> bool:
    """Whether the crew's open stops are those of then, to the second."""
    route = standing.routes.get(crew)
    shown = [] if route is None else [_told(stop) for stop in route.stops if standing.is_open(stop)]
    then = [] if before is None else [_told(stop) for stop in before.stops if str(stop.visit_id) in wanted]
    return shown == then


def _meeting(problem: Problem, wanted: Orders, crews: Collection[str]) -> set[str]:
    """The crews that meet one of these at a door, or one that meets one of them, and so on."""
    found: set[str] = set()
    more = set(crews)
    while more - found:
        found |= more
        pairs = {name for crew in found for name in wanted[crew] if problem.task_by_id[name].crews == 2}
        more = {crew for crew, order in wanted.items() if pairs & set(order)}
    return found


def _told(stop: Stop) -> tuple[object, ...]:
    return stop.visit_id, stop.arrive_at, stop.begin_at, stop.end_at


@dataclass
class _Restored:
    """The routes of then over the rest of the day. `orders`: of the crews whose route is not as it was."""

    rest: Rest
    before: Mapping[str, Route]
    orders: Orders

    def plan(self) -> answers.Plan:
        """Each crew at its times of then; at the best ones for this order where those cannot be kept any more; and
        without the visits that cannot be kept at all."""
        timed_anew: set[str] = set()
        while True:
            plan = as_plan(self.rest.problem, tuple(self._routes(timed_anew)), self.rest.plan)
            found = faults(self.rest.problem, plan)
            # Two crews that do not meet any more are nobody's fault, and have no crew.
            apart = {fault.task for fault in found if fault.code in APART}
            wrong = [fault for fault in found if fault.crew in self.orders]
            late = {fault.crew for fault in wrong if fault.crew is not None} - timed_anew
            timed_anew |= late
            if not wrong and not apart:
                return plan
            if not late:
                self._give_up({(fault.crew, fault.task) for fault in wrong})
                self._part(apart)

    @cached_property
    def _meetings(self) -> Begins:
        """Visit → when two crews met for it then."""
        problem, standing = self.rest.problem, self.rest.standing
        stops = (stop for crew in self.orders if crew in self.before for stop in self.before[crew].stops)
        begins = {str(stop.visit_id): standing.second(stop.begin_at) for stop in stops}
        pairs = {task.id for task in problem.tasks if task.crews == 2}
        return {name: at for name, at in begins.items() if name in pairs}

    def _routes(self, timed_anew: set[str]) -> list[answers.Route]:
        problem, standing = self.rest.problem, {route.crew: route for route in self.rest.plan.routes}
        routes = []
        for crew in problem.crews:
            names = self.orders.get(crew.id)
            if names is None:
                routes += [standing[crew.id]] if crew.id in standing else []
            elif names and crew.id in timed_anew:
                routes.append(forced(problem, crew, met(problem, names, self._meetings)))
            elif names:
                routes.append(as_shown(self.rest.standing, problem, crew, self.before[crew.id], names=names))
        return routes

    def _give_up(self, wrong: set[tuple[str | None, str | None]]) -> None:
        """Leave out a visit of each crew that cannot keep its order: one that is named, else the last."""
        for crew in {crew for crew, _ in wrong if crew is not None}:
            order = self.orders[crew]
            named = [name for name in order if (crew, name) in wrong]
            if order:
                gone = named[0] if named else order[-1]
                order.remove(gone)
                self._part({gone} & self._meetings.keys())

    def _part(self, names: Collection[str | None]) -> None:
        """Leave out what two crews made, of both."""
        for crew, order in self.orders.items():
            self.orders[crew] = [name for name in order if name not in names]
