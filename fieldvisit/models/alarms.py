"""Whom an alarm calls, how, and every message that was put out for it."""

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fieldvisit.models.base import Base, Owned, PrimaryKey, RecordedAt
from fieldvisit.models.organisations import Account
from fieldvisit.sealing import Sealed
from fieldvisit.vocabulary import AlarmChannel, DutyRank, MessagePurpose, MessageRecipient, MessageState


class DutyShift(Base, Owned):
    """When an account answers alarms, and in which place on the ladder."""

    __tablename__ = "duty_shifts"

    id: Mapped[PrimaryKey]
    account_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"))
    rank: Mapped[DutyRank]
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime]
    created_at: Mapped[RecordedAt]

    offered_to_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("accounts.id", ondelete="SET NULL"))
    """Who has been asked to take it over; until they do it is its owner's."""
    declined_by_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("accounts.id", ondelete="SET NULL"))
    """Who said no last: told again, that is the same no."""
    taken_from_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("accounts.id", ondelete="SET NULL"))

    account: Mapped[Account] = relationship(foreign_keys=account_id)

    __table_args__ = (
        sa.Index("ix_duty_shifts_org_id_ends_at", "org_id", "ends_at"),
        sa.CheckConstraint("starts_at < ends_at", name="times_in_order"),
    )


class OfficerContact(Base, Owned):
    """Where an account is reached. `confirmed_at`: a test message was last shown to have arrived."""

    __tablename__ = "officer_contacts"

    id: Mapped[PrimaryKey]
    account_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    channel: Mapped[AlarmChannel]
    address: Mapped[str] = mapped_column(Sealed("officer_contacts.address"))
    language: Mapped[str] = mapped_column(server_default="en")
    active: Mapped[bool] = mapped_column(server_default=sa.text("true"))
    tested_at: Mapped[dt.datetime | None]
    confirmed_at: Mapped[dt.datetime | None]
    created_at: Mapped[RecordedAt]

    account: Mapped[Account] = relationship()


class OutboxMessage(Base, Owned):
    """One message to one address of one person, from the transaction that made it necessary until it is known to have
    arrived or is no longer needed. Waiting for something is `next_try_at`; being sent just now is a live lease."""

    __tablename__ = "safety_outbox"

    id: Mapped[PrimaryKey]
    key: Mapped[str] = mapped_column(unique=True)
    """Why there is this message: for one cause never two."""
    purpose: Mapped[MessagePurpose]
    session_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("safety_sessions.id"))
    alert_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("safety_alerts.id"), index=True)
    outage_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("watch_outages.id"))
    """Of a message about all alerts of an outage at once; it has no alert of its own."""
    step: Mapped[int] = mapped_column(server_default="0")
    round: Mapped[int] = mapped_column(server_default="0")
    recipient: Mapped[MessageRecipient]
    recipient_id: Mapped[uuid.UUID]
    """An officer's contact, a visitor, a phone, or (outside service) the organisation."""
    channel: Mapped[AlarmChannel]
    urgency: Mapped[int] = mapped_column(sa.SmallInteger, server_default="0")
    state: Mapped[MessageState] = mapped_column(server_default="queued")
    attempts: Mapped[int] = mapped_column(server_default="0")
    next_try_at: Mapped[dt.datetime | None]
    give_up_at: Mapped[dt.datetime | None]
    """Empty for an alarm: that is never given up while it is open."""
    lease: Mapped[uuid.UUID | None]
    lease_until: Mapped[dt.datetime | None]
    provider: Mapped[str | None]
    """Who was tried last."""
    accepted_by: Mapped[str | None]
    """Who accepted it last; others may have been tried since, and failed."""
    provider_id: Mapped[str | None]
    error: Mapped[str | None]
    created_at: Mapped[dt.datetime]
    figures: Mapped[dict[str, Any] | None]
    """What it tells that stands nowhere else."""
    sent_at: Mapped[dt.datetime | None]
    """When a provider first accepted it."""
    delivered_at: Mapped[dt.datetime | None]
    answered_at: Mapped[dt.datetime | None]

    __table_args__ = (
        sa.Index(
            "ix_safety_outbox_waiting", "channel", "next_try_at", postgresql_where=sa.text("next_try_at is not null")
        ),
        sa.Index("ix_safety_outbox_outage_id", "outage_id", postgresql_where=sa.text("outage_id is not null")),
        sa.CheckConstraint("(lease is null) = (lease_until is null)", name="lease_is_whole"),
        sa.CheckConstraint("state <> 'queued' or next_try_at is not null", name="queued_is_tried"),
    )


class VisitorPin(Base, Owned):
    """The PIN that ends a session, and the one that seems to: keyed digests, so that neither can be read anywhere."""

    __tablename__ = "visitor_pins"

    visitor_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visitors.id"), primary_key=True)
    pin: Mapped[bytes]
    duress_pin: Mapped[bytes]
    set_at: Mapped[dt.datetime]
    wrong: Mapped[int] = mapped_column(server_default="0")
    """Wrong PINs in a row, none more than a minute after the one before."""
    wrong_since_at: Mapped[dt.datetime | None]
    """When the last of them was given."""


class CoverOverride(Base, Owned):
    """A supervisor let one visitor start although no officer could be reached: who, why, and for which session."""

    __tablename__ = "cover_overrides"

    id: Mapped[PrimaryKey]
    visitor_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visitors.id"), index=True)
    by_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("accounts.id"))
    reason: Mapped[str] = mapped_column(Sealed("cover_overrides.reason"))
    made_at: Mapped[dt.datetime]
    session_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("safety_sessions.id"))
