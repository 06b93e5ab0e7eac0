"""From one published version of a day to the next: what has begun is carried over, and what is the same is no news."""

import uuid
from collections.abc import Iterator, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from fieldvisit.models import DayPlan, Route, Visit
from fieldvisit.planning.effects import places_on
from fieldvisit.planning.latest import PlanOutdated, latest_of
from fieldvisit.planning.plans import BEGAN, refuse_begun
from fieldvisit.vocabulary import VisitState


def begun_in(
    session: Session,
    plan: DayPlan,
    earlier: DayPlan | None,
    routes: Sequence[Route],
    *,
    visits: Mapping[uuid.UUID, Visit],
) -> set[uuid.UUID]:
    """The visits of the plan that have begun, or were cancelled, in the version before: they are carried over.

    Raises DayHasBegun where some have and the plan does not repair that version; PlanOutdated where the plan would take
    something from whoever is at it: the visit set out since the plan was made.
    """
    if earlier is None:
        return set()
    if plan.repairs_id != earlier.id:
        refuse_begun(session, earlier)
        return set()
    before = {
        (each, route.crew_code): earlier_stops
        for route in routes_of(session, earlier)
        for each, earlier_stops in _ahead_of_each(route)
    }
    carried = set()
    for route in routes:
        for visit_id, ahead in _ahead_of_each(route):
            state = visits[visit_id].state
            waits = {each for each in ahead if visits[each].state in (VisitState.PLANNED, VisitState.PUBLISHED)}
            # What stands ahead of it on the phones too was passed over: of two crews that meet one may set out first.
            if state in BEGAN and not waits <= before.get((visit_id, route.crew_code), set()):
                raise PlanOutdated(latest=latest_of(session, earlier))
            if state in BEGAN and (visit_id, route.crew_code) not in before:
                raise PlanOutdated(latest=latest_of(session, earlier))
            if state in (*BEGAN, VisitState.CANCELLED) and visits[visit_id].plan_id == earlier.id:
                carried.add(visit_id)
    ours = {visit_id for visit_id, visit in visits.items() if visit.plan_id == earlier.id and visit.state in BEGAN}
    if ours - carried:
        raise PlanOutdated(latest=latest_of(session, earlier))
    return carried


def _ahead_of_each(route: Route) -> Iterator[tuple[uuid.UUID, set[uuid.UUID]]]:
    """Each visit of a route with those that come before it."""
    ahead: set[uuid.UUID] = set()
    for stop in route.stops:
        yield stop.visit_id, set(ahead)
        ahead.add(stop.visit_id)


def news_for(session: Session, earlier: DayPlan | None, routes: Sequence[Route]) -> set[uuid.UUID]:
    """The visits that the phones do not show like this yet. Routes that stand as they did keep their old version."""
    before = {} if earlier is None else {route.crew_code: route for route in routes_of(session, earlier)}
    shown, now_shown = places_on(before.values()), places_on(routes)
    for route in routes:
        twin = before.get(route.crew_code)
        if earlier is not None and twin is not None and _told(route) == _told(twin):
            route.since_id = twin.since_id or twin.id
            route.since_plan_id = twin.since_plan_id or earlier.id
            route.since_version = twin.since_version or earlier.version
    return {visit_id for visit_id, place in now_shown.items() if shown.get(visit_id) != place}


def routes_of(session: Session, plan: DayPlan) -> Sequence[Route]:
    """The routes of a plan with who rides them and their stops."""
    return session.scalars(
        sa.select(Route)
        .where(Route.plan_id == plan.id)
        .options(selectinload(Route.members), selectinload(Route.stops))
        .order_by(Route.crew_code)
        .execution_options(populate_existing=True)
    ).all()


def _told(route: Route) -> tuple[object, ...]:
    """What a phone is told of a route."""
    stops = [(s.position, s.visit_id, s.arrive_at, s.begin_at, s.end_at, s.travel_s, s.with_crew) for s in route.stops]
    people = sorted((member.visitor_id, member.lead) for member in route.members)
    return route.depart_at, route.return_at, route.break_at, route.break_s, stops, people
