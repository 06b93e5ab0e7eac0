"""What debtors were told: the hours in which a visit was announced. A change of the day keeps them, or names them.

The hours hold as long as the notice does, and until they are over: then nobody came, and the visit is announced anew.
"""

import datetime as dt
import uuid
from collections.abc import Iterable

from sqlalchemy.orm import Session

from fieldvisit.models import Visit
from fieldvisit.notices.standing import announcements


def announced_hours(session: Session, visits: Iterable[Visit]) -> dict[uuid.UUID, tuple[dt.datetime, dt.datetime]]:
    """Visit → from when until when its debtor was told that somebody would come; those that were told."""
    told = announcements(session, {visit.id for visit in visits})
    return {visit_id: (each.from_at, each.until_at) for visit_id, each in told.items()}
