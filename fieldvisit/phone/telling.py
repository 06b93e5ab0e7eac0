"""What a phone tells, taken exactly once.

Each telling carries the phone's own id. Told again, after a lost answer, it gets the first answer and changes nothing;
the same id with something else in it is refused. What was refused used up no id, so it may be told again.
"""

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from fieldvisit.compliance.decision import plain
from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.models import HeldEvent, PhoneEventKey, Visit
from fieldvisit.safety.following import follow_visit
from fieldvisit.together import KeptTelling, Together, together
from fieldvisit.vocabulary import HeldState, VisitState

FOLLOWED = ("arrived", "arrival_undone", "report", "abort")
ABOUT_SENDING = ("sent_at", "battery_percent", "token_expired")


class EventIdReused(FieldVisitError):
    code, kind = "event_id_reused", Kind.INVALID
    says = "The id {event_id} was used before, for something else. Every telling has an id of its own."


class EventDismissed(FieldVisitError):
    code, kind = "event_dismissed", Kind.CONFLICT
    says = "The office dismissed the event {event_id}: it is not taken any more. Ask the office."


@dataclass(frozen=True, kw_only=True)
class Teller:
    """Who holds the phone."""

    visitor_id: uuid.UUID
    account_id: uuid.UUID | None = None


@dataclass(frozen=True, kw_only=True)
class EventDraft:
    """What every telling carries. `device_at` is the phone's own time of the event, `sent_at` its time of sending:
    together they say when it happened on our clock (see `fieldvisit.phone.clocks`). `token_expired`: the phone had not
    renewed its login, which is written down and changes nothing."""

    event_id: uuid.UUID
    device_at: dt.datetime | None = None
    sent_at: dt.datetime | None = None
    battery_percent: int | None = None
    token_expired: bool = False


@dataclass(frozen=True, kw_only=True)
class Telling:
    """One telling: which event of which visit, by whom."""

    kind: str
    visit_id: uuid.UUID
    by: Teller
    event_id: uuid.UUID
    body: EventDraft

    @property
    def digest(self) -> bytes:
        # Sent again it is sent at another time, and is the same.
        # What is not said does not count, so that a field which is new some day changes nothing that was told before.
        said = plain(self.body).items()
        body = {name: value for name, value in said if value is not None and name not in ABOUT_SENDING}
        told = [self.kind, str(self.visit_id), str(self.by.visitor_id), body]
        return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).digest()


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What the phone is told back. `facts` are ids, codes and numbers by name."""

    event_id: uuid.UUID
    visit_id: uuid.UUID
    kind: str
    state: VisitState
    taken_at: dt.datetime
    facts: Mapping[str, Any] = field(default_factory=dict)


def take(
    session: Session,
    telling: Telling,
    *,
    now: dt.datetime,
    find: Callable[[], Visit],
    act: Callable[[], tuple[VisitState, Mapping[str, Any]]],
) -> Receipt:
    """Let `act` happen once for this telling, and give its receipt; a later telling gets the same.

    `find` gives the visit, unlocked, and raises where the teller has none such; `act` gives the state in which it
    leaves the visit and the facts for the receipt. Raises EventIdReused, EventDismissed.
    """
    gathered = together(session)
    if gathered is not None:
        return _take_with_others(session, gathered, telling, now=now, find=find, act=act)
    earlier = _earlier(session, telling)
    if earlier is not None:
        return earlier
    visit = find()
    if not _claim(session, telling, visit):
        # Somebody was quicker by the length of a transaction: theirs is done now.
        return _earlier(session, telling) or take(session, telling, now=now, find=find, act=act)
    state, facts = act()
    _tell_safety(session, telling, visit)
    answer = _answer(state, facts, now)
    session.execute(sa.update(PhoneEventKey).where(*_key(session, telling)).values(answer=answer))
    return _receipt(telling, answer)


def _take_with_others(
    session: Session,
    gathered: Together,
    telling: Telling,
    *,
    now: dt.datetime,
    find: Callable[[], Visit],
    act: Callable[[], tuple[VisitState, Mapping[str, Any]]],
) -> Receipt:
    """The same for one event of a sending: what was told before is known, and its id is kept with all the others."""
    earlier = gathered.told.get(telling.event_id)
    if earlier is not None:
        return _told_before(telling, earlier.digest, earlier.answer)
    if telling.event_id in gathered.dismissed:
        raise EventDismissed(event_id=telling.event_id)
    visit = find()
    state, facts = act()
    _tell_safety(session, telling, visit)
    answer = _answer(state, facts, now)
    gathered.told[telling.event_id] = KeptTelling(digest=telling.digest, answer=answer)
    gathered.new_keys.append({**_columns(telling, visit), "answer": answer})
    return _receipt(telling, answer)


def _tell_safety(session: Session, telling: Telling, visit: Visit) -> None:
    """Who is watched over at this visit is there now, or is not, or has no more to do there."""
    if telling.kind in FOLLOWED:
        named = getattr(telling.body, "present", None)
        present = None if named is None else {*named, telling.by.visitor_id}
        follow_visit(session, visit, present=present)


class ToldMeanwhile(Exception):
    """Another sending has told one of these events since what was told before was looked up."""


def keep_ids(session: Session, gathered: Together) -> None:
    """Keep the ids of the events that were taken, with their answers, in one statement. Raises ToldMeanwhile."""
    rows = [{"org_id": session.info["org"], **each} for each in gathered.new_keys]
    if rows:
        kept = insert(PhoneEventKey).on_conflict_do_nothing().returning(PhoneEventKey.event_id)
        if len(session.execute(kept, rows).all()) < len(rows):
            raise ToldMeanwhile


def _claim(session: Session, telling: Telling, visit: Visit) -> bool:
    """Whether the id is ours now. Waits for a transaction that claims the same one at this moment."""
    row = session.execute(
        insert(PhoneEventKey)
        .values(org_id=session.info["org"], **_columns(telling, visit))
        .on_conflict_do_nothing()
        .returning(PhoneEventKey.event_id)
    )
    return row.first() is not None


def _columns(telling: Telling, visit: Visit) -> dict[str, Any]:
    return {
        "lender_id": visit.lender_id,
        "event_id": telling.event_id,
        "visit_id": telling.visit_id,
        "kind": telling.kind,
        "body_digest": telling.digest,
    }


def _answer(state: VisitState, facts: Mapping[str, Any], now: dt.datetime) -> dict[str, Any]:
    return {"state": state.value, "taken_at": now.isoformat(), "facts": plain(facts)}


def _earlier(session: Session, telling: Telling) -> Receipt | None:
    """What it was answered before, in one query with whether the office has dismissed it. Raises EventDismissed."""
    dismissed = sa.and_(HeldEvent.event_id == telling.event_id, *of_dismissed(session, telling.by.visitor_id))
    asked = (
        sa.select(PhoneEventKey.body_digest, PhoneEventKey.answer, HeldEvent.state)
        .select_from(sa.select(sa.true().label("asked")).subquery())
        .outerjoin(PhoneEventKey, sa.and_(*_key(session, telling)))
        .outerjoin(HeldEvent, dismissed)
    )
    row = session.execute(asked).one()
    if row.body_digest is not None:
        return _told_before(telling, bytes(row.body_digest), row.answer)
    if row.state is not None:
        raise EventDismissed(event_id=telling.event_id)
    return None


def of_dismissed(session: Session, visitor_id: uuid.UUID) -> tuple[sa.ColumnElement[bool], ...]:
    """Which events of this visitor's phones a person has dismissed."""
    return (
        HeldEvent.org_id == session.info["org"],
        HeldEvent.visitor_id == visitor_id,
        HeldEvent.state == HeldState.DISMISSED,
    )


def _told_before(telling: Telling, digest: bytes, answer: Mapping[str, Any]) -> Receipt:
    if digest != telling.digest:
        raise EventIdReused(event_id=telling.event_id)
    return _receipt(telling, answer)


def _key(session: Session, telling: Telling) -> tuple[sa.ColumnElement[bool], ...]:
    return PhoneEventKey.org_id == session.info["org"], PhoneEventKey.event_id == telling.event_id


def _receipt(telling: Telling, answer: Mapping[str, Any]) -> Receipt:
    return Receipt(
        event_id=telling.event_id,
        visit_id=telling.visit_id,
        kind=telling.kind,
        state=VisitState(answer["state"]),
        taken_at=dt.datetime.fromisoformat(answer["taken_at"]),
        facts=answer["facts"],
    )
