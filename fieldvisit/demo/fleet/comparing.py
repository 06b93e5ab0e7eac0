"""What the server holds, against what the phones did: nothing lost, nothing doubled."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.demo.client import Client
from fieldvisit.demo.fleet.phone import Notes
from fieldvisit.models import SafetyEvent
from fieldvisit.safety.events import SafetyEventKind

TAKEN, HELD = "taken", "held"


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Each is a list of what is wrong; `kept` counts what revoked phones still had to tell, seen by the office."""

    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    held: tuple[str, ...]
    changed: tuple[str, ...]
    refused: tuple[str, ...]
    kept: int

    @property
    def holds(self) -> bool:
        return not (self.lost or self.doubled or self.held or self.changed or self.refused)


def compare(office: Client, session: Session, notes: Sequence[Notes]) -> Compared:
    """By the office's own view of every visit, and by the safety trail, which no list shows whole."""
    done, there = Counter[str](), Counter[str]()
    for each in notes:
        # What was held when the phone last asked is taken by now: what it waited for came from the lead's phone.
        heard = {TAKEN} if each.revoked else {TAKEN, HELD}
        done += Counter(_key(event) for event_id, event in each.done.items() if each.outcomes.get(event_id) in heard)
    visits = {str(event["visit_id"]) for each in notes for event in each.done.values() if "visit_id" in event}
    for visit_id in sorted(visits):
        there += _history(office, visit_id)
    there += _check_ins(session)
    held = {each["event_id"] for each in office.every("/held-events", limit=200)}
    unheard = {
        event_id: _key(event)
        for each in notes
        if each.revoked
        for event_id, event in each.done.items()
        if each.outcomes.get(event_id) != TAKEN
    }
    # What a phone told before it was taken back, and never heard the answer to, was taken.
    done += Counter(key for event_id, key in unheard.items() if event_id not in held and key in there)
    gone = [key for event_id, key in unheard.items() if event_id not in held and key not in there]
    return Compared(
        lost=tuple(sorted([*(done - there).elements(), *gone])),
        doubled=tuple(sorted(there - done)),
        held=tuple(sorted(held - unheard.keys())),
        changed=tuple(event_id for each in notes for event_id in each.changed_answers),
        refused=tuple(refusal for each in notes for refusal in each.refusals),
        kept=len(unheard.keys() & held),
    )


def _history(office: Client, visit_id: str) -> Counter[str]:
    """What phones told of a visit, each by the moment at which it was done, which no other has."""
    told = [each for each in office.every(f"/visits/{visit_id}/history", limit=200) if each["device_at"] is not None]
    # An arrival that was refused stays beside the one that was put right.
    return Counter(_key(each | {"visit_id": visit_id}) for each in told if not each["kind"].endswith("_refused"))


def _check_ins(session: Session) -> Counter[str]:
    rows = sa.select(SafetyEvent.session_id, SafetyEvent.device_at).where(
        SafetyEvent.kind == SafetyEventKind.CHECKED_IN, SafetyEvent.device_at.is_not(None)
    )
    return Counter(f"{row.session_id} {_moment(row.device_at)}" for row in session.execute(rows))


def _key(event: Mapping[str, Any]) -> str:
    """What was done where, and when by the phone's clock."""
    at = dt.datetime.fromisoformat(str(event["device_at"]))
    return f"{event.get('visit_id') or event.get('session_id')} {_moment(at)}"


def _moment(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat()
