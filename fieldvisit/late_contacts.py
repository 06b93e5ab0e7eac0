"""A contact that is told counts for what was planned before it was told: those visits are judged anew.

Attempts come from outside systems late and out of order. A visit that waits is asked about again when it is planned;
one that has its day already would otherwise stand until somebody is at the door.
"""

import datetime as dt

from sqlalchemy.orm import Session

from fieldvisit.debtor_visits import Touched
from fieldvisit.rejudging import rejudge_touched
from fieldvisit.vocabulary import VisitState

CAUSE = "contact_told"
HAS_ITS_DAY = (VisitState.PLANNED, VisitState.PUBLISHED, VisitState.UNDER_WAY)


def judge_after_contacts(session: Session, touched: Touched, *, now: dt.datetime) -> None:
    """Judge anew what contacts touched, as far as it has its day."""
    rejudge_touched(session, touched, now=now, code=CAUSE, states=HAS_ITS_DAY)
