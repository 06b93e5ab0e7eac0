"""The third gate: a draft becomes the day's next version, once every stop was judged at its time with its people."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from fieldvisit.compliance.decision import Decision, plain
from fieldvisit.compliance.intervals import Interval
from fieldvisit.decisions import AtTheDoor, decide_all
from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.models import CredentialCheck, DayPlan, Route, UnservedVisit, Visit
from fieldvisit.planning.judging import demand_faultless
from fieldvisit.planning.plans import PlanNotDraft, lock_plan, published_plan, refuse_begun
from fieldvisit.visits import lock_visits, move
from fieldvisit.vocabulary import CheckMoment, DayPlanState, UnservedReason, Verdict, VisitState


class NothingToPublish(FieldVisitError):
    code, kind = "nothing_to_publish", Kind.CONFLICT
    says = "No stop of this plan may be published."


def publish_plan(
    session: Session, plan_id: uuid.UUID, *, published_by_id: uuid.UUID | None, now: dt.datetime
) -> DayPlan:
    """Publish a draft as the day's next version. Every stop is judged again, at its time with its people, and the
    decision stored; a stop that is not allowed goes back to the waiting visits with its clauses."""
    plan = lock_plan(session, plan_id)
    if plan.state is not DayPlanState.DRAFT:
        raise PlanNotDraft(state=plan.state)
    demand_faultless(plan.problem or {}, plan.plan or {})
    earlier = published_plan(session, plan.area_id, plan.planned_on, lock=True)
    refuse_begun(session, plan.area_id, plan.planned_on)
    routes = _routes(session, plan.id)
    locked = lock_visits(session, (stop.visit_id for route in routes for stop in route.stops))
    kept = _judge_stops(session, plan, routes, locked, now)
    if not kept:
        raise NothingToPublish()
    if earlier is not None:
        _supersede(session, earlier, kept, now)
    plan.state, plan.version = DayPlanState.PUBLISHED, _next_version(session, plan)
    plan.published_at, plan.published_by_id = now, published_by_id
    for visit_id in kept:
        visit = locked[visit_id]
        visit.plan_id = plan.id
        if visit.state is VisitState.PLANNED:
            move(session, visit, VisitState.PUBLISHED, now=now, plan_id=str(plan.id), version=plan.version)
    session.flush()
    return plan


def _judge_stops(
    session: Session,
    plan: DayPlan,
    routes: Sequence[Route],
    locked: Mapping[uuid.UUID, Visit],
    now: dt.datetime,
) -> set[uuid.UUID]:
    """Decide every stop; the visits that may be published. The others leave their route."""
    stops = [(route, stop) for route in routes for stop in route.stops]
    asked = [
        AtTheDoor(
            visit=locked[stop.visit_id],
            span=Interval(stop.begin_at, stop.end_at),
            visitor_ids=[member.visitor_id for member in route.members],
        )
        for route, stop in stops
    ]
    kept = set()
    decisions = decide_all(session, asked, moment=CheckMoment.PUBLISHING, now=now)
    for (_, stop), one, decision in zip(stops, asked, decisions, strict=True):
        _check_papers(session, one, decision, now)
        gone = one.visit.state not in (VisitState.PLANNED, VisitState.PUBLISHED)
        if decision.verdict is Verdict.ALLOWED and not gone:
            kept.add(one.visit.id)
            continue
        session.delete(stop)
        reason = UnservedReason.TAKEN_MEANWHILE if gone else UnservedReason.NOT_PERMITTED
        session.add(
            UnservedVisit(
                org_id=plan.org_id,
                plan_id=plan.id,
                visit_id=one.visit.id,
                reason=reason,
                detail={"clauses": plain(decision.deciding)},
            )
        )
        if not gone:
            move(session, one.visit, VisitState.ELIGIBLE, now=now, code="not_permitted", plan_id=str(plan.id))
    return kept


def _check_papers(session: Session, one: AtTheDoor, decision: Decision, now: dt.datetime) -> None:
    wrong = [
        clause
        for clause in decision.deciding
        if clause.clause_id.split("/")[1] == "credentials" and clause.verdict is not Verdict.ALLOWED
    ]
    session.add_all(
        CredentialCheck(
            org_id=one.visit.org_id,
            visitor_id=visitor_id,
            visit_id=one.visit.id,
            moment=CheckMoment.PUBLISHING,
            at=now,
            passed=not wrong,
            credential_ids=[],
            faults={"clauses": plain(tuple(wrong))},
        )
        for visitor_id in one.visitor_ids
    )


def _supersede(session: Session, earlier: DayPlan, kept: set[uuid.UUID], now: dt.datetime) -> None:
    """The earlier version makes room; its visits that the new one does not hold wait again."""
    earlier.state = DayPlanState.SUPERSEDED
    session.flush()
    ids = session.scalars(
        sa.select(Visit.id).where(Visit.plan_id == earlier.id, Visit.state == VisitState.PUBLISHED)
    ).all()
    for visit in lock_visits(session, set(ids) - kept).values():
        if visit.state is VisitState.PUBLISHED:
            move(session, visit, VisitState.ELIGIBLE, now=now, code="superseded", plan_id=str(earlier.id))


def _next_version(session: Session, plan: DayPlan) -> int:
    latest = session.scalar(
        sa.select(sa.func.max(DayPlan.version)).where(
            DayPlan.area_id == plan.area_id, DayPlan.planned_on == plan.planned_on
        )
    )
    return (latest or 0) + 1


def _routes(session: Session, plan_id: uuid.UUID) -> Sequence[Route]:
    return session.scalars(
        sa.select(Route)
        .where(Route.plan_id == plan_id)
        .options(selectinload(Route.members), selectinload(Route.stops))
        .order_by(Route.crew_code)
    ).all()
