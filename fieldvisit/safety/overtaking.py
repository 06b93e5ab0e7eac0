"""Who was just starting while a marker was approved: neither transaction saw what the other had written.

So the engine asks again on every turn, as it does for the cover: a session that runs below the level of a marker that
counts there is made as strict as that demands, whichever way it came about. Nobody who starts or checks in waits for
it. An incident that closes a place meanwhile needs nothing of the kind: it closes it to whoever starts afterwards, and
changes no session that began before.

It comes behind the beat, and waits for no table of markers that somebody holds: no alarm rests on it.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from fieldvisit.clock import database_now
from fieldvisit.database import waiting_for_locks, was_held_up
from fieldvisit.models import Marker, SafetySession, Visit
from fieldvisit.safety.held_tables import ASKING_LOCK_MS
from fieldvisit.safety.markers import counts, today
from fieldvisit.safety.standing import by_risk
from fieldvisit.safety.tightening import Danger, tighten
from fieldvisit.vocabulary import SafetyState

LATELY = dt.timedelta(hours=24)
"""A start is under way for seconds, and a session runs for hours: this is for engines that were all down for long."""

STRICTER = sa.and_(
    Marker.org_id == SafetySession.org_id,
    counts(Visit.place_id, Visit.debtor_id),
    by_risk(Marker.level) > by_risk(SafetySession.level),
)
"""Of a marker, a session and its visit: it counts there, and demands more than the session has."""


def claim_overtaken(session: Session, limit: int, *, but: Collection[uuid.UUID] = ()) -> Sequence[SafetySession]:
    """The running sessions of a lower level than that of a marker which was approved lately and counts for them."""
    # Asked each second, of every marker there is: the clock is read once.
    since = sa.select(database_now() - LATELY).scalar_subquery()
    approved = _asked(
        session,
        sa.select(Marker.id, Marker.place_id, Marker.debtor_id).where(
            Marker.approved_at > since, Marker.withdrawn_at.is_(None), Marker.expires_on >= today()
        ),
    )
    if not approved:
        return []
    # Said beside what follows for each: so few visits are found first, however many sessions run.
    there = sa.or_(
        Visit.place_id.in_({each.place_id for each in approved} - {None}),
        Visit.debtor_id.in_({each.debtor_id for each in approved} - {None}),
    )
    stricter = sa.select(Marker.id).where(Marker.id.in_([each.id for each in approved]), STRICTER)
    return session.scalars(
        sa.select(SafetySession)
        .join(Visit, Visit.id == SafetySession.visit_id)
        .where(
            SafetySession.state == SafetyState.ACTIVE,
            SafetySession.drill.is_(None),
            SafetySession.id.not_in(but),
            there,
            stricter.correlate(SafetySession, Visit).exists(),
        )
        .order_by(SafetySession.id)
        .limit(limit)
        .with_for_update(of=SafetySession, skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()


def _asked[*T](session: Session, question: sa.Select[*T]) -> Sequence[sa.Row[*T]]:
    """The answer, or none where it would be waited for: a migration, say, holds that table. It is asked again."""
    try:
        with waiting_for_locks(session, ASKING_LOCK_MS):
            return session.execute(question).all()
    except OperationalError as error:
        if not was_held_up(error):
            raise
        return []


def tighten_overtaken(session: Session, rows: Sequence[SafetySession]) -> set[uuid.UUID]:
    """Give these sessions the level of the strictest marker that counts for them; those that were changed."""
    strictest = by_risk(Marker.level).desc(), Marker.approved_at, Marker.id
    changed = set()
    for row in rows:
        found = session.execute(
            sa.select(Marker.id, Marker.level, Marker.approved_by_id)
            .select_from(SafetySession)
            .join(Visit, Visit.id == SafetySession.visit_id)
            .join(Marker, STRICTER)
            .where(SafetySession.id == row.id)
            .order_by(*strictest)
            .limit(1)
        ).first()
        if found is not None and tighten(session, row.id, Danger(*found)):
            changed.add(row.id)
    return changed
