"""What each person of a day has of its work, its danger and its chances to earn, before a change and after it.

Told with what they bring along from the weeks before: the sums are what fair shares are counted by.
"""

import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.models import DayPlan, Route, Visitor
from fieldvisit.planning.problem import VALUE_S
from fieldvisit.planning.shares import read_behind


@dataclass(frozen=True, kw_only=True)
class Share:
    """`work_s`: from leaving to coming home; `risk`: points; `earning_min`: minutes of what the visits are worth."""

    work_s: int = 0
    risk: int = 0
    earning_min: int = 0


@dataclass(frozen=True, kw_only=True)
class PersonShares:
    """`carried`: what lies behind them in the published days of the four weeks before. `before`, `after`: of this day,
    as it stands and as it would be."""

    visitor_id: uuid.UUID
    staff_number: str
    carried: Share
    before: Share
    after: Share


def shares_of(session: Session, before: DayPlan, after: DayPlan) -> tuple[PersonShares, ...]:
    """Everybody who rides, or could ride, on this day, by staff number. Both plans are read with `get_plan`."""
    here, there = _of_a_day(before), _of_a_day(after)
    free = {uuid.UUID(member) for crew in before.crews.values() for member in crew["members"]}
    behind = read_behind(session, before.org_id, before.planned_on)
    rows = session.execute(
        sa.select(Visitor.id, Visitor.staff_number)
        .where(Visitor.id.in_(here.keys() | there.keys() | free))
        .order_by(Visitor.staff_number)
    )
    return tuple(
        PersonShares(
            visitor_id=who,
            staff_number=number,
            carried=Share(
                work_s=behind.work_s.get(who, 0),
                risk=behind.risk.get(who, 0),
                earning_min=behind.earning.get(who, 0),
            ),
            before=here.get(who, Share()),
            after=there.get(who, Share()),
        )
        for who, number in rows
    )


def _of_a_day(plan: DayPlan) -> Mapping[uuid.UUID, Share]:
    found: dict[uuid.UUID, Share] = defaultdict(Share)
    for route in plan.routes:
        share = _of_a_route(route)
        for member in route.members:
            had = found[member.visitor_id]
            found[member.visitor_id] = Share(
                work_s=had.work_s + share.work_s,
                risk=had.risk + share.risk,
                earning_min=had.earning_min + share.earning_min,
            )
    return found


def _of_a_route(route: Route) -> Share:
    return Share(
        work_s=round((route.return_at - route.depart_at).total_seconds()) if route.stops else 0,
        risk=sum(stop.risk for stop in route.stops),
        earning_min=sum(stop.visit.value_s // VALUE_S for stop in route.stops),
    )
