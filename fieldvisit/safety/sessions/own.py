"""A visitor's own session under its lock, and what is told of it in its record."""

import uuid

from sqlalchemy.orm import Session

from fieldvisit.errors import NotFound
from fieldvisit.models import SafetySession
from fieldvisit.safety.drafts import Told
from fieldvisit.safety.events import Entry, SafetyEventKind, append
from fieldvisit.safety.hearing import lock_fresh
from fieldvisit.safety.opening import told_of
from fieldvisit.safety.standing import Standing, lock_session
from fieldvisit.vocabulary import SafetyState

NOT_BEGUN = (SafetyState.PLANNED, SafetyState.CANCELLED)


def lock_own(session: Session, session_id: uuid.UUID, visitor_id: uuid.UUID) -> SafetySession:
    """The visitor's own session, locked; also under the id of one that only seemed to be started (see `seeming`)."""
    try:
        row = lock_session(session, session_id, visitor_id=visitor_id)
    except NotFound:
        real_id = told_of(session, session_id)
        if real_id is None:
            raise
        # Also when duress is over: the phone knows no other id.
        return lock_session(session, real_id, visitor_id=visitor_id)
    real_id = told_of(session, session_id) if row.state in NOT_BEGUN else None
    return row if real_id in (None, row.id) else lock_session(session, real_id, visitor_id=visitor_id)


def lock_and_remember(session: Session, session_id: uuid.UUID, told: Told) -> tuple[SafetySession, bool]:
    """The visitor's own session, locked, and whether this was told for the first time and its id is kept now. With a
    PIN, where one is asked for, or where nobody has set out by it, nothing is kept yet."""
    if told.pin is not None:
        return lock_own(session, session_id, told.visitor_id), False
    found = lock_fresh(session, session_id, told)
    if found is None or found[0].state in NOT_BEGUN:
        return lock_own(session, session_id, told.visitor_id), False
    return found


def record(session: Session, now: Standing, told: Told, kind: SafetyEventKind, **detail: object) -> None:
    append(session, now.session, entry_of(now, told, kind, **detail))


def entry_of(now: Standing, told: Told, kind: SafetyEventKind, **detail: object) -> Entry:
    if told.age_s:
        detail["age_s"] = told.age_s
    detail |= told.said_of_position
    return Entry(kind=kind, at=now.now_at, actor_id=told.actor_id, device_at=told.device_at, detail=detail)
