"""The rows of a plan that was made out of another: what stays is copied as it is, what changed is written anew."""

import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy.orm import Session

from fieldvisit.models import CrewMember, DayPlan, Route, Stop, UnservedVisit
from fieldvisit.planning.drafting import drives_of, metres_of, partners_of
from fieldvisit.planning.joining import ESTIMATED, points_of
from fieldvisit.planning.problem import instant
from fieldvisit.planning.remedies import detail_of, lendable
from fieldvisit.planning.rest import Standing
from fieldvisit.vocabulary import DayPlanState, UnservedReason
from routing import plan as answers
from routing.explain import Wishes, explain, unserved_of
from routing.format import plan_to_document, problem_to_document
from routing.problem import Problem


@dataclass(frozen=True, kw_only=True)
class Rewritten:
    """What the rows are written from: the plan as it stood, the rest of the day as it is to be, and whose it changes.

    `paths`: crew → the way along roads, where it is known. `taken_out`: visits that a person took out.
    """

    standing: Standing
    problem: Problem
    plan: answers.Plan
    crews: Collection[str]
    taken_out: Collection[str] = ()
    paths: Mapping[str, Any] | None = None

    @cached_property
    def partners(self) -> dict[tuple[str, str], str]:
        return partners_of(self.plan)


def write_plan(session: Session, row: DayPlan, rewritten: Rewritten) -> list[Route]:
    """Fill the row, in the session already, and add its routes and unserved visits. Returns the routes."""
    standing = rewritten.standing
    base = standing.row
    explained, details = _explained(rewritten)
    row.problem, row.plan = problem_to_document(rewritten.problem), plan_to_document(explained)
    row.cost = explained.cost
    row.travel_source = base.travel_source
    if standing.estimated:
        row.travel_source = f"{base.travel_source}{ESTIMATED}{', '.join(standing.estimated)}"
    row.crews, row.stayed_home = base.crews, base.stayed_home
    by_crew = {route.crew: route for route in explained.routes}
    codes = sorted({*standing.routes, *by_crew})
    routes = [
        _anew(row, rewritten, code, by_crew.get(code))
        if code in rewritten.crews
        else _copied(row, standing.routes[code])
        for code in codes
    ]
    kept = [route for route in routes if route.stops]
    session.add_all(kept)
    session.add_all(_unserved(row, rewritten, explained, details))
    return kept


def _explained(rewritten: Rewritten) -> tuple[answers.Plan, dict[str, dict[str, Any]]]:
    """The plan with reasons and remedies of its own, and the detail to store for each visit left out."""
    plan, problem = rewritten.plan, rewritten.problem
    # No hours are offered: what the debtor's wishes closed is not kept with a plan.
    tasks = [{"requires": sorted(task.requires)} for task in problem.tasks]
    told = explain(problem, plan, Wishes(hours={}, skills=frozenset(lendable(tasks))))
    left = tuple(unserved_of(one) for one in told)
    details = {}
    for one, entry in zip(told, left, strict=True):
        put_in = None if one.put_in is None else {"cost": one.put_in.cost, "displaces": one.put_in.displaces}
        details[one.task] = detail_of(entry, plan.cost, put_in)
        if one.task in rewritten.taken_out:
            details[one.task]["taken_out"] = True
    return answers.Plan(**{**vars(plan), "unserved": left}), details


def _copied(row: DayPlan, route: Route) -> Route:
    """The route as it is, to the second."""
    names = ("start_lat", "start_lon", "from_office", "depart_at", "return_at", "travel_s", "travel_m", "wait_s")
    more = ("crew_code", "break_at", "break_s", "path")
    copy = Route(org_id=row.org_id, plan_id=row.id, **{name: getattr(route, name) for name in (*names, *more)})
    copy.members = [
        CrewMember(org_id=row.org_id, visitor_id=member.visitor_id, lead=member.lead) for member in route.members
    ]
    copy.stops = [_copied_stop(row, stop, stop.position) for stop in route.stops]
    return copy


def _copied_stop(row: DayPlan, stop: Stop, position: int) -> Stop:
    names = ("visit_id", "arrive_at", "begin_at", "end_at", "travel_s", "risk", "with_crew")
    return Stop(org_id=row.org_id, position=position, **{name: getattr(stop, name) for name in names})


def _anew(row: DayPlan, rewritten: Rewritten, code: str, found: answers.Route | None) -> Route:
    """What has begun as it was, and what is still to come as it was found."""
    standing = rewritten.standing
    before, frozen, record = standing.routes.get(code), standing.frozen(code), _record(standing, code)
    route = Route(
        org_id=row.org_id,
        plan_id=row.id,
        crew_code=code,
        start_lat=record["lat"],
        start_lon=record["lon"],
        from_office=record["from_office"],
        break_at=before.break_at if before is not None and frozen else None,
        break_s=before.break_s if before is not None and frozen else None,
        path=_path(rewritten, code, found),
        travel_m=None,
        wait_s=0,
        travel_s=sum(stop.travel_s for stop in frozen),
    )
    lead, *others = record["members"]
    route.members = [CrewMember(org_id=row.org_id, visitor_id=uuid.UUID(lead), lead=True)]
    route.members += [CrewMember(org_id=row.org_id, visitor_id=uuid.UUID(other), lead=False) for other in others]
    route.stops = [_copied_stop(row, stop, position) for position, stop in enumerate(frozen, start=1)]
    if before is not None and frozen:
        route.depart_at, route.return_at = before.depart_at, frozen[-1].end_at
    if found is not None:
        _extend(row, route, rewritten, found)
    return route


def _extend(row: DayPlan, route: Route, rewritten: Rewritten, found: answers.Route) -> None:
    origin, problem = rewritten.standing.origin, rewritten.problem
    drives = drives_of(problem, found)
    done = len(route.stops)
    route.stops += [
        Stop(
            org_id=row.org_id,
            visit_id=uuid.UUID(stop.task),
            position=done + number,
            arrive_at=instant(origin, stop.arrive_s),
            begin_at=instant(origin, stop.begin_s),
            end_at=instant(origin, stop.end_s),
            travel_s=drives[number - 1],
            risk=problem.task_by_id[stop.task].risk,
            with_crew=rewritten.partners.get((stop.task, found.crew)),
        )
        for number, stop in enumerate(found.stops, start=1)
    ]
    if not done:
        route.depart_at = instant(origin, found.depart_s)
        route.travel_m = metres_of(problem, found)
    route.return_at = instant(origin, found.return_s)
    route.travel_s += found.travel_s
    route.wait_s = found.wait_s
    if found.break_begin_s is not None:
        route.break_at = instant(origin, found.break_begin_s)
        route.break_s = _record(rewritten.standing, found.crew)["break_s"]


def _record(standing: Standing, code: str) -> Mapping[str, Any]:
    """Who rides and from where: as on the route there was, else as the plan keeps it."""
    route = standing.routes.get(code)
    if route is None:
        record: Mapping[str, Any] = standing.row.crews[code]
        return record
    return {
        "members": [str(member.visitor_id) for member in sorted(route.members, key=lambda each: not each.lead)],
        "lat": route.start_lat,
        "lon": route.start_lon,
        "from_office": route.from_office,
        "break_s": route.break_s or standing.row.crews.get(code, {}).get("break_s"),
    }


def _path(rewritten: Rewritten, code: str, found: answers.Route | None) -> list[list[float]]:
    """The way along roads where it is known, else straight from point to point."""
    if rewritten.paths is not None:
        return list(rewritten.paths.get(code, []))
    record, points = _record(rewritten.standing, code), points_of(rewritten.standing)
    start = (record["lat"], record["lon"])
    done = [stop.visit.place for stop in rewritten.standing.frozen(code)]
    way = [start, *((place.lat, place.lon) for place in done if place is not None and place.lat is not None)]
    stops = () if found is None else found.stops
    locations = [rewritten.problem.task_by_id[stop.task].location for stop in stops]
    way += [points[location] for location in locations if location in points]
    return [[lon, lat] for lat, lon in (*way, start)]


def _unserved(
    row: DayPlan, rewritten: Rewritten, plan: answers.Plan, details: Mapping[str, dict[str, Any]]
) -> list[UnservedVisit]:
    told = [(uuid.UUID(one.task), UnservedReason(one.reason.value), details[one.task]) for one in plan.unserved]
    known = {visit_id for visit_id, _, _ in told} | {uuid.UUID(task.id) for task in rewritten.problem.tasks}
    base = rewritten.standing.row
    # What the policy or an unknown place kept out of the problem stays out for the same reason.
    told += [(left.visit_id, left.reason, left.detail) for left in base.unserved if left.visit_id not in known]
    return [
        UnservedVisit(org_id=row.org_id, plan_id=row.id, visit_id=visit_id, reason=reason, detail=dict(detail))
        for visit_id, reason, detail in told
    ]


def new_row(base: DayPlan, *, by: uuid.UUID | None, repairs: uuid.UUID | None, now: dt.datetime) -> DayPlan:
    """A draft of the same area and day, made by hand out of this plan."""
    return DayPlan(
        org_id=base.org_id,
        area_id=base.area_id,
        planned_on=base.planned_on,
        state=DayPlanState.DRAFT,
        seconds=base.seconds,
        iterations=base.iterations,
        seed=base.seed,
        requested_by_id=by,
        based_on_id=base.id,
        repairs_id=repairs,
        finished_at=now,
    )
