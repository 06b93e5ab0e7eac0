"""What a record of a visit has to hold beyond the report's answers: what was left, said, taken and recorded at the
door."""

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fieldvisit.models.base import Base, RecordedAt, Shared
from fieldvisit.sealing import Sealed
from fieldvisit.vocabulary import RecordingGap


class DoorRecord(Base, Shared):
    """One for each report that says more than its answers. Written with it, never changed."""

    __tablename__ = "door_records"

    report_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visit_reports.id"), primary_key=True)
    visit_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visits.id"), index=True)
    asked_to_leave_at: Mapped[dt.datetime | None]
    represented: Mapped[bool] = mapped_column(server_default=sa.text("false"))
    """The debtor said that somebody speaks for them, such as a lawyer or an adviser."""
    complaint: Mapped[str | None] = mapped_column(Sealed("door_records.complaint"))
    wishes: Mapped[str | None] = mapped_column(Sealed("door_records.wishes"))
    """Times and places that the debtor asked for, in words: the office records them as wishes."""
    spoken_to: Mapped[str | None] = mapped_column(Sealed("door_records.spoken_to"))
    """To whom else something was said, and what; never of the debt."""
    notes_left: Mapped[list[Any]] = mapped_column(server_default=sa.text("'[]'::jsonb"))
    """Each with `form`, `sealed` and, where one was taken, `photo_id`."""
    paid_minor: Mapped[int | None] = mapped_column(sa.BigInteger)
    paid_currency: Mapped[str | None] = mapped_column(sa.String(3))
    receipt_number: Mapped[str | None]
    recordings: Mapped[list[Any]] = mapped_column(server_default=sa.text("'[]'::jsonb"))
    """Each with `recording_id`, `kind`, `from_at`, `until_at` and `sha256`: the files are kept elsewhere."""
    recording_gap: Mapped[RecordingGap | None]
    """Why some of the visit, or all of it, was not recorded where it should have been."""
    recorded_at: Mapped[RecordedAt]

    __table_args__ = (
        sa.CheckConstraint("(paid_minor is null) = (paid_currency is null)", name="payment_is_whole"),
        sa.CheckConstraint("receipt_number is null or paid_minor is not null", name="receipt_is_of_a_payment"),
        sa.CheckConstraint("paid_minor > 0", name="paid_something"),
    )
