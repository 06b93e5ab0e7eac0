"""Raising the alarm for deadlines that passed: state, alert, record and messages of a session in one transaction, and
those of many sessions in the same few statements.

Asked again on every turn from what is stored, never from a message: an engine that dies between two statements has
changed nothing, and the next one finds the same deadlines still passed.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from fieldvisit.clock import database_now
from fieldvisit.models import SafetySession
from fieldvisit.safety.events import Entry, SafetyEventKind, append_all
from fieldvisit.safety.raising import Cause, open_alerts
from fieldvisit.safety.rows import packed
from fieldvisit.safety.standing import by_risk
from fieldvisit.vocabulary import AlertKind, SafetyState

type Deadline = InstrumentedAttribute[dt.datetime | None]
# Of two that pass at one moment the first is named.
CAUSES: tuple[tuple[AlertKind, Deadline], ...] = (
    (AlertKind.MISSED_CHECKIN, SafetySession.grace_until),
    (AlertKind.OVERRUN, SafetySession.end_at),
    (AlertKind.NOT_ARRIVED, SafetySession.arrive_by),
    (AlertKind.LEFT_WITHOUT_ENDING, SafetySession.leave_by),
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
            SafetySession.arrive_by <= now,
            SafetySession.leave_by <= now,
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


# The one statement in which it is decided. Between reading and this nothing may have happened to a session: the
# generation says so, and the database's clock says once more that the deadline is behind.
DECIDE = sa.text("""
with moment as materialized (select fieldvisit_now() as now)
update safety_sessions s set
    version = s.version + 1,
    state = case when given.raises then 'alarm' else s.state end,
    unverified = s.unverified or given.raises and given.unverified,
    lost_contact = s.lost_contact or given.deadline = 'lost_at'
from moment, jsonb_to_recordset(cast(:given as jsonb))
    as given(id uuid, generation int, deadline text, raises boolean, unverified boolean)
where s.id = given.id and s.state = 'active'
    and s.generation = given.generation
    and case given.deadline when 'grace_until' then s.grace_until when 'end_at' then s.end_at
        when 'arrive_by' then s.arrive_by when 'leave_by' then s.leave_by else s.lost_at end <= moment.now
returning s.id, moment.now
""")


@dataclass(frozen=True)
class _Passed:
    """What would be decided about a session: for which deadline, and whether it is an alert."""

    row: SafetySession
    at: dt.datetime
    kind: AlertKind
    deadline: str
    raises: bool
    unverified: bool

    def as_row(self) -> dict[str, object]:
        return {
            "id": self.row.id,
            "generation": self.row.generation,
            "deadline": self.deadline,
            "raises": self.raises,
            "unverified": self.unverified,
        }

    @property
    def cause(self) -> Cause:
        return Cause(kind=self.kind, deadline_at=self.at, unverified=self.unverified, detail=_silence(self.row))


def fire(session: Session, rows: Sequence[SafetySession], outage: Outage | None = None) -> dict[uuid.UUID, Decision]:
    """Decide about sessions as they were read; those about which nothing was due any more are left out: a check-in came
    first. The rows in hand are left as they were read, but for the heads of their chains."""
    decisions: dict[uuid.UUID, Decision] = {}
    waiting = [_deadlines(row, outage) for row in rows]
    # Another round for those of which no alert was opened: a later deadline may have passed as well.
    while looked_at := [deadlines[0] for deadlines in waiting if deadlines]:
        decided_at = _decide(session, looked_at)
        happened = [(each, decided_at[each.row.id]) for each in looked_at if each.row.id in decided_at]
        for each, at in happened:
            decisions[each.row.id] = Decision(each.kind, each.raises, at - each.at)
        lost = [each for each in happened if each[0].kind is AlertKind.LOST_CONTACT]
        append_all(session, [(each.row, _loss(each.row, at)) for each, at in lost])
        open_alerts(session, [(each.row, each.cause, at) for each, at in happened if each.raises])
        raised = {each.row.id for each, _ in happened if each.raises}
        waiting = [deadlines[1:] for deadlines in waiting if deadlines and deadlines[0].row.id not in raised]
    return decisions


def _deadlines(row: SafetySession, outage: Outage | None) -> list[_Passed]:
    """The session's deadlines, the one that comes first before the others: it is the cause."""
    set_ones = [(getattr(row, deadline.key), kind, deadline.key) for kind, deadline in CAUSES]
    pending = [each for each in set_ones if each[0] and not (each[1] is AlertKind.LOST_CONTACT and row.lost_contact)]
    return [
        _Passed(
            row=row,
            at=at,
            kind=kind,
            deadline=name,
            raises=kind is not AlertKind.LOST_CONTACT or row.unverified or row.policy.get("lost_raises") is not False,
            unverified=row.unverified or (outage is not None and outage.covers(at)),
        )
        for at, kind, name in sorted(pending, key=lambda each: each[0])
    ]


def _decide(session: Session, looked_at: Sequence[_Passed]) -> dict[uuid.UUID, dt.datetime]:
    """When it was decided, by session; those are left out to which something had happened since they were read."""
    session.flush()
    given = packed(each.as_row() for each in looked_at)
    return {decided.id: decided.now for decided in session.execute(DECIDE, {"given": given})}


def _loss(row: SafetySession, at: dt.datetime) -> Entry:
    return Entry(kind=SafetyEventKind.CONTACT_LOST, at=at, detail=_silence(row))


def _silence(row: SafetySession) -> dict[str, object]:
    return {"generation": row.generation, "last_heard_at": row.last_heard_at and row.last_heard_at.isoformat()}
