"""A week plan in words: how its days stand, and why a visit has no day."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.languages import Message
from fieldvisit.models import DayPlan, Route, Stop, Visit, WeekPlan
from fieldvisit.planning.failures import failure_words
from fieldvisit.planning.weeks import get_week, plans_of, waiting

LATER: Mapping[str, Message] = {
    "no_day": Message("it may be made on none of these days"),
    "nobody": Message("on none of its days a crew works that may make it"),
    "capped": Message("visits before or already planned leave none of its days"),
    "shut_out": Message("its day could not hold it, or what is planned by now shuts it out"),
    "no_room": Message("its days are full, or another visit to the same debtor goes first"),
}


@dataclass(frozen=True)
class WeekOfPlans:
    """A week as people look at it."""

    week: WeekPlan
    plans: tuple[DayPlan, ...]
    stops: Mapping[uuid.UUID, int]
    """Day plan → how many visits it makes."""
    waiting: tuple[Visit, ...]

    @cached_property
    def failure(self) -> Message | None:
        return failure_words(self.week.failure)

    def why(self, visit: Visit) -> Message:
        return LATER[self.week.later[str(visit.id)]]


def week_of_plans(session: Session, week_id: uuid.UUID) -> WeekOfPlans:
    """The week, its days and what waits. Raises NotFound."""
    week = get_week(session, week_id)
    plans = tuple(plans_of(session, week.id))
    counts = session.execute(
        sa.select(Route.plan_id, sa.func.count(sa.distinct(Stop.visit_id)).label("stops"))
        .join(Stop, Stop.route_id == Route.id)
        .where(Route.plan_id.in_([plan.id for plan in plans]))
        .group_by(Route.plan_id)
    )
    return WeekOfPlans(week, plans, {row.plan_id: row.stops for row in counts}, tuple(waiting(session, week)))
