"""Making a session's row, and finding the one that is there."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fieldvisit.clock import one_moment
from fieldvisit.errors import FieldVisitError, Kind, NotFound
from fieldvisit.models import SafetyKey, SafetySession, Visit, Visitor
from fieldvisit.safety.deadlines import Moment, due, set_by_clock
from fieldvisit.safety.drafts import SessionDraft, Sos
from fieldvisit.safety.events import Entry, SafetyEventKind, append
from fieldvisit.safety.standing import AT_RISK, lock_session
from fieldvisit.safety.timers import Timers, seconds
from fieldvisit.vocabulary import DrillKind, SafetyState, SessionCover

NOW = one_moment()


class EventIdUsed(FieldVisitError):
    code, kind = "event_id_used", Kind.CONFLICT
    says = "This event id was used for another safety session."


def remember(session: Session, row: SafetySession, event_id: uuid.UUID) -> bool:
    """Keep the phone's id of something it tells of this locked session; False where it was told before."""
    kept = session.scalar(
        insert(SafetyKey)
        .values(org_id=row.org_id, event_id=event_id, session_id=row.id)
        .on_conflict_do_nothing()
        .returning(SafetyKey.event_id)
    )
    if kept is None and told_of(session, event_id) != row.id:
        raise EventIdUsed()
    return kept is not None


def remember_all(session: Session, row: SafetySession, event_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """The same for several at once; those that had not been told before."""
    ids = list(dict.fromkeys(event_ids))
    if not ids:
        return set()
    keys = [{"org_id": row.org_id, "event_id": event_id, "session_id": row.id} for event_id in ids]
    kept = set(session.scalars(insert(SafetyKey).on_conflict_do_nothing().returning(SafetyKey.event_id), keys))
    before = set(ids) - kept
    others = sa.select(SafetyKey.event_id).where(SafetyKey.event_id.in_(before), SafetyKey.session_id != row.id)
    if before and session.scalars(others).first() is not None:
        raise EventIdUsed()
    return kept


def told_of(session: Session, event_id: uuid.UUID) -> uuid.UUID | None:
    """The session of which this event was told before."""
    return session.scalar(sa.select(SafetyKey.session_id).where(SafetyKey.event_id == event_id))


def find_open(session: Session, visitor_id: uuid.UUID) -> uuid.UUID | None:
    """The id of the session by which the visitor is out; there is never more than one. A drill is none, and one that is
    only planned."""
    return session.scalar(
        sa.select(SafetySession.id).where(
            SafetySession.visitor_id == visitor_id, SafetySession.state.in_(AT_RISK), SafetySession.drill.is_(None)
        )
    )


def find_planned(session: Session, visitor_id: uuid.UUID, visit_id: uuid.UUID) -> SafetySession | None:
    """What is planned for this visitor at this visit, and not started; there is never more than one."""
    return session.scalar(
        sa.select(SafetySession).where(
            SafetySession.visitor_id == visitor_id,
            SafetySession.visit_id == visit_id,
            SafetySession.state == SafetyState.PLANNED,
        )
    )


@dataclass(frozen=True)
class Beginning:
    """With which timers a session begins, with what cover, what spoke for its level, and whether it is a drill only.
    `planned`: nobody sets out yet. `said`: what more its record says of the beginning."""

    timers: Timers
    cover: SessionCover = SessionCover.SOLO
    because: Sequence[str] = ()
    drill: DrillKind | None = None
    planned: bool = False
    said: Mapping[str, Any] = field(default_factory=dict)


def insert_session(
    session: Session,
    told: SessionDraft | Sos,
    beginning: Beginning,
    *,
    session_id: uuid.UUID,
) -> SafetySession | None:
    """A new session with all its deadlines set in one statement; None where its id or its visitor has one already.

    A call for help makes one without deadlines: it is in alarm from its first moment.
    Raises NotFound for a visitor or a visit that the organisation does not have; a call for help leaves out a visit
    that is not there.
    """
    visitor = session.get(Visitor, told.visitor_id)
    if visitor is None:
        raise NotFound(what="visitor", id=told.visitor_id)
    visit_id = _visit(session, told)
    demand_known_buddy(session, told)
    ids = {"id": session_id, "org_id": visitor.org_id, "visitor_id": visitor.id, "visit_id": visit_id}
    if not _insert(session, ids | _values(told, beginning, NOW)):
        return None
    row = lock_session(session, session_id)
    _record_beginning(session, row, told, beginning)
    return row


def begin_planned(session: Session, told: SessionDraft, beginning: Beginning) -> SafetySession | None:
    """Let the planned session of this id start, with all its deadlines set in one statement; None where it is not
    planned any more, or its visitor is out by another one."""
    row = lock_session(session, told.event_id, visitor_id=told.visitor_id)
    if row.state is not SafetyState.PLANNED:
        return None
    demand_known_buddy(session, told)
    try:
        with session.begin_nested():
            set_by_clock(session, row, lambda now: _values(told, beginning, now))
    except IntegrityError:
        return None
    _record_beginning(session, row, told, beginning)
    return row


def alarm_planned(session: Session, session_id: uuid.UUID) -> SafetySession | None:
    """Let a planned session be in alarm without ever having started, locked; None where it is not planned any more, or
    its visitor is out by another one. Its day is that of the alarm, not of its planning."""
    row = lock_session(session, session_id)
    if row.state is not SafetyState.PLANNED:
        return None
    try:
        with session.begin_nested():
            set_by_clock(session, row, lambda now: {"state": SafetyState.ALARM, "started_at": now})
    except IntegrityError:
        return None
    return row


def _record_beginning(session: Session, row: SafetySession, told: SessionDraft | Sos, beginning: Beginning) -> None:
    detail = {
        "level": beginning.timers.level.value,
        "visit_id": str(row.visit_id) if row.visit_id else None,
        "age_s": told.age_s,
        "buddy_id": str(told.buddy_id) if isinstance(told, SessionDraft) and told.buddy_id else None,
        "because": [*beginning.because],
        **beginning.said,
        **told.said_of_position,
    }
    entry = Entry(
        kind=SafetyEventKind.PLANNED if beginning.planned else SafetyEventKind.STARTED,
        at=row.started_at,
        actor_id=told.actor_id,
        device_at=told.device_at,
        detail=detail,
    )
    append(session, row, entry)


def demand_known_buddy(session: Session, told: SessionDraft | Sos) -> None:
    """Raise NotFound where the buddy who is named is not there."""
    buddy_id = told.buddy_id if isinstance(told, SessionDraft) else None
    buddy = session.get(Visitor, buddy_id) if buddy_id else None
    if buddy_id is not None and (buddy is None or buddy.org_id != session.info.get("org", buddy.org_id)):
        raise NotFound(what="visitor", id=buddy_id)


def _visit(session: Session, told: SessionDraft | Sos) -> uuid.UUID | None:
    if told.visit_id is None or session.get(Visit, told.visit_id) is not None:
        return told.visit_id
    if isinstance(told, Sos):
        return None
    raise NotFound(what="visit", id=told.visit_id)


def _values(told: SessionDraft | Sos, beginning: Beginning, now: Moment) -> dict[str, object]:
    """The values of a session at its start, all over one reading of the clock."""
    timers = beginning.timers
    values: dict[str, object] = {
        "level": timers.level,
        "state": SafetyState.ALARM,
        "policy": timers.as_json(),
        "cover": beginning.cover,
        "drill": beginning.drill,
        "started_at": now,
        "last_heard_at": None if isinstance(told, Sos) and told.on_behalf else now,
        "last_lat": told.lat,
        "last_lon": told.lon,
        "last_located_at": None if told.lat is None else now - seconds(told.age_s),
        "last_accuracy_m": None if told.lat is None else told.accuracy_m,
    }
    if isinstance(told, Sos):
        return values
    if beginning.planned:
        # Who plans it may sit in the office: the phone has said nothing yet.
        kept = {"buddy_id": told.buddy_id, "planned_at": now, "planned_s": told.planned_s}
        return values | kept | {"state": SafetyState.PLANNED, "last_heard_at": None}
    begun = now - seconds(told.age_s)
    running = {
        "state": SafetyState.ACTIVE,
        "buddy_id": told.buddy_id,
        "end_at": begun + seconds(told.planned_s),
        "lost_at": now + seconds(timers.lost_s),
    }
    watched = timers.alone() if beginning.cover is SessionCover.NONE else timers
    return values | running | due(watched, begun)


def _insert(session: Session, values: dict[str, object]) -> bool:
    columns = SafetySession.__table__.c
    picked = [
        each if isinstance(each, sa.ColumnElement) else sa.literal(each, columns[name].type)
        for name, each in values.items()
    ]
    statement = insert(SafetySession).from_select(list(values), sa.select(*picked)).on_conflict_do_nothing()
    return session.scalar(statement.returning(SafetySession.id)) is not None
