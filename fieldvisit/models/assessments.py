"""What was answered before a visit."""

import datetime as dt
import json
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fieldvisit.models.base import Base, Owned
from fieldvisit.sealing import Sealed
from fieldvisit.vocabulary import RiskLevel


class SafetyAssessment(Base, Owned):
    """The questionnaire before a visit, answered for one visitor. Never changed: who thinks again answers again."""

    __tablename__ = "safety_assessments"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    """Made by whoever tells it: told twice, kept once."""
    visit_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visits.id"))
    visitor_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("visitors.id"))
    """Who goes."""
    account_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("accounts.id"))
    """Who answered."""
    questionnaire: Mapped[int]
    answers: Mapped[str] = mapped_column(Sealed("safety_assessments.answers"))
    """JSON: question → answer. What is feared at somebody's door is sealed like a marker's facts."""
    level: Mapped[RiskLevel | None]
    """The visit is at least that; empty where the answers speak for nothing."""
    answered_at: Mapped[dt.datetime]
    session_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("safety_sessions.id"), index=True)
    """The session that was planned or started on it last; it goes when that goes."""

    @property
    def answered(self) -> list[dict[str, str]]:
        """Each question with its answer."""
        return [{"question": name, "value": value} for name, value in json.loads(self.answers).items()]

    __table_args__ = (sa.Index("ix_safety_assessments_visit_id_visitor_id", "visit_id", "visitor_id", "answered_at"),)
