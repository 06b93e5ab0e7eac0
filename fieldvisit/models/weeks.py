"""Several days planned together: which visit is meant for which day."""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fieldvisit.models.base import Base, Json, Owned, PrimaryKey, RecordedAt
from fieldvisit.vocabulary import WeekState


class WeekPlan(Base, Owned):
    """The days of one area from `first_on`, planned one after the other; each has a day plan of its own.

    `later`: visit id → why it has no day, as of the last choice. It comes back with its deadline.
    """

    __tablename__ = "week_plans"

    id: Mapped[PrimaryKey]
    area_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("areas.id"))
    first_on: Mapped[dt.date]
    days: Mapped[int]
    state: Mapped[WeekState]
    seconds: Mapped[int]
    iterations: Mapped[int | None]
    later: Mapped[Json]
    failure: Mapped[Json]
    requested_at: Mapped[RecordedAt]
    claimed_at: Mapped[dt.datetime | None]
    finished_at: Mapped[dt.datetime | None]

    __table_args__ = (
        sa.CheckConstraint("days between 1 and 31", name="days_in_range"),
        sa.Index("ix_week_plans_org_id_first_on", "org_id", "first_on"),
    )

    @property
    def dates(self) -> list[dt.date]:
        return [self.first_on + dt.timedelta(days=number) for number in range(self.days)]


class WeekVisit(Base, Owned):
    """The day that a visit is meant for, as last chosen."""

    __tablename__ = "week_visits"

    week_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("week_plans.id", ondelete="CASCADE"), primary_key=True)
    visit_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visits.id"), primary_key=True, index=True)
    planned_on: Mapped[dt.date]
