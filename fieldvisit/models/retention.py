"""What was purged, as the proof of it; and what a debtor asked for about their own data."""

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fieldvisit.models.base import Base, Json, Owned, PlacedByDebtor, PrimaryKey, RecordedAt
from fieldvisit.sealing import Sealed
from fieldvisit.vocabulary import DebtorRequestKind, DebtorRequestState


class Purge(Base, Owned):
    """One run over the cases of one lender. Written by the owner of the tables, in the transaction of what it tells of:
    a run that was killed has no end, and counts what it did until then."""

    __tablename__ = "purges"

    id: Mapped[PrimaryKey]
    made_by: Mapped[str]
    """Who ran it, in words: an operator at a shell has no account."""
    reason: Mapped[str]
    started_at: Mapped[dt.datetime]
    finished_at: Mapped[dt.datetime | None]
    policies: Mapped[list[Any]] = mapped_column(server_default=sa.text("'[]'::jsonb"))
    """Ids and versions of every policy that decided."""
    records: Mapped[Json]
    """How many of each kind went: attempts, visits, cases, debtors."""
    rows: Mapped[Json]
    """How many rows of each table went."""
    left_as: Mapped[Json]
    """How many were looked at and stayed, by why; `undone`: cases that had to go and could not be taken."""
    ids_sha256: Mapped[str]
    """Over the ids of all that went, in their order: a chain, so that a list of them can be held against it."""


class DebtorRequest(Base, PlacedByDebtor):
    """A debtor wants to know what is kept, wants it corrected, or wants it gone."""

    __tablename__ = "debtor_requests"

    id: Mapped[PrimaryKey]
    # No foreign key: that it was asked and done is kept when the debtor is gone, with the id alone.
    debtor_id: Mapped[uuid.UUID]
    kind: Mapped[DebtorRequestKind]
    state: Mapped[DebtorRequestState] = mapped_column(server_default="open")
    words: Mapped[str | None] = mapped_column(Sealed("debtor_requests.words"))
    """What was asked, as it was asked."""
    received_at: Mapped[dt.datetime]
    recorded_by_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("accounts.id"))
    answered_at: Mapped[dt.datetime | None]
    answered_by_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("accounts.id"))
    answer: Mapped[str | None] = mapped_column(Sealed("debtor_requests.answer"))
    """What was done, or the reason, with its clause, why not. Gone with the debtor, as the words are."""
    created_at: Mapped[RecordedAt]

    __table_args__ = (
        sa.CheckConstraint("(state = 'open') = (answered_at is null)", name="answered_has_a_time"),
        sa.Index("ix_debtor_requests_debtor_id", "debtor_id"),
        sa.Index("ix_debtor_requests_org_id_state", "org_id", "state"),
    )
