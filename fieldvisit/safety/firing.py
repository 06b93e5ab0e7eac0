"""Raising the alarm for a deadline that passed: one session, one transaction, one decision.

Asked again on every turn from what is stored, never from a message: an engine that dies between two statements has
changed nothing, and the next one finds the same deadline still passed.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from fieldvisit.clock import database_now, one_moment
from fieldvisit.models import SafetySession
from fieldvisit.safety.events import SESSIONS, Entry, SafetyEventKind, append
from fieldvisit.safety.raising import Cause, open_alert
from fieldvisit.safety.standing import by_risk
from fieldvisit.vocabulary import AlertKind, SafetyState

type Deadline = InstrumentedAttribute[dt.datetime | None]
# Of two that pass at one moment the first is named.
CAUSES: tuple[tuple[AlertKind, Deadline], ...] = (
    (AlertKind.MISSED_CHECKIN, SafetySession.grace_until),
    (AlertKind.OVERRUN, SafetySession.end_at),
    (AlertKind.LOST_CONTACT, SafetySession.lost_at),
)


@dataclass(frozen=True)
class Outage:
    """A time in which no engine watched: what passed then is unverified."""

    from_at: dt.datetime | None
    until_at: dt.datetime

    def covers(self, moment: dt.datetime) -> bool:
        return (self.from_at is None or self.from_at <= moment) and moment <= self.until_at


@dataclass(frozen=True)
class Decision:
    """What was decided about a session: an alert was opened, or (not `raised`) contact was only marked as lost."""

    kind: AlertKind
    raised: bool
    lateness: dt.timedelta


def is_due() -> sa.ColumnElement[bool]:
    """Whether a running session has a deadline behind it. The clock is read once, so that the indexes can serve."""
    now = sa.select(database_now()).scalar_subquery()
    return sa.and_(
        SafetySession.state == SafetyState.ACTIVE,
        sa.or_(
            SafetySession.grace_until <= now,
            SafetySession.end_at <= now,
            sa.and_(SafetySession.lost_at <= now, ~SafetySession.lost_contact),
        ),
    )


def claim_due(session: Session, limit: int, *, but: Collection[uuid.UUID] = ()) -> Sequence[SafetySession]:
    """Lock the sessions to decide about, the most dangerous first; those that another engine holds are left to it."""
    return session.scalars(
        sa.select(SafetySession)
        .where(is_due(), SafetySession.id.not_in(but))
        .order_by(
            by_risk(SafetySession.level).desc(),
            sa.func.least(SafetySession.grace_until, SafetySession.end_at),
            SafetySession.id,
        )
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()


def fire(session: Session, row: SafetySession, outage: Outage | None = None) -> Decision | None:
    """Decide about one session, as it was read. None where nothing is due any more: a check-in came first. The row in
    hand is left as it was read."""
    decision = None
    for passed_at, kind, deadline in _deadlines(row):
        raises = kind is not AlertKind.LOST_CONTACT or bool(row.policy.get("lost_raises", True))
        unverified = outage is not None and outage.covers(passed_at)
        at = _decide(session, row, deadline, raises=raises, unverified=unverified)
        if at is None:
            continue
        decision = Decision(kind, raises, at - passed_at)
        if kind is AlertKind.LOST_CONTACT:
            append(session, row, Entry(kind=SafetyEventKind.CONTACT_LOST, at=at, detail=_silence(row)))
        if raises:
            cause = Cause(kind=kind, deadline_at=passed_at, unverified=unverified, detail=_silence(row))
            open_alert(session, row, cause, at=at)
            break
    return decision


def _deadlines(row: SafetySession) -> list[tuple[dt.datetime, AlertKind, Deadline]]:
    """The session's deadlines, the one that comes first before the others: it is the cause."""
    set_ones = [(getattr(row, deadline.key), kind, deadline) for kind, deadline in CAUSES]
    pending = [each for each in set_ones if each[0] and not (each[1] is AlertKind.LOST_CONTACT and row.lost_contact)]
    return sorted(pending, key=lambda each: each[0])


def _decide(
    session: Session, row: SafetySession, deadline: Deadline, *, raises: bool, unverified: bool
) -> dt.datetime | None:
    """When it was decided; None where something had happened to the session since it was read."""
    given = {"this_id": row.id, "this_generation": row.generation, "this_unverified": unverified}
    at: dt.datetime | None = session.scalar(_decision(deadline, raises=raises), given)
    return at


@cache
def _decision(deadline: Deadline, *, raises: bool) -> sa.UpdateBase:
    """The one statement in which it is decided. Between reading and this nothing may have happened to the session: the
    generation says so, and the database's clock says once more that the deadline is behind.

    Made once: building it anew for each of a thousand alarms in one second would cost more than running it.
    """
    now = one_moment()
    values: dict[str, object] = {"version": SESSIONS.c.version + 1}
    if raises:
        unverified = sa.bindparam("this_unverified", type_=sa.Boolean)
        values |= {"state": SafetyState.ALARM, "unverified": SESSIONS.c.unverified | unverified}
    if deadline is SafetySession.lost_at:
        values["lost_contact"] = sa.true()
    return (
        sa.update(SESSIONS)
        .where(
            SESSIONS.c.id == sa.bindparam("this_id", type_=sa.Uuid),
            SESSIONS.c.state == SafetyState.ACTIVE,
            SESSIONS.c.generation == sa.bindparam("this_generation", type_=sa.Integer),
            SESSIONS.c[deadline.key] <= now,
        )
        .values(values)
        .returning(now)
    )


def _silence(row: SafetySession) -> dict[str, object]:
    return {"generation": row.generation, "last_heard_at": row.last_heard_at and row.last_heard_at.isoformat()}
