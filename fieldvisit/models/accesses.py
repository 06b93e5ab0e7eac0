"""Who looked at a debtor's data, when and why."""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fieldvisit.models.base import PARTITIONED, Base, PrimaryKey, Shared
from fieldvisit.sealing import Sealed


class DebtorAccess(Base, Shared):
    """One debtor in one answer: `org_id` looked, `lender_id` owns the debtor's cases. Append-only, in monthly parts.

    No foreign key to the debtor: that somebody looked is kept when the debtor is gone, with the id alone.
    """

    __tablename__ = "debtor_accesses"

    id: Mapped[PrimaryKey]
    at: Mapped[dt.datetime] = mapped_column(primary_key=True, server_default=sa.text("fieldvisit_now()"))
    debtor_id: Mapped[uuid.UUID]
    account_id: Mapped[uuid.UUID]
    action: Mapped[str]
    """The operation that was asked: it says what was shown."""
    reason: Mapped[str | None] = mapped_column(Sealed("debtor_accesses.reason"))
    request_id: Mapped[str | None]

    __table_args__ = (
        sa.Index("ix_debtor_accesses_lender_id_debtor_id_at", "lender_id", "debtor_id", "at"),
        sa.Index("ix_debtor_accesses_org_id_at", "org_id", "at"),
        PARTITIONED,
    )
