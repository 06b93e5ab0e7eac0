"""A solver's answer becomes the day's draft: routes, crews, stops, and the visits left out with their reasons."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.decision import plain
from fieldvisit.models import CrewMember, DayPlan, Route, Stop, UnservedVisit, Visit
from fieldvisit.planning.day import LeftOut
from fieldvisit.planning.judging import demand_faultless
from fieldvisit.planning.plans import Claimed, lock_plan, release_visits
from fieldvisit.planning.problem import instant
from fieldvisit.visits import lock_visits, move
from fieldvisit.vocabulary import DayPlanState, UnservedReason, VisitState
from routing import plan as answers
from routing.problem import Problem


def accept_plan(
    session: Session,
    claimed: Claimed,
    *,
    problem: Mapping[str, Any],
    plan: Mapping[str, Any],
    travel_source: str,
    paths: Mapping[str, Sequence[Any]],
    now: dt.datetime,
) -> None:
    """Make the answer the day's draft, in place of an earlier draft. Raises PlanFaulty where the judge objects.

    Visits that were cancelled or taken while the search ran are left out with that reason.
    """
    row = lock_plan(session, claimed.plan_id)
    if row.state is not DayPlanState.SOLVING or row.claimed_at != claimed.claimed_at:
        return
    question, answer = demand_faultless(problem, plan)
    _release_drafts(session, row, now)
    row.problem, row.plan = dict(problem), dict(plan)
    row.cost, row.travel_source = answer.cost, travel_source
    row.stayed_home = {str(one.visitor_id): plain(one.clauses) for one in claimed.day.stayed_home}
    row.state, row.finished_at = DayPlanState.DRAFT, now
    session.flush()
    locked = lock_visits(session, (uuid.UUID(stop.task) for route in answer.routes for stop in route.stops))
    made = _Answer(row=row, claimed=claimed, question=question, plan=answer, paths=paths, locked=locked)
    taken = _add_routes(session, made, now)
    _add_unserved(session, row, claimed.day.left_out, answer, taken)
    session.flush()


def _release_drafts(session: Session, plan: DayPlan, now: dt.datetime) -> None:
    earlier = session.scalars(
        sa.select(DayPlan)
        .where(
            DayPlan.area_id == plan.area_id,
            DayPlan.planned_on == plan.planned_on,
            DayPlan.state == DayPlanState.DRAFT,
            DayPlan.id != plan.id,
        )
        .order_by(DayPlan.id)
        .with_for_update()
    ).all()
    for draft in earlier:
        release_visits(session, draft, now)
        draft.state = DayPlanState.DROPPED


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """What the rows of one draft are written from."""

    row: DayPlan
    claimed: Claimed
    question: Problem
    plan: answers.Plan
    paths: Mapping[str, Sequence[Any]]
    locked: Mapping[uuid.UUID, Visit]


def _add_routes(session: Session, answer: _Answer, now: dt.datetime) -> list[uuid.UUID]:
    """Write the routes; the visits that could not be planned any more."""
    taken = []
    for found in answer.plan.routes:
        route = _add_route(session, answer, found)
        position = 0
        for stop, travel_s in zip(found.stops, _drives(answer.question, found), strict=False):
            visit = answer.locked.get(uuid.UUID(stop.task))
            if visit is None or visit.state not in (VisitState.ELIGIBLE, VisitState.PUBLISHED):
                taken.append(uuid.UUID(stop.task))
                continue
            position += 1
            session.add(_stop(answer, route, stop, position=position, travel_s=travel_s))
            if visit.state is VisitState.ELIGIBLE:
                visit.planned_on, visit.plan_id = answer.row.planned_on, answer.row.id
                move(session, visit, VisitState.PLANNED, now=now, plan_id=str(answer.row.id))
    return taken


def _add_route(session: Session, answer: _Answer, found: answers.Route) -> Route:
    origin = answer.claimed.day.origin
    crew = next(crew for crew in answer.claimed.day.crews if crew.code == found.crew)
    broken = found.break_begin_s is not None
    route = Route(
        org_id=answer.row.org_id,
        plan_id=answer.row.id,
        crew_code=found.crew,
        start_lat=crew.lat,
        start_lon=crew.lon,
        from_office=crew.lead.from_office,
        depart_at=instant(origin, found.depart_s),
        return_at=instant(origin, found.return_s),
        travel_s=found.travel_s,
        travel_m=_metres(answer.question, found),
        wait_s=found.wait_s,
        break_at=instant(origin, found.break_begin_s) if found.break_begin_s is not None else None,
        break_s=crew.lead.break_s if broken else None,
        path=list(answer.paths.get(found.crew, [])),
    )
    session.add(route)
    session.flush()
    session.add_all(
        CrewMember(org_id=route.org_id, route_id=route.id, visitor_id=shift.visitor_id, lead=shift is crew.lead)
        for shift in crew.members
    )
    return route


def _stop(answer: _Answer, route: Route, stop: answers.Stop, *, position: int, travel_s: int) -> Stop:
    origin = answer.claimed.day.origin
    return Stop(
        org_id=route.org_id,
        route_id=route.id,
        visit_id=uuid.UUID(stop.task),
        position=position,
        arrive_at=instant(origin, stop.arrive_s),
        begin_at=instant(origin, stop.begin_s),
        end_at=instant(origin, stop.end_s),
        travel_s=travel_s,
    )


def _add_unserved(
    session: Session,
    row: DayPlan,
    left_out: Sequence[LeftOut],
    answer: answers.Plan,
    taken: Sequence[uuid.UUID],
) -> None:
    found = [(one.visit_id, one.reason, one.detail) for one in left_out]
    found += [(uuid.UUID(one.task), UnservedReason(one.reason.value), _detail(one.detail)) for one in answer.unserved]
    found += [(visit_id, UnservedReason.TAKEN_MEANWHILE, {}) for visit_id in taken]
    session.add_all(
        UnservedVisit(org_id=row.org_id, plan_id=row.id, visit_id=visit_id, reason=reason, detail=detail)
        for visit_id, reason, detail in found
    )


def _detail(detail: object) -> dict[str, Any]:
    """Per crew why not, or which visits hold the place: kept apart, since both are only names."""
    if isinstance(detail, Mapping):
        return {"crews": dict(detail)}
    return {"held_by": list(detail)} if isinstance(detail, tuple) else {}


def _legs(question: Problem, found: answers.Route) -> list[tuple[int, int]]:
    """The route's drives as pairs of locations, in order; the last one leads home where the crew has an end."""
    crew = question.crew_by_id[found.crew]
    stops = [question.task_by_id[stop.task].location for stop in found.stops]
    return list(pairwise([crew.start, *stops, *([] if crew.end is None else [crew.end])]))


def _drives(question: Problem, found: answers.Route) -> list[int]:
    """The seconds of each drive."""
    seconds = question.travel.matrices[0]
    return [seconds[here][there] or 0 for here, there in _legs(question, found)]


def _metres(question: Problem, found: answers.Route) -> int | None:
    metres = question.travel.metres
    if metres is None:
        return None
    return sum(metres[here][there] or 0 for here, there in _legs(question, found))
