"""A day plan from request to publication. Each function is one short transaction's work; the search lies between two.

A plan is shown only after the independent judge (`routing.checking.faults`) has found nothing, and published only after
the policy engine has allowed every stop at its time with its people; what it refuses goes back with the clauses.

Whoever writes routes or takes them back locks in one order, so that nobody waits in a circle: the organisation's turn
(`take_turn`), the plans, then all visits concerned at once, in the order of their ids.
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload, undefer_group

from fieldvisit.errors import FieldVisitError, InvalidValue, Kind, NotFound
from fieldvisit.models import Area, CrewMember, DayPlan, Organisation, Route, Stop, UnservedVisit, Visit
from fieldvisit.planning.day import Day
from fieldvisit.planning.failures import PlanFailure
from fieldvisit.planning.problem import Draft
from fieldvisit.visits import BEGUN, lock_visits, move
from fieldvisit.vocabulary import DayPlanState, VisitState

OPEN = (DayPlanState.REQUESTED, DayPlanState.SOLVING, DayPlanState.DRAFT)
BEGAN = (*BEGUN, VisitState.REPORTED, VisitState.CLOSED)
LOST_AFTER_S = 3_600


class PlanNotDraft(FieldVisitError):
    code, kind = "plan_not_draft", Kind.CONFLICT
    says = "This day plan is {state}; only a draft can be published or dropped."


class DayHasBegun(FieldVisitError):
    code, kind = "day_has_begun", Kind.CONFLICT
    says = "Visits of the published plan have begun; the day cannot be planned afresh."


class DayIsOver(FieldVisitError):
    code, kind = "day_is_over", Kind.CONFLICT
    says = "The day of this plan, {planned_on}, is over."


@dataclass(frozen=True, kw_only=True)
class PlanRequest:
    """Which day to plan, and how long to search: `seconds` by the clock, `iterations` by count, whichever ends first.

    With `iterations` alone deciding, the same day and seed always give the same plan.
    """

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
    asked: Mapping[str, Any] = field(default_factory=dict)
    """What a search that repairs a running day was asked; empty for a day that is planned afresh."""


def request_plan(
    session: Session, org_id: uuid.UUID, request: PlanRequest, *, requested_by_id: uuid.UUID | None, now: dt.datetime
) -> DayPlan:
    """Ask for a plan; the caller enqueues the job in the same transaction.

    Raises NotFound, InvalidValue, DayHasBegun.
    """
    area = session.scalars(sa.select(Area).where(Area.id == request.area_id, Area.org_id == org_id)).one_or_none()
    if area is None:
        raise NotFound(what="area", id=request.area_id)
    if request.planned_on < today_of(session, org_id, now):
        raise InvalidValue(path="planned_on", reason="must not lie in the past")
    published = published_plan(session, area.id, request.planned_on)
    if published is not None:
        refuse_begun(session, published)
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


def fail_plan(session: Session, claimed: Claimed, failure: PlanFailure, *, says: str, now: dt.datetime) -> None:
    """Record why there is no plan. Whatever was drafted or published before stays as it was."""
    plan = lock_plan(session, claimed.plan_id)
    if plan.state is DayPlanState.SOLVING and plan.claimed_at == claimed.claimed_at:
        _fail(plan, failure, says=says, now=now)
        session.flush()


def give_up_plan(session: Session, plan_id: uuid.UUID, failure: PlanFailure, *, says: str, now: dt.datetime) -> None:
    """The same for whoever holds no claim on it: its job will not be tried again."""
    plan = lock_plan(session, plan_id)
    if plan.state in (DayPlanState.REQUESTED, DayPlanState.SOLVING):
        _fail(plan, failure, says=says, now=now)
        session.flush()


def fail_silent_plans(session: Session, now: dt.datetime) -> int:
    """End the plans whose search nobody has finished an hour after its time, their job being gone; how many."""
    silent = sa.func.make_interval(0, 0, 0, 0, 0, 0, DayPlan.seconds + LOST_AFTER_S)
    lost = session.scalars(
        sa.select(DayPlan)
        .where(DayPlan.state == DayPlanState.SOLVING, DayPlan.claimed_at < now - silent)
        .order_by(DayPlan.id)
        .with_for_update(skip_locked=True)
    ).all()
    for plan in lost:
        _fail(plan, PlanFailure.WORKER_LOST, says="", now=now)
    session.flush()
    return len(lost)


def drop_plan(session: Session, plan_id: uuid.UUID, *, now: dt.datetime) -> DayPlan:
    """Throw a draft away, or call a running search off. Its visits wait again."""
    take_turn(session)
    plan = lock_plan(session, plan_id)
    if plan.state not in OPEN:
        raise PlanNotDraft(state=plan.state)
    lock_visits(session, planned_in(session, [plan]))
    release_drafts(session, [plan], now)
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
            undefer_group("documents"),
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


def take_turn(session: Session) -> None:
    """Wait until no other transaction of this organisation writes routes, and keep the others out until this one ends.

    Two plans of overlapping areas want the same visits and the same caps: one at a time, each sees what the other took.
    """
    session.execute(
        sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(sa.literal("routes of ") + _org(), 0)))
    )


def lock_plan(session: Session, plan_id: uuid.UUID) -> DayPlan:
    # FOR NO KEY UPDATE: whoever took a visit off a route, and writes that the plan leaves it out, holds the visit and
    # needs the plan's key; whoever holds the plan waits for the visit.
    query = sa.select(DayPlan).where(DayPlan.id == plan_id).with_for_update(key_share=True)
    plan = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if plan is None:
        raise NotFound(what="day plan", id=plan_id)
    return plan


def published_plan(session: Session, area_id: uuid.UUID, on: dt.date, *, lock: bool = False) -> DayPlan | None:
    query = sa.select(DayPlan).where(
        DayPlan.area_id == area_id, DayPlan.planned_on == on, DayPlan.state == DayPlanState.PUBLISHED
    )
    query = query.with_for_update(key_share=True) if lock else query
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()


def refuse_begun(session: Session, published: DayPlan) -> None:
    """Raise DayHasBegun where anybody has set out on this published plan."""
    begun = session.scalars(
        sa.select(Visit.id).where(Visit.plan_id == published.id, Visit.state.in_(BEGAN)).limit(1)
    ).first()
    if begun is not None:
        raise DayHasBegun()


def planned_in(session: Session, plans: Sequence[DayPlan]) -> set[uuid.UUID]:
    """The visits that these drafts hold."""
    ids = [plan.id for plan in plans]
    return set(session.scalars(sa.select(Visit.id).where(Visit.plan_id.in_(ids), Visit.state == VisitState.PLANNED)))


def release_drafts(session: Session, drafts: Sequence[DayPlan], now: dt.datetime) -> None:
    """Drop these plans, locked by the caller as their visits are; the visits wait again."""
    for visit in lock_visits(session, planned_in(session, drafts)).values():
        move(session, visit, VisitState.ELIGIBLE, now=now, code="draft_dropped", plan_id=str(visit.plan_id))
    for draft in drafts:
        draft.state, draft.finished_at = DayPlanState.DROPPED, draft.finished_at or now
    session.flush()


def today_of(session: Session, org_id: uuid.UUID, now: dt.datetime) -> dt.date:
    """The date where the organisation is at home."""
    return now.astimezone(ZoneInfo(session.get_one(Organisation, org_id).zone)).date()


def _fail(plan: DayPlan, failure: PlanFailure, *, says: str, now: dt.datetime) -> None:
    plan.state, plan.finished_at = DayPlanState.FAILED, now
    plan.failure = {"code": failure.value, "says": says}


def _org() -> sa.ColumnElement[str]:
    return sa.cast(sa.func.app_org(), sa.Text)
