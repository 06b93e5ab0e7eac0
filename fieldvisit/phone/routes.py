"""Which visits are a visitor's own: those on a route they ride, in a plan that was published."""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from fieldvisit.compliance.wallclock import local_day
from fieldvisit.errors import FieldVisitError, Kind, NotFound
from fieldvisit.models import Case, CrewMember, DayPlan, Route, Stop, Visit
from fieldvisit.placed_days import placed_days
from fieldvisit.together import together
from fieldvisit.told_stops import PUBLIC, ToldStop, stands, with_withdrawn, withdrawn_stops
from fieldvisit.vocabulary import DayPlanState


class NotThisDay(FieldVisitError):
    code, kind = "not_this_day", Kind.CONFLICT
    says = "Visit {reference} is planned for {planned_on}; at the place it is {today}."


class CaseTakenBack(FieldVisitError):
    """The lender has called the case back: its debtor is nobody's business here any more."""

    code, kind = "case_taken_back", Kind.CONFLICT
    says = "The lender has taken back the case of visit {reference}. Do not go there."


def routes_of_day(session: Session, visitor_id: uuid.UUID, day: dt.date) -> list[Route]:
    """The visitor's published routes of the day with everything on them, in the order of departure."""
    stops = selectinload(Route.stops).joinedload(Stop.visit)
    rows = session.scalars(
        sa.select(Route)
        .join(Route.plan)
        .join(CrewMember, CrewMember.route_id == Route.id)
        .where(CrewMember.visitor_id == visitor_id, DayPlan.planned_on == day, DayPlan.state == DayPlanState.PUBLISHED)
        .order_by(Route.depart_at, Route.id)
        .options(
            joinedload(Route.plan),
            selectinload(Route.members).joinedload(CrewMember.visitor),
            stops.joinedload(Visit.case),
            stops.joinedload(Visit.debtor),
            stops.joinedload(Visit.place),
        )
        .execution_options(populate_existing=True)
    )
    return list(rows)


def get_own_stop(session: Session, visitor_id: uuid.UUID, visit_id: uuid.UUID) -> Stop:
    """The visit as it stands on the visitor's own route of the published plan that holds it; NotFound for everybody
    else's."""
    gathered = together(session)
    if gathered is not None:
        stop = next((one for one in gathered.stops.get(visit_id, ()) if isinstance(one, Stop) and stands(one)), None)
    else:
        as_it_stands = DayPlan.planned_on == Visit.planned_on, DayPlan.id == Visit.plan_id
        stops = _stops(visitor_id, visit_id).where(DayPlan.state == DayPlanState.PUBLISHED, *as_it_stands)
        stop = session.scalars(stops.limit(1)).first()
    if stop is None:
        raise NotFound(what="visit", id=visit_id)
    return stop


def get_told_stop(session: Session, visitor_id: uuid.UUID, visit_id: uuid.UUID) -> ToldStop:
    """The same for telling what happened: plans that were replaced, days that are over, and visits that were taken off
    a published route count as well."""
    gathered = together(session)
    if gathered is not None:
        told = next(iter(gathered.stops.get(visit_id, ())), None)
    else:
        stops = _stops(visitor_id, visit_id).where(DayPlan.state.in_(PUBLIC))
        stop = session.scalars(stops.order_by(DayPlan.planned_on.desc(), DayPlan.version.desc()).limit(1)).first()
        told = next(iter(with_withdrawn(session, visitor_id, {visit_id: [stop] if stop else []})[visit_id]), None)
    if told is None:
        raise NotFound(what="visit", id=visit_id)
    return told


def lender_of_told(session: Session, visitor_id: uuid.UUID, visit_id: uuid.UUID) -> uuid.UUID | None:
    """Whose debtor this visit is to, where the visitor was ever told to go there; None for everybody else's visits."""
    told = sa.select(Visit.lender_id).join(Stop, Stop.visit_id == Visit.id).join(Stop.route).join(Route.plan)
    mine = told.join(CrewMember, CrewMember.route_id == Route.id).where(CrewMember.visitor_id == visitor_id)
    lender_id = session.scalar(mine.where(Visit.id == visit_id, DayPlan.state.in_(PUBLIC)).limit(1))
    if lender_id is None:
        lender_id = next((one.visit.lender_id for one in withdrawn_stops(session, visitor_id, {visit_id})), None)
    return lender_id


def demand_still_placed(session: Session, visit: Visit, at: dt.datetime) -> None:
    """Raise CaseTakenBack where the case is not this organisation's to work on, on the local date at the place."""
    # Row-level security knows the placements: what was called back is simply not there. It is open as long as it is the
    # last day anywhere that matters; whether it is that day at the door is asked here.
    if session.get(Case, visit.case_id) is None:
        raise CaseTakenBack(reference=visit.reference)
    gathered = together(session)
    placed = gathered.placed if gathered and visit.id in gathered.visits else placed_days(session, [visit])
    if not placed.cover(visit, local_day(at, visit.place.zone)):
        raise CaseTakenBack(reference=visit.reference)


def demand_its_day(visit: Visit, now: dt.datetime) -> None:
    """Raise NotThisDay unless the visit is planned for the local date at its place."""
    today = local_day(now, visit.place.zone)
    if visit.planned_on != today:
        raise NotThisDay(reference=visit.reference, planned_on=visit.planned_on, today=today)


def _stops(visitor_id: uuid.UUID, visit_id: uuid.UUID) -> sa.Select[Stop]:
    return (
        sa.select(Stop)
        .join(Stop.route)
        .join(Route.plan)
        .join(Stop.visit)
        .join(CrewMember, CrewMember.route_id == Route.id)
        .where(Stop.visit_id == visit_id, CrewMember.visitor_id == visitor_id)
        .options(
            joinedload(Stop.visit),
            joinedload(Stop.route).selectinload(Route.members),
            joinedload(Stop.route, Route.plan),
        )
    )
