"""Saying to those who answer alarms, a day ahead, that nobody would while visitors are out by the published plan."""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.clock import database_now
from fieldvisit.models import DayPlan, Route
from fieldvisit.safety.drill_reminders import tell_office
from fieldvisit.safety.gaps import gaps_ahead
from fieldvisit.vocabulary import DayPlanState, MessagePurpose

AHEAD = dt.timedelta(hours=24)


def warn_of_gaps(session: Session) -> int:
    """Put out what is due of all organisations, a message for each beginning of such a time; how many. The session sees
    the rows of all. Asked again it puts out nothing twice. That nobody is there *now* is the auditor's to tell."""
    now: dt.datetime = session.scalars(sa.select(database_now())).one()
    until, put_out = now + AHEAD, 0
    for org_id, spans in _days_out(session, now, until).items():
        for gap in gaps_ahead(session, org_id, now, until):
            begins = [
                max(gap.from_at, depart) for depart, back in spans if depart < gap.until_at and back > gap.from_at
            ]
            if not begins or min(begins) <= now:
                continue
            from_at = min(begins)
            cause = f"gap:{from_at:%Y-%m-%dT%H:%M}"
            put_out += tell_office(session, org_id, cause, MessagePurpose.COVER_GAP, until=from_at)
    return put_out


def _days_out(
    session: Session, now: dt.datetime, until: dt.datetime
) -> dict[uuid.UUID, list[tuple[dt.datetime, dt.datetime]]]:
    """Organisation → from when until when its crews are out by what was published."""
    rows = session.execute(
        sa.select(DayPlan.org_id, Route.depart_at, Route.return_at)
        .join(Route, Route.plan_id == DayPlan.id)
        .where(DayPlan.state == DayPlanState.PUBLISHED, Route.depart_at < until, Route.return_at > now)
    )
    found: dict[uuid.UUID, list[tuple[dt.datetime, dt.datetime]]] = {}
    for org_id, depart_at, return_at in rows:
        found.setdefault(org_id, []).append((depart_at, return_at))
    return found
