"""The record of a session: append-only, numbered, each event holding the hash of the one before.

Whoever appends holds the lock on the session's row, which carries the head of the chain: two events never get one
number, and events cut off the end are missed.
"""

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from fieldvisit.models import SafetyEvent, SafetySession
from fieldvisit.obeyed import Obeyed
from fieldvisit.safety.rows import packed
from fieldvisit.sealing import Cipher, cipher_of

SESSIONS = cast("sa.Table", SafetySession.__table__)
NOTE = "safety_events.note"
# Events and the heads of their chains in one statement.
WRITE = Obeyed(
    sa.text("""
with given as materialized (
    select * from jsonb_to_recordset(cast(:given as jsonb)) as given(
        org_id uuid, session_id uuid, sequence int, at timestamptz, kind text, actor_id uuid, device_at timestamptz,
        detail jsonb, note text, previous_hash text, hash text)
), written as (
    insert into safety_events (org_id, session_id, sequence, at, kind, actor_id, device_at, detail, note, previous_hash,
                               hash)
    select org_id, session_id, sequence, at, kind, actor_id, device_at, detail, decode(note, 'hex'),
           decode(previous_hash, 'hex'), decode(hash, 'hex')
    from given
), heads as (
    select distinct on (session_id) session_id, sequence, hash from given order by session_id, sequence desc
)
update safety_sessions s set last_sequence = heads.sequence, last_hash = decode(heads.hash, 'hex')
from heads where s.id = heads.session_id
""")
)


class SafetyEventKind(StrEnum):
    PLANNED = "planned"
    CANCELLED = "cancelled"
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
    TIGHTENED = "tightened"
    ARRIVED = "arrived"
    ARRIVAL_UNDONE = "arrival_undone"
    VISIT_OVER = "visit_over"
    COVER_CHANGED = "cover_changed"
    REMINDED = "reminded"
    EXTENDED_BY_OFFICER = "extended_by_officer"
    EXTERNAL_CONFIRMED = "external_confirmed"
    UNVERIFIED = "unverified"
    DRILL_BEGUN = "drill_begun"
    BATTERY_LOW = "battery_low"
    POLICE_DECIDED = "police_decided"
    POLICE_UNDECIDED = "police_undecided"
    NEW_DOOR_TOLD = "new_door_told"


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
class Head:
    """The last event of a chain."""

    sequence: int
    hash: bytes


@dataclass(kw_only=True)
class Link:
    """An event with its place in a chain: what its hash is made of."""

    org_id: uuid.UUID
    session_id: uuid.UUID
    sequence: int
    at: dt.datetime
    kind: str
    actor_id: uuid.UUID | None
    device_at: dt.datetime | None
    detail: dict[str, Any]
    previous_hash: bytes


@dataclass(frozen=True)
class Break:
    """The first event at which a chain does not hold, and why."""

    sequence: int
    reason: str


def append(session: Session, row: SafetySession, entry: Entry) -> None:
    """Record one event of a session whose row this transaction has locked."""
    append_all(session, [(row, entry)])


def append_all(session: Session, entries: Sequence[tuple[SafetySession, Entry]]) -> None:
    """Record events of sessions whose rows this transaction has locked, those of one session in the order given."""
    if not entries:
        return
    session.flush()
    cipher = cipher_of(session.connection().dialect)
    heads: dict[uuid.UUID, tuple[SafetySession, Head]] = {}
    given = []
    for row, entry in entries:
        _, before = heads.get(row.id, (row, Head(row.last_sequence, row.last_hash)))
        link = _joined(row, entry, before, cipher)
        head = Head(link.sequence, fingerprint(link))
        heads[row.id] = row, head
        sealed = None if entry.note is None else cipher.seal(entry.note, NOTE)
        given.append({**vars(link), "note": sealed, "hash": head.hash})
    WRITE.run(session, {"given": packed(given)})
    for row, head in heads.values():
        set_committed_value(row, "last_sequence", head.sequence)
        set_committed_value(row, "last_hash", head.hash)


def _joined(row: SafetySession, entry: Entry, before: Head, cipher: Cipher) -> Link:
    """The event with its place in the chain, after the head before it."""
    detail = dict(entry.detail)
    if entry.note is not None:
        detail["note_digest"] = cipher.digest(entry.note).hex()
    return Link(
        org_id=row.org_id,
        session_id=row.id,
        sequence=before.sequence + 1,
        at=entry.at,
        kind=entry.kind.value,
        actor_id=entry.actor_id,
        device_at=entry.device_at,
        detail=detail,
        previous_hash=before.hash,
    )


@contextmanager
def or_unwritten(session: Session, rows: Iterable[SafetySession]) -> Iterator[None]:
    """A savepoint: when anything is raised, the rows carry the heads that they had, as the database does."""
    before = [(row, row.last_sequence, row.last_hash) for row in rows]
    try:
        with session.begin_nested():
            yield
    except BaseException:
        for row, sequence, head in before:
            set_committed_value(row, "last_sequence", sequence)
            set_committed_value(row, "last_hash", head)
        raise


def fingerprint(event: SafetyEvent | Link) -> bytes:
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
            SafetyEvent.org_id == row.org_id,
            SafetyEvent.session_id == row.id,
            SafetyEvent.at >= (row.planned_at or row.started_at),
        )  # the time leaves out the partitions of the months before
        .order_by(SafetyEvent.sequence)
    ).all()


def _instant(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds")
