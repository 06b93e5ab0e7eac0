"""Whether the debtor was established at the door: the last word counts, of those who serve the visit, on its day.

A check by another crew, of another day, or that a later one took back, opens nothing.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.wallclock import local_day
from fieldvisit.drafts import acting_organisation
from fieldvisit.models import Case, CrewMember, IdentityCheck, Place, Route, Stop, Visit, VisitEvent
from fieldvisit.partners import people_at
from fieldvisit.together import together
from fieldvisit.told_stops import ToldStop
from fieldvisit.vocabulary import IdentityResult, VisitState

UNJUDGED = frozenset({"late", "after_report"})
"""What the detail of an arrival says where nobody judged it."""
OPEN_IN = (VisitState.ARRIVED, VisitState.REPORTED)
LONGEST_AT_DOOR = dt.timedelta(hours=4)
"""An arrival was judged for the hours that follow it. Whoever confirms somebody long after it has to arrive anew."""


def amounts_open(session: Session, visits: Collection[Visit], *, now: dt.datetime) -> set[uuid.UUID]:
    """The visits of which the phone may show the amounts: begun, not cancelled, and today the debtor was confirmed by
    the crew that now serves them, after arriving, not longer ago than anybody stays at a door.

    One query, whatever the number of visits.
    """
    on_their_day = {visit.id for visit in visits if _is_its_day(visit, now)}
    if together(session) is not None and not any(_open_at_all(session, visit) for visit in visits):
        return set()
    rows = session.execute(
        sa.select(IdentityCheck.visit_id, IdentityCheck.result)
        .join(Visit, Visit.id == IdentityCheck.visit_id)
        .join(Stop, Stop.visit_id == Visit.id)
        .join(Route, sa.and_(Route.id == Stop.route_id, Route.plan_id == Visit.plan_id))
        .join(
            CrewMember,
            sa.and_(CrewMember.route_id == Route.id, CrewMember.visitor_id == IdentityCheck.visitor_id),
        )
        .where(
            Visit.id.in_(on_their_day),
            Visit.state.in_(OPEN_IN),
            # Undone after the report, it is still reported.
            Visit.arrived_at.is_not(None),
            IdentityCheck.at >= sa.func.greatest(Visit.arrived_at, now - LONGEST_AT_DOOR),
            _arrived_live(since=now - LONGEST_AT_DOOR),
        )
        .order_by(IdentityCheck.at, IdentityCheck.id)
    )
    # Of each visit the last one stays.
    last = {row.visit_id: row.result for row in rows}
    return {visit_id for visit_id, result in last.items() if result is IdentityResult.CONFIRMED}


def _open_at_all(session: Session, visit: Visit) -> bool:
    """Of one event of many, told from memory: whether the visit is in a state, and its arrival of a kind, that could
    open the amounts. Most are told when they are facts."""
    gathered = together(session)
    arrivals = gathered.arrivals[visit.id] if gathered else ()
    live = any(entry.kind == "arrived" and not UNJUDGED & set(entry.detail) for entry in arrivals)
    return live and visit.state in OPEN_IN and visit.arrived_at is not None


def _arrived_live(*, since: dt.datetime) -> sa.ColumnElement[bool]:
    """Whether an arrival `since` then was told while it happened, and so judged before it was taken. One that was a
    fact by the time it was told opens nothing: who is at the door still tells so again. Nor does one that comes after
    the report."""
    live = sa.select(VisitEvent.id).where(
        VisitEvent.visit_id == Visit.id,
        VisitEvent.kind == "arrived",
        VisitEvent.at >= sa.func.greatest(Visit.arrived_at, since),
        *(VisitEvent.detail[name].is_(None) for name in sorted(UNJUDGED)),
    )
    return live.exists()


def confirmed_by_crew(session: Session, visit: Visit, stop: ToldStop, *, now: dt.datetime) -> bool:
    """Whether a report by those who go there may tell that the debt was spoken of.

    A phone without signal tells its checks before its arrival, or days later: their order is not asked for here, and
    an arrival only where one could still be told.
    """
    # The place of a case that was called back is no longer there for us.
    place: Place | None = visit.place
    zone = place.zone if place else acting_organisation(session).zone
    if visit.arrived_at is None and _may_still_arrive(visit, stop.route, local_day(now, zone)):
        return False
    crew = people_at(session, stop)
    checks = [check for check in checks_of(session, visit) if check.visitor_id in crew]
    told = [check.result for check in checks if local_day(check.at, zone) >= stop.route.plan.planned_on]
    return told[-1:] == [IdentityResult.CONFIRMED]


def checks_of(session: Session, visit: Visit) -> Sequence[IdentityCheck]:
    """Every check of the visit, in the order in which they were made."""
    gathered = together(session)
    if gathered is not None:
        return sorted(gathered.checks[visit.id], key=lambda check: (check.at, check.id))
    checks = sa.select(IdentityCheck).where(IdentityCheck.visit_id == visit.id)
    return session.scalars(checks.order_by(IdentityCheck.at, IdentityCheck.id)).all()


def _is_its_day(visit: Visit, now: dt.datetime) -> bool:
    # Nobody arrives on another day, and what is told after arriving is told today.
    place: Place | None = visit.place
    return place is not None and visit.planned_on == local_day(now, place.zone)


def _may_still_arrive(visit: Visit, route: Route, today: dt.date) -> bool:
    case: Case | None = visit.case
    begins = visit.state in (VisitState.PUBLISHED, VisitState.UNDER_WAY)
    return begins and case is not None and visit.plan_id == route.plan_id and visit.planned_on == today
