"""Whether the debtor was established at the door: the last word counts, of those who serve the visit, on its day.

A check by another crew, of another day, or that a later one took back, opens nothing.
"""

import datetime as dt
import uuid
from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.wallclock import local_day
from fieldvisit.drafts import acting_organisation
from fieldvisit.models import Case, CrewMember, IdentityCheck, Place, Route, Stop, Visit
from fieldvisit.vocabulary import IdentityResult, VisitState


def confirmed_at_the_door(session: Session, visits: Collection[Visit]) -> set[uuid.UUID]:
    """The visits whose debtor was confirmed by the crew that now serves them, after arriving, on the day of the visit.

    One query, whatever the number of visits.
    """
    rows = session.execute(
        sa.select(IdentityCheck.visit_id, IdentityCheck.result, IdentityCheck.at)
        .join(Visit, Visit.id == IdentityCheck.visit_id)
        .join(Stop, Stop.visit_id == Visit.id)
        .join(Route, sa.and_(Route.id == Stop.route_id, Route.plan_id == Visit.plan_id))
        .join(
            CrewMember,
            sa.and_(CrewMember.route_id == Route.id, CrewMember.visitor_id == IdentityCheck.visitor_id),
        )
        .where(Visit.id.in_([visit.id for visit in visits]), IdentityCheck.at >= Visit.arrived_at)
        .order_by(IdentityCheck.at, IdentityCheck.id)
    )
    days = {visit.id: (visit.place.zone, visit.planned_on) for visit in visits}
    last: dict[uuid.UUID, IdentityResult] = {}
    for visit_id, result, at in rows:
        zone, planned_on = days[visit_id]
        if local_day(at, zone) == planned_on:
            last[visit_id] = result
    return {visit_id for visit_id, result in last.items() if result is IdentityResult.CONFIRMED}


def confirmed_by_crew(session: Session, visit: Visit, route: Route, *, now: dt.datetime) -> bool:
    """Whether a report by this crew may tell that the debt was spoken of.

    A phone without signal tells its checks before its arrival, or days later: their order is not asked for here, and
    an arrival only where one could still be told.
    """
    # The place of a case that was called back is no longer there for us.
    place: Place | None = visit.place
    zone = place.zone if place else acting_organisation(session).zone
    if visit.arrived_at is None and _may_still_arrive(visit, route, local_day(now, zone)):
        return False
    checks = session.execute(
        sa.select(IdentityCheck.result, IdentityCheck.at)
        .join(CrewMember, CrewMember.visitor_id == IdentityCheck.visitor_id)
        .where(IdentityCheck.visit_id == visit.id, CrewMember.route_id == route.id)
        .order_by(IdentityCheck.at, IdentityCheck.id)
    )
    told = [result for result, at in checks if local_day(at, zone) >= route.plan.planned_on]
    return told[-1:] == [IdentityResult.CONFIRMED]


def _may_still_arrive(visit: Visit, route: Route, today: dt.date) -> bool:
    case: Case | None = visit.case
    begins = visit.state in (VisitState.PUBLISHED, VisitState.UNDER_WAY)
    return begins and case is not None and visit.plan_id == route.plan_id and visit.planned_on == today
