"""Evidence that phones send: photos, sound, pictures that move, signatures. Sent in parts, kept whole, unchanged."""

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fieldvisit.models.base import Base, Owned, RecordedAt, Shared
from fieldvisit.sealing import SealedBytes
from fieldvisit.vocabulary import EvidenceKind, EvidenceState


class Evidence(Base, Shared):
    """One file of one visit. Once it is accepted the database refuses every change of it."""

    __tablename__ = "evidence"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    """The phone's: the same again is the same file."""
    visit_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visits.id"), index=True)
    visitor_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visitors.id"))
    kind: Mapped[EvidenceKind]
    captured_at: Mapped[dt.datetime]
    """By the phone's clock, when it was taken."""
    by_camera: Mapped[bool]
    """Whether the app took it itself; false: it was chosen from what lay on the phone."""
    size_bytes: Mapped[int] = mapped_column(sa.BigInteger)
    stated_sha256: Mapped[str | None]
    received_bytes: Mapped[int] = mapped_column(sa.BigInteger, server_default="0")
    state: Mapped[EvidenceState] = mapped_column(server_default="uploading")
    refused_for: Mapped[str | None]
    """The code of what was wrong with the content."""
    sha256: Mapped[str | None]
    file_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("stored_files.id"), index=True)
    camera_notes: Mapped[dict[str, Any] | None]
    """What the camera wrote into a photo: `taken_at`, `lat`, `lon` where it did, and the `metres` from the place."""
    flaws: Mapped[list[str]]
    accepted_at: Mapped[dt.datetime | None]
    created_at: Mapped[RecordedAt]

    __table_args__ = (
        sa.Index("ix_evidence_unfinished", "visitor_id", postgresql_where=sa.text("state = 'uploading'")),
        sa.CheckConstraint("size_bytes > 0 and received_bytes between 0 and size_bytes", name="sizes_make_sense"),
        sa.CheckConstraint("(state = 'accepted') = (file_id is not null)", name="accepted_is_kept"),
        sa.CheckConstraint("(state = 'accepted') = (accepted_at is not null)", name="accepted_when_it_is"),
        sa.CheckConstraint("(state = 'refused') = (refused_for is not null)", name="refused_for_a_reason"),
    )


class EvidencePart(Base, Owned):
    """Bytes of a file that is not whole yet, from `begin` on. Gone once it is whole."""

    __tablename__ = "evidence_parts"

    evidence_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("evidence.id"), primary_key=True)
    begin: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    content: Mapped[bytes] = mapped_column(SealedBytes("evidence_parts.content"))
