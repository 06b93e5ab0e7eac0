"""What compliance keeps: an organisation's own policies, reserved slots of caps, overrides, holds, and re-judgings."""

import datetime as dt
import uuid
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fieldvisit.models.base import Base, Json, Owned, PlacedByDebtor, PrimaryKey, RecordedAt, Shared
from fieldvisit.sealing import Sealed
from fieldvisit.vocabulary import AgencyReviewKind, RejudgingState, Role


class PolicyVersion(Base, Owned):
    """One version of a policy that an organisation made itself. Everybody may read it: it binds an agency that goes for
    its lender. Never changed but for its end."""

    __tablename__ = "policy_versions"
    visibility: ClassVar[str] = "read_by_all"

    id: Mapped[PrimaryKey]
    policy_id: Mapped[str]
    version: Mapped[int]
    text: Mapped[str]
    """As it was given, in TOML; its dates are those of the columns below."""
    effective_from: Mapped[dt.date]
    effective_to: Mapped[dt.date | None]
    made_by_id: Mapped[uuid.UUID | None]
    created_at: Mapped[RecordedAt]
    withdrawn_at: Mapped[dt.datetime | None]
    """When it was rolled back; from then on it applies to no visit."""

    __table_args__ = (
        sa.UniqueConstraint("org_id", "policy_id", "version"),
        sa.CheckConstraint("effective_from <= effective_to", name="dates_in_order"),
        sa.CheckConstraint("version >= 1", name="version_counts_from_one"),
    )


class AgencyReview(Base, Owned):
    """A lender looked at an agency that works for it. The agency sees it too. Never changed but for its withdrawal."""

    __tablename__ = "agency_reviews"
    visibility: ClassVar[str] = "placement"

    id: Mapped[PrimaryKey]
    agency_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("organisations.id"))
    kind: Mapped[AgencyReviewKind]
    reviewed_on: Mapped[dt.date]
    next_due_on: Mapped[dt.date | None]
    reference: Mapped[str | None]
    """Under what the lender keeps its report."""
    recorded_by_id: Mapped[uuid.UUID | None]
    recorded_at: Mapped[RecordedAt]
    withdrawn_at: Mapped[dt.datetime | None]
    """When it was taken back as a mistake; from then on it counts for nothing."""

    __table_args__ = (
        sa.Index("ix_agency_reviews_of", "org_id", "agency_id", "reviewed_on"),
        sa.CheckConstraint("next_due_on > reviewed_on", name="dates_in_order"),
        sa.CheckConstraint("agency_id <> org_id", name="of_another"),
    )


class CapSlot(Base, Shared):
    """A slot that a visit holds under one cap, with everything the database needs to count by itself.

    A trigger refuses a row for which the cap has no room, one debtor at a time; another takes the rows away when the
    visit goes back, moves to another day, is cancelled or reported.
    """

    __tablename__ = "cap_slots"

    visit_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visits.id"), primary_key=True)
    clause_id: Mapped[str] = mapped_column(primary_key=True)
    debtor_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("debtors.id"), index=True)
    on_day: Mapped[dt.date]
    zone: Mapped[str]
    """On whose clock the days are counted."""
    case_id: Mapped[uuid.UUID | None]
    """The one case that counts; None: all of the debtor."""
    place_id: Mapped[uuid.UUID | None]
    """The one place that counts; None: all."""
    channels: Mapped[list[str]]
    results: Mapped[list[str]]
    """What counts of attempts: these results."""
    notices: Mapped[bool] = mapped_column(server_default=sa.true())
    """Whether notices count beside attempts."""
    period: Mapped[str]
    days: Mapped[int]
    """The length of a rolling period, in local dates."""
    week_starts: Mapped[int]
    """0 for Monday."""
    most: Mapped[int]
    min_gap_days: Mapped[int]
    created_at: Mapped[RecordedAt]

    __table_args__ = (sa.CheckConstraint("most >= 1 and days >= 1 and min_gap_days >= 0", name="sizes_make_sense"),)


class Override(Base, Shared):
    """Somebody let a visit go beyond one clause, for one day, and says why."""

    __tablename__ = "overrides"

    id: Mapped[PrimaryKey]
    visit_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visits.id"), index=True)
    clause_id: Mapped[str]
    policy_version: Mapped[int]
    decision_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("decisions.id"), index=True)
    """The decision that needed it."""
    role: Mapped[Role]
    on_day: Mapped[dt.date]
    reason: Mapped[str] = mapped_column(Sealed("overrides.reason"))
    asked_by_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("accounts.id"))
    asked_at: Mapped[dt.datetime]
    needs_second: Mapped[bool]
    confirmed_by_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("accounts.id"))
    confirmed_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]

    __table_args__ = (
        sa.UniqueConstraint("visit_id", "clause_id", "on_day"),
        sa.CheckConstraint("confirmed_by_id <> asked_by_id", name="second_person_is_another"),
        sa.CheckConstraint("(confirmed_by_id is null) = (confirmed_at is null)", name="confirmed_by_somebody"),
    )


class LegalHold(Base, PlacedByDebtor):
    """An order that nothing of a debtor, or of one case, may be purged. Released, never deleted."""

    __tablename__ = "legal_holds"

    id: Mapped[PrimaryKey]
    debtor_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("debtors.id"), index=True)
    case_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("cases.id"), index=True)
    reason: Mapped[str] = mapped_column(Sealed("legal_holds.reason"))
    placed_by_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("accounts.id"))
    placed_at: Mapped[dt.datetime]
    released_by_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("accounts.id"))
    released_at: Mapped[dt.datetime | None]


class Rejudging(Base, Owned):
    """One run over the visits ahead after something changed, and how far it is."""

    __tablename__ = "rejudgings"

    id: Mapped[PrimaryKey]
    reason: Mapped[str]
    subject: Mapped[str | None]
    """The id of what changed; None: everything is looked at."""
    state: Mapped[RejudgingState] = mapped_column(server_default="waiting")
    total: Mapped[int] = mapped_column(server_default="0")
    done: Mapped[int] = mapped_column(server_default="0")
    cancelled: Mapped[int] = mapped_column(server_default="0")
    taken_back: Mapped[int] = mapped_column(server_default="0")
    flagged: Mapped[int] = mapped_column(server_default="0")
    asked_at: Mapped[RecordedAt]
    finished_at: Mapped[dt.datetime | None]
    detail: Mapped[Json]

    def note(self, counts: dict[str, Any]) -> None:
        """Add what one batch did."""
        for name, count in counts.items():
            setattr(self, name, getattr(self, name) + count)
