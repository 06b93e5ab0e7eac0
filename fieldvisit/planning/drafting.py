"""A solver's answer becomes the day's draft: routes, crews, stops, and the visits left out with their reasons.

This is the second of the policy's four gates: every stop is judged at its time with its people before a slot of a cap
is reserved for it.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.models import CrewMember, DayPlan, Route, Stop, UnservedVisit, Visit
from fieldvisit.planning.crews import CrewToPlan
from fieldvisit.planning.elsewhere import refuse_taken
from fieldvisit.planning.judging import demand_faultless
from fieldvisit.planning.latest import DayMovedOn, PlanOutdated, demand_no_work_lost, demand_same_version
from fieldvisit.planning.plans import Claimed, lock_plan, planned_in, published_plan, release_drafts, take_turn
from fieldvisit.planning.problem import instant
from fieldvisit.planning.remedies import detail_of
from fieldvisit.planning.stops import judge_stops, leave_out, plain_clauses
from fieldvisit.visits import lock_visits, move
from fieldvisit.vocabulary import CheckMoment, DayPlanState, UnservedReason, VisitState
from routing import plan as answers
from routing.checking.drives import legs_of, timely_drives
from routing.problem import Problem


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a search came back with. `paths`: crew → the way along roads as [lon, lat]. `set_aside`: visit → why nobody
    can be sent to its point. `put_in`: visit left out → `cost` of the plan with it, and which it `displaces`."""

    problem: Mapping[str, Any]
    plan: Mapping[str, Any]
    travel_source: str
    paths: Mapping[str, Sequence[Any]]
    set_aside: Mapping[str, str] = field(default_factory=dict)
    put_in: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """What the rows of one draft are written from."""

    row: DayPlan
    claimed: Claimed
    question: Problem
    plan: answers.Plan
    found: Found

    @cached_property
    def partners(self) -> dict[tuple[str, str], str]:
        return partners_of(self.plan)


def accept_plan(session: Session, claimed: Claimed, found: Found, *, now: dt.datetime) -> bool:
    """Make the answer the day's draft, in place of an earlier draft; False where nobody waits for it any more.

    Visits that were cancelled or taken while the search ran are left out with that reason, and those that the policy
    refuses by now with its clauses. Raises DayMovedOn where another version was published since the day was read, or
    somebody made a draft by hand since it was asked for, and PlanFaulty where the judge objects.
    """
    question, plan = demand_faultless(found.problem, found.plan)
    take_turn(session)
    row = lock_plan(session, claimed.plan_id)
    if row.state is not DayPlanState.SOLVING or row.claimed_at != claimed.claimed_at:
        return False
    try:
        demand_same_version(session, row)
    except PlanOutdated as error:
        raise DayMovedOn(str(error)) from error
    demand_no_work_lost(session, row)
    refuse_taken(session, row, _people(claimed, plan))
    drafts = earlier_drafts(session, row)
    visits = lock_visits(session, planned_in(session, drafts) | _served(plan))
    release_drafts(session, drafts, now)
    row.problem, row.plan = dict(found.problem), dict(found.plan)
    row.cost, row.travel_source = plan.cost, found.travel_source
    row.crews = {crew.code: crew_record(crew) for crew in claimed.day.crews}
    row.stayed_home = {
        str(one.visitor_id): {
            "staff_number": one.staff_number,
            "clauses": plain_clauses(one.clauses, {str(one.visitor_id): one.staff_number}),
        }
        for one in claimed.day.stayed_home
    }
    row.state, row.finished_at = DayPlanState.DRAFT, now
    session.flush()
    answer = _Answer(row=row, claimed=claimed, question=question, plan=plan, found=found)
    _add_unserved(session, answer)
    routes = [_add_route(session, answer, route) for route in plan.routes]
    _reserve(session, row, routes, visits, now=now)
    return True


def crew_record(crew: CrewToPlan) -> dict[str, Any]:
    """What has to be known of a crew to let it ride later, kept with the plan."""
    return {
        "members": [str(shift.visitor_id) for shift in crew.members],
        "lat": crew.lat,
        "lon": crew.lon,
        "from_office": not crew.starts_from_home,
        "break_s": crew.lead.break_s,
    }


def earlier_drafts(session: Session, plan: DayPlan) -> Sequence[DayPlan]:
    return session.scalars(
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


def _served(plan: answers.Plan) -> set[uuid.UUID]:
    return {uuid.UUID(stop.task) for route in plan.routes for stop in route.stops}


def _people(claimed: Claimed, plan: answers.Plan) -> set[uuid.UUID]:
    """Everybody who rides."""
    used = {route.crew for route in plan.routes}
    return {shift.visitor_id for crew in claimed.day.crews if crew.code in used for shift in crew.members}


def _add_unserved(session: Session, answer: _Answer) -> None:
    left_out = [(one.visit_id, one.reason, one.detail) for one in answer.claimed.day.left_out]
    left_out += [
        (uuid.UUID(one.task), UnservedReason(one.reason.value), _detail(one, answer)) for one in answer.plan.unserved
    ]
    session.add_all(
        UnservedVisit(org_id=answer.row.org_id, plan_id=answer.row.id, visit_id=visit_id, reason=reason, detail=detail)
        for visit_id, reason, detail in left_out
    )


def _detail(one: answers.Unserved, answer: _Answer) -> dict[str, Any]:
    """What is wrong with its point; else why not, what putting it in would cost, and what would help."""
    if one.reason is answers.Reason.UNREACHABLE and one.task in answer.found.set_aside:
        return {"point": answer.found.set_aside[one.task]}
    return detail_of(one, answer.plan.cost, answer.found.put_in.get(one.task))


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
        from_office=not crew.starts_from_home,
        depart_at=instant(origin, found.depart_s),
        return_at=instant(origin, found.return_s),
        travel_s=found.travel_s,
        travel_m=metres_of(answer.question, found),
        wait_s=found.wait_s,
        break_at=instant(origin, found.break_begin_s) if found.break_begin_s is not None else None,
        break_s=crew.lead.break_s if broken else None,
        path=list(answer.found.paths.get(found.crew, [])),
    )
    route.members = [
        CrewMember(org_id=answer.row.org_id, visitor_id=shift.visitor_id, lead=shift is crew.lead)
        for shift in crew.members
    ]
    route.stops = list(_stops(answer, found))
    session.add(route)
    return route


def _stops(answer: _Answer, found: answers.Route) -> Iterator[Stop]:
    origin = answer.claimed.day.origin
    drives = drives_of(answer.question, found)
    # The last drive, home, leads to no stop.
    for position, (stop, drive_s) in enumerate(zip(found.stops, drives, strict=False), start=1):
        yield Stop(
            org_id=answer.row.org_id,
            visit_id=uuid.UUID(stop.task),
            position=position,
            arrive_at=instant(origin, stop.arrive_s),
            begin_at=instant(origin, stop.begin_s),
            end_at=instant(origin, stop.end_s),
            travel_s=drive_s,
            risk=answer.question.task_by_id[stop.task].risk,
            with_crew=answer.partners.get((stop.task, found.crew)),
        )


def _reserve(
    session: Session, plan: DayPlan, routes: Sequence[Route], visits: Mapping[uuid.UUID, Visit], *, now: dt.datetime
) -> None:
    """Take each visit for its stop where it is still to be had and may be made then by them; else the stop goes."""
    session.flush()
    published = published_plan(session, plan.area_id, plan.planned_on)
    for judged in judge_stops(session, routes, visits, moment=CheckMoment.PLANNING, now=now):
        visit = judged.visit
        ours = published is not None and visit.state is VisitState.PUBLISHED and visit.plan_id == published.id
        if not judged.allowed or not (ours or visit.state is VisitState.ELIGIBLE):
            leave_out(session, plan, judged)
        elif not ours:
            visit.planned_on, visit.plan_id = plan.planned_on, plan.id
            move(session, visit, VisitState.PLANNED, now=now, plan_id=str(plan.id))
    session.flush()


def partners_of(plan: answers.Plan) -> dict[tuple[str, str], str]:
    """Task and crew → the other crew that serves it too."""
    crews: dict[str, list[str]] = defaultdict(list)
    for route in plan.routes:
        for stop in route.stops:
            crews[stop.task].append(route.crew)
    pairs = [(task, both) for task, both in crews.items() if len(both) == 2]
    return {(task, crew): other for task, both in pairs for crew, other in (both, both[::-1])}


def _legs(question: Problem, found: answers.Route) -> list[tuple[int, int]]:
    """The route's drives as pairs of locations, in order; the last one leads home where the crew has an end."""
    crew = question.crew_by_id[found.crew]
    stops = [question.task_by_id[stop.task].location for stop in found.stops]
    return list(pairwise([crew.start, *stops, *([] if crew.end is None else [crew.end])]))


def drives_of(question: Problem, found: answers.Route) -> list[int]:
    """The seconds of each drive, in the hours in which it is driven."""
    legs = legs_of(question, question.crew_by_id[found.crew], found, "")
    return [next(iter(timely_drives(question.travel, leg)), 0) for leg in legs]


def metres_of(question: Problem, found: answers.Route) -> int | None:
    metres = question.travel.metres
    if metres is None:
        return None
    return sum(metres[here][there] or 0 for here, there in _legs(question, found))
