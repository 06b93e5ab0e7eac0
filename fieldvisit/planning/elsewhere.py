"""A visitor rides in at most one plan of a day: who is taken by the plan of another area.

A draft holds its people as a published plan does, for as long as it lives. Whoever writes routes asks again with the
organisation's turn in hand, so that two searches that ran side by side cannot both have them.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.decision import ClauseResult
from fieldvisit.compliance.inquiry import product_clause
from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.languages import Message
from fieldvisit.models import Area, CrewMember, DayPlan, Route, Visitor
from fieldvisit.vocabulary import DayPlanState

LIVE = (DayPlanState.DRAFT, DayPlanState.PUBLISHED)


class CrewElsewhere(FieldVisitError):
    code, kind = "crew_elsewhere", Kind.CONFLICT
    says = "{visitors} ride in the plan of {areas} on this day."


def riding_elsewhere(session: Session, org_id: uuid.UUID, area_id: uuid.UUID, on: dt.date) -> dict[uuid.UUID, str]:
    """Visitor → the other area whose plan of the day holds them."""
    rows = session.execute(
        sa.select(CrewMember.visitor_id, Area.name)
        .join(Route, Route.id == CrewMember.route_id)
        .join(DayPlan, DayPlan.id == Route.plan_id)
        .join(Area, Area.id == DayPlan.area_id)
        .where(DayPlan.org_id == org_id, DayPlan.planned_on == on, DayPlan.area_id != area_id, DayPlan.state.in_(LIVE))
        .order_by(CrewMember.visitor_id, Area.name)
    )
    return {row.visitor_id: row.name for row in rows}


def refuse_taken(session: Session, plan: DayPlan, visitor_ids: Collection[uuid.UUID]) -> None:
    """Raise CrewElsewhere where any of them rides for another area. The caller has the organisation's turn."""
    taken = riding_elsewhere(session, plan.org_id, plan.area_id, plan.planned_on)
    both = {visitor_id: taken[visitor_id] for visitor_id in visitor_ids if visitor_id in taken}
    if both:
        raise CrewElsewhere(visitors=_numbers(session, both), areas=", ".join(sorted(set(both.values()))))


def elsewhere_clause(area: str) -> ClauseResult:
    """Why a visitor does not ride in this area's plan."""
    return product_clause("elsewhere", False, Message("Rides in the plan of {area} on this day.", {"area": area}))


def _numbers(session: Session, visitors: Mapping[uuid.UUID, str]) -> str:
    found = session.scalars(sa.select(Visitor.staff_number).where(Visitor.id.in_(visitors)))
    return ", ".join(sorted(found))
