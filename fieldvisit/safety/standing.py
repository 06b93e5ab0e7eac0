"""How a session stands: what is stored, and what is shown.

Only decisions are stored. Whether a visitor is reminded or overdue is worked out from the deadlines and the database's
time at each look, so the screen is right even when the engine is late.
"""

import datetime as dt
import uuid
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload

from fieldvisit.clock import database_now
from fieldvisit.errors import NotFound
from fieldvisit.models import SafetySession
from fieldvisit.safety.timers import ORDER
from fieldvisit.vocabulary import SafetyState

AT_RISK = (SafetyState.ACTIVE, SafetyState.ALARM)
"""Somebody is out by it; a visitor has one such at most, and any number that are planned."""
LISTED = (SafetyState.PLANNED, *AT_RISK)


class SafetyDisplay(StrEnum):
    PLANNED = "planned"
    OK = "ok"
    REMINDING = "reminding"
    OVERDUE = "overdue"
    ALARM = "alarm"
    ENDED = "ended"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Standing:
    """A session as it stood at `now_at`, database time."""

    session: SafetySession
    now_at: dt.datetime

    @property
    def shown(self) -> SafetyDisplay:
        row = self.session
        if row.state is not SafetyState.ACTIVE:
            return SafetyDisplay(row.state.value)
        deadlines = [moment for moment in (row.due_at, row.end_at) if moment is not None]
        if self.now_at >= min(deadlines):
            return SafetyDisplay.OVERDUE
        return SafetyDisplay.REMINDING if row.remind_at and self.now_at >= row.remind_at else SafetyDisplay.OK


def by_risk(level: InstrumentedAttribute[object]) -> sa.Case[int]:
    """The rank of a level, to be ordered by descending."""
    return sa.case(
        {each.value: rank for rank, each in enumerate(ORDER)}, value=sa.cast(level, sa.Text), else_=len(ORDER)
    )


def lock_session(session: Session, session_id: uuid.UUID, *, visitor_id: uuid.UUID | None = None) -> SafetySession:
    """The session's row, locked until the end of the transaction: everything that happens to a session happens under
    this one lock. A visitor sees no session but the own. Raises NotFound."""
    found = session.scalar(
        sa.select(SafetySession)
        .where(SafetySession.id == session_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None or visitor_id not in (None, found.visitor_id):
        raise NotFound(what="safety session", id=session_id)
    return found


def standing(session: Session, row: SafetySession) -> Standing:
    return Standing(row, session.scalars(sa.select(database_now())).one())


def live_sessions(session: Session) -> list[Standing]:
    """All sessions that are not over: alarms first, then by risk, then by the deadline that comes first; then drills,
    and last what is only planned."""
    rows = session.execute(
        sa.select(SafetySession, database_now())
        .options(joinedload(SafetySession.visitor))
        .where(SafetySession.state.in_(LISTED))
        .order_by(
            SafetySession.state == SafetyState.PLANNED,
            SafetySession.drill.is_not(None),
            (SafetySession.state == SafetyState.ALARM).desc(),
            by_risk(SafetySession.level).desc(),
            sa.func.least(SafetySession.grace_until, SafetySession.end_at),
            SafetySession.id,
        )
    )
    return [Standing(row, now_at) for row, now_at in rows]
