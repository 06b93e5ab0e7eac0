"""Repayment plans: what was proposed, who decided on it, and what a house lets whom approve."""

import datetime as dt
import uuid
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fieldvisit.models.base import Base, Owned, PrimaryKey, RecordedAt, Shared
from fieldvisit.vocabulary import PaymentMethod, RepaymentState

if TYPE_CHECKING:
    from fieldvisit.models.organisations import Organisation
    from fieldvisit.models.reports import Promise


class RepaymentPlan(Base, Shared):
    """Its terms never change: another plan is another row. Its instalments become promises when it is approved."""

    __tablename__ = "repayment_plans"

    id: Mapped[PrimaryKey]
    case_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("cases.id"), index=True)
    report_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("visit_reports.id"), index=True)
    """The report that it was made in at a door; null for one that the office made."""
    proposed_by_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("accounts.id"))
    proposed_at: Mapped[dt.datetime]
    currency: Mapped[str] = mapped_column(sa.String(3))
    method: Mapped[PaymentMethod]
    instalments: Mapped[list[Any]]
    """In order of their days: `amount_minor` and `due_on` of each."""
    total_minor: Mapped[int] = mapped_column(sa.BigInteger)
    grace_days: Mapped[int]
    state: Mapped[RepaymentState] = mapped_column(server_default="proposed")
    decided_by_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("accounts.id"))
    decided_at: Mapped[dt.datetime | None]
    reason: Mapped[str | None]
    """Why it was refused or withdrawn."""
    broken_after: Mapped[int | None]
    """With how many missed instalments it is broken, as the house had it when the plan was approved."""
    replaced_at: Mapped[dt.datetime | None]
    """When another plan of the case was approved: from then on money counts for that one, and this stands as it did."""
    block_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("contact_blocks.id"), index=True)
    """Nobody is visited while the plan runs."""
    recorded_at: Mapped[RecordedAt]

    running: Mapped[list["Promise"]] = relationship(order_by="Promise.due_on", viewonly=True)
    """Its instalments as they are settled; none before it is approved."""
    house: Mapped["Organisation"] = relationship(
        primaryjoin="foreign(RepaymentPlan.org_id) == Organisation.id", viewonly=True
    )
    own_rules: Mapped["RepaymentRules | None"] = relationship(
        primaryjoin="foreign(RepaymentPlan.org_id) == RepaymentRules.org_id", viewonly=True
    )
    lender_rules: Mapped["RepaymentRules | None"] = relationship(
        primaryjoin="foreign(RepaymentPlan.lender_id) == RepaymentRules.org_id", viewonly=True
    )

    __table_args__ = (
        sa.CheckConstraint("total_minor > 0", name="positive"),
        sa.CheckConstraint("grace_days between 0 and 31", name="grace_makes_sense"),
        sa.CheckConstraint("(state = 'proposed') = (decided_at is null)", name="decided_when_it_is"),
        sa.CheckConstraint("(state in ('refused', 'withdrawn')) = (reason is not null)", name="ended_for_a_reason"),
        sa.Index("uq_repayment_plans_running", "case_id", unique=True, postgresql_where=sa.text("state = 'running'")),
    )


class RepaymentRules(Base, Owned):
    """What a house lets whom approve; without a row the usual holds. An agency reads its lender's: they bind it."""

    __tablename__ = "repayment_rules"
    visibility: ClassVar[str] = "read_by_all"

    org_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("organisations.id"), primary_key=True)
    limits: Mapped[dict[str, Any]]
    """By role: `most_instalments`, `most_days`, `most_grace_days`, `most_minor`."""
    broken_after: Mapped[int]
    updated_at: Mapped[RecordedAt]

    __table_args__ = (sa.CheckConstraint("broken_after between 1 and 12", name="breaks_some_day"),)
