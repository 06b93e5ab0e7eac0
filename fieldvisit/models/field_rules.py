"""How strictly a house wants its day in the field to go."""

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fieldvisit.models.base import Base, Owned, RecordedAt
from fieldvisit.vocabulary import OrderRule


class FieldRules(Base, Owned):
    """One row for an organisation that has said so; without one the usual rules hold."""

    __tablename__ = "field_rules"

    org_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("organisations.id"), primary_key=True)
    order_rule: Mapped[OrderRule]
    may_reject: Mapped[bool]
    undo_minutes: Mapped[int]
    may_take_money: Mapped[bool] = mapped_column(server_default=sa.text("false"))
    receipt_block: Mapped[int] = mapped_column(server_default="20")
    most_cash_minor: Mapped[int | None] = mapped_column(sa.BigInteger)
    give_back_hours: Mapped[int] = mapped_column(server_default="4")
    updated_at: Mapped[RecordedAt]

    __table_args__ = (
        sa.CheckConstraint("undo_minutes between 0 and 120", name="undo_makes_sense"),
        sa.CheckConstraint("receipt_block between 5 and 200", name="block_makes_sense"),
        sa.CheckConstraint("give_back_hours between 0 and 72", name="give_back_makes_sense"),
        sa.CheckConstraint("most_cash_minor >= 0", name="cash_makes_sense"),
    )
