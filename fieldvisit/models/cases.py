"""One overdue account, to whom it was given, what was paid on it."""

import datetime as dt
import uuid
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fieldvisit.models.base import Base, Owned, PlacedByCase, PrimaryKey, RecordedAt
from fieldvisit.models.debtors import Debtor
from fieldvisit.sealing import Sealed
from fieldvisit.vocabulary import CaseStage


class Case(Base, PlacedByCase):
    """Money in minor units of `currency`, as of `as_of_on`."""

    __tablename__ = "cases"
    visibility: ClassVar[str] = "placed_case"

    id: Mapped[PrimaryKey]
    external_id: Mapped[str]
    debtor_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("debtors.id"), index=True)
    product: Mapped[str]
    currency: Mapped[str] = mapped_column(sa.String(3))
    principal_minor: Mapped[int] = mapped_column(sa.BigInteger)
    interest_minor: Mapped[int] = mapped_column(sa.BigInteger)
    fees_minor: Mapped[int] = mapped_column(sa.BigInteger)
    total_minor: Mapped[int] = mapped_column(sa.BigInteger)
    as_of_on: Mapped[dt.date]
    due_on: Mapped[dt.date]
    days_past_due: Mapped[int]
    stage: Mapped[CaseStage]
    closed_on: Mapped[dt.date | None]
    """Since when it is closed; written by the database, whoever closes it, and empty again when it is opened."""
    last_activity_on: Mapped[dt.date | None]
    last_visit_on: Mapped[dt.date | None]
    """What retention counts from, as of when contacts of it were last purged; None: none were."""
    reason_for_arrears: Mapped[str | None] = mapped_column(Sealed("cases.reason_for_arrears"))
    created_at: Mapped[RecordedAt]
    updated_at: Mapped[RecordedAt] = mapped_column(onupdate=sa.text("fieldvisit_now()"))

    debtor: Mapped[Debtor] = relationship()

    __table_args__ = (
        sa.UniqueConstraint("org_id", "external_id"),
        sa.CheckConstraint("total_minor = principal_minor + interest_minor + fees_minor", name="total_adds_up"),
        sa.CheckConstraint("principal_minor >= 0 and interest_minor >= 0 and fees_minor >= 0", name="not_negative"),
        sa.CheckConstraint("days_past_due >= 0", name="days_past_due_not_negative"),
    )


class Placement(Base, Owned):
    """A lender gives a case to an agency, from a day, until a day or until it is called back."""

    __tablename__ = "placements"
    visibility: ClassVar[str] = "placement"

    id: Mapped[PrimaryKey]
    case_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("cases.id"), index=True)
    agency_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("organisations.id"))
    debtor_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("debtors.id"), index=True)
    from_on: Mapped[dt.date]
    until_on: Mapped[dt.date | None]
    created_at: Mapped[RecordedAt]

    __table_args__ = (
        sa.CheckConstraint("from_on <= until_on", name="dates_in_order"),
        sa.UniqueConstraint("case_id", "agency_id", "from_on"),
        sa.Index("ix_placements_agency", "agency_id", "from_on", "until_on"),
    )


class Payment(Base, PlacedByCase):
    __tablename__ = "payments"

    id: Mapped[PrimaryKey]
    external_id: Mapped[str]
    case_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("cases.id"), index=True)
    amount_minor: Mapped[int] = mapped_column(sa.BigInteger)
    currency: Mapped[str] = mapped_column(sa.String(3))
    paid_on: Mapped[dt.date]
    made_by_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("organisations.id"))
    """Whose id it is under: of the lender, or of an agency that had the case. None: it is not known any more."""
    created_at: Mapped[RecordedAt]

    __table_args__ = (
        sa.UniqueConstraint("org_id", "made_by_id", "external_id", postgresql_nulls_not_distinct=True),
        sa.CheckConstraint("amount_minor > 0", name="positive"),
    )
