"""Files that nothing belongs to any more: forgotten in the database first, then their bytes go from the store.

Whoever brings the same content at that moment has it kept: what refers to a file is asked under its lock, each time
anew. A statement that has waited for a lock still sees other tables as they were when it began.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.files import FileStore
from fieldvisit.models import Base, FileAccess, StoredFile

MOST_AT_ONCE = 500


def lock_files(session: Session, file_ids: Collection[uuid.UUID]) -> None:
    """Until the end of the transaction nobody begins to refer to them; the next statement sees who has."""
    rows = sa.select(StoredFile.id).where(StoredFile.id.in_(file_ids)).order_by(StoredFile.id)
    session.execute(rows.with_for_update())


def is_used() -> sa.ColumnElement[bool]:
    """Something refers to the file, besides the record of who saw it."""
    return sa.or_(*(sa.select(key.table.c.id).where(key == StoredFile.id).exists() for key in users_of_files()))


def users_of_files() -> Sequence[sa.Column[uuid.UUID]]:
    """Every column that refers to a file, read from the tables, so that one which is new some day is not forgotten."""
    files, log = (Base.metadata.tables[each.__tablename__] for each in (StoredFile, FileAccess))
    return [
        key.parent
        for table in Base.metadata.sorted_tables
        for key in sorted(table.foreign_keys, key=lambda key: key.parent.name)
        if key.column.table is files and table is not log
    ]


def let_go(session: Session, store: FileStore, *, now: dt.datetime, most: int = MOST_AT_ONCE) -> int:
    """Delete the bytes of files, of `most` at once, whose last owner was purged; of how many it was asked.

    One that something refers to all the same is remembered again, and keeps them. They are under lock while the store
    is asked, so the caller takes few at once. Raises FilesUnavailable.
    """
    due = StoredFile.forgotten_at.is_not(None), StoredFile.gone_at.is_(None)
    rows = sa.select(StoredFile).where(StoredFile.org_id == session.info["org"], *due).order_by(StoredFile.id)
    found = session.scalars(rows.limit(most).with_for_update(skip_locked=True)).all()
    wanted = sa.select(StoredFile.id).where(StoredFile.id.in_([row.id for row in found]), is_used())
    used = set(session.scalars(wanted)) if found else set()
    for row in found:
        if row.id in used:
            row.forgotten_at = None
        else:
            store.delete(row.org_id, row.digest)
            row.gone_at = now
    session.flush()
    return len(found)
