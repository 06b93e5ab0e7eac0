"""When a crew arrived, by all that was told: in whatever order its arrivals and their undoing came."""

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.models import Visit, VisitEvent
from fieldvisit.phone.notes import ARRIVED
from fieldvisit.together import Entry, together

UNDONE = "arrival_undone"
ARRIVALS = (ARRIVED, UNDONE)


def arrival_of(session: Session, visit: Visit) -> dt.datetime | None:
    """The earliest arrival that was written down and not undone; an undoing takes back all that happened before it."""
    gathered = together(session)
    rows = _told(session, visit) if gathered is None else gathered.arrivals[visit.id]
    told = [(row.kind, happened(row)) for row in rows if row.kind in ARRIVALS]
    undone_at = max((at for kind, at in told if kind == UNDONE), default=None)
    arrivals = [at for kind, at in told if kind == ARRIVED and (undone_at is None or at > undone_at)]
    return min(arrivals, default=None)


def _told(session: Session, visit: Visit) -> Sequence[Entry]:
    told = sa.select(VisitEvent).where(VisitEvent.visit_id == visit.id, VisitEvent.kind.in_(ARRIVALS))
    return session.scalars(told).all()


def happened(row: Entry) -> dt.datetime:
    """When it happened, by our clock."""
    stated: str | None = row.detail.get("happened_at")
    return dt.datetime.fromisoformat(stated) if stated else row.at
