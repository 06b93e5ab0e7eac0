"""Up to five hundred events of a phone at once, in any order, repeated, of any days: one result each.

The order of meaning is ours: visits in the order of time, and the steps of each as they belong together. What has to
come after something that is not here yet is held, and taken as soon as that comes. What is refused is kept too. Both
are seen by the visitor and by the office: see `fieldvisit.phone.holding`.
"""

import datetime as dt
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from fieldvisit.errors import FieldVisitError, Kind, NotFound, Refused, unless_refused
from fieldvisit.following_up import followed_up_at_end
from fieldvisit.phone import holding
from fieldvisit.phone.at_once import NotAtOnce, Stumbled, take_at_once
from fieldvisit.phone.kinds import SPARING, Event
from fieldvisit.phone.telling import Teller
from fieldvisit.report_demands import IdentityNotConfirmed
from fieldvisit.vocabulary import WaitsFor

MOST_AT_ONCE = 500
FEWEST_AT_ONCE, MOST_FAILED = 2, 3
"""One alone is taken as it is; where more come to nothing, reading it all again for each costs more than it saves."""


class EventOutcome(StrEnum):
    """What became of one event."""

    TAKEN = "taken"
    HELD = "held"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One event as it was sent: JSON, an object if it is one at all; and when, by the phone's clock."""

    body: Mapping[str, Any]
    sent_at: dt.datetime | None


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Who takes the events and how: `read` understands one, raising whatever is wrong with it; `translate` says what
    the database had against one, where it is the event's own fault."""

    by: Teller
    now: dt.datetime
    read: Callable[[Sent], Event]
    translate: Callable[[DBAPIError], FieldVisitError | None]


@dataclass(frozen=True, kw_only=True)
class EventResult:
    """`answer` is what the event's own telling would answer: for most a `Receipt`."""

    event_id: str | None
    kind: str | None
    outcome: EventOutcome
    answer: object = None
    waits_for: WaitsFor | None = None
    error: FieldVisitError | None = None


def take_events(session: Session, events: Sequence[Sent], desk: Desk) -> list[EventResult]:
    """Take these events; the result of each, in the order sent. Then take what was held and waited for them, and let
    what was reported count for other visits."""
    understood: dict[int, Event] = {}
    results: dict[int, EventResult] = {}
    for place, sent in enumerate(events):
        try:
            understood[place] = desk.read(sent)
        except FieldVisitError as error:
            results[place] = _refused(session, sent, error, desk)
    with followed_up_at_end(session, now=desk.now):
        results |= _take_all(session, events, understood, desk)
        outcomes = [(one.event_id, one.outcome) for one in results.values()]
        taken = [uuid.UUID(event_id) for event_id, outcome in outcomes if outcome is EventOutcome.TAKEN and event_id]
        subjects = {one.subject_id for one in understood.values() if one.subject_id}
        if holding.concerns_any(session, taken, subjects):
            holding.settle_taken(session, taken, by=desk.by, now=desk.now)
            release(session, subjects, desk)
    return [results[place] for place in range(len(events))]


def _take_all(
    session: Session, events: Sequence[Sent], understood: Mapping[int, Event], desk: Desk
) -> dict[int, EventResult]:
    """All of them at once, without those that come to nothing; where many do, one by one."""
    order, failed = _in_order(understood), dict[int, FieldVisitError]()
    while len(order) - len(failed) >= FEWEST_AT_ONCE and len(failed) <= MOST_FAILED:
        rest = [place for place in order if place not in failed]
        try:
            ones = [understood[place] for place in rest]
            answers = take_at_once(session, ones, by=desk.by, now=desk.now, translate=desk.translate)
        except Stumbled as stumbled:
            failed[rest[stumbled.place]] = stumbled.error
        except NotAtOnce:
            break
        else:
            taken = zip(rest, answers, strict=True)
            results = {place: _result(understood[place], EventOutcome.TAKEN, answer=answer) for place, answer in taken}
            for place, error in failed.items():
                results[place] = _not_taken(session, events[place], understood[place], error, by=desk.by)
            return results
    alone = len(events) == 1
    return {place: _take(session, events[place], understood[place], desk, alone=alone) for place in order}


def release(session: Session, subject_ids: set[uuid.UUID], desk: Desk) -> int:
    """Take whatever is held of these subjects and can be taken by now, whoever told it; how many. What waits for the
    same as before is left as it is."""
    taken, before = 0, -1
    while taken > before:
        before = taken
        for row in holding.waiting_for(session, subject_ids):
            desk_of_theirs = replace(desk, by=holding.teller_of(row))
            try:
                one = desk.read(Sent(**holding.as_if_sent(row, now=desk.now)))
            except FieldVisitError:
                # Nobody reads it from here, a revoked phone say: it goes on waiting, and hinders nothing else.
                continue
            error = _attempt(session, one, desk_of_theirs).error
            if error is None:
                holding.settle_taken(session, [row.event_id], by=desk_of_theirs.by, now=desk.now)
                taken += 1
            elif error.kind is Kind.UNAVAILABLE or _waits_for(one, error) is not row.waits_for:
                _not_taken(session, Sent(**holding.sent_of(row)), one, error, by=desk_of_theirs.by)
    return taken


def _in_order(understood: Mapping[int, Event]) -> list[int]:
    """The places of the events in the order of their meaning: subjects by their earliest time, then rank, then time."""
    first: dict[uuid.UUID | None, str] = {}
    for one in understood.values():
        first[one.subject_id] = min(first.get(one.subject_id, _time(one)), _time(one))

    def meaning(place: int) -> tuple[str, str, int, str, str]:
        one = understood[place]
        return first[one.subject_id], str(one.subject_id), one.rank, _time(one), str(one.event_id)

    return sorted(understood, key=meaning)


def _time(one: Event) -> str:
    return one.device_at.astimezone(dt.UTC).isoformat() if one.device_at else ""


def _take(session: Session, sent: Sent, one: Event, desk: Desk, *, alone: bool = False) -> EventResult:
    done = _attempt(session, one, desk, unguarded=alone and one.kind in SPARING)
    if done.error is not None:
        return _not_taken(session, sent, one, done.error, by=desk.by)
    return _result(one, EventOutcome.TAKEN, answer=done.answer)


@dataclass(frozen=True)
class _Done:
    answer: object = None
    error: FieldVisitError | None = None


def _attempt(session: Session, one: Event, desk: Desk, *, unguarded: bool = False) -> _Done:
    """What it answers, or why it is not taken; nothing of it stays then."""
    try:
        # What an event that comes to nothing has written is undone, and nothing of the others.
        with nullcontext() if unguarded else session.begin_nested():
            answer = one.take(session, desk.by)
        if isinstance(answer, Refused):
            unless_refused(answer)
    except FieldVisitError as error:
        return _Done(error=error)
    except DBAPIError as error:
        known = desk.translate(error)
        if known is None or known.kind is Kind.UNAVAILABLE or unguarded:
            raise
        return _Done(error=known)
    return _Done(answer=answer)


def _not_taken(session: Session, sent: Sent, one: Event, error: FieldVisitError, *, by: Teller) -> EventResult:
    if error.kind is Kind.UNAVAILABLE:
        # Nothing is wrong with the event: the phone sends all of it again.
        raise error
    waits_for = _waits_for(one, error)
    # What is not there, or not ours to see, is named by nothing that the office reads.
    known = waits_for is not None or not isinstance(error, NotFound)
    held = holding.Held(
        event_id=one.event_id,
        kind=one.kind,
        subject_id=one.subject_id if known else None,
        body=sent.body,
        device_at=one.device_at,
        sent_at=sent.sent_at,
        waits_for=waits_for,
        error=error,
    )
    holding.hold(session, held, by=by)
    outcome = EventOutcome.HELD if waits_for else EventOutcome.REFUSED
    return _result(one, outcome, waits_for=waits_for, error=error)


def _result(one: Event, outcome: EventOutcome, **more: Any) -> EventResult:
    return EventResult(event_id=str(one.event_id), kind=one.kind, outcome=outcome, **more)


def _waits_for(one: Event, error: FieldVisitError) -> WaitsFor | None:
    """What would have to come first, where the error says that something is missing that may still come."""
    if isinstance(error, IdentityNotConfirmed):
        return WaitsFor.IDENTITY_CHECK
    missing = error.details.get("what") if isinstance(error, NotFound) else None
    return {"report of visit": WaitsFor.REPORT, "safety session": WaitsFor.SAFETY_SESSION}.get(str(missing))


def _refused(session: Session, sent: Sent, error: FieldVisitError, desk: Desk) -> EventResult:
    """An event that could not be understood. It is kept where it has an id to keep it under."""
    said = sent.body if isinstance(sent.body, Mapping) else {}
    event_id, kind = said.get("event_id"), said.get("kind")
    result = EventResult(
        event_id=event_id if isinstance(event_id, str) else None,
        kind=kind if isinstance(kind, str) else None,
        outcome=EventOutcome.REFUSED,
        error=error,
    )
    held = holding.misunderstood(said, sent.sent_at, error)
    # A phone whose answer was lost before it was revoked, or its login ended, tells the same again: that is known, and
    # waits for nobody.
    again = held is not None and error.kind is Kind.UNAUTHENTICATED and holding.is_taken(session, held.event_id)
    if held is not None and not again:
        holding.hold(session, held, by=desk.by)
    return result
