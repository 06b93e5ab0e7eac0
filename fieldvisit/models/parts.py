"""Parts of a day that is too large for one search."""

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fieldvisit.models.base import Base, Json, Owned, PrimaryKey
from fieldvisit.vocabulary import PartState


class PlanPart(Base, Owned):
    """One part of a plan in one of two rounds, to be solved by whichever worker has time.

    `plan_claimed_at`: of which attempt at the plan it is; a part of another attempt is nobody's business any more.
    """

    __tablename__ = "plan_parts"

    id: Mapped[PrimaryKey]
    plan_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("day_plans.id", ondelete="CASCADE"))
    plan_claimed_at: Mapped[dt.datetime]
    round: Mapped[int]
    number: Mapped[int]
    state: Mapped[PartState]
    attempts: Mapped[int] = mapped_column(server_default="0")
    work: Mapped[Json]
    answer: Mapped[dict[str, Any] | None]
    failure: Mapped[Json]
    claimed_at: Mapped[dt.datetime | None]

    __table_args__ = (sa.UniqueConstraint("plan_id", "plan_claimed_at", "round", "number"),)
