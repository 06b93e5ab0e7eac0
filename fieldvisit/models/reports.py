"""What happened at the door: one report a visit, amended by addition only, and the promises made."""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fieldvisit.models.base import Base, PrimaryKey, RecordedAt, Shared
from fieldvisit.models.door_records import DoorRecord
from fieldvisit.models.forms import FormVersion
from fieldvisit.models.repayments import RepaymentPlan
from fieldvisit.sealing import Sealed
from fieldvisit.vocabulary import (
    AbortReason,
    AdditionReason,
    ContactPointKind,
    NextStep,
    PaymentMethod,
    PromiseState,
    ProposalState,
    VisitOutcome,
)


class VisitReport(Base, Shared):
    """The id is the phone's, so that a report sent twice is one report."""

    __tablename__ = "visit_reports"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    visit_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visits.id"), index=True)
    visitor_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visitors.id"))
    outcome: Mapped[VisitOutcome]
    left_at: Mapped[dt.datetime]
    disclosed: Mapped[bool]
    """Whether the debt was spoken of; true only where an identity check was confirmed."""
    willing: Mapped[bool | None]
    able: Mapped[bool | None]
    reason_for_arrears: Mapped[str | None] = mapped_column(Sealed("visit_reports.reason_for_arrears"))
    hardship: Mapped[bool] = mapped_column(server_default=sa.text("false"))
    vulnerable: Mapped[bool] = mapped_column(server_default=sa.text("false"))
    disputed: Mapped[bool] = mapped_column(server_default=sa.text("false"))
    abort_reason: Mapped[AbortReason | None]
    note: Mapped[str | None] = mapped_column(Sealed("visit_reports.note"))
    next_step: Mapped[NextStep | None]
    form_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("form_versions.id"))
    answers: Mapped[str | None] = mapped_column(Sealed("visit_reports.answers"))
    """What was answered to the questions of that form, as JSON by their names."""
    after_cancellation: Mapped[bool] = mapped_column(server_default=sa.text("false"))
    """Whether the visit had been cancelled when the report came: what it tells happened all the same."""
    replaced_by_id: Mapped[uuid.UUID | None] = mapped_column(
        sa.ForeignKey("visit_reports.id", deferrable=True, initially="DEFERRED")
    )
    """The lead's report, which came after this one of another of the crew and is the report of the visit."""
    recorded_at: Mapped[RecordedAt]

    promises: Mapped[list["Promise"]] = relationship(order_by="Promise.due_on")
    additions: Mapped[list["ReportAddition"]] = relationship(order_by="ReportAddition.recorded_at")
    contact_changes: Mapped[list["ContactProposal"]] = relationship(order_by="ContactProposal.id")
    door: Mapped[DoorRecord | None] = relationship()
    plan: Mapped[RepaymentPlan | None] = relationship()
    form: Mapped[FormVersion | None] = relationship()

    __table_args__ = (
        sa.CheckConstraint("(form_id is null) = (answers is null)", name="answers_to_a_form"),
        sa.CheckConstraint("(outcome = 'aborted') = (abort_reason is not null)", name="aborted_for_a_reason"),
        # One report of a visit stands.
        sa.Index(
            "uq_visit_reports_standing", "visit_id", unique=True, postgresql_where=sa.text("replaced_by_id is null")
        ),
    )


class ReportAddition(Base, Shared):
    """A correction or another crew member's account. The first words stay."""

    __tablename__ = "report_additions"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    report_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visit_reports.id"), index=True)
    visitor_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("visitors.id"))
    account_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("accounts.id"))
    reason: Mapped[AdditionReason] = mapped_column(server_default="further")
    text: Mapped[str] = mapped_column(Sealed("report_additions.text"))
    recorded_at: Mapped[RecordedAt]


class ContactProposal(Base, Shared):
    """A new number or address that was heard at a door. It is nobody's until the office has looked at it."""

    __tablename__ = "contact_proposals"

    id: Mapped[PrimaryKey]
    report_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visit_reports.id"), index=True)
    visitor_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visitors.id"))
    """Who heard it: a crew mate of whoever reported, perhaps."""
    case_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("cases.id"), index=True)
    kind: Mapped[ContactPointKind]
    value: Mapped[str] = mapped_column(Sealed("contact_proposals.value"))
    state: Mapped[ProposalState] = mapped_column(server_default="proposed")
    decided_by_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("accounts.id"))
    decided_at: Mapped[dt.datetime | None]
    reason: Mapped[str | None]
    """Why it was refused."""
    recorded_at: Mapped[RecordedAt]

    __table_args__ = (
        sa.CheckConstraint("(state = 'proposed') = (decided_at is null)", name="decided_when_it_is"),
        sa.CheckConstraint("(state = 'refused') = (reason is not null)", name="refused_for_a_reason"),
    )


class Promise(Base, Shared):
    """Made at a door, in a report; or an instalment of a plan that was approved."""

    __tablename__ = "promises"

    id: Mapped[PrimaryKey]
    report_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("visit_reports.id"), index=True)
    plan_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("repayment_plans.id"), index=True)
    case_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("cases.id"), index=True)
    amount_minor: Mapped[int] = mapped_column(sa.BigInteger)
    currency: Mapped[str] = mapped_column(sa.String(3))
    due_on: Mapped[dt.date]
    method: Mapped[PaymentMethod]
    state: Mapped[PromiseState] = mapped_column(server_default="open")
    recorded_at: Mapped[RecordedAt]

    __table_args__ = (
        sa.CheckConstraint("amount_minor > 0", name="positive"),
        sa.CheckConstraint("num_nonnulls(report_id, plan_id) = 1", name="of_a_report_or_of_a_plan"),
    )
