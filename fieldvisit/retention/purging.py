"""Taking rows away, with everything that hangs on them.

What hangs on a row is read from the tables' own foreign keys, so that a table which is new some day is not forgotten.
Runs as the owner of the tables: the application may not delete what is append-only.
"""

import uuid
from collections import Counter
from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.forgotten_files import is_used, lock_files
from fieldvisit.models import (
    Base,
    ContactAttempt,
    ContactAttemptKey,
    DebtorAccess,
    DebtorRequest,
    Evidence,
    HeldEvent,
    StoredFile,
)
from fieldvisit.retention.files import CaseFile

# A record of the staff's own safety stays, and forgets at whose door it was.
FORGETS = {
    # The books of the house balance without saying at whose door the money was taken.
    ("receipts", "visit_id"): ("visit_id",),
    ("safety_sessions", "visit_id"): ("visit_id", "last_lat", "last_lon", "last_located_at", "last_accuracy_m"),
    ("safety_incidents", "visit_id"): ("visit_id",),
    ("safety_incidents", "place_id"): ("place_id",),
    ("safety_incidents", "debtor_id"): ("debtor_id",),
    ("safety_incidents", "alert_id"): ("alert_id",),
    # The next term of a paper stays where it is of no case, or of another.
    ("credentials", "renews_id"): ("renews_id",),
}
# What refers to a row without a foreign key: parent table → (table, column).
_HELD = Base.metadata.tables[HeldEvent.__tablename__]
LOOSE = {"visits": ((_HELD, "subject_id"), (_HELD, "visit_id")), "safety_sessions": ((_HELD, "subject_id"),)}


def purge_visits(session: Session, visit_ids: Collection[uuid.UUID]) -> Counter[str]:
    """The visits with their reports, decisions, history and everything else; how many rows of each table went."""
    return _purge(session, Base.metadata.tables["visits"], visit_ids)


def purge_sessions(session: Session, session_ids: Collection[uuid.UUID]) -> Counter[str]:
    """Safety sessions with their record, their alerts and messages; incidents stay, and forget the alert."""
    return _purge(session, Base.metadata.tables["safety_sessions"], session_ids)


def purge_attempts(
    session: Session, lender_id: uuid.UUID, file: CaseFile, attempt_ids: Collection[uuid.UUID]
) -> Counter[str]:
    """Contact attempts of a case, and the outside ids under which they came."""
    key, attempt = ContactAttemptKey, ContactAttempt
    # Owner and debtor are what the index of each month is by.
    whose = (attempt.org_id == lender_id, attempt.debtor_id == file.debtor_id)
    gone = {
        key.__tablename__: sa.delete(key).where(key.case_id == file.case_id, key.attempt_id.in_(attempt_ids)),
        attempt.__tablename__: sa.delete(attempt).where(*whose, attempt.id.in_(attempt_ids)),
    }
    return +Counter({name: _rows(session, statement) for name, statement in gone.items()}) if attempt_ids else Counter()


def purge_case(session: Session, case_id: uuid.UUID) -> Counter[str]:
    """What is left of a case whose contacts are gone."""
    return _purge(session, Base.metadata.tables["cases"], [case_id])


def purge_debtor(session: Session, lender_id: uuid.UUID, debtor_id: uuid.UUID) -> Counter[str]:
    """The debtor of no case any more: name, numbers, places, wishes, consents, blocks, released holds.

    That they asked, and who looked, is kept with the ids alone: the words go.
    """
    asked, looked = DebtorRequest, DebtorAccess
    session.execute(sa.update(asked).where(asked.debtor_id == debtor_id).values(words=None, answer=None))
    whose = (looked.lender_id == lender_id, looked.debtor_id == debtor_id)
    session.execute(sa.update(looked).where(*whose).values(reason=None))
    return _purge(session, Base.metadata.tables["debtors"], [debtor_id])


def _purge(session: Session, table: sa.Table, ids: Collection[uuid.UUID]) -> Counter[str]:
    gone: Counter[str] = Counter()
    if not ids:
        return gone
    files = _files_of(session, ids) if table.name == "visits" else set()
    for child, column in children_of(table):
        gone += _purge_child(session, child, column, ids)
    for column in own_references(table):
        _purge_child(session, table, column, ids)
    for child, name in LOOSE.get(table.name, ()):
        gone[child.name] += _rows(session, sa.delete(child).where(child.c[name].in_(ids)))
    gone[table.name] += _rows(session, sa.delete(table).where(table.c.id.in_(ids)))
    _forget(session, files)
    return +gone


def _files_of(session: Session, visit_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    found = sa.select(Evidence.file_id).where(Evidence.visit_id.in_(visit_ids))
    return {file_id for file_id in session.scalars(found) if file_id is not None}


def _forget(session: Session, file_ids: Collection[uuid.UUID]) -> None:
    """Say of files that nothing belongs to any more that their bytes are to go: the worker lets them go
    (`fieldvisit.forgotten_files.let_go`), for the store is not of this transaction."""
    if file_ids:
        lock_files(session, file_ids)
        nobodys = sa.update(StoredFile).where(StoredFile.id.in_(file_ids), sa.not_(is_used()))
        session.execute(nobodys.values(forgotten_at=sa.func.fieldvisit_now()))


def _purge_child(
    session: Session, child: sa.Table, column: sa.Column[uuid.UUID], ids: Collection[uuid.UUID]
) -> Counter[str]:
    forgets = FORGETS.get((child.name, column.name))
    if forgets is not None:
        session.execute(sa.update(child).where(column.in_(ids)).values(dict.fromkeys(forgets)))
        return Counter()
    if not children_of(child):
        return Counter({child.name: _rows(session, sa.delete(child).where(column.in_(ids)))})
    return _purge(session, child, session.scalars(sa.select(child.c.id).where(column.in_(ids))).all())


def children_of(table: sa.Table) -> list[tuple[sa.Table, sa.Column[uuid.UUID]]]:
    """The tables with a foreign key to this one: those that others hang on first, each with its column."""
    found = [
        (child, key.parent)
        for child in Base.metadata.sorted_tables
        for key in sorted(child.foreign_keys, key=lambda key: key.parent.name)
        if key.column.table is table and child is not table
    ]
    return list(reversed(found))


def own_references(table: sa.Table) -> list[sa.Column[uuid.UUID]]:
    """The columns by which a row that stays may refer to one of its own table that goes. Such a row forgets it."""
    own = (key.parent for key in table.foreign_keys if key.column.table is table)
    return sorted((each for each in own if (table.name, each.name) in FORGETS), key=lambda column: column.name)


def _rows(session: Session, statement: sa.Delete) -> int:
    return int(session.execute(statement).rowcount)  # type: ignore[attr-defined]  # of a statement that deletes
