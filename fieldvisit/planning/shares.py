"""What each person has worked in the weeks before a day: what fair shares are counted from."""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.models import CrewMember, DayPlan, Route
from fieldvisit.planning.crews import CrewToPlan
from fieldvisit.vocabulary import DayPlanState

WEEKS_BACK = 4


@dataclass(frozen=True)
class Behind:
    """What lies behind each visitor: work of the weeks before and of this week, and when they last came home."""

    work_s: Mapping[uuid.UUID, int]
    week_s: Mapping[uuid.UUID, int]
    until: Mapping[uuid.UUID, dt.datetime]


def read_behind(session: Session, org_id: uuid.UUID, on: dt.date) -> Behind:
    """From the published plans of the weeks before."""
    rows = session.execute(
        sa.select(CrewMember.visitor_id, DayPlan.planned_on, Route.depart_at, Route.return_at)
        .join(Route, Route.id == CrewMember.route_id)
        .join(DayPlan, DayPlan.id == Route.plan_id)
        .where(
            DayPlan.org_id == org_id,
            DayPlan.state == DayPlanState.PUBLISHED,
            DayPlan.planned_on < on,
            DayPlan.planned_on >= on - dt.timedelta(weeks=WEEKS_BACK),
        )
    )
    work, week, until = Counter[uuid.UUID](), Counter[uuid.UUID](), dict[uuid.UUID, dt.datetime]()
    monday = on - dt.timedelta(days=on.weekday())
    for row in rows:
        seconds = round((row.return_at - row.depart_at).total_seconds())
        work[row.visitor_id] += seconds
        week[row.visitor_id] += seconds if row.planned_on >= monday else 0
        until[row.visitor_id] = max(row.return_at, until.get(row.visitor_id, row.return_at))
    return Behind(work, week, until)


def carried_in(behind: Behind, crews: Sequence[CrewToPlan]) -> dict[str, int]:
    """Crew → the seconds that its people have worked on the mean, beyond those of the crew that worked least."""
    mean = {
        crew.code: sum(behind.work_s.get(shift.visitor_id, 0) for shift in crew.members) // len(crew.members)
        for crew in crews
    }
    least = min(mean.values(), default=0)
    return {code: seconds - least for code, seconds in mean.items()}
