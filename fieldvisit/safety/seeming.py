"""What a phone is shown under duress: the session as its holder wants it to be, while the alarm is up.

Stored beside the truth (`shown`), moved on by what the phone does, and read by the phone's own answers only.
"""

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.models import SafetySession
from fieldvisit.models.base import member_of
from fieldvisit.safety.deadlines import timers_in_force
from fieldvisit.safety.drafts import SessionDraft
from fieldvisit.safety.standing import Standing, standing
from fieldvisit.safety.timers import Timers, seconds
from fieldvisit.vocabulary import RiskLevel, SafetyState

MOMENTS = ("remind_at", "due_at", "grace_until", "end_at", "ended_at")
RAISES = ("grace_until", "end_at")
"""Behind one of these nobody who is not under duress is shown anything but an alarm."""


def seem(row: SafetySession, now: dt.datetime, state: SafetyState) -> None:
    """From now on the phone is shown this state: as an ordinary end or an ordinary check-in would have left it, or an
    alarm that it knows of."""
    timers, before = _timers(row), row.shown or {}
    shown: dict[str, Any] = before | {name: before.get(name) or _text(getattr(row, name)) for name in MOMENTS}
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
    row.shown = shown | {"state": state.value}
    row.duress = True


def seem_as_before(row: SafetySession, state: SafetyState = SafetyState.ACTIVE) -> None:
    """From now on the phone is shown this session as it stands, and stood in this state, whatever becomes of it."""
    ended_at = (row.ended_at or row.started_at) if state is SafetyState.ENDED else row.ended_at
    row.shown = {name: _text(getattr(row, name)) for name in MOMENTS} | {
        "ended_at": _text(ended_at),
        "state": state.value,
    }
    row.duress = True


def seem_to_start(row: SafetySession, draft: SessionDraft, timers: Timers, now: dt.datetime) -> None:
    """From now on the phone is shown a session of its own, as starting one would have made it."""
    begun = now - seconds(draft.age_s)
    due_at = begun + seconds(timers.check_in_s)
    row.shown = {
        "id": str(draft.event_id),
        "visit_id": str(draft.visit_id) if draft.visit_id else None,
        "level": timers.level.value,
        "policy": timers.as_json(),
        "started_at": _text(now),
        "extended_s": 0,
        "remind_at": _text(due_at - seconds(timers.remind_s)),
        "due_at": _text(due_at),
        "grace_until": _text(due_at + seconds(timers.grace_s)),
        "end_at": _text(begun + seconds(draft.planned_s)),
        "ended_at": None,
        "state": SafetyState.ACTIVE.value,
    }


def seem_called(row: SafetySession, until: dt.datetime) -> None:
    """The visitor called for help, and not covertly: that is what the phone is shown, and until when it may be taken
    back; of several presses the first counts."""
    if row.duress and row.shown is not None and row.shown["state"] != SafetyState.ALARM:
        row.shown = row.shown | {"state": SafetyState.ALARM.value, "ended_at": None, "pressed_until": _text(until)}


def seems_pressed(row: SafetySession, now: dt.datetime) -> bool:
    """Whether the phone was shown a call just now that might be taken back, had nobody called before."""
    shown = row.shown or {}
    until = _moment(shown.get("pressed_until"))
    return shown.get("state") == SafetyState.ALARM and until is not None and now < until


def extension_shown(row: SafetySession) -> tuple[int, int]:
    """By how many seconds the planned end that is shown was moved, and by how many it may be in all."""
    return (row.shown or {}).get("extended_s", row.extended_s), _timers(row).extend_cap_s


def seem_extended(row: SafetySession, by_s: int) -> None:
    """The planned end that is shown moves, and nothing else."""
    shown, (used_s, _) = row.shown or {}, extension_shown(row)
    end_at = _moment(shown.get("end_at")) or row.started_at
    row.shown = shown | {"end_at": _text(end_at + seconds(by_s)), "extended_s": used_s + by_s}


def state_shown(row: SafetySession, now: dt.datetime) -> SafetyState:
    """The state that the phone of a session under duress is shown at this moment."""
    shown = row.shown or {}
    state = SafetyState(shown.get("state", row.state))
    passed = any(moment is not None and moment <= now for moment in (_moment(shown.get(name)) for name in RAISES))
    return SafetyState.ALARM if state is SafetyState.ACTIVE and passed else state


def seems_over(row: SafetySession) -> bool:
    """Whether its phone is shown that it has ended, which it has not."""
    return row.duress and row.shown is not None and row.shown["state"] == SafetyState.ENDED


def _timers(row: SafetySession) -> Timers:
    """Those of the session that the phone is shown."""
    stored = (row.shown or {}).get("policy")
    return Timers.from_json(stored) if stored else timers_in_force(row)


def _due_at(row: SafetySession, timers: Timers, now: dt.datetime) -> dt.datetime:
    """As `fieldvisit.safety.deadlines.due_at_the_door` has it."""
    usual = now + seconds(timers.check_in_s)
    if "policy" in (row.shown or {}):
        # Of a session that only seems to be one nothing is known of its door.
        return usual
    ahead = row.door_until is not None and row.door_until > now + seconds(timers.remind_s)
    return min(usual, row.door_until) if ahead and row.door_until else usual


def as_shown(session: Session, found: Standing) -> Standing:
    """The session as its own visitor may see it. What is not under duress is what it is."""
    row = found.session
    if not row.duress or row.shown is None:
        return found
    shown = row.shown
    own: dict[str, Any] = {"extended_s": shown["extended_s"]} if "extended_s" in shown else {}
    if state_shown(row, found.now_at) is SafetyState.PLANNED:
        own["started_at"] = row.planned_at
    if "id" in shown:
        own["id"] = uuid.UUID(shown["id"])
    if "level" in shown:
        own |= {
            "visit_id": uuid.UUID(shown["visit_id"]) if shown["visit_id"] else None,
            "level": member_of(RiskLevel, shown["level"]),
            "started_at": _moment(shown["started_at"]),
        }
    seeming = SafetySession(
        **{column.key: getattr(row, column.key) for column in sa.inspect(SafetySession).columns}
        | {name: _moment(shown[name]) for name in MOMENTS}
        | {"state": state_shown(row, found.now_at)}
        | own
    )
    return Standing(seeming, found.now_at)


def move_on(session: Session, row: SafetySession, state: SafetyState) -> Standing:
    """The phone did something that would have led to this state; a session that seems over stays so, and no check-in
    lowers an alarm that is shown."""
    found = standing(session, row)
    before = state_shown(row, found.now_at)
    if before is SafetyState.ENDED or (before is SafetyState.ALARM and state is SafetyState.ACTIVE):
        state = before
    seem(row, found.now_at, state)
    session.flush()
    return found


def _text(moment: dt.datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _moment(text: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None
