"""What a phone is shown under duress: the session as its holder wants it to be, while the alarm is up.

Stored beside the truth (`shown`), moved on by what the phone does, and read by the phone's own answers only.
"""

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.models import SafetySession
from fieldvisit.safety.deadlines import timers_in_force
from fieldvisit.safety.standing import Standing, standing
from fieldvisit.safety.timers import Timers, seconds
from fieldvisit.vocabulary import SafetyState

MOMENTS = ("remind_at", "due_at", "grace_until", "end_at", "ended_at")


def seem(row: SafetySession, now: dt.datetime, state: SafetyState) -> None:
    """From now on the phone is shown this state: as an ordinary end or an ordinary check-in would have left it, or an
    alarm that it knows of."""
    timers = timers_in_force(row)
    before = row.shown or {}
    shown: dict[str, Any] = {name: before.get(name) or _text(getattr(row, name)) for name in MOMENTS}
    if state is SafetyState.ENDED:
        shown["ended_at"] = before.get("ended_at") or _text(now)
    elif state is SafetyState.ACTIVE:
        due_at = _due_at(row, timers, now)
        shown |= {
            "remind_at": _text(due_at - seconds(timers.remind_s)),
            "due_at": _text(due_at),
            "grace_until": _text(due_at + seconds(timers.grace_s)),
            "end_at": before.get("end_at") or _text(row.end_at or now + seconds(timers.check_in_s)),
            "ended_at": None,
        }
    if "id" in before:
        shown["id"] = before["id"]
    row.shown = shown | {"state": state.value}
    row.duress = True


def seem_as_before(row: SafetySession) -> None:
    """From now on the phone is shown this running session as it stands, whatever becomes of it."""
    row.shown = {name: _text(getattr(row, name)) for name in MOMENTS} | {"state": SafetyState.ACTIVE.value}
    row.duress = True


def _due_at(row: SafetySession, timers: Timers, now: dt.datetime) -> dt.datetime:
    """As `fieldvisit.safety.deadlines.due_at_the_door` has it."""
    usual = now + seconds(timers.check_in_s)
    ahead = row.door_until is not None and row.door_until > now + seconds(timers.remind_s)
    return min(usual, row.door_until) if ahead and row.door_until else usual


def as_shown(session: Session, found: Standing) -> Standing:
    """The session as its own visitor may see it. What is not under duress is what it is."""
    row = found.session
    if not row.duress or row.shown is None:
        return found
    seeming = SafetySession(
        **{column.key: getattr(row, column.key) for column in sa.inspect(SafetySession).columns}
        | {name: _moment(row.shown[name]) for name in MOMENTS}
        | {"state": SafetyState(row.shown["state"]), "id": uuid.UUID(row.shown.get("id", str(row.id)))}
    )
    return Standing(seeming, found.now_at)


def move_on(session: Session, row: SafetySession, state: SafetyState) -> Standing:
    """The phone did something that would have led to this state; a session that seems over stays so, and no check-in
    lowers an alarm that is shown."""
    before = row.shown and SafetyState(row.shown["state"])
    if before is SafetyState.ENDED or (before is SafetyState.ALARM and state is SafetyState.ACTIVE):
        state = before
    found = standing(session, row)
    seem(row, found.now_at, state)
    session.flush()
    return found


def _text(moment: dt.datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _moment(text: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None
