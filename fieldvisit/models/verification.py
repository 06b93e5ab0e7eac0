"""How a debtor checks who stands at the door: the codes that were given out, and each time that one was looked up."""

import datetime as dt
import uuid
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fieldvisit.models.base import Base, Owned, PrimaryKey, RecordedAt
from fieldvisit.models.organisations import Organisation
from fieldvisit.models.people import Visitor
from fieldvisit.models.visits import Visit
from fieldvisit.vocabulary import LookupResult


class VerificationCode(Base, Owned):
    """One visitor, at one visit, on one phone, for one day. What confirms it is its signature, made over this row."""

    __tablename__ = "verification_codes"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    visit_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visits.id"), index=True)
    visitor_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visitors.id"))
    device_id: Mapped[uuid.UUID | None]
    account_id: Mapped[uuid.UUID]
    issued_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]

    visit: Mapped[Visit] = relationship()
    visitor: Mapped[Visitor] = relationship()
    organisation: Mapped[Organisation] = relationship()


class VerificationLookup(Base):
    """Somebody opened the page behind a code. Append-only.

    `org_id` None: nobody's code, which is nobody's but the operator's to see. `address` is a keyed hash of the
    network that it came from, another one each day: enough to see that one network tries many codes, too little to
    find anybody by.
    """

    __tablename__ = "verification_lookups"
    visibility: ClassVar[str] = "owned"

    id: Mapped[PrimaryKey]
    org_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("organisations.id"))
    code_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("verification_codes.id"), index=True)
    visit_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("visits.id"), index=True)
    visitor_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("visitors.id"))
    result: Mapped[LookupResult]
    reason: Mapped[str | None]
    """Why a code was withdrawn: a code of `fieldvisit.verifying.Withdrawn`."""
    address: Mapped[str]
    at: Mapped[dt.datetime]
    recorded_at: Mapped[RecordedAt]

    __table_args__ = (sa.Index("ix_verification_lookups_org_id_at", "org_id", "at"),)
