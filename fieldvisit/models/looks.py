"""Who looked at where a visitor was."""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fieldvisit.models.base import Base, Owned
from fieldvisit.models.organisations import Account


class LocationLook(Base, Owned):
    """An account was shown the last position of a session, by one kind of request, in one span of ten minutes; `at` is
    the first time in it. A wall that is read every few seconds is one look in each span."""

    __tablename__ = "location_looks"

    session_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("safety_sessions.id"), primary_key=True)
    account_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    action: Mapped[str] = mapped_column(primary_key=True)
    """The operation that was asked: it says what was shown."""
    span: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    visitor_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visitors.id"))
    at: Mapped[dt.datetime]

    account: Mapped[Account | None] = relationship(
        primaryjoin="foreign(LocationLook.account_id) == Account.id", viewonly=True
    )

    @property
    def name(self) -> str | None:
        return self.account.name if self.account else None

    __table_args__ = (sa.Index("ix_location_looks_visitor_id_at", "visitor_id", "at"),)
