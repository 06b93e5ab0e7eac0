"""When a crew arrived, by all that was told: in whatever order its arrivals and their undoing came."""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.models import Visit, VisitEvent
from fieldvisit.phone.notes import ARRIVED

UNDONE = "arrival_undone"


def arrival_of(session: Session, visit: Visit) -> dt.datetime | None:
    """The earliest arrival that was written down and not undone; an undoing takes back all that happened before it."""
    rows = session.execute(
        sa.select(VisitEvent.kind, VisitEvent.at, VisitEvent.detail).where(
            VisitEvent.visit_id == visit.id, VisitEvent.kind.in_((ARRIVED, UNDONE))
        )
    )
    told = [(kind, _happened(at, detail)) for kind, at, detail in rows]
    undone_at = max((at for kind, at in told if kind == UNDONE), default=None)
    arrivals = [at for kind, at in told if kind == ARRIVED and (undone_at is None or at > undone_at)]
    return min(arrivals, default=None)


def _happened(told_at: dt.datetime, detail: dict[str, str]) -> dt.datetime:
    happened = detail.get("happened_at")
    return dt.datetime.fromisoformat(happened) if happened else told_at
