"""The people who go out: visitors, their shifts and their credentials."""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fieldvisit.models.base import FETCHED_LATER, Base, Json, Owned, PrimaryKey, RecordedAt
from fieldvisit.sealing import Sealed
from fieldvisit.vocabulary import Channel, CheckMoment, CredentialKind, CrewSource, NoticeState, ReminderRecipient


class Visitor(Base, Owned):
    __tablename__ = "visitors"

    id: Mapped[PrimaryKey]
    external_id: Mapped[str]
    name: Mapped[str] = mapped_column(Sealed("visitors.name"))
    staff_number: Mapped[str]
    phone: Mapped[str | None] = mapped_column(Sealed("visitors.phone"))
    skills: Mapped[list[str]] = mapped_column(server_default=sa.text("'{}'"))
    languages: Mapped[list[str]] = mapped_column(server_default=sa.text("'{}'"))
    home_address: Mapped[str | None] = mapped_column(Sealed("visitors.home_address"))
    home_lat: Mapped[float | None]
    home_lon: Mapped[float | None]
    active: Mapped[bool] = mapped_column(server_default=sa.text("true"))
    photo_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("stored_files.id"))
    created_at: Mapped[RecordedAt]

    credentials: Mapped[list["Credential"]] = relationship(order_by="Credential.valid_until", viewonly=True)

    __table_args__ = (
        sa.UniqueConstraint("org_id", "external_id"),
        sa.CheckConstraint("(home_lat is null) = (home_lon is null)", name="home_is_whole"),
        sa.CheckConstraint("home_lat between -90 and 90 and home_lon between -180 and 180", name="home_on_earth"),
    )


class Credential(Base, Owned):
    """Valid on local dates, both included. `for_org_id` or `for_case_id` narrow what it authorises."""

    __tablename__ = "credentials"

    id: Mapped[PrimaryKey]
    external_id: Mapped[str]
    visitor_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visitors.id"), index=True)
    kind: Mapped[CredentialKind]
    number: Mapped[str] = mapped_column(Sealed("credentials.number"))
    issuer: Mapped[str]
    valid_from: Mapped[dt.date]
    valid_until: Mapped[dt.date]
    for_org_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("organisations.id"))
    for_case_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("cases.id"), index=True)
    revoked_at: Mapped[dt.datetime | None]
    file_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("stored_files.id"))
    """The scanned paper."""
    renews_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("credentials.id"), unique=True)
    """The paper whose next term this is."""
    created_at: Mapped[RecordedAt]

    __table_args__ = (
        sa.UniqueConstraint("org_id", "external_id"),
        sa.CheckConstraint("valid_from <= valid_until", name="dates_in_order"),
    )


class CredentialReminder(Base, Owned):
    """A paper is due in so many days, and nothing follows on it yet: each step once, to each recipient.

    It is its own message: waiting for a provider is `next_try_at`, being sent just now is a live lease.
    """

    __tablename__ = "credential_reminders"

    id: Mapped[PrimaryKey]
    credential_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("credentials.id"))
    visitor_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visitors.id"))
    due_on: Mapped[dt.date]
    days_before: Mapped[int]
    recipient: Mapped[ReminderRecipient]
    raised_at: Mapped[dt.datetime]
    seen_at: Mapped[dt.datetime | None]
    seen_by_id: Mapped[uuid.UUID | None]
    channel: Mapped[Channel | None]
    """None where no address was on file."""
    language: Mapped[str] = mapped_column(server_default="en")
    state: Mapped[NoticeState] = mapped_column(server_default="queued")
    reason: Mapped[str | None]
    """Why it is dead or withdrawn: a code."""
    attempts: Mapped[int] = mapped_column(server_default="0")
    next_try_at: Mapped[dt.datetime | None]
    lease: Mapped[uuid.UUID | None]
    lease_until: Mapped[dt.datetime | None]
    provider: Mapped[str | None]
    provider_id: Mapped[str | None]
    error: Mapped[str | None]
    sent_at: Mapped[dt.datetime | None]
    delivered_at: Mapped[dt.datetime | None]

    __table_args__ = (
        sa.UniqueConstraint("credential_id", "due_on", "days_before", "recipient", name="uq_credential_reminders_once"),
        sa.Index("ix_credential_reminders_org_id_raised_at", "org_id", "raised_at"),
        sa.Index(
            "ix_credential_reminders_waiting",
            "channel",
            "next_try_at",
            postgresql_where=sa.text("next_try_at is not null"),
        ),
        sa.CheckConstraint("(lease is null) = (lease_until is null)", name="lease_is_whole"),
        sa.CheckConstraint("state not in ('sent', 'delivered') or sent_at is not null", name="sent_has_a_time"),
        sa.CheckConstraint("next_try_at is null or state in ('queued', 'sent')", name="settled_is_not_tried"),
        sa.CheckConstraint("next_try_at is null or channel is not null", name="tried_has_a_way"),
    )


class CredentialCheck(Base, Owned):
    """A judged moment: did this visitor's papers hold, for this visit, then? `faults` names what was wrong."""

    __tablename__ = "credential_checks"
    __mapper_args__ = FETCHED_LATER

    id: Mapped[PrimaryKey]
    visitor_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visitors.id"), index=True)
    visit_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("visits.id"), index=True)
    moment: Mapped[CheckMoment]
    at: Mapped[dt.datetime]
    passed: Mapped[bool]
    credential_ids: Mapped[list[uuid.UUID]]
    faults: Mapped[Json]
    recorded_at: Mapped[RecordedAt]


class Shift(Base, Owned):
    """When a visitor works on one day, in which crew, from where. `crew_by`: who named the crew, if anybody."""

    __tablename__ = "shifts"

    id: Mapped[PrimaryKey]
    visitor_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visitors.id"))
    works_on: Mapped[dt.date]
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime]
    crew_code: Mapped[str | None]
    crew_by: Mapped[CrewSource | None]
    lead: Mapped[bool]
    from_office: Mapped[bool]
    break_from_at: Mapped[dt.datetime | None]
    break_until_at: Mapped[dt.datetime | None]
    break_s: Mapped[int | None]
    created_at: Mapped[RecordedAt]

    visitor: Mapped[Visitor] = relationship()

    __table_args__ = (
        sa.UniqueConstraint("visitor_id", "works_on"),
        sa.Index("ix_shifts_org_id_works_on", "org_id", "works_on"),
        sa.CheckConstraint("starts_at < ends_at", name="times_in_order"),
        sa.CheckConstraint("(crew_code is null) = (crew_by is null)", name="crew_is_whole"),
        sa.CheckConstraint(
            "(break_s is null) = (break_from_at is null) and (break_s is null) = (break_until_at is null)",
            name="break_is_whole",
        ),
        sa.CheckConstraint("break_s > 0 and break_from_at < break_until_at", name="break_in_order"),
    )
