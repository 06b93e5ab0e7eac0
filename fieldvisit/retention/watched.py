"""Where visitors were, and how they were watched over: last positions go first, then whole sessions, by the rules of
their organisation, and the canary's after a week.

What belongs to an incident that is not reviewed stays, and what is at a debtor's door on legal hold. Runs as the owner
of the tables: the application may not delete what is append-only.
"""

import datetime as dt
import hashlib
import itertools
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for_all
from fieldvisit.models import (
    LegalHold,
    Organisation,
    Purge,
    SafetyAlert,
    SafetyIncident,
    SafetySession,
    Visit,
)
from fieldvisit.retention.purging import purge_sessions
from fieldvisit.safety.drill_records import REMEMBERED
from fieldvisit.safety.rules import USUAL, rules_of_all
from fieldvisit.vocabulary import SafetyState

BATCH = 200
CANARY_FOR = dt.timedelta(days=7)
POSITIONS, SESSIONS, HELD = "positions", SafetySession.__tablename__, "held"
OVER = (SafetyState.ENDED, SafetyState.CANCELLED)
NOTHING_SHA256 = hashlib.sha256(b"").hexdigest()


@dataclass
class Watched:
    """What is due, or went, of one organisation: last positions, whole sessions, and how many stay although their time
    is over. `ids_sha256` is over the ids of both, and the head of the record of each session that goes."""

    org_id: uuid.UUID
    positions: int = 0
    sessions: int = 0
    held: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    ids_sha256: str = NOTHING_SHA256

    @property
    def count(self) -> dict[str, int]:
        found = {POSITIONS: self.positions, SESSIONS: self.sessions}
        return {name: count for name, count in found.items() if count}

    def chain(self, line: str) -> None:
        self.ids_sha256 = hashlib.sha256(f"{self.ids_sha256}\n{line}".encode()).hexdigest()


def look_for_watched(session: Session, *, now: dt.datetime) -> list[Watched]:
    """What a run would take. Nothing changes."""
    return [found for org_id in _organisations(session) if (found := _look(session, org_id, now)).count or found.held]


def purge_watched(
    owners: sessionmaker[Session], *, made_by: str, reason: str, clock: Callable[[], dt.datetime]
) -> list[tuple[Watched, Purge | None]]:
    """Take it away, with the proof of each organisation; a proof is stored with what it tells of, some sessions at a
    time. `owners` makes sessions of the owner of the tables."""
    now = clock()
    with acting_for_all(owners) as session:
        found = look_for_watched(session, now=now)
    return [(each, _purge(owners, each, Run(made_by, reason, now))) for each in found]


@dataclass(frozen=True)
class Run:
    """Who, why and when."""

    made_by: str
    reason: str
    at: dt.datetime


def _purge(owners: sessionmaker[Session], looked: Watched, run: Run) -> Purge | None:
    if not looked.count:
        return None
    done = Watched(looked.org_id, held=looked.held)
    with acting_for_all(owners) as session:
        proof = Purge(
            org_id=looked.org_id,
            made_by=run.made_by,
            reason=run.reason,
            started_at=run.at,
            left_as={HELD: {SESSIONS: looked.held}} if looked.held else {},
            ids_sha256=done.ids_sha256,
        )
        session.add(proof)
        session.flush()
        proof_id = proof.id
        ids = session.scalars(sa.select(SafetySession.id).where(_any_due(session, looked.org_id, run.at))).all()
    for batch in itertools.batched(sorted(ids), BATCH):
        with acting_for_all(owners) as session:
            _take(session, done, batch, run.at)
            _prove(session, proof_id, done)
    with acting_for_all(owners) as session:
        proof = _prove(session, proof_id, done)
        proof.finished_at = run.at
    return proof


def _take(session: Session, done: Watched, ids: Sequence[uuid.UUID], now: dt.datetime) -> None:
    """Of these what is due still. Under lock: a call for help takes an ended session up again, or waits."""
    positions, sessions = _due(session, done.org_id, now)
    chosen = sa.select(SafetySession).where(SafetySession.id.in_(ids), ~_held()).order_by(SafetySession.id)
    gone = session.scalars(chosen.where(sessions).with_for_update()).all()
    for row in gone:
        done.chain(f"session {row.id} {row.last_hash.hex()}")
    left = session.scalars(chosen.where(positions, ~sessions).with_for_update()).all()
    for row in left:
        done.chain(f"position {row.id}")
        row.last_lat = row.last_lon = row.last_located_at = row.last_accuracy_m = row.expected = None
        row.version += 1
    session.flush()
    done.positions += len(left)
    done.sessions += len(gone)
    done.rows += purge_sessions(session, [row.id for row in gone])


def _prove(session: Session, proof_id: uuid.UUID, done: Watched) -> Purge:
    proof = session.get_one(Purge, proof_id)
    proof.records, proof.rows, proof.ids_sha256 = done.count, dict(sorted(done.rows.items())), done.ids_sha256
    return proof


def _look(session: Session, org_id: uuid.UUID, now: dt.datetime) -> Watched:
    positions, sessions = _due(session, org_id, now)
    held = _held()
    counted = sa.select(
        sa.func.count().filter(positions, ~sessions, ~held),
        sa.func.count().filter(sessions, ~held),
        sa.func.count().filter(sa.or_(positions, sessions), held),
    ).select_from(SafetySession)
    return Watched(org_id, *session.execute(counted.where(SafetySession.org_id == org_id)).one())


def _organisations(session: Session) -> Sequence[uuid.UUID]:
    return session.scalars(sa.select(SafetySession.org_id).distinct().order_by(SafetySession.org_id)).all()


def _any_due(session: Session, org_id: uuid.UUID, now: dt.datetime) -> sa.ColumnElement[bool]:
    return sa.and_(sa.or_(*_due(session, org_id, now)), ~_held())


def _due(
    session: Session, org_id: uuid.UUID, now: dt.datetime
) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    """Whether the last position of a session is due, and whether it is itself."""
    rules = rules_of_all(session).get(org_id, USUAL)
    keep = dt.timedelta(days=rules.sessions_days)
    if session.scalar(sa.select(Organisation.canary).where(Organisation.id == org_id)):
        keep = CANARY_FOR
    over = sa.and_(SafetySession.org_id == org_id, SafetySession.state.in_(OVER))
    knows = sa.or_(SafetySession.last_lat.is_not(None), SafetySession.expected.is_not(None))
    positions = sa.and_(over, knows, SafetySession.ended_at < now - dt.timedelta(days=rules.positions_days))
    # A drill is counted for longer than any two of a kind may lie apart.
    kept = sa.case((SafetySession.drill.is_(None), keep), else_=max(keep, REMEMBERED))
    return positions, sa.and_(over, SafetySession.ended_at < now - kept)


def _held() -> sa.ColumnElement[bool]:
    """An incident of this session, at its visit, or of which its place alone is told, waits for its review; or the
    debtor it was about is on hold."""
    # Two levels below the session's own row, it is that row only where this is said.
    of_it = sa.select(SafetyAlert.id).where(SafetyAlert.session_id == SafetySession.id).correlate(SafetySession)
    its_place = sa.select(Visit.place_id).where(Visit.id == SafetySession.visit_id).correlate(SafetySession)
    # What another organisation wrote of the place is not this one's to review.
    of_the_place = sa.and_(
        SafetyIncident.org_id == SafetySession.org_id,
        SafetyIncident.place_id == its_place.scalar_subquery(),
        SafetyIncident.visit_id.is_(None),
        SafetyIncident.alert_id.is_(None),
    )
    incident = sa.select(SafetyIncident.id).where(
        SafetyIncident.reviewed_at.is_(None),
        sa.or_(SafetyIncident.visit_id == SafetySession.visit_id, SafetyIncident.alert_id.in_(of_it), of_the_place),
    )
    hold = (
        sa.select(LegalHold.id)
        .join(Visit, Visit.debtor_id == LegalHold.debtor_id)
        .where(Visit.id == SafetySession.visit_id, LegalHold.released_at.is_(None))
    )
    return sa.or_(incident.exists(), hold.exists())
