"""What an organisation has set for its safety besides the timers."""

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fieldvisit.models.base import Base, Json, Owned, PrimaryKey
from fieldvisit.vocabulary import RiskLevel


class SafetyRules(Base, Owned):
    """The newest row of an organisation counts, and none is ever changed."""

    __tablename__ = "safety_rules"

    id: Mapped[PrimaryKey]
    positions_days: Mapped[int]
    """So long after its end a session keeps the last position."""
    sessions_days: Mapped[int]
    """So long after its end a session is kept, with its record, its alerts and their messages."""
    unwatched_s: Mapped[int | None]
    """So long after somebody set out or arrived without a session an alarm is raised; none where this is empty."""
    drills: Mapped[Json]
    """Every how many months a drill is demanded, by its kind; none of the kinds that are not there."""
    external: Mapped[dict[str, Any] | None]
    """Who is called when nobody of the house answers: see `fieldvisit.safety.rules.ExternalLine`."""
    assessed_from: Mapped[RiskLevel | None]
    """From this level on the questions before the visit are demanded; at none where this is empty."""
    assessment_valid_s: Mapped[int] = mapped_column(server_default="43200")
    pin_from: Mapped[RiskLevel | None]
    """From this level on a check-in needs the PIN; at none where this is empty."""
    buddy_from: Mapped[RiskLevel | None]
    """From this level on whoever goes alone names a buddy; at none where this is empty."""
    reason: Mapped[str]
    set_by_id: Mapped[uuid.UUID]
    set_at: Mapped[dt.datetime]

    __table_args__ = (
        sa.Index("ix_safety_rules_org_id_set_at", "org_id", "set_at"),
        sa.CheckConstraint(
            "positions_days between 0 and 365 and sessions_days between 30 and 3650 "
            "and positions_days <= sessions_days",
            name="within_bounds",
        ),
        sa.CheckConstraint("assessment_valid_s between 900 and 604800", name="assessment_within_bounds"),
        sa.CheckConstraint("unwatched_s between 300 and 7200", name="unwatched_within_bounds"),
    )
