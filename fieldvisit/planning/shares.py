"""What each person did in the weeks before a day: what fair shares of work, risk and chances are counted from."""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.models import CrewMember, DayPlan, Route, Stop, Visit
from fieldvisit.planning.crews import CrewToPlan
from fieldvisit.planning.problem import VALUE_S
from fieldvisit.vocabulary import DayPlanState

WEEKS_BACK = 4


@dataclass(frozen=True)
class Behind:
    """What lies behind each visitor: work of the weeks before and of this week, and when they last came home; the
    points of risk of their visits, and the minutes that these were worth."""

    work_s: Mapping[uuid.UUID, int]
    week_s: Mapping[uuid.UUID, int]
    until: Mapping[uuid.UUID, dt.datetime]
    risk: Mapping[uuid.UUID, int]
    earning: Mapping[uuid.UUID, int]


def read_behind(session: Session, org_id: uuid.UUID, on: dt.date) -> Behind:
    """From the published plans of the weeks before."""
    lately = sa.and_(
        DayPlan.org_id == org_id,
        DayPlan.state == DayPlanState.PUBLISHED,
        DayPlan.planned_on < on,
        DayPlan.planned_on >= on - dt.timedelta(weeks=WEEKS_BACK),
    )
    rows = session.execute(
        sa.select(CrewMember.visitor_id, DayPlan.planned_on, Route.depart_at, Route.return_at)
        .join(Route, Route.id == CrewMember.route_id)
        .join(DayPlan, DayPlan.id == Route.plan_id)
        .where(lately)
    )
    work, week, until = Counter[uuid.UUID](), Counter[uuid.UUID](), dict[uuid.UUID, dt.datetime]()
    monday = on - dt.timedelta(days=on.weekday())
    for row in rows:
        seconds = round((row.return_at - row.depart_at).total_seconds())
        work[row.visitor_id] += seconds
        week[row.visitor_id] += seconds if row.planned_on >= monday else 0
        until[row.visitor_id] = max(row.return_at, until.get(row.visitor_id, row.return_at))
    made = session.execute(
        sa.select(
            CrewMember.visitor_id,
            sa.func.sum(Stop.risk).label("risk"),
            sa.func.sum(Visit.value_s / sa.literal(VALUE_S, sa.Integer)).label("value_s"),
        )
        .join(Route, Route.id == CrewMember.route_id)
        .join(DayPlan, DayPlan.id == Route.plan_id)
        .join(Stop, Stop.route_id == Route.id)
        .join(Visit, Visit.id == Stop.visit_id)
        .where(lately)
        .group_by(CrewMember.visitor_id)
    ).all()
    risk = {row.visitor_id: int(row.risk) for row in made}
    return Behind(work, week, until, risk, {row.visitor_id: int(row.value_s) for row in made})


def carried_in(behind: Mapping[uuid.UUID, int], crews: Sequence[CrewToPlan]) -> dict[str, int]:
    """Crew → what its people have behind them on the mean, beyond that of the crew that has least."""
    mean = {
        crew.code: sum(behind.get(shift.visitor_id, 0) for shift in crew.members) // len(crew.members) for crew in crews
    }
    least = min(mean.values(), default=0)
    return {code: each - least for code, each in mean.items()}
