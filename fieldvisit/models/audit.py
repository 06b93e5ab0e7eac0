"""Who did what, append-only; ids and codes only, never personal data."""

import datetime as dt
import uuid
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fieldvisit.models.base import PARTITIONED, Base, Json, Owned, PrimaryKey


class AuditEvent(Base, Owned):
    __tablename__ = "audit_events"

    id: Mapped[PrimaryKey]
    at: Mapped[dt.datetime] = mapped_column(primary_key=True, server_default=sa.text("fieldvisit_now()"))
    actor_id: Mapped[uuid.UUID | None]
    action: Mapped[str]
    subject: Mapped[str]
    subject_id: Mapped[uuid.UUID | None]
    request_id: Mapped[str | None]
    detail: Mapped[Json]

    __table_args__ = (sa.Index("ix_audit_events_org_id_at", "org_id", "at"), PARTITIONED)


class ClockShift(Base):
    """One row: how far the product's clock is ahead of the host's. Zero in production."""

    __tablename__ = "clock_shift"
    visibility: ClassVar[str] = "system"

    one: Mapped[bool] = mapped_column(primary_key=True, server_default=sa.text("true"))
    shift: Mapped[dt.timedelta] = mapped_column(sa.Interval, server_default=sa.text("interval '0'"))

    __table_args__ = (sa.CheckConstraint("one", name="one_row"),)
