"""The person who owes: how to reach them, where they are, what they wish."""

import datetime as dt
import uuid
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fieldvisit.models.base import Base, PlacedByDebtor, PrimaryKey, RecordedAt
from fieldvisit.sealing import Sealed
from fieldvisit.vocabulary import ContactPointKind, DebtorParty, PlaceKind, PointSource


class Debtor(Base, PlacedByDebtor):
    __tablename__ = "debtors"
    visibility: ClassVar[str] = "placed_debtor"

    id: Mapped[PrimaryKey]
    external_id: Mapped[str]
    party: Mapped[DebtorParty] = mapped_column(server_default="borrower")
    name: Mapped[str] = mapped_column(Sealed("debtors.name"))
    national_id: Mapped[str | None] = mapped_column(Sealed("debtors.national_id"))
    language: Mapped[str | None]
    created_at: Mapped[RecordedAt]

    __table_args__ = (sa.UniqueConstraint("org_id", "external_id"),)


class ContactPoint(Base, PlacedByDebtor):
    """A number or an address to write to. `digest` finds it again without opening it."""

    __tablename__ = "contact_points"

    id: Mapped[PrimaryKey]
    debtor_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("debtors.id"))
    kind: Mapped[ContactPointKind]
    value: Mapped[str] = mapped_column(Sealed("contact_points.value"))
    digest: Mapped[bytes]
    created_at: Mapped[RecordedAt]

    __table_args__ = (sa.UniqueConstraint("debtor_id", "digest"),)


class Place(Base, PlacedByDebtor):
    """Where a debtor may be met. The point is WGS-84, or absent with the reason in `found_by`."""

    __tablename__ = "places"

    id: Mapped[PrimaryKey]
    debtor_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("debtors.id"))
    kind: Mapped[PlaceKind] = mapped_column(server_default="home")
    address: Mapped[str] = mapped_column(Sealed("places.address"))
    digest: Mapped[bytes]
    lat: Mapped[float | None]
    lon: Mapped[float | None]
    found_by: Mapped[PointSource]
    found_note: Mapped[str | None]
    """Which geocoder found it, or from which datum it was converted."""
    zone: Mapped[str]
    country: Mapped[str] = mapped_column(sa.String(2))
    region: Mapped[str | None]
    """ISO 3166-2, such as US-MA; None: not known, and then the policies of every region of the country apply."""
    geofence_m: Mapped[int | None]
    """How far from the point one still is at the place: more for a farm than for a flat. None: as usual."""
    created_at: Mapped[RecordedAt]

    __table_args__ = (
        sa.CheckConstraint("geofence_m between 20 and 5000", name="geofence_makes_sense"),
        sa.UniqueConstraint("debtor_id", "digest"),
        sa.CheckConstraint("(lat is null) = (lon is null)", name="point_is_whole"),
        sa.CheckConstraint("lat between -90 and 90 and lon between -180 and 180", name="on_earth"),
        sa.CheckConstraint("(found_by = 'none') = (lat is null)", name="point_says_how_it_was_found"),
    )


class Wish(Base, PlacedByDebtor):
    """A time the debtor stated: never then, or only then. Local wall-clock times, half-open, of those days."""

    __tablename__ = "wishes"

    id: Mapped[PrimaryKey]
    debtor_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("debtors.id"), index=True)
    only: Mapped[bool]
    days: Mapped[list[str]]
    from_time: Mapped[dt.time]
    until_time: Mapped[dt.time]
    starts_on: Mapped[dt.date | None]
    ends_on: Mapped[dt.date | None]
    note: Mapped[str | None] = mapped_column(Sealed("wishes.note"))
    origin: Mapped[str]
    stated_at: Mapped[dt.datetime]
    created_at: Mapped[RecordedAt]

    __table_args__ = (
        sa.CheckConstraint("from_time < until_time", name="times_in_order"),
        sa.CheckConstraint("starts_on <= ends_on", name="dates_in_order"),
        sa.CheckConstraint("days <@ array['mon','tue','wed','thu','fri','sat','sun']", name="days_are_known"),
        sa.CheckConstraint("cardinality(days) > 0", name="has_a_day"),
        sa.UniqueConstraint("debtor_id", "only", "days", "from_time", "until_time"),
    )


class Consent(Base, PlacedByDebtor):
    """What the debtor agreed to, in which form, until it is revoked. A bound that is None does not bind."""

    __tablename__ = "consents"

    id: Mapped[PrimaryKey]
    debtor_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("debtors.id"), index=True)
    purpose: Mapped[str]
    form: Mapped[str]
    given_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]
    external_id: Mapped[str | None]
    about: Mapped[str] = mapped_column(server_default="visits")
    place_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("places.id"), index=True)
    visit_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("visits.id"), index=True)
    contents: Mapped[list[str]] = mapped_column(server_default=sa.text("'{}'"))
    """What the debtor was told when agreeing to one visit: purpose, date, time."""
    days: Mapped[list[str]] = mapped_column(server_default=sa.text("'{}'"))
    from_time: Mapped[dt.time | None]
    until_time: Mapped[dt.time | None]
    starts_on: Mapped[dt.date | None]
    ends_on: Mapped[dt.date | None]
    recorded_by_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("accounts.id"))
    origin: Mapped[str] = mapped_column(server_default="api")
    created_at: Mapped[RecordedAt]

    __table_args__ = (
        sa.UniqueConstraint("org_id", "external_id"),
        sa.CheckConstraint("about in ('visits', 'recording')", name="about_is_known"),
        sa.CheckConstraint("form in ('any', 'written', 'separate_document')", name="form_is_known"),
        sa.CheckConstraint("(from_time is null) = (until_time is null)", name="times_are_whole"),
        sa.CheckConstraint("starts_on <= ends_on", name="dates_in_order"),
    )
