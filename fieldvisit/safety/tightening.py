"""A danger that becomes known while somebody is at that door: their session gets the shorter timers, never longer ones,
also one that is in alarm."""

import datetime as dt
import uuid
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.models import Marker, SafetySession, Visit
from fieldvisit.safety.deadlines import Moment, due, set_by_clock
from fieldvisit.safety.events import Entry, SafetyEventKind, append
from fieldvisit.safety.hints import give_hint
from fieldvisit.safety.news import tell_closer
from fieldvisit.safety.own_timers import timers_of
from fieldvisit.safety.standing import AT_RISK, lock_session
from fieldvisit.safety.timers import Timers, danger, seconds
from fieldvisit.vocabulary import RiskLevel, SafetyState


@dataclass(frozen=True)
class Danger:
    """Of a marker: its level, and who approved it."""

    marker_id: uuid.UUID
    level: RiskLevel
    approved_by_id: uuid.UUID | None


def tighten_sessions(session: Session, marker: Marker) -> list[uuid.UUID]:
    """Make every session that runs or is in alarm at this marker's place or person as strict as it demands; those that
    were changed. Whose phone is shown another session than there is, is left to the closing of the alarm."""
    out = session.scalars(
        sa.select(SafetySession.id)
        .join(Visit, Visit.id == SafetySession.visit_id)
        .where(
            SafetySession.state.in_(AT_RISK),
            SafetySession.drill.is_(None),
            sa.or_(Visit.place_id == marker.place_id, Visit.debtor_id == marker.debtor_id),
        )
        .order_by(SafetySession.id)
    ).all()
    known = Danger(marker.id, marker.level, marker.approved_by_id)
    return [each for each in out if tighten(session, each, known)]


def tighten(session: Session, session_id: uuid.UUID, marker: Danger) -> bool:
    """Make this session as strict as the marker demands; whether it was less so."""
    row = lock_session(session, session_id)
    stricter = danger(marker.level) > danger(row.level) and row.level is not RiskLevel.DRILL
    if row.state not in AT_RISK or row.duress or not stricter:
        return False
    before, timers = row.level, timers_of(session, row.org_id, marker.level)
    less_s = max(0, Timers.from_json(row.policy).arrive_s - timers.arrive_s)

    def sooner(now: sa.ColumnElement[dt.datetime]) -> dict[str, object]:
        moments = due(timers, now) | {
            "lost_at": now + seconds(timers.lost_s),
            # Counted from the planned arrival, as it would have been from the start; and never late by this alone.
            "arrive_by": sa.func.greatest(SafetySession.arrive_by - seconds(less_s), now),
            "leave_by": now + seconds(timers.leave_s),
        }
        earlier: dict[str, object] = {
            name: _earlier(getattr(SafetySession, name), value) for name, value in moments.items()
        }
        if row.state is SafetyState.ACTIVE and row.lost_contact and timers.lost_raises:
            # It was only shown until now. From now on it is what an alarm is raised for, and not one that comes late.
            earlier |= {"lost_contact": sa.false(), "lost_at": now}
        policy = sa.literal(timers.as_json(), SafetySession.policy.type)
        # An engine that read it before must not decide by what held then.
        return earlier | {"level": timers.level, "policy": policy, "generation": SafetySession.generation + 1}

    at = set_by_clock(session, row, sooner)
    detail = {"marker_id": str(marker.marker_id), "from": before.value, "to": marker.level.value}
    append(session, row, Entry(kind=SafetyEventKind.TIGHTENED, at=at, actor_id=marker.approved_by_id, detail=detail))
    if row.state is SafetyState.ACTIVE:
        # In alarm an officer speaks with them, or nothing may be heard of their phone.
        tell_closer(session, row.id)
    give_hint(session)
    return True


def _earlier(stored: Moment, fresh: Moment) -> Moment:
    """One that began with its alarm has no deadlines, and gets none by this; nor does one that waits for no arrival."""
    return sa.case((stored.is_not(None), sa.func.least(stored, fresh)))
