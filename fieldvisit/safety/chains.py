"""Whether the record says what it said when it was written: each event against its hash, the one before, and the head.

Reading every event of all who are out each half minute would take longer than half a minute allows. So the database
makes a fingerprint of each session's events, over every byte of them and keyed anew by each auditor; only sessions
whose fingerprint is not the one that was proven are read and proven again. Once a day everything there is is proven.
"""

import datetime as dt
import hashlib
import json
import secrets
import threading
import time
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import psycopg
import structlog
from psycopg.rows import dict_row

from fieldvisit.safety.invariants import WATCHED_SESSIONS

AT_A_TIME = 5_000
"""Events fetched with one question."""
WHOLE_EACH_S = 86_400.0

log = structlog.get_logger("fieldvisit.auditor")

type Altered = tuple[uuid.UUID, uuid.UUID, int]
"""The first event of a session that is altered, taken out or put in: organisation, session, sequence."""

# Session by session, by the index: `offset 0` keeps the planner from reading the whole record of all times for it.
THEIRS = (
    "select * from safety_events e where e.session_id = s.id and e.org_id = s.org_id and e.at >= s.begun_at offset 0"
)
PRINTS = f"""
with watched as materialized ({WATCHED_SESSIONS})
select s.id, (select sum(hashtextextended(e::text, %(seed)s)) || ':' || count(*) from ({THEIRS}) e) from watched s
"""  # noqa: S608  # constants of ours
HEAD = "s.id as of_session, s.org_id as of_org, s.last_sequence, s.last_hash, e.*"
WATCHED = f"""
with watched as materialized ({WATCHED_SESSIONS})
select {HEAD} from watched s left join lateral ({THEIRS}) e on true
where %(of)s::uuid[] is null or s.id = any(%(of)s) order by s.id, e.sequence
"""  # noqa: S608  # constants of ours
ALL = f"""
select {HEAD} from safety_sessions s left join safety_events e on e.session_id = s.id order by s.id, e.sequence
"""  # noqa: S608  # a constant of ours


class Proven:
    """The fingerprints of what one auditor has proven; kept in its memory only, where nobody alters them."""

    def __init__(self) -> None:
        self._seed = secrets.randbits(62)
        self._prints: dict[uuid.UUID, str] = {}

    def altered(self, connection: psycopg.Connection) -> list[Altered]:
        """Of the sessions that are running or ended within the hour, those whose content does not hold."""
        prints: dict[uuid.UUID, str] = dict(connection.execute(PRINTS, {"seed": self._seed}).fetchall())
        changed = [session_id for session_id, print in prints.items() if self._prints.get(session_id) != print]
        found = altered(connection, of=changed) if changed else []
        wrong = {session_id for _, session_id, _ in found}
        self._prints = {session_id: print for session_id, print in prints.items() if session_id not in wrong}
        return found


def altered(
    connection: psycopg.Connection, *, everything: bool = False, of: Collection[uuid.UUID] | None = None
) -> list[Altered]:
    """What does not hold of the sessions that are running or ended within the hour, or `of` these among them; of all
    there ever were with `everything`, which takes its time."""
    return _first_of_each(_events(connection, everything=everything, of=of))


def _events(
    connection: psycopg.Connection, *, everything: bool, of: Collection[uuid.UUID] | None
) -> Iterator[Mapping[str, Any]]:
    with connection.transaction(), connection.cursor(name="chain", row_factory=dict_row) as cursor:
        cursor.itersize = AT_A_TIME
        yield from cursor.execute(ALL) if everything else cursor.execute(WATCHED, {"of": of and list(of)})


def _first_of_each(events: Iterator[Mapping[str, Any]]) -> list[Altered]:
    found = []
    for session_id, theirs in groupby(events, key=itemgetter("of_session")):
        chain = list(theirs)
        sequence = _first_fault(chain)
        if sequence is not None:
            found.append((chain[0]["of_org"], session_id, sequence))
    return found


def _first_fault(chain: Sequence[Mapping[str, Any]]) -> int | None:
    """Where the chain of a session does not hold up to the head that its row carries; a session without any event is
    one row without one."""
    previous, number = b"", 0
    for number, event in enumerate((each for each in chain if each["sequence"] is not None), start=1):
        joined = event["sequence"] == number and bytes(event["previous_hash"]) == previous
        if not joined or bytes(event["hash"]) != hash_of(event):
            return number
        previous = bytes(event["hash"])
    head = chain[0]
    return None if (number, previous) == (head["last_sequence"], bytes(head["last_hash"])) else number + 1


class WholeRecord:
    """Proves the record of every session once a day, beside the audits and never in their way. What it found is told by
    each of them until it has been proven anew."""

    def __init__(self, url: str, stop: threading.Event) -> None:
        self._url, self._stop = url, stop
        self._due = time.monotonic()
        self._thread: threading.Thread | None = None
        self.found: list[Altered] = []

    def begin_when_due(self) -> None:
        if time.monotonic() >= self._due and (self._thread is None or not self._thread.is_alive()):
            self._due = time.monotonic() + WHOLE_EACH_S
            self._thread = threading.Thread(target=self._prove, name="whole-record", daemon=True)
            self._thread.start()

    def join(self) -> None:
        if self._thread is not None:
            self._thread.join()

    def _prove(self) -> None:
        began = time.monotonic()
        try:
            with psycopg.connect(self._url, autocommit=True, connect_timeout=3) as connection:
                connection.execute(
                    "select set_config('app.sees_all', 'on', false), set_config('timezone', 'UTC', false)"
                )
                found = _first_of_each(self._until_stopped(_events(connection, everything=True, of=None)))
        except psycopg.Error as error:
            log.error("whole_record_not_proven", error=type(error).__name__)
            self._due = time.monotonic()
            return
        if not self._stop.is_set():
            self.found = found
            log.info("whole_record_proven", broken=len(found), took_s=round(time.monotonic() - began, 1))

    def _until_stopped(self, events: Iterator[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        for event in events:
            if self._stop.is_set():
                return
            yield event


def hash_of(event: Mapping[str, Any]) -> bytes:
    """Written out once more, from docs/safety.md and not from the engine's code: two that agree are worth something."""
    said = {
        "actor_id": str(event["actor_id"]) if event["actor_id"] else None,
        "at": _utc(event["at"]),
        "detail": event["detail"],
        "device_at": _utc(event["device_at"]) if event["device_at"] else None,
        "kind": event["kind"],
        "org_id": str(event["org_id"]),
        "previous": bytes(event["previous_hash"]).hex(),
        "sequence": event["sequence"],
        "session_id": str(event["session_id"]),
    }
    return hashlib.sha256(json.dumps(said, separators=(",", ":"), sort_keys=True).encode()).digest()


def _utc(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds")
