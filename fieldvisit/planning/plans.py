"""A day plan from request to publication. Each function is one short transaction's work; the search lies between two.

A plan is shown only after the independent judge (`routing.checking.faults`) has found nothing, and published only after
the policy engine has allowed every stop at its time with its people; what it refuses goes back with the clauses.
"""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from fieldvisit.errors import FieldVisitError, InvalidValue, Kind, NotFound
from fieldvisit.models import (
    Area,
    CrewMember,
    DayPlan,
    Route,
    Stop,
    UnservedVisit,
    Visit,
)
from fieldvisit.planning.day import Day, read_day
from fieldvisit.planning.problem import Draft, problem_of
from fieldvisit.visits import BEGUN, lock_visits, move
from fieldvisit.vocabulary import DayPlanState, VisitState
from routing.plan import Plan as Plan


class PlanNotDraft(FieldVisitError):
    code, kind = "plan_not_draft", Kind.CONFLICT
    says = "This day plan is {state}; only a draft can be published or dropped."


class DayHasBegun(FieldVisitError):
    code, kind = "day_has_begun", Kind.CONFLICT
    says = "Visits of the published plan have begun; the day cannot be planned afresh."


@dataclass(frozen=True, kw_only=True)
class PlanRequest:
    """Which day to plan, and how long to search. `iterations` bounds the search instead of the clock, for tests."""

    area_id: uuid.UUID
    planned_on: dt.date
    seconds: int
    iterations: int | None = None
    seed: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.seconds <= 3_600:
            raise InvalidValue(path="seconds", reason="must be from 1 to 3600")
        if self.iterations is not None and self.iterations < 1:
            raise InvalidValue(path="iterations", reason="must be at least 1")


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """A plan taken up by a worker: what to solve, and what the answer has to be put together with."""

    plan_id: uuid.UUID
    org_id: uuid.UUID
    claimed_at: dt.datetime
    day: Day
    draft: Draft
    seconds: int
    iterations: int | None
    seed: int


def request_plan(
    session: Session, org_id: uuid.UUID, request: PlanRequest, *, requested_by_id: uuid.UUID | None, today: dt.date
) -> DayPlan:
    """Ask for a plan; the caller enqueues the job in the same transaction.

    Raises NotFound, InvalidValue, DayHasBegun.
    """
    area = session.scalars(sa.select(Area).where(Area.id == request.area_id, Area.org_id == org_id)).one_or_none()
    if area is None:
        raise NotFound(what="area", id=request.area_id)
    if request.planned_on < today:
        raise InvalidValue(path="planned_on", reason="must not lie in the past")
    refuse_begun(session, area.id, request.planned_on)
    plan = DayPlan(
        org_id=org_id,
        area_id=area.id,
        planned_on=request.planned_on,
        state=DayPlanState.REQUESTED,
        seconds=request.seconds,
        iterations=request.iterations,
        seed=request.seed,
        requested_by_id=requested_by_id,
    )
    session.add(plan)
    session.flush()
    return plan


def claim_plan(session: Session, plan_id: uuid.UUID, now: dt.datetime) -> Claimed | None:
    """Take a plan up and read its day. None where there is nothing to do: it was finished or dropped meanwhile.

    A plan that is being solved may be claimed again: its first worker went silent, and its answer will be ignored.
    """
    plan = lock_plan(session, plan_id)
    if plan.state not in (DayPlanState.REQUESTED, DayPlanState.SOLVING):
        return None
    plan.state = DayPlanState.SOLVING
    plan.claimed_at = now
    plan.progress = {}
    area = session.get_one(Area, plan.area_id)
    day = read_day(session, area, plan.planned_on, now)
    draft = problem_of(day, _published_crews(session, area.id, plan.planned_on))
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
    )


def note_progress(session: Session, claimed: Claimed, progress: Mapping[str, Any]) -> bool:
    """Store how far the search is; False where the plan was dropped or taken over, and the search should stop."""
    changed = session.execute(
        sa.update(DayPlan)
        .where(
            DayPlan.id == claimed.plan_id,
            DayPlan.state == DayPlanState.SOLVING,
            DayPlan.claimed_at == claimed.claimed_at,
        )
        .values(progress=dict(progress))
        .returning(DayPlan.id)
    ).first()
    return changed is not None


def fail_plan(session: Session, claimed: Claimed, *, code: str, says: str, now: dt.datetime) -> None:
    """Record why there is no plan. Whatever was drafted or published before stays as it was."""
    plan = lock_plan(session, claimed.plan_id)
    if plan.state is DayPlanState.SOLVING and plan.claimed_at == claimed.claimed_at:
        plan.state = DayPlanState.FAILED
        plan.failure = {"code": code, "says": says}
        plan.finished_at = now
        session.flush()


def fail_silent_plans(session: Session, now: dt.datetime) -> None:
    """End the plans whose search nobody has finished an hour after its time: their job is gone."""
    silent = sa.func.make_interval(0, 0, 0, 0, 1, 0, DayPlan.seconds)
    session.execute(
        sa.update(DayPlan)
        .where(DayPlan.state == DayPlanState.SOLVING, DayPlan.claimed_at < now - silent)
        .values(state=DayPlanState.FAILED, failure={"code": "worker_lost", "says": ""}, finished_at=now)
    )


def drop_plan(session: Session, plan_id: uuid.UUID, *, now: dt.datetime) -> DayPlan:
    """Throw a draft away, or call a running search off. Its visits wait again."""
    plan = lock_plan(session, plan_id)
    if plan.state not in (DayPlanState.REQUESTED, DayPlanState.SOLVING, DayPlanState.DRAFT):
        raise PlanNotDraft(state=plan.state)
    release_visits(session, plan, now)
    plan.state, plan.finished_at = DayPlanState.DROPPED, now
    session.flush()
    return plan


def plans_where(*, planned_on: dt.date | None, state: DayPlanState | None) -> sa.Select[DayPlan]:
    """The organisation's plans, of one day or in one state where that is asked."""
    query = sa.select(DayPlan)
    if planned_on is not None:
        query = query.where(DayPlan.planned_on == planned_on)
    return query if state is None else query.where(DayPlan.state == state)


def get_plan(session: Session, plan_id: uuid.UUID) -> DayPlan:
    """The plan with its routes, crews, stops and unserved visits, in a fixed number of queries."""
    plan = session.scalars(
        sa.select(DayPlan)
        .where(DayPlan.id == plan_id)
        .options(
            selectinload(DayPlan.area),
            selectinload(DayPlan.routes).selectinload(Route.members).selectinload(CrewMember.visitor),
            selectinload(DayPlan.routes).selectinload(Route.stops).selectinload(Stop.visit).selectinload(Visit.place),
            selectinload(DayPlan.unserved).selectinload(UnservedVisit.visit).selectinload(Visit.place),
        )
        .execution_options(populate_existing=True)
    ).one_or_none()
    if plan is None:
        raise NotFound(what="day plan", id=plan_id)
    return plan


def lock_plan(session: Session, plan_id: uuid.UUID) -> DayPlan:
    plan = session.scalars(
        sa.select(DayPlan).where(DayPlan.id == plan_id).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()
    if plan is None:
        raise NotFound(what="day plan", id=plan_id)
    return plan


def published_plan(session: Session, area_id: uuid.UUID, on: dt.date, *, lock: bool = False) -> DayPlan | None:
    query = sa.select(DayPlan).where(
        DayPlan.area_id == area_id, DayPlan.planned_on == on, DayPlan.state == DayPlanState.PUBLISHED
    )
    return session.scalars(query.with_for_update() if lock else query).one_or_none()


def _published_crews(session: Session, area_id: uuid.UUID, on: dt.date) -> dict[str, str]:
    published = published_plan(session, area_id, on)
    if published is None:
        return {}
    rows = session.execute(sa.select(Stop.visit_id, Route.crew_code).join(Route).where(Route.plan_id == published.id))
    return {str(visit_id): crew for visit_id, crew in rows}


def refuse_begun(session: Session, area_id: uuid.UUID, on: dt.date) -> None:
    published = published_plan(session, area_id, on)
    if published is None:
        return
    begun = session.scalars(
        sa.select(Visit.id)
        .where(Visit.plan_id == published.id, Visit.state.in_((*BEGUN, VisitState.REPORTED, VisitState.CLOSED)))
        .limit(1)
    ).first()
    if begun is not None:
        raise DayHasBegun()


def release_visits(session: Session, plan: DayPlan, now: dt.datetime) -> None:
    ids = session.scalars(sa.select(Visit.id).where(Visit.plan_id == plan.id, Visit.state == VisitState.PLANNED)).all()
    for visit in lock_visits(session, ids).values():
        if visit.state is VisitState.PLANNED:
            move(session, visit, VisitState.ELIGIBLE, now=now, code="draft_dropped", plan_id=str(plan.id))
