"""What phones told and what could not be taken yet: kept in full, and seen by the visitor and by the office."""

import datetime as dt
import re
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fieldvisit.models.base import Base, Json, Owned, RecordedAt
from fieldvisit.sealing import Sealed
from fieldvisit.vocabulary import HeldState, WaitsFor


class Device(Base, Owned):
    """A phone, under an id of its own making. One account at a time logs in with it, of whatever organisation."""

    __tablename__ = "devices"

    org_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("organisations.id"), primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    account_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    visitor_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("visitors.id"), index=True)
    name: Mapped[str]
    app_version: Mapped[str]
    registered_at: Mapped[dt.datetime]
    last_seen_at: Mapped[dt.datetime]
    clock_drift_s: Mapped[int | None]
    """How far its clock was behind ours when it last said what it shows, as the quickest sending of the hour says."""
    clock_drift_at: Mapped[dt.datetime | None]
    """When that one came."""
    battery_percent: Mapped[int | None]
    revoked_at: Mapped[dt.datetime | None]
    revoked_by_id: Mapped[uuid.UUID | None]
    revoked_reason: Mapped[str | None]
    push_token: Mapped[str | None] = mapped_column(Sealed("devices.push_token"))
    """Where a push service reaches the app on it."""
    push_digest: Mapped[bytes | None]
    """By which a token is found that is on another phone's row still."""
    push_language: Mapped[str] = mapped_column(server_default="en")
    wiped_at: Mapped[dt.datetime | None]
    """When it last said, being revoked, that nothing of ours is on it any more."""
    account_since: Mapped[dt.datetime] = mapped_column(server_default=sa.text("fieldvisit_now()"))
    """Since when it is this account's."""
    handed_on_at: Mapped[dt.datetime | None]
    """When somebody of another organisation logged in with it, and nobody of this one has since."""
    wipe_due: Mapped[bool] = mapped_column(server_default=sa.false())
    """Somebody else's data may be on it: this account has not said that none is."""

    @property
    def has_to_wipe(self) -> bool:
        """Whether data may be on it that is not to be there: of one that was revoked all, until it says that it is
        gone."""
        return self.wipe_due or (self.revoked_at is not None and self.wiped_at is None)

    __table_args__ = (
        sa.Index("ix_devices_id", "id"),
        sa.Index(
            "uq_devices_push_digest",
            "org_id",
            "push_digest",
            unique=True,
            postgresql_where=sa.text("push_digest is not null"),
        ),
        sa.CheckConstraint("(push_token is null) = (push_digest is null)", name="push_token_is_found"),
        sa.CheckConstraint("push_token is null or revoked_at is null", name="revoked_is_pushed_nothing"),
    )


class HeldEvent(Base, Owned):
    """One event of a phone that waits for another, or was refused. The row stays when it is settled, and says how.

    The lender of its visit may read it, as what is kept of its debtor: that is a policy of its own in the database."""

    __tablename__ = "held_events"

    org_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("organisations.id"), primary_key=True)
    event_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    visitor_id: Mapped[uuid.UUID]
    account_id: Mapped[uuid.UUID | None]
    subject_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    """The visit or the safety session it tells of, as the phone says: there may be none."""
    visit_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    """The visit that its text names, where its visitor was told to go there, whether or not the event was understood:
    whose data it is. Without a foreign key, for nobody who writes one down waits for the visit."""
    lender_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("organisations.id"))
    kind: Mapped[str]
    body: Mapped[str] = mapped_column(Sealed("held_events.body"))
    """The event as it was sent, in JSON."""
    state: Mapped[HeldState]
    waits_for: Mapped[WaitsFor | None]
    code: Mapped[str | None]
    """Why it was refused; the code of the error."""
    details: Mapped[Json]
    device_at: Mapped[dt.datetime | None]
    sent_at: Mapped[dt.datetime | None]
    recorded_at: Mapped[RecordedAt]
    settled_at: Mapped[dt.datetime | None]
    settled_by_id: Mapped[uuid.UUID | None]
    reason: Mapped[str | None]
    """Why a person dismissed it."""

    @property
    def body_without_pin(self) -> str:
        """The event as a person may read it."""
        return re.sub(r'("pin"\s*:\s*)"[^"]*"?', r'\1"***"', self.body)

    __table_args__ = (
        sa.Index("ix_held_events_org_id_recorded_at", "org_id", "recorded_at"),
        sa.Index(
            "ix_held_events_open",
            "org_id",
            "visitor_id",
            postgresql_where=sa.text("state in ('waiting', 'refused')"),
        ),
        sa.Index("ix_held_events_waiting", "subject_id", postgresql_where=sa.text("state = 'waiting'")),
        sa.CheckConstraint("(visit_id is null) = (lender_id is null)", name="visit_has_a_lender"),
        sa.CheckConstraint("(state = 'waiting') <= (waits_for is not null)", name="waits_for_something"),
        sa.CheckConstraint("(state in ('taken', 'dismissed')) = (settled_at is not null)", name="settled_has_a_time"),
    )
