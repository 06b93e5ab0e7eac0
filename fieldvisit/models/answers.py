"""Answers that were given under a key of the caller's, kept so that asking again gets the same one."""

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fieldvisit.models.base import Base, Owned, RecordedAt
from fieldvisit.sealing import Sealed


class KeptAnswer(Base, Owned):
    """What one account asked under one key, and the answer it got. Without a status it is being worked on: such a row
    is seen by nobody but the transaction that works on it."""

    __tablename__ = "kept_answers"

    account_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_digest: Mapped[bytes]
    """Of the method, the address, the body and the headers of its protocol: the same key with another request is
    refused. Under the data key: some bodies hold passwords."""
    status: Mapped[int | None]
    media: Mapped[str | None]
    body: Mapped[str | None] = mapped_column(Sealed("kept_answers.body"))
    headers: Mapped[str | None] = mapped_column(Sealed("kept_answers.headers"))
    """As JSON, those by which a caller goes on. None in an answer that was kept before they were."""
    recorded_at: Mapped[RecordedAt]

    __table_args__ = (sa.Index("ix_kept_answers_org_id_recorded_at", "org_id", "recorded_at"),)
