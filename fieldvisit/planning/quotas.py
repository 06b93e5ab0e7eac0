"""How many visits of a day there may still be: for its area, and for the whole organisation."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.models import Area, DayPlan, Visit
from fieldvisit.planning_rules import planning_rules
from fieldvisit.vocabulary import VisitState

OF_THE_AREA, OF_ALL = "area", "organisation"
BEGUN = (VisitState.UNDER_WAY, VisitState.ARRIVED, VisitState.REPORTED, VisitState.CLOSED)
TAKEN = (VisitState.PLANNED, VisitState.PUBLISHED, *BEGUN)


def quotas_of(session: Session, plan: DayPlan) -> dict[str, int]:
    """Quota → how many visits a new plan of this area and day may hold. What is planned for the same area and has not
    begun is planned anew, and counts for nothing; drafts of other areas count."""
    area_most, most = session.get_one(Area, plan.area_id).most_visits, planning_rules(session).most_visits
    if area_most is None and most is None:
        return {}
    here = DayPlan.area_id == plan.area_id
    begun, elsewhere = session.execute(
        sa.select(
            sa.func.count().filter(here, Visit.state.in_(BEGUN)),
            sa.func.count().filter(~here, Visit.state.in_(TAKEN)),
        )
        .select_from(Visit)
        .join(DayPlan, DayPlan.id == Visit.plan_id)
        .where(Visit.org_id == plan.org_id, Visit.planned_on == plan.planned_on)
    ).one()
    left = {OF_THE_AREA: area_most, OF_ALL: None if most is None else most - elsewhere}
    return {name: max(0, limit - begun) for name, limit in left.items() if limit is not None}
