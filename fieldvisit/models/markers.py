"""What was dangerous before: incidents, the markers that rest on them, and who has read those."""

import datetime as dt
import uuid
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, MappedSQLExpression, column_property, mapped_column

from fieldvisit.clock import database_now
from fieldvisit.models.base import Base, Owned, PrimaryKey
from fieldvisit.sealing import Sealed
from fieldvisit.vocabulary import IncidentKind, MarkerKind, RiskLevel


class SafetyIncident(Base, Owned):
    """Something that happened to a visitor. Until somebody has reviewed it, nobody goes to that place."""

    __tablename__ = "safety_incidents"

    id: Mapped[PrimaryKey]
    kind: Mapped[IncidentKind]
    happened_at: Mapped[dt.datetime]
    account: Mapped[str] = mapped_column(Sealed("safety_incidents.account"))
    """What happened, in the words of who reports it."""
    place_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("places.id"))
    debtor_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("debtors.id"), index=True)
    visit_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("visits.id"), index=True)
    alert_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("safety_alerts.id"))
    reported_by_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("accounts.id"))
    reported_at: Mapped[dt.datetime]
    reviewed_by_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("accounts.id"))
    reviewed_at: Mapped[dt.datetime | None]
    review: Mapped[str | None] = mapped_column(Sealed("safety_incidents.review"))

    __table_args__ = (
        sa.Index("ix_safety_incidents_place_id", "place_id", "reviewed_at"),
        sa.Index("ix_safety_incidents_unreviewed", "place_id", postgresql_where=sa.text("reviewed_at is null")),
        sa.Index("ix_safety_incidents_org_id_reported_at", "org_id", "reported_at"),
        sa.CheckConstraint(
            "(reviewed_at is null) = (review is null) and (reviewed_at is null) = (reviewed_by_id is null)",
            name="review_is_whole",
        ),
    )


class Marker(Base, Owned):
    """A fact about danger at a place or in a person. It counts once a second person has approved it, and until it
    expires, also where its review is overdue; then it is shown as expired and gates nothing."""

    __tablename__ = "markers"

    id: Mapped[PrimaryKey]
    incident_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("safety_incidents.id"))
    """What it rests on: without an incident there is no marker."""
    place_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("places.id"), index=True)
    debtor_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("debtors.id"), index=True)
    kind: Mapped[MarkerKind]
    level: Mapped[RiskLevel]
    """The level of every session there: raised or high."""
    facts: Mapped[str] = mapped_column(Sealed("markers.facts"))
    placed_by_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("accounts.id"))
    placed_at: Mapped[dt.datetime]
    approved_by_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("accounts.id"))
    approved_at: Mapped[dt.datetime | None]
    told_on: Mapped[dt.date | None]
    """When the person was told of it."""
    untold_reason: Mapped[str | None] = mapped_column(Sealed("markers.untold_reason"))
    review_on: Mapped[dt.date]
    expires_on: Mapped[dt.date]
    withdrawn_by_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("accounts.id"))
    withdrawn_at: Mapped[dt.datetime | None]
    reviewed_by_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("accounts.id"))
    reviewed_at: Mapped[dt.datetime | None]
    """Of the last review; `review` is what it found."""
    review: Mapped[str | None] = mapped_column(Sealed("markers.review"))
    review_due: ClassVar[MappedSQLExpression[bool]]
    """It was approved and not withdrawn, and the day of its review, in UTC, has passed."""

    __table_args__ = (
        sa.CheckConstraint("reviewed_by_id <> placed_by_id", name="reviewed_by_another"),
        sa.CheckConstraint(
            "(reviewed_at is null) = (review is null) and (reviewed_at is null) = (reviewed_by_id is null)",
            name="review_is_whole",
        ),
        sa.CheckConstraint("place_id is not null or debtor_id is not null", name="is_about_something"),
        sa.CheckConstraint("level in ('raised', 'high')", name="makes_it_more_dangerous"),
        sa.CheckConstraint("approved_by_id <> placed_by_id", name="second_person_is_another"),
        sa.CheckConstraint("(approved_by_id is null) = (approved_at is null)", name="approved_by_somebody"),
        # Asked on every turn of an engine, of all there are.
        sa.Index("ix_markers_approved_at", "approved_at"),
        sa.CheckConstraint("(told_on is null) <> (untold_reason is null)", name="told_or_why_not"),
        sa.CheckConstraint("review_on <= expires_on", name="reviewed_before_it_expires"),
    )


Marker.review_due = column_property(
    sa.and_(
        Marker.approved_at.is_not(None),
        Marker.withdrawn_at.is_(None),
        Marker.review_on < sa.cast(sa.func.timezone("UTC", database_now()), sa.Date),
    ).label("review_due")
)


class MarkerRead(Base, Owned):
    """Somebody looked at a marker; `confirmed`: a visitor said that they have read it, before the door."""

    __tablename__ = "marker_reads"

    id: Mapped[PrimaryKey]
    marker_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("markers.id"))
    account_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("accounts.id"))
    visitor_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("visitors.id"))
    confirmed: Mapped[bool]
    at: Mapped[dt.datetime]

    __table_args__ = (sa.Index("ix_marker_reads_marker_id_visitor_id", "marker_id", "visitor_id", "at"),)
