"""Who carries the notices of one organisation, where it does not use what the installation offers to all."""

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fieldvisit.models.base import Base, Owned, PrimaryKey, RecordedAt
from fieldvisit.sealing import Sealed
from fieldvisit.vocabulary import Channel


class NoticeService(Base, Owned):
    """One service of an organisation's own. Its address may hold a password, so that too is sealed."""

    __tablename__ = "notice_services"

    id: Mapped[PrimaryKey]
    name: Mapped[str]
    channel: Mapped[Channel]
    place: Mapped[int]
    """Of several for one channel the lowest is asked first."""
    url: Mapped[str] = mapped_column(Sealed("notice_services.url"))
    token: Mapped[str | None] = mapped_column(Sealed("notice_services.token"))
    secret: Mapped[str | None] = mapped_column(Sealed("notice_services.secret"))
    made_by_id: Mapped[uuid.UUID | None]
    created_at: Mapped[RecordedAt]

    __table_args__ = (
        sa.UniqueConstraint("org_id", "name"),
        sa.CheckConstraint("channel in ('email', 'sms')", name="channel_is_carried"),
    )
