"""What makes two states the same, and what no state may be.

Moments count as so many whole units from now; of those that passed only the order counts. Numbers that only ever grow
(versions, rounds, the record) are left out, but for what an engine holds in its hands: whether that is still so.
"""

import datetime as dt
import math
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from fieldvisit.models import SafetyAlert, SafetySession
from fieldvisit.safety.beats import OUTAGE_S
from fieldvisit.safety.pins import TRIES, WITHIN
from tests.safety.exploring.stage import Document

UNIT_S = 60
FAR = 20
"""Units. Nothing that comes to pass in a scene is ever so far ahead."""
DEADLINES = ("grace_until", "end_at", "arrive_by", "leave_by", "lost_at")
UNRESOLVED = ("pre", "open", "notifying", "exhausted", "acknowledged")
OVER, UNWATCHED = ("ended", "cancelled"), ("planned", "cancelled")


@dataclass(frozen=True, eq=False)
class Held:
    """What one engine has read and not yet decided about: rows of sessions (`fire`) or of alerts (`climb`)."""

    about: str
    rows: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class State:
    """All rows, and what living engines hold in their hands."""

    document: Document
    held: tuple[Held, ...] = ()

    @property
    def now(self) -> dt.datetime:
        return dt.datetime.fromisoformat(self.document["now"])

    @property
    def sessions(self) -> list[dict[str, Any]]:
        return self.document["sessions"]

    @property
    def alerts(self) -> list[dict[str, Any]]:
        return self.document["alerts"]

    def unresolved(self, session_id: str | None = None) -> list[dict[str, Any]]:
        return [
            each for each in self.alerts if each["state"] in UNRESOLVED and session_id in (None, each["session_id"])
        ]

    def after(self, document: Document, *, forget_messages: bool, keep_resolved: bool = True) -> "State":
        """The state that this document makes of it. Of what is over only that is kept which can still be taken up:
        nothing, where nobody opens an alert again."""
        kept = dict(document)
        parents = {each["parent_id"] for each in kept["alerts"] if each["state"] in UNRESOLVED}
        newest = {(each["session_id"], each["kind"], each["covert"]): each["id"] for each in kept["alerts"]}
        kept["alerts"] = [
            each
            for each in kept["alerts"]
            if each["state"] in UNRESOLVED
            or each["id"] in parents
            or (keep_resolved and each["parent_id"] is None and each["id"] in newest.values())
        ]
        if forget_messages:
            kept["messages"] = []
        return replace(self, document=kept)


def key_of(visitors: dict[str, int]) -> Callable[[State], Hashable]:
    """The key of a state whose visitors are numbered so."""

    def key(state: State) -> Hashable:
        people: dict[str, str] = {}

        def person(account_id: str | None) -> str | None:
            # The two officers are alike: only whether it is the same one counts.
            return None if account_id is None else people.setdefault(account_id, f"officer {len(people) + 1}")

        number = {each["id"]: visitors[each["visitor_id"]] for each in state.sessions}
        name = {each["id"]: (number[each["session_id"]], each["kind"]) for each in state.alerts}
        sessions = tuple(
            (number[each["id"]], *_session(each, state.now, _seen_at(state)))
            for each in sorted(state.sessions, key=lambda each: number[each["id"]])
            if each["state"] not in OVER or _newest(each, state.sessions)
        )
        unresolved = sorted(state.unresolved(), key=lambda each: name[each["id"]])
        alerts = tuple((*name[each["id"]], *_alert(each, state.now, name, person)) for each in unresolved)
        resolved = frozenset(
            (*name[each["id"]], each["covert"]) for each in state.alerts if each["state"] not in UNRESOLVED
        )
        theirs = [each for each in state.document["pins"] if each["visitor_id"] in visitors]
        pins = tuple(sorted((visitors[each["visitor_id"]], *_pin(each, state.now)) for each in theirs))
        messages = tuple(sorted(_message(each, state.now, name) for each in state.document["messages"]))
        held = tuple(sorted(_held(each, state, name) for each in state.held))
        return sessions, alerts, resolved, pins, _unwatched(state), messages, held

    return key


def _newest(row: dict[str, Any], sessions: list[dict[str, Any]]) -> bool:
    mine = [each for each in sessions if each["visitor_id"] == row["visitor_id"]]
    return row is max(mine, key=lambda each: (each["state"] not in OVER, each["started_at"] or ""))


def moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def units(text: str | None, now: dt.datetime) -> int | None:
    """Whole units from now on, at least 1 for what is ahead; 0 for what has passed. What is far is only that."""
    if text is None:
        return None
    return min(FAR, max(0, math.ceil((moment(text) - now).total_seconds() / UNIT_S)))


def passed(row: dict[str, Any], now: dt.datetime) -> list[str]:
    """The deadlines that have passed, in the order in which they did."""
    behind = [(row[name], name) for name in DEADLINES if row[name] and moment(row[name]) <= now]
    return [name for _, name in sorted(behind) if name != "lost_at" or not row["lost_contact"]]


def _session(row: dict[str, Any], now: dt.datetime, seen_at: dt.datetime | None) -> Iterator[Hashable]:
    """`seen_at` is the last beat of any engine: what has passed since then is raised as unverified."""
    active, seems = row["state"] == "active", (row["shown"] or {}).get("state")
    begun = row["started_at"] is not None
    yield from (row["state"], begun, row["level"], row["cover"], row["duress"], seems, row["lost_contact"])
    if row["state"] not in OVER:
        ahead = [*DEADLINES, "due_at", "remind_at"]
        yield from (units(row[name], now) for name in ahead if name != "lost_at" or not row["lost_contact"])
        yield row["extended_s"]
    yield tuple((name, seen_at is None or moment(row[name]) >= seen_at) for name in passed(row, now)) if active else ()


def _alert(
    alert: dict[str, Any], now: dt.datetime, name: dict[str, Any], person: Callable[[str | None], str | None]
) -> Iterator[Hashable]:
    yield from (alert["state"], alert["step"], alert["covert"], name.get(alert["parent_id"]))
    yield units(alert["next_action_at"], now)
    yield from (person(alert["owner_id"]), person(alert["offered_to_id"]))
    closing = alert["closing"]
    yield None if closing is None else bool(closing["resume"])


def _pin(pin: dict[str, Any], now: dt.datetime) -> tuple[int, int]:
    since = pin["wrong_since_at"]
    if not pin["wrong"] or since is None or now - moment(since) > WITHIN:
        return 0, 0
    # From the third on one more is like the one before: a number that only grows would never come to an end.
    return min(pin["wrong"], TRIES), int((now - moment(since)).total_seconds()) // UNIT_S


def _message(message: dict[str, Any], now: dt.datetime, name: dict[str, Any]) -> tuple[Hashable, ...]:
    about = name.get(message["alert_id"], ("none",))
    waits, leased = units(message["next_try_at"], now), units(message["lease_until"], now)
    passes = min(message["attempts"], 3)
    where = (message["purpose"], message["channel"], message["recipient"], message["recipient_id"])
    return (*about, *where, message["step"], message["state"], passes, _sortable(waits), _sortable(leased))


def _sortable(number: int | None) -> int:
    return -1 if number is None else number


def _seen_at(state: State) -> dt.datetime | None:
    """The last beat of any engine."""
    return max((moment(each["at"]) for each in state.document["beats"]), default=None)


def _unwatched(state: State) -> bool:
    """Whether nobody has watched for so long that it counts."""
    seen_at = _seen_at(state)
    return seen_at is None or (state.now - seen_at).total_seconds() > OUTAGE_S


def is_stale(about: str, row: dict[str, Any], state: State) -> bool:
    """Whether something has happened to it since it was read."""
    rows = state.sessions if about == "fire" else state.alerts
    mark = "generation" if about == "fire" else "version"
    current = next((each for each in rows if each["id"] == row["id"]), None)
    return current is None or current[mark] != row[mark]


def translated(state: State, document: Document) -> State:
    """The same state with this document, which is the same for the key, in place of its own: what is held was read as
    long ago, and is as new or old, as before."""
    if document is state.document:
        return state
    there = State(document)
    return replace(there, held=tuple(_translated(each, state, there) for each in state.held))


def _translated(held: Held, state: State, there: State) -> Held:
    about_sessions = held.about == "fire"
    mark = "generation" if about_sessions else "version"
    rows = []
    for row in held.rows:
        counterpart = _counterpart(row, there) if about_sessions else _named_like(row, state, there)
        moved = _shifted(row, SafetySession if about_sessions else SafetyAlert, there.now - state.now)
        if counterpart is not None:
            old = is_stale(held.about, row, state)
            moved |= {"id": counterpart["id"], mark: counterpart[mark] - 1 if old else counterpart[mark]}
        rows.append(moved)
    return Held(held.about, tuple(rows))


def _counterpart(row: dict[str, Any], there: State) -> dict[str, Any]:
    """Of a story in which each visitor has one session."""
    (found,) = (each for each in there.sessions if each["visitor_id"] == row["visitor_id"])
    return found


def _named_like(row: dict[str, Any], state: State, there: State) -> dict[str, Any] | None:
    """The alert that stands for this one, whose kind may have changed since it was read; none where it is gone."""

    def named(alert: dict[str, Any]) -> tuple[Hashable, ...]:
        return alert["session_id"], alert["kind"], alert["covert"], alert["state"] in UNRESOLVED

    current = next((each for each in state.alerts if each["id"] == row["id"]), None)
    return current and next(each for each in there.alerts if named(each) == named(current))


def _shifted(row: dict[str, Any], model: type, by: dt.timedelta) -> dict[str, Any]:
    moments = [column.key for column in sa.inspect(model).columns if isinstance(column.type, sa.DateTime)]
    return row | {name: (moment(row[name]) + by).isoformat() for name in moments if row[name]}


def _held(held: Held, state: State, name: dict[str, Any]) -> tuple[Hashable, ...]:
    if held.about == "fire":
        read = tuple(
            (str(row["id"]), is_stale("fire", row, state), row["lost_contact"], *passed(row, state.now))
            for row in held.rows
        )
    else:
        read = tuple(
            (name.get(row["id"]), is_stale("climb", row, state), row["state"], row["step"]) for row in held.rows
        )
    return held.about, repr(read)


def faults(state: State) -> Iterator[str]:
    """What no state may be, whether or not an engine has looked at it yet."""
    for row in state.sessions:
        unresolved = state.unresolved(row["id"])
        if (row["state"] == "alarm") != bool(unresolved):
            yield f"a session is {row['state']} with {len(unresolved)} open alerts"
        if row["state"] in UNWATCHED and any(row[name] for name in (*DEADLINES, "due_at", "remind_at")):
            yield f"a session is {row['state']} and has a deadline"
        if row["state"] == "active" and None in (row["grace_until"], row["end_at"], row["lost_at"]):
            yield "invariant 2: a running session lacks a deadline"
        kinds = [each["kind"] for each in unresolved]
        if len(kinds) != len(set(kinds)):
            yield "two open alerts of one kind"
        if unresolved and sum(each["parent_id"] is None for each in unresolved) != 1:
            yield "of several open alerts not exactly one climbs"
    known = {each["id"]: each for each in state.alerts}
    for alert in state.unresolved():
        if alert["parent_id"] is None and alert["next_action_at"] is None:
            yield "an open alert has no pending step"
        if alert["parent_id"] is not None and known[alert["parent_id"]]["state"] not in UNRESOLVED:
            yield "an open alert waits for one that is closed"
        if alert["state"] == "acknowledged" and (alert["owner_id"] is None or alert["ack_until"] is None):
            yield "an acknowledged alert has no owner or no end"
