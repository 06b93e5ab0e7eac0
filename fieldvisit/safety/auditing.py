"""The auditor: asks the database whether everything holds, and tells the outside only when it does.

Silence outside means trouble inside, whatever kind of trouble it is, the auditor's own included.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any

import httpx
import psycopg
import structlog

from fieldvisit.database import REACHING
from fieldvisit.outgoing import hurried
from fieldvisit.safety.chains import Altered, Proven, WholeRecord
from fieldvisit.safety.invariants import CLOCK_S, INVARIANTS, Invariant

EACH_S = 30.0
STATEMENT_MS = 5_000
TIMEOUT_S = 10.0
TELL_AGAIN = "10 minutes"
CHAIN_OF = 6
BACK = Invariant(10, "the database has gone back", "")
HOST = Invariant(9, "the clock of the auditor's host is off", "")
UNASKED = Invariant(0, "the database does not answer the auditor", "")

log = structlog.get_logger("fieldvisit.auditor")


@dataclass(frozen=True)
class Violation:
    """What does not hold: which invariant, whose, which thing, and by how much (seconds, or the first bad event)."""

    number: int
    name: str
    org_id: str | None
    subject: str
    amount: float | None


@dataclass
class Seen:
    """How far the log of the database had come when this auditor last asked, and of which timeline: what is put back
    from a copy of the disk cannot tell it by itself."""

    position: int = 0
    timeline: str = ""


def audit(
    url: str,
    *,
    proven: Proven | None = None,
    seen: Seen | None = None,
    host_time: Callable[[], float] = time.time,
) -> list[Violation]:
    """Every invariant that does not hold now; a database that cannot be asked is a violation as well.

    With `proven` only what is not as it was proven before is proven again; with `seen` a database that is younger than
    it was at the last audit is found.
    """
    found: list[Violation] = []
    try:
        with psycopg.connect(url, autocommit=True, **REACHING) as connection:
            connection.execute("select set_config('app.sees_all', 'on', false), set_config('timezone', 'UTC', false)")
            connection.execute(f"set statement_timeout = {STATEMENT_MS}")
            found.extend(_all(connection, proven or Proven()))
            found.extend(_host_clock(connection, host_time))
            found.extend(_gone_back(connection, seen or Seen()))
    except psycopg.Error as error:
        # What was found before it fell silent stays found.
        found.append(Violation(UNASKED.number, UNASKED.name, None, type(error).__name__, None))
    return found


def _all(connection: psycopg.Connection, proven: Proven) -> Iterator[Violation]:
    for invariant in INVARIANTS:
        try:
            for org_id, subject, amount in connection.execute(invariant.sql).fetchall():
                yield _violation(invariant, org_id, subject, amount)
        except psycopg.Error as error:
            # One that cannot be asked does not hold, and hides no other.
            yield _violation(invariant, None, type(error).__name__, None)
    try:
        yield from _broken(proven.altered(connection))
    except psycopg.Error as error:
        yield _violation(INVARIANTS[CHAIN_OF - 1], None, type(error).__name__, None)


def _broken(found: Iterable[Altered]) -> Iterator[Violation]:
    for org_id, session_id, sequence in found:
        yield _violation(INVARIANTS[CHAIN_OF - 1], org_id, session_id, sequence)


def _violation(invariant: Invariant, org_id: object, subject: object, amount: Any) -> Violation:
    return Violation(
        invariant.number,
        invariant.name,
        str(org_id) if org_id else None,
        str(subject),
        None if amount is None else float(amount),
    )


def _host_clock(connection: psycopg.Connection, host_time: Callable[[], float]) -> Iterator[Violation]:
    before = host_time()
    row = connection.execute("select extract(epoch from clock_timestamp())").fetchone()
    after = host_time()
    ahead_s = (before + after) / 2 - float(row[0] if row else 0)
    if abs(ahead_s) > CLOCK_S + (after - before):
        yield _violation(HOST, None, "auditor", ahead_s)


def _gone_back(connection: psycopg.Connection, seen: Seen) -> Iterator[Violation]:
    row = connection.execute(
        "select pg_wal_lsn_diff(lsn, '0/0')::bigint, substr(pg_walfile_name(lsn), 1, 8) from pg_current_wal_lsn() lsn"
    ).fetchone()
    assert row is not None, "a function gives one row"
    position, timeline = int(row[0]), str(row[1])
    if seen.timeline == timeline and position < seen.position:
        yield _violation(BACK, None, "log", float(seen.position - position))
    seen.position, seen.timeline = position, timeline


# Everyone with the safety role of the organisation concerned (of every one with sessions, where it concerns all), once
# in ten minutes for one thing that does not hold.
WARN = f"""
insert into safety_outbox (org_id, key, purpose, recipient, recipient_id, channel, urgency, next_try_at, give_up_at,
                           created_at)
select c.org_id, concat_ws(':', 'watch', %(number)s::text, o.id, floor(extract(epoch from now.at) / 600)::text),
       'watch_fails', 'officer', o.id, o.channel, 9, now.at, now.at + interval '{TELL_AGAIN}', now.at
from officer_contacts o join accounts c on c.id = o.account_id and c.active and o.active
     and c.roles && array['safety_officer', 'supervisor'], (select fieldvisit_now() as at) now
where (%(org_id)s::uuid = c.org_id
       or %(org_id)s::uuid is null and exists (
          select from safety_sessions s where s.org_id = c.org_id and s.state in ('active', 'alarm')))
  and not exists (select from visitors v where v.id = c.visitor_id and not v.active)
on conflict (key) do nothing
"""  # noqa: S608  # a constant of this file


def warn(url: str, violations: Iterable[Violation]) -> None:
    """Put out a message to those who answer alarms that their alarms may not be answered for."""
    with psycopg.connect(url, **REACHING) as connection:
        connection.execute("select set_config('app.sees_all', 'on', true)")
        for number, org_id in sorted({(each.number, each.org_id or "") for each in violations}):
            connection.execute(WARN, {"number": number, "org_id": org_id or None})


def call_outside(url: str, *, timeout_s: float = TIMEOUT_S) -> bool:
    """The dead-man call, which keeps no audit waiting. False where it did not go through, which whoever waits for it
    will notice by itself."""
    try:
        with hurried.within(timeout_s), hurried.client(httpx.Timeout(timeout_s), httpx.create_ssl_context()) as client:
            return client.get(url).is_success
    except httpx.HTTPError as error:
        log.error("outside_call_failed", error=type(error).__name__)
        return False


def once(
    url: str,
    dead_man_url: str | None,
    *,
    proven: Proven | None = None,
    seen: Seen | None = None,
    besides: Sequence[Altered] = (),
) -> Sequence[Violation]:
    """One audit; the outside is called only when all holds. `besides`: what is known to be broken already."""
    began = time.monotonic()
    violations = [*audit(url, proven=proven, seen=seen), *_broken(besides)]
    took_s = round(time.monotonic() - began, 3)
    for each in violations:
        log.error("invariant_broken", number=each.number, what=each.name, org_id=each.org_id, subject=each.subject)
    if violations:
        try:
            warn(url, violations)
        except psycopg.Error as error:
            log.error("warning_not_put_out", error=type(error).__name__)
    else:
        called = call_outside(dead_man_url) if dead_man_url else None
        log.info("audit_passed", took_s=took_s, outside_called=called)
    return violations


def run(url: str, dead_man_url: str | None, stop: Event) -> None:
    """An audit each half minute until `stop`, and the whole record once a day; no error ends it."""
    proven, seen, whole = Proven(), Seen(), WholeRecord(url, stop)
    while not stop.is_set():
        whole.begin_when_due()
        try:
            once(url, dead_man_url, proven=proven, seen=seen, besides=whole.found)
        except Exception:
            log.exception("audit_failed")
        stop.wait(EACH_S)
    whole.join()
