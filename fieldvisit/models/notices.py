"""What debtors are told: the templates, each notice with its proof of sending, and what was heard of it later."""

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fieldvisit.compliance.parameters import NoticeAbout, NoticeForm
from fieldvisit.models.base import Base, Owned, PlacedByCase, PrimaryKey, RecordedAt
from fieldvisit.sealing import Sealed
from fieldvisit.vocabulary import Channel, NoticeState


class NoticeTemplate(Base, Owned):
    """One version of a text. Never changed: what was sent by it can be read again. `code` is one line of versions."""

    __tablename__ = "notice_templates"

    id: Mapped[PrimaryKey]
    code: Mapped[str]
    version: Mapped[int]
    about: Mapped[NoticeAbout]
    channel: Mapped[Channel]
    language: Mapped[str]
    """``en`` or ``zh_CN``, as in the catalogues."""
    subject: Mapped[str | None]
    passages: Mapped[list[Any]]
    """In their order: `text` with placeholders, and under `names` the one thing of a policy's list that it names."""
    contents: Mapped[list[str]]
    """Everything that its passages name."""
    policies: Mapped[list[str]]
    """The ids of the policies that it was checked against."""
    made_by_id: Mapped[uuid.UUID | None]
    created_at: Mapped[RecordedAt]
    withdrawn_at: Mapped[dt.datetime | None]

    __table_args__ = (
        sa.UniqueConstraint("org_id", "code", "version"),
        sa.CheckConstraint("language in ('en', 'zh_CN')", name="language_is_known"),
        sa.CheckConstraint("version >= 1", name="version_counts_from_one"),
    )


class Notice(Base, PlacedByCase):
    """One notice to one debtor about one case, from the transaction that made it necessary until its receipt.

    It belongs to the lender; `sender_id` is who tells. Waiting for a provider is `next_try_at`; being sent just now is
    a live lease. A letter has neither: it waits for a person.
    """

    __tablename__ = "notices"

    id: Mapped[PrimaryKey]
    case_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("cases.id"), index=True)
    debtor_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("debtors.id"), index=True)
    visit_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("visits.id"), index=True)
    sender_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("organisations.id"))
    agency_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("organisations.id"))
    """Of an assignment: to whom."""
    about: Mapped[NoticeAbout]
    channel: Mapped[Channel]
    form: Mapped[NoticeForm]
    language: Mapped[str]
    template_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("notice_templates.id"))
    contact_point_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("contact_points.id"), index=True)
    place_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("places.id"), index=True)
    """The address of a letter."""
    subject: Mapped[str | None] = mapped_column(Sealed("notices.subject"))
    body: Mapped[str | None] = mapped_column(Sealed("notices.body"))
    """The very words; None where it was given outside of the product."""
    contents: Mapped[list[str]]
    announced_from: Mapped[dt.datetime | None]
    announced_until: Mapped[dt.datetime | None]
    due_on: Mapped[dt.date | None]
    """Of a result: by when a policy wants it told."""
    external_id: Mapped[str | None]
    evidence: Mapped[str | None] = mapped_column(Sealed("notices.evidence"))
    """What a person has to show for it: the number of a registered letter, a file's name."""
    made_by_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("accounts.id"))
    created_at: Mapped[RecordedAt]
    state: Mapped[NoticeState] = mapped_column(server_default="queued")
    reason: Mapped[str | None]
    """Why it is dead, held back or withdrawn: a code."""
    attempts: Mapped[int] = mapped_column(server_default="0")
    next_try_at: Mapped[dt.datetime | None]
    lease: Mapped[uuid.UUID | None]
    lease_until: Mapped[dt.datetime | None]
    provider: Mapped[str | None]
    provider_id: Mapped[str | None]
    error: Mapped[str | None]
    sent_at: Mapped[dt.datetime | None]
    """When a provider first accepted it, or a person handed it over."""
    delivered_at: Mapped[dt.datetime | None]
    called_off_at: Mapped[dt.datetime | None]
    """Of a visit: since when its debtor is to be told that nobody comes."""

    tries: Mapped[list["NoticeTry"]] = relationship(order_by="NoticeTry.number")
    receipts: Mapped[list["NoticeReceipt"]] = relationship(order_by="NoticeReceipt.at")

    __table_args__ = (
        sa.UniqueConstraint("org_id", "external_id"),
        sa.Index("ix_notices_waiting", "channel", "next_try_at", postgresql_where=sa.text("next_try_at is not null")),
        # What has to be looked at again when a visit ends otherwise: few rows of many.
        sa.Index(
            "ix_notices_announcing",
            "announced_until",
            postgresql_where=sa.text("about = 'visit' and state in ('queued', 'sent', 'delivered')"),
        ),
        sa.CheckConstraint("(lease is null) = (lease_until is null)", name="lease_is_whole"),
        sa.CheckConstraint("announced_from < announced_until", name="announced_in_order"),
        sa.CheckConstraint("(announced_from is null) = (announced_until is null)", name="announced_is_whole"),
        sa.CheckConstraint("about <> 'visit' or announced_from is not null", name="visit_names_its_hours"),
        sa.CheckConstraint("state not in ('sent', 'delivered') or sent_at is not null", name="sent_has_a_time"),
        sa.CheckConstraint("next_try_at is null or state in ('queued', 'sent')", name="settled_is_not_tried"),
    )


class NoticeTry(Base, PlacedByCase):
    """One try to hand a notice over. Without `ended_at` nobody knows what came of it: it may have been sent."""

    __tablename__ = "notice_tries"

    notice_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("notices.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("cases.id"), index=True)
    begun_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]
    provider: Mapped[str | None]
    provider_id: Mapped[str | None]
    error: Mapped[str | None]


class NoticeReceipt(Base, PlacedByCase):
    """What was heard of a notice later, from its provider or from a person. Never changed."""

    __tablename__ = "notice_receipts"

    id: Mapped[PrimaryKey]
    notice_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("notices.id"), index=True)
    case_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("cases.id"), index=True)
    kind: Mapped[NoticeState]
    at: Mapped[dt.datetime]
    provider: Mapped[str | None]
    provider_id: Mapped[str | None]
    """Which of several handings over it is about, where the provider tells."""
    recorded_by_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("accounts.id"))
    evidence: Mapped[str | None] = mapped_column(Sealed("notice_receipts.evidence"))

    __table_args__ = (sa.CheckConstraint("kind in ('delivered', 'undeliverable')", name="kind_is_heard"),)
