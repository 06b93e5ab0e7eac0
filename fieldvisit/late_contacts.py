"""A contact that is told counts for what was planned before it was told: those visits are judged anew.

Attempts come from outside systems late and out of order. A visit that waits is asked about again when it is planned;
one that has its day already would otherwise stand until somebody is at the door.
"""

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.database import on_behalf_of
from fieldvisit.facts import live_visits_of
from fieldvisit.models import Debtor
from fieldvisit.rejudging import rejudge
from fieldvisit.visits import lock_visits
from fieldvisit.vocabulary import VisitState

CAUSE = "contact_told"
HAS_ITS_DAY = (VisitState.PLANNED, VisitState.PUBLISHED, VisitState.UNDER_WAY)


@dataclass(frozen=True)
class Touched:
    """The live visits to the debtors of new contacts: those that one's organisation sees, locked; and the ids of those
    that another one makes, by the lender in whose books they are."""

    own: tuple[uuid.UUID, ...]
    others: dict[uuid.UUID, tuple[uuid.UUID, ...]]


NOTHING_TOUCHED = Touched((), {})


def lock_touched(session: Session, debtor_ids: Collection[uuid.UUID]) -> Touched:
    """Lock what contacts with these debtors may touch, all at once and in order: two who tell of the same debtors in
    turn would wait for each other for ever."""
    live = live_visits_of(session, debtor_ids) if debtor_ids else ()
    locked = lock_visits(session, (row.id for row in live))
    unseen = {row.id: row.debtor_id for row in live if row.id not in locked and row.state in HAS_ITS_DAY}
    lenders = dict(
        session.execute(sa.select(Debtor.id, Debtor.org_id).where(Debtor.id.in_(set(unseen.values())))).all()
        if unseen
        else ()
    )
    others: dict[uuid.UUID, tuple[uuid.UUID, ...]] = {}
    for visit_id, debtor_id in unseen.items():
        others[lenders[debtor_id]] = (*others.get(lenders[debtor_id], ()), visit_id)
    return Touched(tuple(locked), others)


def rejudge_touched(session: Session, touched: Touched, *, now: dt.datetime) -> None:
    """Judge them anew, each in the books of those who make it. Where those are others, what was read is forgotten."""
    if touched.own:
        rejudge(session, touched.own, now=now, code=CAUSE, states=HAS_ITS_DAY)
    for lender_id, visit_ids in sorted(touched.others.items()):
        with on_behalf_of(session, lender_id):
            rejudge(session, visit_ids, now=now, code=CAUSE, states=HAS_ITS_DAY)
