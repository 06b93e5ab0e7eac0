"""What was tried, and what forbids trying: contact attempts and contact blocks."""

import datetime as dt
import uuid
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, MappedSQLExpression, column_property, mapped_column

from fieldvisit.models.base import (
    FETCHED_LATER,
    PARTITIONED,
    Base,
    PlacedByCase,
    PlacedByDebtor,
    PrimaryKey,
    RecordedAt,
)
from fieldvisit.sealing import Sealed
from fieldvisit.vocabulary import AttemptResult, BlockScope, BlockTrigger, Channel, ReachedDetail, WithdrawalReason


class ContactAttempt(Base, PlacedByCase):
    """One try to reach the debtor. Partitioned by month of `at`; never changed once recorded."""

    __tablename__ = "contact_attempts"
    __mapper_args__ = FETCHED_LATER

    id: Mapped[PrimaryKey]
    at: Mapped[dt.datetime] = mapped_column(primary_key=True)
    case_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("cases.id"), index=True)
    debtor_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("debtors.id"))
    contact_point_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("contact_points.id"), index=True)
    made_by_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("organisations.id"))
    """The organisation that tried; the row belongs to the owner of the case."""
    channel: Mapped[Channel]
    result: Mapped[AttemptResult]
    detail: Mapped[ReachedDetail | None]
    recorded_at: Mapped[RecordedAt]
    withdrawn: ClassVar[MappedSQLExpression[bool]]
    """Whether it counts for nothing: see `WithdrawnAttempt`."""

    __table_args__ = (
        sa.CheckConstraint("detail is null or result = 'reached'", name="detail_belongs_to_reached"),
        # A debtor first: whoever asks names both, and a debtor that goes is looked for by it alone.
        sa.Index("ix_contact_attempts_debtor_id_org_id_at", "debtor_id", "org_id", "at"),
        PARTITIONED,
    )


class WithdrawnAttempt(Base, PlacedByCase):
    """A contact attempt of a visit that was none, or another one: what was told late said so. It counts for nothing."""

    __tablename__ = "withdrawn_attempts"

    attempt_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    case_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("cases.id"), index=True)
    visit_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visits.id"), index=True)
    why: Mapped[WithdrawalReason]
    at: Mapped[dt.datetime]


ContactAttempt.withdrawn = column_property(
    sa.select(WithdrawnAttempt.attempt_id)
    .where(WithdrawnAttempt.attempt_id == ContactAttempt.id)
    .exists()
    .label("withdrawn")
)


class ContactAttemptKey(Base, PlacedByCase):
    """The outside id of an attempt: unique over all months, which no partitioned table can promise."""

    __tablename__ = "contact_attempt_keys"

    org_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("organisations.id"), primary_key=True)
    made_by_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("organisations.id"), primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    external_id: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("cases.id"))
    attempt_id: Mapped[uuid.UUID]
    attempt_at: Mapped[dt.datetime]

    __table_args__ = (sa.Index("ix_contact_attempt_keys_case_id", "case_id"),)


class ContactBlock(Base, PlacedByDebtor):
    """A reason not to contact, with what it stops and until when. Lifted, never deleted."""

    __tablename__ = "contact_blocks"

    id: Mapped[PrimaryKey]
    debtor_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("debtors.id"), index=True)
    case_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("cases.id"), index=True)
    """The one case it concerns; None: every case of the debtor."""
    external_id: Mapped[str | None]
    trigger: Mapped[BlockTrigger]
    scope: Mapped[BlockScope] = mapped_column(server_default="all")
    channel: Mapped[Channel | None]
    place_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("places.id"), index=True)
    note: Mapped[str | None] = mapped_column(Sealed("contact_blocks.note"))
    made_by_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("organisations.id"))
    """The organisation that filed it; the row belongs to the one that owns the debtor's cases."""
    filed_by_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("accounts.id"))
    since_at: Mapped[dt.datetime]
    until_at: Mapped[dt.datetime | None]
    form: Mapped[str] = mapped_column(server_default="any")
    """How it was stated: some texts ask for a written one."""
    evidence: Mapped[str | None]
    """What it rests on: the id of a letter, a report, a call."""
    renewals: Mapped[int] = mapped_column(server_default="0")
    lifted_at: Mapped[dt.datetime | None]
    lifted_by_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("accounts.id"))
    lift_reason: Mapped[str | None] = mapped_column(Sealed("contact_blocks.lift_reason"))
    created_at: Mapped[RecordedAt]

    __table_args__ = (
        sa.CheckConstraint("(scope = 'channel') = (channel is not null)", name="channel_is_named"),
        sa.CheckConstraint("(scope = 'place') = (place_id is not null)", name="place_is_named"),
        sa.CheckConstraint("since_at < until_at", name="times_in_order"),
        sa.CheckConstraint("form in ('any', 'written', 'separate_document')", name="form_is_known"),
        sa.CheckConstraint("renewals >= 0", name="renewals_are_counted"),
        sa.UniqueConstraint("org_id", "made_by_id", "external_id"),
    )
