"""Which plan holds a visit: a visit is in one draft or published plan at a time, and a slot of its caps with it."""

import datetime as dt

from sqlalchemy.orm import Session

from fieldvisit.models import DayPlan, Visit
from fieldvisit.planning.drafting import earlier_drafts
from fieldvisit.planning.plans import BEGAN, planned_in, published_plan, release_drafts
from fieldvisit.planning.stops import JudgedStop, leave_out, partner_of
from fieldvisit.visits import lock_visits, move
from fieldvisit.vocabulary import VisitState


def hand_over(session: Session, old: DayPlan, new: DayPlan, now: dt.datetime) -> None:
    """Let the new draft, read with `get_plan`, hold what it needs of what the old one held, and free the rest.

    Every other draft of the day is dropped. A stop of the new plan that can no longer be had is left out of it. The
    caller has the organisation's turn.
    """
    others = [draft for draft in earlier_drafts(session, new) if draft.id != old.id]
    wanted = {stop.visit_id for route in new.routes for stop in route.stops}
    held = planned_in(session, [old])
    visits = lock_visits(session, wanted | held | planned_in(session, others))
    release_drafts(session, others, now)
    for visit_id in sorted(held - wanted):
        move(session, visits[visit_id], VisitState.ELIGIBLE, now=now, code="taken_out", plan_id=str(old.id))
    published = published_plan(session, new.area_id, new.planned_on)
    stops = {stop.visit_id: (route, stop) for route in new.routes for stop in route.stops}
    for visit_id, (route, stop) in stops.items():
        visit = visits[visit_id]
        if not _held(session, visit, old, new, published=published, now=now):
            leave_out(session, new, JudgedStop(route, stop, visit, (), partner_of(route, stop)))
    session.flush()


def _held(
    session: Session, visit: Visit, old: DayPlan, new: DayPlan, *, published: DayPlan | None, now: dt.datetime
) -> bool:
    """Whether the new plan has the visit now."""
    if visit.state is VisitState.PLANNED and visit.plan_id == old.id:
        # No move of its life, and no news for anybody: the same draft under another name.
        visit.plan_id = new.id
        return True
    if visit.state is VisitState.ELIGIBLE:
        visit.planned_on, visit.plan_id = new.planned_on, new.id
        move(session, visit, VisitState.PLANNED, now=now, plan_id=str(new.id))
        return True
    shown = published is not None and visit.plan_id == published.id
    return shown and visit.state in (VisitState.PUBLISHED, VisitState.CANCELLED, *BEGAN)
