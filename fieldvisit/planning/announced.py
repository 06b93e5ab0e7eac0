"""What debtors were told: the hours in which a visit was announced. A change of the day keeps them, or names them.

Nothing announces hours to debtors yet, so there are none to keep. Whatever does has one thing to answer here.
"""

import datetime as dt
import uuid
from collections.abc import Iterable

from sqlalchemy.orm import Session

from fieldvisit.models import Visit


def announced_hours(session: Session, visits: Iterable[Visit]) -> dict[uuid.UUID, tuple[dt.datetime, dt.datetime]]:
    """Visit → from when until when its debtor was told that somebody would come; those that were told."""
    return {}
