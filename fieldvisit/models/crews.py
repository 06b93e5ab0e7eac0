"""The forming of crews: one proposal a day, with why somebody or something is left."""

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fieldvisit.models.base import Base, Json, Owned, PrimaryKey, RecordedAt
from fieldvisit.vocabulary import FormingState


class CrewForming(Base, Owned):
    """Who rides with whom on one day, as last proposed. The crews themselves stand on the shifts.

    `home`: visitor id → staff number and reason. `undone`: the work that no crew takes on, with its reason.
    """

    __tablename__ = "crew_formings"

    id: Mapped[PrimaryKey]
    works_on: Mapped[dt.date]
    state: Mapped[FormingState]
    best: Mapped[bool | None]
    home: Mapped[Json]
    undone: Mapped[list[Any]] = mapped_column(server_default=sa.text("'[]'::jsonb"))
    failure: Mapped[Json]
    requested_at: Mapped[RecordedAt]
    claimed_at: Mapped[dt.datetime | None]
    finished_at: Mapped[dt.datetime | None]

    __table_args__ = (sa.UniqueConstraint("org_id", "works_on"),)
