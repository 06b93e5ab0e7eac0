"""How a house wants its days shared out."""

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fieldvisit.models.base import Base, Owned, RecordedAt


class PlanningRules(Base, Owned):
    """One row for an organisation that has said so; without one the usual rules hold."""

    __tablename__ = "planning_rules"

    org_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("organisations.id"), primary_key=True)
    fair_share_price: Mapped[int]
    fair_risk_price: Mapped[int] = mapped_column(server_default=sa.text("0"))
    fair_earning_price: Mapped[int] = mapped_column(server_default=sa.text("0"))
    most_visits: Mapped[int | None]
    """Of a day, in all areas together."""
    updated_at: Mapped[RecordedAt]

    __table_args__ = (
        sa.CheckConstraint("fair_share_price between 0 and 10", name="fairness_makes_sense"),
        sa.CheckConstraint(
            "fair_risk_price between 0 and 3600 and fair_earning_price between 0 and 60", name="shares_make_sense"
        ),
        sa.CheckConstraint("most_visits >= 0", name="most_visits"),
    )
