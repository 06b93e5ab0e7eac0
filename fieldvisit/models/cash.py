"""Money that was taken at doors: numbered receipts, the blocks of numbers that phones hold, what was handed in, and the
days that were closed."""

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fieldvisit.models.base import Base, Owned, PrimaryKey, RecordedAt
from fieldvisit.vocabulary import DepositState, DepositWay, ReceiptState


class ReceiptBlock(Base, Owned):
    """Numbers that one visitor's phone may give out without asking, `first_number` to `last_number`. No two of a house
    have a number in common, and none is left out between them."""

    __tablename__ = "receipt_blocks"

    id: Mapped[PrimaryKey]
    visitor_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visitors.id"), index=True)
    device_id: Mapped[uuid.UUID | None]
    first_number: Mapped[int] = mapped_column(sa.BigInteger)
    last_number: Mapped[int] = mapped_column(sa.BigInteger)
    issued_at: Mapped[dt.datetime]
    closed_at: Mapped[dt.datetime | None]
    """From then on none of its numbers may be given out; those that were not are void."""
    closed_by_id: Mapped[uuid.UUID | None]
    close_reason: Mapped[str | None]

    __table_args__ = (
        sa.UniqueConstraint("org_id", "first_number"),
        sa.CheckConstraint("first_number > 0 and last_number >= first_number", name="holds_numbers"),
        sa.CheckConstraint("(closed_at is null) = (close_reason is null)", name="closed_for_a_reason"),
    )


class Receipt(Base, Owned):
    """Money that changed hands, or a number that was spoilt. Written once; what is wrong with it is flagged."""

    __tablename__ = "receipts"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    """The phone's, of the event that told of it."""
    number: Mapped[int | None] = mapped_column(sa.BigInteger)
    """Null where what was told is no number that this visitor may give out, or was given out before."""
    stated: Mapped[str | None]
    state: Mapped[ReceiptState]
    visitor_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visitors.id"), index=True)
    visit_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("visits.id"), index=True)
    amount_minor: Mapped[int] = mapped_column(sa.BigInteger)
    currency: Mapped[str | None] = mapped_column(sa.String(3))
    taken_at: Mapped[dt.datetime]
    booked_on: Mapped[dt.date]
    """The day it counts for: its own, or the day it was heard of where that was closed."""
    flaws: Mapped[list[str]]
    same_money: Mapped[uuid.UUID | None]
    """The same for all who tell of one receipt, of one amount at one visit: a digest, for the visit is forgotten."""
    reason: Mapped[str | None]
    """Why the number was spoilt."""
    recorded_at: Mapped[RecordedAt]

    __table_args__ = (
        sa.UniqueConstraint("org_id", "number"),
        sa.Index("ix_receipts_day", "org_id", "booked_on"),
        sa.CheckConstraint("(state = 'void') = (amount_minor = 0)", name="void_is_no_money"),
        sa.CheckConstraint("(state = 'void') = (reason is not null)", name="void_for_a_reason"),
        sa.CheckConstraint("(amount_minor > 0) = (currency is not null)", name="money_has_a_currency"),
        sa.CheckConstraint("state <> 'void' or number is not null", name="void_is_a_number"),
    )


class CashDeposit(Base, Owned):
    """Money that a visitor says to have handed in; somebody else counts it."""

    __tablename__ = "cash_deposits"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    visitor_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visitors.id"), index=True)
    amount_minor: Mapped[int] = mapped_column(sa.BigInteger)
    currency: Mapped[str] = mapped_column(sa.String(3))
    way: Mapped[DepositWay]
    reference: Mapped[str | None]
    deposited_at: Mapped[dt.datetime]
    state: Mapped[DepositState] = mapped_column(server_default="stated")
    counted_minor: Mapped[int | None] = mapped_column(sa.BigInteger)
    """What was found; only this leaves the visitor's hand."""
    booked_on: Mapped[dt.date | None]
    decided_by_id: Mapped[uuid.UUID | None]
    decided_at: Mapped[dt.datetime | None]
    reason: Mapped[str | None]
    recorded_at: Mapped[RecordedAt]

    __table_args__ = (
        sa.CheckConstraint("amount_minor > 0", name="positive"),
        sa.CheckConstraint("counted_minor >= 0", name="counted"),
        sa.CheckConstraint("(state = 'stated') = (decided_at is null)", name="decided_when_it_is"),
        sa.CheckConstraint("(state = 'confirmed') = (counted_minor is not null)", name="confirmed_is_counted"),
        sa.CheckConstraint("(state = 'confirmed') = (booked_on is not null)", name="confirmed_is_booked"),
        sa.CheckConstraint("(state = 'refused') = (reason is not null)", name="refused_for_a_reason"),
    )


class CashClosing(Base, Owned):
    """A day whose money was reconciled. What is heard of it later counts for the day it is heard on."""

    __tablename__ = "cash_closings"

    org_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("organisations.id"), primary_key=True)
    closed_on: Mapped[dt.date] = mapped_column(primary_key=True)
    content: Mapped[dict[str, Any]]
    """The day as it stood, as `fieldvisit.cash_days` tells it."""
    faults: Mapped[list[str]]
    reason: Mapped[str | None]
    closed_by_id: Mapped[uuid.UUID]
    closed_at: Mapped[dt.datetime]

    __table_args__ = (sa.CheckConstraint("faults = '{}' or reason is not null", name="faults_are_explained"),)
