"""Who uses the product: organisations, their areas, their accounts."""

import datetime as dt
import uuid
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fieldvisit.models.base import Base, Owned, PrimaryKey, RecordedAt
from fieldvisit.models.compliance import PolicyVersion
from fieldvisit.sealing import Sealed
from fieldvisit.vocabulary import OrganisationKind, Role


class Organisation(Base):
    """A lender or an agency. Its row is readable by all, so that a placement can name the other side; nobody else's is
    writable, and the use cases list only an organisation's own partners."""

    __tablename__ = "organisations"
    visibility: ClassVar[str] = "organisation"

    id: Mapped[PrimaryKey]
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    kind: Mapped[OrganisationKind]
    zone: Mapped[str]
    country: Mapped[str] = mapped_column(sa.String(2))
    policies: Mapped[list[str]] = mapped_column(server_default=sa.text("'{}'"))
    """Ids of the policy presets that apply to its visits; none means that nothing is permitted."""
    debtor_phone: Mapped[str | None]
    """The number a debtor may call about a visit."""
    emergency_number: Mapped[str] = mapped_column(server_default="112")
    created_at: Mapped[RecordedAt]
    canary: Mapped[bool] = mapped_column(server_default=sa.text("false"))
    """Nobody's: see `fieldvisit.safety.canary`."""

    own_policies: Mapped[list[PolicyVersion]] = relationship(
        lazy="selectin", viewonly=True, order_by="PolicyVersion.version"
    )
    """The policies it made itself, every version, withdrawn ones too."""

    __table_args__ = (
        sa.Index("uq_organisations_canary", "canary", unique=True, postgresql_where=sa.text("canary")),
        sa.CheckConstraint("code ~ '^[a-z0-9][a-z0-9-]{1,39}$'", name="code_is_a_slug"),
    )


class Area(Base, Owned):
    """Where a dispatcher plans: a circle around the office its crews may start from."""

    __tablename__ = "areas"

    id: Mapped[PrimaryKey]
    code: Mapped[str]
    name: Mapped[str]
    lat: Mapped[float]
    lon: Mapped[float]
    radius_m: Mapped[int]
    most_visits: Mapped[int | None]
    """Of a day."""

    __table_args__ = (
        sa.UniqueConstraint("org_id", "code"),
        sa.CheckConstraint("lat between -90 and 90 and lon between -180 and 180", name="on_earth"),
        sa.CheckConstraint("radius_m between 100 and 200000", name="radius_is_local"),
        sa.CheckConstraint("most_visits >= 0", name="most_visits"),
    )


class Account(Base, Owned):
    """A login. A visitor's account points at the visitor it belongs to."""

    __tablename__ = "accounts"

    id: Mapped[PrimaryKey]
    username: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    roles: Mapped[list[str]]
    visitor_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("visitors.id"))
    name: Mapped[str | None] = mapped_column(Sealed("accounts.name"))
    active: Mapped[bool] = mapped_column(server_default=sa.text("true"))
    created_at: Mapped[RecordedAt]

    __table_args__ = (
        sa.CheckConstraint(
            sa.text("roles <@ array['" + "','".join(role.value for role in Role) + "']::text[]"), name="roles_are_known"
        ),
        sa.CheckConstraint("cardinality(roles) > 0", name="has_a_role"),
    )


class RefreshToken(Base, Owned):
    """One link of a login's chain. One that is shown after its successor was is known to two: its whole family ends.
    `repeated_at`: when a phone that had been without signal last showed it again, and got the same successor."""

    __tablename__ = "refresh_tokens"

    id: Mapped[PrimaryKey]
    account_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    family_id: Mapped[uuid.UUID] = mapped_column(index=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    issued_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]
    repeated_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]
    device_id: Mapped[uuid.UUID | None]
    """The phone that logged in; null where none was named."""

    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["org_id", "device_id"], ["devices.org_id", "devices.id"], name="fk_refresh_tokens_device"
        ),
        sa.Index("ix_refresh_tokens_device_id", "device_id"),
    )
