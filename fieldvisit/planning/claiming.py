"""A worker takes a plan up: a day afresh, or the rest of a running one."""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.models import Area, DayPlan, Route, Stop, Visit, WeekVisit
from fieldvisit.planning.day import Day, read_day
from fieldvisit.planning.failures import PlanFailure
from fieldvisit.planning.latest import PlanOutdated
from fieldvisit.planning.plans import Claimed, give_up_plan, lock_plan, published_plan
from fieldvisit.planning.problem import Draft, FairShares, problem_of
from fieldvisit.planning.quotas import quotas_of
from fieldvisit.planning.repairing import read_rest
from fieldvisit.planning.shares import carried_in, read_behind
from fieldvisit.planning_rules import planning_rules
from fieldvisit.vocabulary import DayPlanState, VisitState


def claim_plan(session: Session, plan_id: uuid.UUID, now: dt.datetime) -> Claimed | None:
    """Take a plan up and read its day. None where there is nothing to do: it was finished or dropped meanwhile.

    A plan that is being solved may be claimed again: its first worker went silent, and its answer will be ignored.
    One that is to repair a version which was replaced meanwhile fails with that reason.
    """
    plan = lock_plan(session, plan_id)
    if plan.state not in (DayPlanState.REQUESTED, DayPlanState.SOLVING):
        return None
    plan.state = DayPlanState.SOLVING
    plan.claimed_at = now
    plan.progress = {}
    try:
        day, draft = read_rest(session, plan, now) if plan.asked else _afresh(session, plan, now)
    except PlanOutdated as error:
        give_up_plan(session, plan.id, PlanFailure.DAY_MOVED_ON, says=str(error), now=now)
        return None
    session.flush()
    return Claimed(
        plan_id=plan.id,
        org_id=plan.org_id,
        claimed_at=now,
        day=day,
        draft=draft,
        seconds=plan.seconds,
        iterations=plan.iterations,
        seed=plan.seed,
        asked=plan.asked,
    )


def _afresh(session: Session, plan: DayPlan, now: dt.datetime) -> tuple[Day, Draft]:
    area = session.get_one(Area, plan.area_id)
    # Noted first: what is published while the day is read makes it a day of before.
    replaced = published_plan(session, area.id, plan.planned_on)
    plan.replaces_id = None if replaced is None else replaced.id
    day = read_day(session, area, plan.planned_on, now, only=_meant_for(session, plan))
    published = _published_crews(session, area.id, plan.planned_on)
    return day, problem_of(day, published, _fair_shares(session, plan, day), quotas_of(session, plan))


def _fair_shares(session: Session, plan: DayPlan, day: Day) -> FairShares:
    rules = planning_rules(session)
    if not rules.counts_shares:
        return FairShares()
    behind = read_behind(session, plan.org_id, plan.planned_on)
    return FairShares(
        price=rules.fair_share_price,
        before=carried_in(behind.work_s, day.crews),
        risk_price=rules.fair_risk_price,
        risk_before=carried_in(behind.risk, day.crews),
        earning_price=rules.fair_earning_price,
        earning_before=carried_in(behind.earning, day.crews),
    )


def _published_crews(session: Session, area_id: uuid.UUID, on: dt.date) -> dict[str, str]:
    """Visit id → crew, of what the phones show and nobody has taken away since."""
    published = published_plan(session, area_id, on)
    if published is None:
        return {}
    rows = session.execute(
        sa.select(Stop.visit_id, Route.crew_code)
        .join(Route, Route.id == Stop.route_id)
        .join(Visit, Visit.id == Stop.visit_id)
        .where(Route.plan_id == published.id, Visit.state == VisitState.PUBLISHED, Visit.plan_id == published.id)
        # Of two crews that meet for a visit the last one: it is kept where either of them goes.
        .order_by(Route.crew_code)
    )
    return {str(visit_id): crew for visit_id, crew in rows}


def _meant_for(session: Session, plan: DayPlan) -> set[uuid.UUID] | None:
    """The visits that its week means for the day of this plan; None for a plan of no week."""
    if plan.week_id is None:
        return None
    meant = sa.select(WeekVisit.visit_id).where(
        WeekVisit.week_id == plan.week_id, WeekVisit.planned_on == plan.planned_on
    )
    return set(session.scalars(meant))
