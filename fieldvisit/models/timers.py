"""What an organisation has set its safety timers to."""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from fieldvisit.models.base import Base, Owned, PrimaryKey
from fieldvisit.vocabulary import RiskLevel


class SafetyTimers(Base, Owned):
    """The timers of one level, in seconds; the newest row of a level counts, and none is ever changed."""

    __tablename__ = "safety_timers"

    id: Mapped[PrimaryKey]
    level: Mapped[RiskLevel]
    check_in_s: Mapped[int]
    remind_s: Mapped[int]
    grace_s: Mapped[int]
    lost_s: Mapped[int]
    arrive_s: Mapped[int]
    leave_s: Mapped[int]
    reason: Mapped[str]
    set_by_id: Mapped[uuid.UUID]
    set_at: Mapped[dt.datetime]

    __table_args__ = (
        sa.Index("ix_safety_timers_org_id_level_set_at", "org_id", "level", "set_at"),
        sa.CheckConstraint(
            "level <> 'drill' and check_in_s between 120 and 7200 and remind_s >= 0 and remind_s < check_in_s "
            "and grace_s between 0 and 600 and lost_s between 60 and 3600 and arrive_s between 300 and 7200 "
            "and leave_s between 60 and 3600 and (level <> 'high' or check_in_s + grace_s <= 600)",
            name="within_bounds",
        ),
    )
