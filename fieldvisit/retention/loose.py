"""What belongs to no case and goes all the same: scans that another took the place of, look-ups of codes that were
nobody's, and what phones told of nothing that there is.

All are the house's own terms: no text speaks of them. What went of an organisation is proved like a case.
"""

import datetime as dt
import hashlib
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for_all
from fieldvisit.forgotten_files import is_used, lock_files
from fieldvisit.models import HeldEvent, Purge, SafetySession, StoredFile, VerificationLookup, Visit

REPLACED_FOR = dt.timedelta(days=30)
"""So long the scan that was replaced can still be asked for, by whoever replaced it by mistake."""
LOOKED_UP = dt.timedelta(days=90)
"""So long it can be seen that somebody tried codes."""
HELD_FOR = dt.timedelta(days=90)
"""So long somebody can look at what a phone told of no visit and no safety session that is known here."""
FILES, LOOKUPS, TOLD = StoredFile.__tablename__, VerificationLookup.__tablename__, HeldEvent.__tablename__


@dataclass(frozen=True)
class Loose:
    """What is due of one organisation; of nobody (None) look-ups alone."""

    org_id: uuid.UUID | None
    file_ids: tuple[uuid.UUID, ...]
    lookups: int
    told: int = 0
    """Held events."""

    @property
    def count(self) -> dict[str, int]:
        return _some(len(self.file_ids), self.lookups, self.told)


def look_for_loose(session: Session, *, now: dt.datetime) -> list[Loose]:
    """What a run would take. Nothing changes."""
    files: dict[uuid.UUID | None, list[uuid.UUID]] = {}
    due = sa.select(StoredFile.org_id, StoredFile.id).where(_unused(now)).order_by(StoredFile.id)
    for org_id, file_id in session.execute(due):
        files.setdefault(org_id, []).append(file_id)
    lookups = _counted(session, VerificationLookup.org_id, _old(now))
    told = _counted(session, HeldEvent.org_id, _of_nothing(now))
    ids = sorted({*files, *lookups, *told}, key=str)
    return [Loose(org_id, tuple(files.get(org_id, ())), lookups[org_id], told[org_id]) for org_id in ids]


def _counted(session: Session, org_id: Any, due: sa.ColumnElement[bool]) -> Counter[uuid.UUID | None]:
    rows = session.execute(sa.select(org_id, sa.func.count()).where(due).group_by(org_id))
    return Counter({row[0]: int(row[1]) for row in rows})


def purge_loose(
    owners: sessionmaker[Session], *, made_by: str, reason: str, clock: Callable[[], dt.datetime]
) -> list[tuple[Loose, Purge | None]]:
    """Take it away; with the proof of each organisation. `owners` makes sessions of the owner of the tables.

    A file is forgotten here; the worker takes its bytes from the store (`fieldvisit.forgotten_files.let_go`), and the
    row stays for the record of who had looked at it.
    """
    now = clock()
    with acting_for_all(owners) as session:
        found = look_for_loose(session, now=now)
    return [(loose, _purge(owners, loose, made_by=made_by, reason=reason, now=now)) for loose in found]


def _purge(owners: sessionmaker[Session], loose: Loose, *, made_by: str, reason: str, now: dt.datetime) -> Purge | None:
    with acting_for_all(owners) as session:
        # Under lock: whoever wants one of them again has it, or waits and takes it back.
        lock_files(session, loose.file_ids)
        due = sa.select(StoredFile).where(StoredFile.id.in_(loose.file_ids), _unused(now))
        files = session.scalars(due).all()
        for row in files:
            row.forgotten_at = now
        whose = VerificationLookup.org_id.is_not_distinct_from(loose.org_id)
        lookups = _delete(session, sa.delete(VerificationLookup).where(_old(now), whose))
        if loose.org_id is None:
            return None
        told = _delete(session, sa.delete(HeldEvent).where(_of_nothing(now), HeldEvent.org_id == loose.org_id))
        gone = _some(len(files), lookups, told)
        proof = Purge(
            org_id=loose.org_id,
            made_by=made_by,
            reason=reason,
            started_at=now,
            finished_at=now,
            records=gone,
            rows=gone,
            ids_sha256=_hash([row.id for row in files]),
        )
        session.add(proof)
        session.flush()
        return proof


def _some(files: int, lookups: int, told: int) -> dict[str, int]:
    return {name: count for name, count in ((FILES, files), (LOOKUPS, lookups), (TOLD, told)) if count}


def _delete(session: Session, statement: sa.Delete) -> int:
    return int(session.execute(statement).rowcount)  # type: ignore[attr-defined]  # of a statement that deletes


def _of_nothing(now: dt.datetime) -> sa.ColumnElement[bool]:
    """It goes with its visit or its session; what names none, or one that never was, goes by its own age."""
    kinds = (Visit, SafetySession)
    known = [sa.select(kind.id).where(kind.id == HeldEvent.subject_id).exists() for kind in kinds]
    return sa.and_(HeldEvent.recorded_at < now - HELD_FOR, HeldEvent.visit_id.is_(None), *(~each for each in known))


def _unused(now: dt.datetime) -> sa.ColumnElement[bool]:
    """Nothing refers to it but the record of who saw it, and that for long enough."""
    since = sa.func.coalesce(StoredFile.unused_since, StoredFile.created_at)
    return sa.and_(StoredFile.forgotten_at.is_(None), since < now - REPLACED_FOR, sa.not_(is_used()))


def _old(now: dt.datetime) -> sa.ColumnElement[bool]:
    """Of a visit, it goes with the visit."""
    return sa.and_(VerificationLookup.visit_id.is_(None), VerificationLookup.at < now - LOOKED_UP)


def _hash(ids: Sequence[uuid.UUID]) -> str:
    found = hashlib.sha256(b"").hexdigest()
    for each in sorted(ids):
        found = hashlib.sha256(f"{found}\nfile {each}".encode()).hexdigest()
    return found
