"""Report forms: what a house asks its visitors beyond what every report says. A version never changes."""

import uuid
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from fieldvisit.models.base import Base, Owned, PrimaryKey, RecordedAt


class FormVersion(Base, Owned):
    """Everybody may read it: whoever reads a report has to know what was asked. It holds nothing of anybody."""

    __tablename__ = "form_versions"
    visibility: ClassVar[str] = "read_by_all"

    id: Mapped[PrimaryKey]
    version: Mapped[int]
    questions: Mapped[list[Any]]
    """In order, as `fieldvisit.forms.Question` has them."""
    needs: Mapped[list[Any]]
    """For an `outcome` the `fields` of every report that have to be said."""
    made_by_id: Mapped[uuid.UUID | None]
    published_at: Mapped[RecordedAt]

    __table_args__ = (
        sa.UniqueConstraint("org_id", "version"),
        sa.CheckConstraint("version > 0", name="counted_from_one"),
    )
