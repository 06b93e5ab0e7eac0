"""A week plan from request to its last day: a day is chosen for each visit, then one day after the other is planned.

After each day it is chosen anew for those that remain: what a day could not hold comes back with its deadline. Each
function is one short transaction's work.
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.errors import InvalidValue, NotFound
from fieldvisit.models import Area, DayPlan, Visit, WeekPlan, WeekVisit
from fieldvisit.planning.failures import PlanFailure
from fieldvisit.planning.plans import published_plan, refuse_begun, today_of
from fieldvisit.planning.week_days import WeekQuestion, week_question
from fieldvisit.vocabulary import DayPlanState, VisitState, WeekState

MOST_DAYS = 31
SHUT_OUT = "shut_out"
OVER = (WeekState.PLANNED, WeekState.FAILED)


@dataclass(frozen=True, kw_only=True)
class WeekRequest:
    """Which days of which area, and how long each is searched for."""

    area_id: uuid.UUID
    first_on: dt.date
    days: int
    seconds: int
    iterations: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.days <= MOST_DAYS:
            raise InvalidValue(path="days", reason="must be from 1 to 31")
        if not 1 <= self.seconds <= 3_600:
            raise InvalidValue(path="seconds", reason="must be from 1 to 3600")
        if self.iterations is not None and self.iterations < 1:
            raise InvalidValue(path="iterations", reason="must be at least 1")


@dataclass(frozen=True, kw_only=True)
class ClaimedWeek:
    """The days that are still to be planned, and the question of what goes where."""

    week_id: uuid.UUID
    claimed_at: dt.datetime
    question: WeekQuestion


def request_week(session: Session, org_id: uuid.UUID, request: WeekRequest, *, now: dt.datetime) -> WeekPlan:
    """Ask for a week; the caller enqueues the job in the same transaction.

    Raises NotFound, InvalidValue, DayHasBegun.
    """
    area = session.scalars(sa.select(Area).where(Area.id == request.area_id, Area.org_id == org_id)).one_or_none()
    if area is None:
        raise NotFound(what="area", id=request.area_id)
    if request.first_on < today_of(session, org_id, now):
        raise InvalidValue(path="first_on", reason="must not lie in the past")
    week = WeekPlan(
        org_id=org_id,
        area_id=area.id,
        first_on=request.first_on,
        days=request.days,
        state=WeekState.REQUESTED,
        seconds=request.seconds,
        iterations=request.iterations,
    )
    for on in week.dates:
        published = published_plan(session, area.id, on)
        if published is not None:
            refuse_begun(session, published)
    session.add(week)
    session.flush()
    return week


def next_dates(session: Session, week_id: uuid.UUID) -> list[dt.date]:
    """The days without a plan of this week that came to an end; a worker that died over one has left it unfinished."""
    week = get_week(session, week_id)
    if week.state in OVER:
        return []
    done = {plan.planned_on for plan in plans_of(session, week_id) if plan.state not in _UNFINISHED}
    return [on for on in week.dates if on not in done]


def claim_week(session: Session, week_id: uuid.UUID, dates: Sequence[dt.date], now: dt.datetime) -> ClaimedWeek:
    """Read the question for these days."""
    week = _locked(session, week_id)
    week.state, week.claimed_at = WeekState.PLANNING, now
    question = week_question(session, session.get_one(Area, week.area_id), dates, now)
    session.flush()
    return ClaimedWeek(week_id=week.id, claimed_at=now, question=question)


def accept_days(session: Session, claimed: ClaimedWeek, answer: Mapping[str, Any]) -> uuid.UUID | None:
    """Write the choice and ask for the plan of its first day: its id. None where another worker has the week by now."""
    week = _locked(session, claimed.week_id)
    if week.state is not WeekState.PLANNING or week.claimed_at != claimed.claimed_at:
        return None
    dates = claimed.question.dates
    meant = {uuid.UUID(name): dates[number] for name, number in answer["days"].items()}
    week.later = _later(session, week, answer["later"], without=set(meant))
    anew = sa.or_(WeekVisit.planned_on.in_(dates), WeekVisit.visit_id.in_(meant))
    session.execute(sa.delete(WeekVisit).where(WeekVisit.week_id == week.id, anew))
    session.add_all(
        WeekVisit(org_id=week.org_id, week_id=week.id, visit_id=visit_id, planned_on=on)
        for visit_id, on in sorted(meant.items())
    )
    plan = _plan_of_day(session, week, dates[0])
    session.flush()
    return plan.id


def end_week(session: Session, week_id: uuid.UUID, *, now: dt.datetime) -> None:
    """Every day has its plan, or says why it has none."""
    week = _locked(session, week_id)
    if week.state not in OVER:
        week.later = _later(session, week, {}, without=set())
        week.state, week.finished_at = WeekState.PLANNED, now
        session.flush()


def fail_week(session: Session, week_id: uuid.UUID, failure: PlanFailure, *, says: str, now: dt.datetime) -> None:
    """Record why the week goes no further. The days that are planned stay."""
    week = _locked(session, week_id)
    if week.state not in OVER:
        week.state, week.finished_at = WeekState.FAILED, now
        week.failure = {"code": failure.value, "says": says}
        session.flush()


def get_week(session: Session, week_id: uuid.UUID) -> WeekPlan:
    week = session.get(WeekPlan, week_id, populate_existing=True)
    if week is None:
        raise NotFound(what="week plan", id=week_id)
    return week


def weeks_where(*, state: WeekState | None) -> sa.Select[WeekPlan]:
    """The organisation's weeks, in one state where that is asked."""
    query = sa.select(WeekPlan)
    return query if state is None else query.where(WeekPlan.state == state)


def plans_of(session: Session, week_id: uuid.UUID) -> Sequence[DayPlan]:
    """The latest plan of each day of the week, in the order of the days."""
    plans = session.scalars(
        sa.select(DayPlan)
        .where(DayPlan.week_id == week_id)
        .order_by(DayPlan.planned_on, DayPlan.requested_at, DayPlan.id)
        .execution_options(populate_existing=True)
    )
    return list({plan.planned_on: plan for plan in plans}.values())


def waiting(session: Session, week: WeekPlan) -> Sequence[Visit]:
    """The visits that have no day in this week, the first deadline first."""
    ids = [uuid.UUID(name) for name in week.later]
    return session.scalars(sa.select(Visit).where(Visit.id.in_(ids)).order_by(Visit.last_on, Visit.reference)).all()


def _later(session: Session, week: WeekPlan, said: Mapping[str, str], *, without: set[uuid.UUID]) -> dict[str, str]:
    """Every visit that the week has met and that waits: why, as of this choice or of the last that knew.

    One that was meant for a day and is in no question any more was shut out by what is planned by now, or its day could
    not hold it.
    """
    met = set(session.scalars(sa.select(WeekVisit.visit_id).where(WeekVisit.week_id == week.id)))
    met |= {uuid.UUID(name) for name in (*week.later, *said)}
    states = sa.select(Visit.id).where(Visit.id.in_(met - without), Visit.state == VisitState.ELIGIBLE)
    before = {**dict.fromkeys(map(str, met), SHUT_OUT), **week.later, **said}
    return {str(visit_id): before[str(visit_id)] for visit_id in sorted(session.scalars(states))}


_UNFINISHED = (DayPlanState.REQUESTED, DayPlanState.SOLVING)


def _plan_of_day(session: Session, week: WeekPlan, on: dt.date) -> DayPlan:
    """The plan that a worker before left unfinished, or a new one."""
    left = session.scalars(
        sa.select(DayPlan)
        .where(DayPlan.week_id == week.id, DayPlan.planned_on == on, DayPlan.state.in_(_UNFINISHED))
        .order_by(DayPlan.requested_at.desc())
        .limit(1)
    ).first()
    if left is not None:
        return left
    plan = DayPlan(
        org_id=week.org_id,
        area_id=week.area_id,
        planned_on=on,
        week_id=week.id,
        state=DayPlanState.REQUESTED,
        seconds=week.seconds,
        iterations=week.iterations,
    )
    session.add(plan)
    session.flush()
    return plan


def _locked(session: Session, week_id: uuid.UUID) -> WeekPlan:
    week = session.scalars(
        sa.select(WeekPlan).where(WeekPlan.id == week_id).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()
    if week is None:
        raise NotFound(what="week plan", id=week_id)
    return week
