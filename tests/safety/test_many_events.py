"""The auditor beside a large record: what it costs when little is new, and what it costs the first time.

`EVENTS` says how many events there are (1,000,000 at the full length), `RUNNING` how many sessions run.
"""

import datetime as dt
import os
import time
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb
from sqlalchemy.engine import make_url

from fieldvisit.database import Urls, plain_url
from fieldvisit.embedded import Server
from fieldvisit.safety.auditing import audit
from fieldvisit.safety.chains import Proven, hash_of
from tests.conftest import NOW
from tests.safety.test_rush import watch_over_many
from tests.safety.worlds import Door

EVENTS = int(os.environ.get("EVENTS", "100000"))
EACH = 20
COLUMNS = ("org_id", "session_id", "sequence", "at", "kind", "actor_id", "device_at", "detail", "previous_hash", "hash")


def chain(org_id: uuid.UUID, session_id: uuid.UUID, begun: dt.datetime) -> Iterator[dict[str, Any]]:
    previous = b""
    for number in range(1, EACH + 1):
        event: dict[str, Any] = {
            "org_id": org_id,
            "session_id": session_id,
            "sequence": number,
            "at": begun + dt.timedelta(seconds=number),
            "kind": "checked_in",
            "actor_id": None,
            "device_at": None,
            "detail": {"generation": number, "contact_regained": False},
            "previous_hash": previous,
        }
        previous = event["hash"] = hash_of(event)
        yield event


def write(owner: psycopg.Connection, org_id: uuid.UUID, rows: list[tuple[uuid.UUID, dt.datetime]]) -> None:
    """A chain of its own for each of these sessions, and their heads."""
    heads = []
    with owner.cursor() as cursor:
        with cursor.copy(f"copy safety_events ({', '.join(COLUMNS)}) from stdin") as copy:
            for session_id, begun in rows:
                for event in chain(org_id, session_id, begun):
                    copy.write_row([Jsonb(event[c]) if c == "detail" else event[c] for c in COLUMNS])
                heads.append((EACH, event["hash"], session_id))
        cursor.executemany("update safety_sessions set last_sequence = %s, last_hash = %s where id = %s", heads)


@pytest.mark.long
def test_an_audit_beside_a_million_events_is_short(door: Door, urls: Urls, server: Server) -> None:
    watch_over_many(door)
    # The owner of the tables copies nothing into them under row-level security.
    with server.connect(database=make_url(urls.owner).database or "") as owner:
        owner.execute("delete from safety_events")
        running = owner.execute("select id, org_id, started_at, visitor_id from safety_sessions").fetchall()
        org_id, visitor_id = running[0][1], running[0][3]
        past = [(uuid.uuid4(), NOW - dt.timedelta(hours=30)) for _ in range(max(0, EVENTS // EACH - len(running)))]
        with owner.cursor().copy(
            "copy safety_sessions (id, org_id, visitor_id, level, state, policy, started_at, ended_at) from stdin"
        ) as copy:
            for session_id, begun in past:
                ended = begun + dt.timedelta(minutes=30)
                copy.write_row((session_id, org_id, visitor_id, "normal", "ended", Jsonb({}), begun, ended))
        write(owner, org_id, [(each[0], each[2]) for each in running])
        write(owner, org_id, past)
        owner.execute("analyze")
        (count,) = owner.execute("select count(*) from safety_events").fetchone() or (0,)
    door.clock.stop()
    door.somebody_watches()
    url, proven = plain_url(urls.app), Proven()
    took = []
    for _ in range(4):
        began, busy = time.monotonic(), time.process_time()
        assert audit(url, proven=proven) == []
        took.append((time.monotonic() - began, time.process_time() - busy))
    print(f"\n{count} events, {len(running)} sessions running with {len(running) * EACH} of them")
    print(f"the first audit: {took[0][0]:.2f} s, of those {took[0][1]:.2f} s of the auditor's own time")
    for at_s, own_s in took[1:]:
        print(f"one that finds nothing new: {at_s:.2f} s, {own_s:.2f} s")
