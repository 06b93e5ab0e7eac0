"""The third gate: a draft becomes the day's next version, once every stop was judged at its time with its people."""

import datetime as dt
import uuid
from collections.abc import Set

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.models import DayPlan, Visit
from fieldvisit.notices.announcing import announce, stops_of
from fieldvisit.planning.elsewhere import refuse_taken
from fieldvisit.planning.judging import demand_faultless
from fieldvisit.planning.latest import demand_current
from fieldvisit.planning.plans import (
    DayIsOver,
    PlanNotDraft,
    lock_plan,
    published_plan,
    take_turn,
    today_of,
)
from fieldvisit.planning.quotas import demand_room
from fieldvisit.planning.stops import JudgedStop, judge_stops, leave_out, refusals
from fieldvisit.planning.versions import begun_in, news_for, routes_of
from fieldvisit.visits import lock_visits, move, note_event
from fieldvisit.vocabulary import CheckMoment, DayPlanState, VisitState


class NothingToPublish(FieldVisitError):
    """The details carry what stands in the way, in words, each once."""

    code, kind = "nothing_to_publish", Kind.CONFLICT
    says = "No stop of this plan may be published. {clauses}"


def publish_plan(
    session: Session, plan_id: uuid.UUID, *, published_by_id: uuid.UUID | None, now: dt.datetime
) -> DayPlan:
    """Publish a draft as the day's next version. Every stop is judged again, at its time with its people, and the
    decision stored; a stop that is not allowed goes back to the waiting visits with its clauses.

    What has begun stays as it is, in a plan that repairs the published one; no other can be published then. Visits and
    routes that stand as they did are no news for the phones.

    Raises PlanNotDraft, PlanOutdated, DayIsOver, DayHasBegun, CrewElsewhere, NothingToPublish; DayIsFull where the day
    may have fewer visits by now, and PlanFaulty where the judge objects.
    """
    take_turn(session)
    plan = lock_plan(session, plan_id)
    if plan.state is not DayPlanState.DRAFT:
        raise PlanNotDraft(state=plan.state)
    if plan.planned_on < today_of(session, plan.org_id, now):
        raise DayIsOver(planned_on=plan.planned_on)
    demand_faultless(plan.problem or {}, plan.plan or {})
    demand_current(session, plan)
    earlier = published_plan(session, plan.area_id, plan.planned_on, lock=True)
    routes = routes_of(session, plan)
    refuse_taken(session, plan, {member.visitor_id for route in routes for member in route.members})
    shown = _visits_of(session, earlier)
    visits = lock_visits(session, shown | {stop.visit_id for route in routes for stop in route.stops})
    # Asked only now: a phone that sets out waits for the same rows.
    begun = begun_in(session, plan, earlier, routes, visits=visits)
    judged = judge_stops(session, routes, visits, moment=CheckMoment.PUBLISHING, now=now, but=begun)
    kept = {one.visit.id for one in judged if one.allowed and _still_ours(one.visit, plan, earlier)}
    if not kept and not begun:
        raise NothingToPublish(clauses=refusals(session, judged))
    demand_room(session, plan, kept | {each for each in begun if visits[each].state is not VisitState.CANCELLED})
    for one in judged:
        if one.visit.id not in kept:
            _send_back(session, plan, one, now)
    news = news_for(session, earlier, routes)
    if earlier is not None:
        _supersede(session, earlier, shown - kept - begun, now)
    plan.state, plan.version = DayPlanState.PUBLISHED, _next_version(session, plan)
    plan.published_at, plan.published_by_id = now, published_by_id
    for visit_id in sorted(kept):
        _publish_visit(session, plan, visits[visit_id], now, news=visit_id in news)
    announce(session, stops_of([one.stop for one in judged if one.visit.id in kept], visits), now=now)
    for visit_id in begun:
        # The phones go on with it as they did: it only has to be found in the plan that is published now.
        visits[visit_id].plan_id = plan.id
    session.flush()
    return plan


def _still_ours(visit: Visit, plan: DayPlan, earlier: DayPlan | None) -> bool:
    """Whether the visit waits for this plan, or is shown by the version that this plan replaces."""
    if visit.state is VisitState.PLANNED:
        return visit.plan_id == plan.id
    return visit.state is VisitState.PUBLISHED and earlier is not None and visit.plan_id == earlier.id


def _send_back(session: Session, plan: DayPlan, judged: JudgedStop, now: dt.datetime) -> None:
    leave_out(session, plan, judged)
    if judged.visit.state is VisitState.PLANNED and judged.visit.plan_id == plan.id:
        move(session, judged.visit, VisitState.ELIGIBLE, now=now, code="not_permitted", plan_id=str(plan.id))


def _supersede(session: Session, earlier: DayPlan, left: Set[uuid.UUID], now: dt.datetime) -> None:
    """The earlier version makes room; its visits that the new one does not hold wait again."""
    earlier.state = DayPlanState.SUPERSEDED
    session.flush()
    for visit in lock_visits(session, left).values():
        if visit.state is VisitState.PUBLISHED and visit.plan_id == earlier.id:
            move(session, visit, VisitState.ELIGIBLE, now=now, code="superseded", plan_id=str(earlier.id))


def _publish_visit(session: Session, plan: DayPlan, visit: Visit, now: dt.datetime, *, news: bool) -> None:
    if visit.state is VisitState.PLANNED:
        move(session, visit, VisitState.PUBLISHED, now=now, plan_id=str(plan.id), version=plan.version)
        return
    visit.plan_id = plan.id
    if not news:
        return
    # Published before: no move of its life, but whoever looked at it has to look again.
    visit.updated_at = now
    visit.version += 1
    session.add(note_event(visit, "planned_anew", now=now, plan_id=str(plan.id), version=plan.version))


def _next_version(session: Session, plan: DayPlan) -> int:
    latest = session.scalar(
        sa.select(sa.func.max(DayPlan.version)).where(
            DayPlan.area_id == plan.area_id, DayPlan.planned_on == plan.planned_on
        )
    )
    return (latest or 0) + 1


def _visits_of(session: Session, plan: DayPlan | None) -> set[uuid.UUID]:
    return set(session.scalars(sa.select(Visit.id).where(Visit.plan_id == plan.id))) if plan else set()
