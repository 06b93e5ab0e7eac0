"""Files that belong to something: which they are, and who has looked at them. Their bytes are in the store."""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fieldvisit.models.base import Base, Owned, PrimaryKey, RecordedAt
from fieldvisit.vocabulary import FileKind


class StoredFile(Base, Owned):
    """One content of one organisation, known by its SHA-256; the same content twice is one row and one object."""

    __tablename__ = "stored_files"

    id: Mapped[PrimaryKey]
    digest: Mapped[str]
    kind: Mapped[FileKind]
    size_bytes: Mapped[int]
    created_at: Mapped[RecordedAt]
    forgotten_at: Mapped[dt.datetime | None]
    """When the last that it belonged to was purged: its bytes are to go."""
    gone_at: Mapped[dt.datetime | None]
    """When they went. The row stays, for the record of who had looked at it."""
    unused_since: Mapped[dt.datetime | None]
    """Another took its place; it is forgotten after a while (`fieldvisit.retention.loose`)."""

    __table_args__ = (
        sa.UniqueConstraint("org_id", "digest"),
        sa.Index(
            "ix_stored_files_to_forget",
            "org_id",
            postgresql_where=sa.text("forgotten_at is not null and gone_at is null"),
        ),
        sa.CheckConstraint("size_bytes > 0", name="holds_something"),
    )


class FileAccess(Base, Owned):
    """A file was handed out: when, and to which account the link had been given. Append-only."""

    __tablename__ = "file_accesses"

    id: Mapped[PrimaryKey]
    file_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("stored_files.id"), index=True)
    account_id: Mapped[uuid.UUID]
    at: Mapped[dt.datetime]
