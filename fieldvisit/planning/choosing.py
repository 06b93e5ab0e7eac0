"""What a dispatcher looks at before changing a day: where a visit could go, and whom a plan changes anything for."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from fieldvisit.planning.edit_wishes import VisitHasBegun
from fieldvisit.planning.editing import open_standing
from fieldvisit.planning.effects import Effects, effects_of
from fieldvisit.planning.joining import joined_by
from fieldvisit.planning.plans import get_plan, published_plan
from fieldvisit.planning.problem import instant
from fieldvisit.planning.rest import Rest, rest_of
from routing.options import Option, options_for


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of one visit over the rest of a day."""

    visit_id: uuid.UUID
    rest: Rest
    found: tuple[Option, ...]

    @property
    def estimated(self) -> bool:
        return bool(self.rest.standing.estimated)

    def told(self, option: Option) -> Mapping[str, Any]:
        """An option in instants and references."""
        standing = self.rest.standing
        return {
            "crew": option.crew,
            "position": len(standing.frozen(option.crew)) + option.place + 1,
            "partner": option.partner,
            "begin_at": instant(standing.origin, option.begin_s),
            "more_s": option.cost - self.rest.plan.cost,
            "displaces": [
                {"visit_id": name, "reference": standing.references.get(name, name)} for name in option.displaces
            ],
            "shifts": [
                {
                    "visit_id": shift.task,
                    "reference": standing.references.get(shift.task, shift.task),
                    "begin_before": instant(standing.origin, shift.before_s),
                    "begin_after": instant(standing.origin, shift.after_s),
                }
                for shift in option.shifts
            ],
        }


def options_of(session: Session, plan_id: uuid.UUID, visit_id: uuid.UUID, *, most: int, now: dt.datetime) -> Options:
    """Where the visit could go from now on, cheapest first.

    Raises NotFound, PlanOutdated, PlanNotReady, DayIsOver, VisitHasBegun and NotToBePlanned.
    """
    standing = open_standing(session, plan_id, now)
    for code in standing.routes:
        for stop in standing.frozen(code):
            if stop.visit_id == visit_id:
                raise VisitHasBegun(reference=stop.visit.reference)
    standing = joined_by(session, standing, visit_id, now)
    rest = rest_of(standing, standing.problem.crew_by_id)
    return Options(visit_id=visit_id, rest=rest, found=options_for(rest.problem, rest.plan, str(visit_id), most=most))


def effects_on_phones(session: Session, plan_id: uuid.UUID) -> Effects:
    """What publishing the plan would change, against the published plan of its day. Raises NotFound."""
    plan = get_plan(session, plan_id)
    published = published_plan(session, plan.area_id, plan.planned_on)
    if published is not None and published.id == plan.id:
        return Effects(visits=(), people=())
    return effects_of(session, None if published is None else get_plan(session, published.id), plan)
