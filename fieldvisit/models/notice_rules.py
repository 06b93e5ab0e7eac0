"""How a house tells people things: by which ways, and where its own office is told."""

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fieldvisit.models.base import Base, Owned, RecordedAt
from fieldvisit.sealing import Sealed


class NoticeRules(Base, Owned):
    """One row for an organisation that has said so; without one every way is open, and the office has no address."""

    __tablename__ = "notice_rules"

    org_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("organisations.id"), primary_key=True)
    channels: Mapped[list[str]]
    """By which its debtors are told things."""
    office_email: Mapped[str | None] = mapped_column(Sealed("notice_rules.office_email"))
    office_language: Mapped[str]
    updated_at: Mapped[RecordedAt]

    __table_args__ = (
        sa.CheckConstraint("channels <@ array['email', 'sms', 'letter']::text[]", name="channels_are_known"),
        sa.CheckConstraint("office_language in ('en', 'zh_CN')", name="language_is_known"),
    )
