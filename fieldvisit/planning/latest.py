"""Which plan of a day is the latest: the one that may be changed and published."""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.models import DayPlan
from fieldvisit.planning.plans import published_plan
from fieldvisit.vocabulary import DayPlanState

OPEN_TO_CHANGE = (DayPlanState.DRAFT, DayPlanState.PUBLISHED)


class PlanOutdated(FieldVisitError):
    """Somebody was quicker: another draft or version of the day has taken this one's place."""

    code, kind = "plan_outdated", Kind.CONFLICT
    says = "This plan is no longer the latest of its day; that is {latest}. Look at it, and change that one."


class DayMovedOn(Exception):
    """While the search ran, the day became another: somebody set out to what it moved, the clock took what it counted
    on, or somebody's work would be lost by it."""


def latest_of(session: Session, row: DayPlan) -> uuid.UUID | None:
    """The draft of the same area and day, or its published plan where there is no draft."""
    return session.scalar(
        sa.select(DayPlan.id)
        .where(DayPlan.area_id == row.area_id, DayPlan.planned_on == row.planned_on, DayPlan.state.in_(OPEN_TO_CHANGE))
        .order_by(DayPlan.state, DayPlan.requested_at.desc())
        .limit(1)
    )


def demand_current(session: Session, row: DayPlan) -> None:
    """Raise PlanOutdated where the plan is not the latest, repairs a version that is no longer published, or was made
    afresh while another version was published than now."""
    if row.state in (DayPlanState.DROPPED, DayPlanState.SUPERSEDED):
        raise PlanOutdated(latest=latest_of(session, row))
    if row.repairs_id is not None and row.state is DayPlanState.DRAFT:
        repaired = session.get_one(DayPlan, row.repairs_id, populate_existing=True)
        if repaired.state is not DayPlanState.PUBLISHED:
            raise PlanOutdated(latest=repaired.id if row.id == latest_of(session, row) else latest_of(session, row))
    if row.state is DayPlanState.DRAFT:
        demand_same_version(session, row)


def demand_same_version(session: Session, row: DayPlan) -> None:
    """Raise PlanOutdated where a day planned afresh was read before the version that is published now: what was
    changed in that one would be undone unseen."""
    if row.repairs_id is not None:
        return
    published = published_plan(session, row.area_id, row.planned_on)
    if published is not None and published.id != row.replaces_id:
        raise PlanOutdated(latest=published.id)


def demand_no_colleagues_draft(session: Session, row: DayPlan, by: uuid.UUID | None) -> None:
    """Raise PlanOutdated where somebody else has a draft that repairs this published plan: nobody's work is dropped
    unseen. One's own gives way, and so does what no person asked for."""
    if row.state is not DayPlanState.PUBLISHED or by is None:
        return
    theirs = session.scalar(
        sa.select(DayPlan.id)
        .where(
            DayPlan.repairs_id == row.id,
            DayPlan.state == DayPlanState.DRAFT,
            DayPlan.requested_by_id.is_not(None),
            DayPlan.requested_by_id != by,
        )
        .order_by(DayPlan.requested_at.desc())
        .limit(1)
    )
    if theirs is not None:
        raise PlanOutdated(latest=theirs)


def drafts_of_people(
    area_id: uuid.UUID | InstrumentedAttribute[uuid.UUID], on: dt.date | InstrumentedAttribute[dt.date]
) -> sa.Select[uuid.UUID]:
    """The drafts of this area and day that a person made or asked for."""
    theirs = aliased(DayPlan)
    return sa.select(theirs.id).where(
        theirs.area_id == area_id,
        theirs.planned_on == on,
        theirs.state == DayPlanState.DRAFT,
        theirs.requested_by_id.is_not(None),
    )


def demand_no_work_lost(session: Session, row: DayPlan) -> None:
    """Raise DayMovedOn where what a worker found would take the place of a draft made by hand since it was asked for,
    or relief that of any draft that a person made or asked for. The caller has the organisation's turn."""
    by_hand = sa.select(DayPlan.id).where(
        DayPlan.area_id == row.area_id,
        DayPlan.planned_on == row.planned_on,
        DayPlan.state == DayPlanState.DRAFT,
        DayPlan.based_on_id.is_not(None),
        # A worker's repair is based on a plan too, and whoever asked for it has put no hand to it.
        DayPlan.asked == {},
        DayPlan.requested_at > row.requested_at,
    )
    theirs = drafts_of_people(row.area_id, row.planned_on) if row.relieves else by_hand
    lost = session.scalar(theirs.limit(1))
    if lost is not None:
        raise DayMovedOn(f"somebody works on the draft {lost} of the day")
