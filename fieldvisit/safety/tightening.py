"""A danger that becomes known while somebody is at that door: the running session gets the shorter timers, never longer
ones."""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.models import Marker, SafetySession, Visit
from fieldvisit.safety.deadlines import due, set_by_clock
from fieldvisit.safety.events import Entry, SafetyEventKind, append
from fieldvisit.safety.hints import give_hint
from fieldvisit.safety.news import tell_closer
from fieldvisit.safety.own_timers import timers_of
from fieldvisit.safety.standing import lock_session
from fieldvisit.safety.timers import danger, seconds
from fieldvisit.vocabulary import RiskLevel, SafetyState


def tighten_sessions(session: Session, marker: Marker) -> list[uuid.UUID]:
    """Make every running session at this marker's place or person as strict as it demands; those that were changed."""
    running = session.scalars(
        sa.select(SafetySession.id)
        .join(Visit, Visit.id == SafetySession.visit_id)
        .where(
            SafetySession.state == SafetyState.ACTIVE,
            sa.or_(Visit.place_id == marker.place_id, Visit.debtor_id == marker.debtor_id),
        )
        .order_by(SafetySession.id)
    ).all()
    return [each for each in running if _tighten(session, each, marker)]


def _tighten(session: Session, session_id: uuid.UUID, marker: Marker) -> bool:
    row = lock_session(session, session_id)
    stricter = danger(marker.level) > danger(row.level) and row.level is not RiskLevel.DRILL
    if row.state is not SafetyState.ACTIVE or not stricter:
        return False
    before, timers = row.level, timers_of(session, row.org_id, marker.level)

    def sooner(now: sa.ColumnElement[dt.datetime]) -> dict[str, object]:
        moments = due(timers, now) | {"lost_at": now + seconds(timers.lost_s)}
        earlier = {name: sa.func.least(getattr(SafetySession, name), value) for name, value in moments.items()}
        return earlier | {"level": timers.level, "policy": sa.literal(timers.as_json(), SafetySession.policy.type)}

    at = set_by_clock(session, row, sooner)
    detail = {"marker_id": str(marker.id), "from": before.value, "to": marker.level.value}
    append(session, row, Entry(kind=SafetyEventKind.TIGHTENED, at=at, actor_id=marker.approved_by_id, detail=detail))
    tell_closer(session, row.id)
    give_hint(session)
    return True
