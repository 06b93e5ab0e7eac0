"""What happened at a door before the visit was cancelled, told afterwards by a phone that had no signal.

Nothing is permitted by it: a cancelled visit stays cancelled and shows no debtor. It is written down.
"""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.wallclock import local_day
from fieldvisit.models import Place, Visit, VisitEvent
from fieldvisit.vocabulary import VisitState


def happened_before_cancelling(session: Session, visit: Visit, device_at: dt.datetime | None) -> bool:
    """Whether a step of a visit that is cancelled was taken, by the phone's own time, on its day and before that.

    Without a time of the phone's the step is taken now, and too late.
    """
    place: Place | None = visit.place
    if visit.state is not VisitState.CANCELLED or device_at is None or place is None:
        return False
    if local_day(device_at, place.zone) != visit.planned_on:
        return False
    cancelled_at = session.scalar(
        sa.select(sa.func.max(VisitEvent.at)).where(
            VisitEvent.visit_id == visit.id, VisitEvent.kind == VisitState.CANCELLED.value
        )
    )
    return cancelled_at is not None and device_at < cancelled_at
