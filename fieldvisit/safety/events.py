"""The record of a session: append-only, numbered, each event holding the hash of the one before.

Whoever appends holds the lock on the session's row, which carries the head of the chain: two events never get one
number, and events cut off the end are missed.
"""

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from fieldvisit.models import SafetyEvent, SafetySession
from fieldvisit.sealing import cipher_of

EVENTS, SESSIONS = cast("sa.Table", SafetyEvent.__table__), cast("sa.Table", SafetySession.__table__)
# Event and head in one statement, made once: a thousand alarms may be due in one second, and each waits for those
# before it.
_INSERT = sa.insert(EVENTS).values(
    {column.key: sa.bindparam(f"event_{column.key}", type_=column.type) for column in EVENTS.c}
)
WRITE = (
    sa.update(SESSIONS)
    .where(SESSIONS.c.id == sa.bindparam("this_id", type_=SESSIONS.c.id.type))
    .values(
        last_sequence=sa.bindparam("event_sequence", type_=sa.Integer),
        last_hash=sa.bindparam("event_hash", type_=sa.LargeBinary),
    )
    .add_cte(_INSERT.cte("event"))
)


class SafetyEventKind(StrEnum):
    STARTED = "started"
    CHECKED_IN = "checked_in"
    CHECKED_IN_LATE = "checked_in_late"
    EXTENDED = "extended"
    ENDED = "ended"
    REOPENED = "reopened"
    CONTACT_LOST = "contact_lost"
    CONTACT_REGAINED = "contact_regained"
    SOS_PRESSED = "sos_pressed"
    ALERT_OPENED = "alert_opened"
    STEP_BEGUN = "step_begun"
    EXHAUSTED = "exhausted"
    ACKNOWLEDGED = "acknowledged"
    ACKNOWLEDGEMENT_LAPSED = "acknowledgement_lapsed"
    NOTED = "noted"
    RESOLVED = "resolved"
    RESUMED = "resumed"
    CALL_RESULT = "call_result"
    OFFERED = "offered"
    HANDED_OVER = "handed_over"
    REFERRED = "referred"
    REOPENED_ALERT = "reopened_alert"
    CLOSING_PROPOSED = "closing_proposed"
    TURNED_DURESS = "turned_duress"
    TAKEN_OVER = "taken_over"
    COVER_OVERRIDDEN = "cover_overridden"
    DURESS_PIN = "duress_pin"
    WRONG_PINS = "wrong_pins"
    CANCELLED_BY_VISITOR = "cancelled_by_visitor"
    ENDED_BY_OFFICER = "ended_by_officer"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What is to be recorded; `at` is database time."""

    kind: SafetyEventKind
    at: dt.datetime
    actor_id: uuid.UUID | None = None
    device_at: dt.datetime | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    note: str | None = None


@dataclass(frozen=True)
class Break:
    """The first event at which a chain does not hold, and why."""

    sequence: int
    reason: str


def append(session: Session, row: SafetySession, entry: Entry) -> None:
    """Record one event of a session whose row this transaction has locked."""
    _write(session, row, _event(session, row, entry, row.last_sequence, row.last_hash))


def append_all(session: Session, row: SafetySession, entries: Iterable[Entry]) -> None:
    """Record several, one after another, in two statements."""
    session.flush()
    sequence, previous, events = row.last_sequence, row.last_hash, []
    for entry in entries:
        event = _event(session, row, entry, sequence, previous)
        sequence, previous = event.sequence, event.hash
        events.append({column.key: getattr(event, column.key) for column in EVENTS.c})
    if events:
        session.execute(sa.insert(EVENTS), events)
        head = {"last_sequence": sequence, "last_hash": previous}
        session.execute(sa.update(SESSIONS).where(SESSIONS.c.id == row.id).values(head))
        _carry(row, sequence, previous)


def _event(session: Session, row: SafetySession, entry: Entry, sequence: int, previous: bytes) -> SafetyEvent:
    """The next event after the one with this number and hash."""
    detail = dict(entry.detail)
    if entry.note is not None:
        detail["note_digest"] = cipher_of(session.connection().dialect).digest(entry.note).hex()
    event = SafetyEvent(
        org_id=row.org_id,
        session_id=row.id,
        sequence=sequence + 1,
        at=entry.at,
        kind=entry.kind.value,
        actor_id=entry.actor_id,
        device_at=entry.device_at,
        detail=detail,
        note=entry.note,
        previous_hash=previous,
    )
    event.hash = fingerprint(event)
    return event


def _write(session: Session, row: SafetySession, event: SafetyEvent) -> None:
    session.flush()
    values = {f"event_{column.key}": getattr(event, column.key) for column in EVENTS.c}
    session.execute(WRITE, values | {"this_id": row.id})
    _carry(row, event.sequence, event.hash)


def _carry(row: SafetySession, sequence: int, head: bytes) -> None:
    set_committed_value(row, "last_sequence", sequence)
    set_committed_value(row, "last_hash", head)


def fingerprint(event: SafetyEvent) -> bytes:
    """SHA-256 over every stored field but the sealed note, whose keyed digest stands in the detail."""
    content = {
        "org_id": str(event.org_id),
        "session_id": str(event.session_id),
        "sequence": event.sequence,
        "at": _instant(event.at),
        "kind": event.kind,
        "actor_id": str(event.actor_id) if event.actor_id else None,
        "device_at": _instant(event.device_at) if event.device_at else None,
        "detail": event.detail,
        "previous": event.previous_hash.hex(),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).digest()


def find_break(row: SafetySession, events: Iterable[SafetyEvent]) -> Break | None:
    """Where the chain of a session, given in order, was altered; None if it holds up to the head in the row."""
    previous, sequence = b"", 0
    for event in events:
        sequence += 1
        if event.sequence != sequence:
            return Break(sequence, "missing")
        if event.previous_hash != previous:
            return Break(sequence, "not joined to the one before")
        if event.hash != fingerprint(event):
            return Break(sequence, "altered")
        previous = event.hash
    if (sequence, previous) != (row.last_sequence, row.last_hash):
        return Break(sequence + 1, "missing")
    return None


def history(session: Session, row: SafetySession) -> Sequence[SafetyEvent]:
    """All events of a session, oldest first."""
    return session.scalars(
        sa.select(SafetyEvent)
        .where(
            SafetyEvent.org_id == row.org_id, SafetyEvent.session_id == row.id, SafetyEvent.at >= row.started_at
        )  # the time leaves out the partitions of the months before
        .order_by(SafetyEvent.sequence)
    ).all()


def _instant(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds")
