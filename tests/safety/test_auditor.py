"""The auditor names each invariant that is broken, and calls the outside only when all hold."""

import datetime as dt
import hashlib
import http.server
import threading
import time
import uuid
from collections.abc import Callable, Iterator

import psycopg
import pytest
import sqlalchemy as sa

from fieldvisit.database import Urls, acting_for, acting_for_all, plain_url
from fieldvisit.models import Account, DutyShift, OutboxMessage, SafetySession, Visitor
from fieldvisit.safety.auditing import STATEMENT_MS, audit, call_outside, once
from fieldvisit.safety.chains import Altered, Proven, WholeRecord, altered
from fieldvisit.safety.live import read_wall
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import DutyRank, MessagePurpose, Role, SafetyState
from tests.dripping import dripping
from tests.processes import call
from tests.safety.test_crews import two_crews
from tests.safety.worlds import Door, another_door, make_account, put_on_duty
from tests.worlds import make_case, make_shift, make_visit


@pytest.fixture
def url(urls: Urls) -> str:
    return plain_url(urls.app)


@pytest.fixture
def by_hand(urls: Urls) -> Iterator[Callable[[str], None]]:
    """The owner of the database breaks something."""
    with psycopg.connect(plain_url(urls.owner), autocommit=True) as connection:
        connection.execute("select set_config('app.sees_all', 'on', false)")

        def execute(statement: str) -> None:
            connection.execute(statement)

        yield execute


def numbers(url: str) -> list[int]:
    return sorted({each.number for each in audit(url)})


@pytest.fixture
def at_work(door: Door) -> Door:
    """Sessions of every kind, an alert that is taken, one that climbs, messages that went out: all as it should be."""
    door.start()
    door.watch()
    return door


def test_where_all_is_well_nothing_is_named(at_work: Door, url: str) -> None:
    assert audit(url) == []
    at_work.call_for_help()
    at_work.watch()
    assert audit(url) == []
    at_work.acknowledge()
    assert audit(url) == []


SESSIONS, ALERTS = "update safety_sessions set", "update safety_alerts set"
PAST = "fieldvisit_now() - interval '11 seconds'"
BEFORE = "fieldvisit_now() - interval '20 minutes'"
DAMAGE: dict[str, tuple[int, str]] = {
    "a grace that passed": (1, f"{SESSIONS} remind_at = {BEFORE}, due_at = {BEFORE}, grace_until = {PAST}"),
    "an end that passed": (1, f"{SESSIONS} end_at = {PAST}"),
    "lost contact that raises": (
        1,
        f"{SESSIONS} lost_at = {PAST}, policy = jsonb_set(policy, '{{lost_raises}}', 'true')",
    ),
    "lost contact of which a later version says more": (
        1,
        f"{SESSIONS} lost_at = {PAST}, policy = jsonb_set(policy, '{{lost_raises}}', '\"by_phone\"')",
    ),
    "no moment to lose contact": (2, f"{SESSIONS} lost_at = null"),
    "an alarm without an alert": (2, f"{SESSIONS} state = 'alarm'"),
    "nobody on duty": (7, "delete from duty_shifts"),
    "nobody with an address": (7, "update officer_contacts set active = false"),
    "nobody with an open account": (7, "update accounts set active = false"),
    "a clock that is off": (9, "update engine_beats set host_ahead_s = -3601"),
    "a watcher that is gone": (9, f"update engine_beats set at = {BEFORE}"),
    "an event that was altered": (6, 'update safety_events set detail = \'{"level": "low"}\''),
    "an event that was taken out": (6, "delete from safety_events"),
    "an event that was put in": (
        6,
        "insert into safety_events (org_id, session_id, sequence, at, kind, detail, previous_hash, hash)"
        " select org_id, session_id, sequence + 1, at, kind, detail, hash, 'x'::bytea from safety_events",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_broken_is_named_and_nothing_else(
    at_work: Door, url: str, by_hand: Callable[[str], None], damage: str
) -> None:
    number, statement = DAMAGE[damage]
    by_hand(statement)
    assert numbers(url) == [number]


def only_officer(door: Door, visitor_id: uuid.UUID) -> None:
    """Nobody is on duty but a team lead who goes to doors as this visitor."""
    with acting_for_all(door.sessions) as session:
        session.execute(sa.delete(DutyShift))
        lead = make_account(session, door.world, Role.VISITOR, Role.SUPERVISOR, visitor_id=visitor_id)
        put_on_duty(session, lead, DutyRank.TEAM_LEAD)


def cover(door: Door) -> int:
    with acting_for(door.sessions, door.world.agency) as session:
        return read_wall(session).cover


def test_nobody_counts_as_an_officer_for_themselves(door: Door, url: str) -> None:
    """A house whose only officer goes to doors too: as long as they stay in, all holds."""
    lead, door_id = another_door(door), door.start()
    only_officer(door, lead.visitor_id)
    door.somebody_watches()
    assert (numbers(url), cover(door)) == ([], 1)
    lead_id = lead.call_for_help()
    door.watch()
    violations = [each for each in audit(url) if each.number == 7]
    assert ([(each.subject, each.org_id) for each in violations], cover(door)) == (
        [(str(lead_id), str(door.world.agency))],
        0,
    ), "an alarm about the other one is still answered"
    with acting_for_all(door.sessions) as session:
        session.execute(sa.update(SafetySession).where(SafetySession.id == door_id).values(state=SafetyState.ENDED))
        put_on_duty(session, session.get_one(Account, door.officer.account_id), DutyRank.DUTY)
    assert (numbers(url), cover(door)) == ([], 1)


def test_who_is_watched_over_at_the_same_door_is_no_officer_for_the_other(
    door: Door, url: str, by_hand: Callable[[str], None]
) -> None:
    lead, door_id = another_door(door), door.start()
    lead_id = lead.start()
    only_officer(door, lead.visitor_id)
    by_hand(f"{SESSIONS} state = 'ended' where id = '{lead_id}'")
    with acting_for_all(door.sessions) as session:
        visit_id = make_visit(session, door.world, make_case(session, door.world)).id
    by_hand(f"{SESSIONS} visit_id = '{visit_id}'")
    door.somebody_watches()
    assert (numbers(url), cover(door)) == ([], 1)
    by_hand(f"{SESSIONS} state = 'active' where id = '{lead_id}'")
    (violation,) = audit(url)
    assert (violation.number, violation.subject, cover(door)) == (7, str(door_id), 0)


@pytest.mark.parametrize(("crews", "broken"), [("meet", [7]), ("apart", []), ("of one shift", [7])])
def test_who_goes_with_her_is_no_officer_for_her(door: Door, url: str, crews: str, broken: list[int]) -> None:
    lead = another_door(door)
    visit_id = two_crews(door, lead, meet=crews == "meet")
    if crews == "of one shift":
        with acting_for_all(door.sessions) as session:
            now = session.scalars(sa.select(sa.func.fieldvisit_now())).one()
            for visitor_id in (door.visitor_id, lead.visitor_id):
                shift = make_shift(
                    session, session.get_one(Visitor, visitor_id), crew="C", lead=visitor_id == door.visitor_id
                )
                shift.starts_at, shift.ends_at = now, now + dt.timedelta(hours=8)
    only_officer(door, lead.visitor_id)
    door.start(visit_id=visit_id)
    door.somebody_watches()
    assert numbers(url) == broken


def test_a_record_that_cannot_be_asked_hides_nothing_that_was_found(
    at_work: Door, url: str, by_hand: Callable[[str], None]
) -> None:
    class Slow(Proven):
        def altered(self, connection: psycopg.Connection) -> list[Altered]:
            connection.execute("set statement_timeout = 1")
            connection.execute("select pg_sleep(1)")
            return []

    by_hand(f"{SESSIONS} end_at = {PAST}")
    found = audit(url, proven=Slow())
    assert ([each.number for each in found], found[1].subject) == ([1, 6], "QueryCanceled")


@pytest.mark.parametrize(
    ("number", "statement"),
    [
        (3, f"{ALERTS} next_action_at = {PAST}"),
        (3, f"{ALERTS} next_action_at = null"),
        (5, f"update safety_outbox set next_try_at = {PAST}"),
    ],
)
def test_an_alert_or_a_message_that_stands_still_is_named(
    at_work: Door, url: str, by_hand: Callable[[str], None], number: int, statement: str
) -> None:
    at_work.call_for_help()
    by_hand(statement)
    assert numbers(url) == [number]


def test_an_acknowledgement_that_nobody_ends_is_named(at_work: Door, url: str, by_hand: Callable[[str], None]) -> None:
    at_work.call_for_help()
    at_work.acknowledge()
    by_hand(f"{ALERTS} ack_until = {PAST}")
    assert numbers(url) == [4]


def test_a_message_under_a_live_lease_is_nobodys_fault(at_work: Door, url: str, by_hand: Callable[[str], None]) -> None:
    at_work.call_for_help()
    by_hand(
        f"update safety_outbox set next_try_at = {PAST}, lease = gen_random_uuid(),"
        " lease_until = fieldvisit_now() + interval '1 second'"
    )
    assert audit(url) == []


def test_a_message_that_is_taken_again_and_again_and_never_written_down_is_named(
    at_work: Door, url: str, by_hand: Callable[[str], None]
) -> None:
    at_work.call_for_help()
    by_hand(
        "update safety_outbox set next_try_at = fieldvisit_now() - interval '61 seconds', lease = gen_random_uuid(),"
        " lease_until = fieldvisit_now() + interval '9 seconds'"
    )
    assert numbers(url) == [5]


def test_lost_contact_that_is_only_shown_is_no_fault(at_work: Door, url: str, by_hand: Callable[[str], None]) -> None:
    by_hand(f"{SESSIONS} lost_at = {PAST}, lost_contact = true")
    assert audit(url) == []


def test_what_was_proven_is_not_read_again_and_is_missed_all_the_same(
    at_work: Door, url: str, by_hand: Callable[[str], None]
) -> None:
    """An auditor that goes on proves what is new, and notices what is altered under a hash that was proven before."""
    proven = Proven()
    assert audit(url, proven=proven) == []
    session_id = at_work.call_for_help()
    assert audit(url, proven=proven) == []
    by_hand("update safety_events set detail = jsonb_set(detail, '{level}', '\"low\"') where sequence = 1")
    for _ in range(2):
        assert [(each.number, each.subject, each.amount) for each in audit(url, proven=proven)] == [
            (6, str(session_id), 1)
        ]


def test_the_whole_record_is_proven_beside_the_audits(at_work: Door, url: str, by_hand: Callable[[str], None]) -> None:
    session_id = at_work.call_for_help()
    by_hand(f"{SESSIONS} state = 'ended', ended_at = {BEFORE} - interval '1 day'")
    by_hand("update safety_events set kind = 'noted' where sequence = 2")
    whole = WholeRecord(url, threading.Event())
    whole.begin_when_due()
    whole.join()
    assert [(found, sequence) for _, found, sequence in whole.found] == [(session_id, 2)]
    whole.begin_when_due()
    assert whole.found


def test_the_first_altered_event_is_named(at_work: Door, url: str, by_hand: Callable[[str], None]) -> None:
    session_id = at_work.call_for_help()
    by_hand("update safety_events set kind = 'noted' where sequence in (2, 3)")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("select set_config('app.sees_all', 'on', false)")
        assert [(found, sequence) for _, found, sequence in altered(connection, everything=True)] == [(session_id, 2)]


def test_an_event_made_anew_with_a_right_hash_is_still_missed_by_the_next(
    at_work: Door, url: str, by_hand: Callable[[str], None]
) -> None:
    at_work.call_for_help()
    forged = hashlib.sha256(b"anything").hexdigest()
    by_hand(f"update safety_events set hash = decode('{forged}', 'hex') where sequence = 1")
    assert numbers(url) == [6]


def test_a_host_whose_clock_is_off_is_named(at_work: Door, url: str) -> None:
    off = audit(url, host_time=lambda: time.time() + 2)
    assert [(each.number, each.subject, round(each.amount or 0)) for each in off] == [(9, "auditor", 2)]


def test_a_database_that_does_not_answer_does_not_hold() -> None:
    (violation,) = audit("postgresql://nobody:x@127.0.0.1:1/none")
    assert (violation.number, violation.subject) == (0, "OperationalError")


@pytest.fixture
def outside() -> Iterator[tuple[str, list[str]]]:
    """The service that waits for the dead-man call."""
    calls: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            calls.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/beat", calls
        server.shutdown()


def test_the_outside_is_called_only_when_all_holds(
    at_work: Door, url: str, outside: tuple[str, list[str]], by_hand: Callable[[str], None]
) -> None:
    address, calls = outside
    assert list(once(url, address)) == []
    assert calls == ["/beat"]
    by_hand(f"{SESSIONS} end_at = {PAST}")
    assert [each.number for each in once(url, address)] == [1]
    assert calls == ["/beat"]


def test_what_does_not_hold_is_told_to_those_who_answer_alarms_and_not_again_at_once(
    at_work: Door, url: str, by_hand: Callable[[str], None]
) -> None:
    by_hand("delete from duty_shifts")
    once(url, None)
    once(url, None)
    with acting_for_all(at_work.sessions) as session:
        told = session.scalars(
            sa.select(OutboxMessage.channel).where(OutboxMessage.purpose == MessagePurpose.WATCH_FAILS)
        ).all()
    assert sorted(told) == ["sms", "sms", "voice", "voice"]


@pytest.mark.long
def test_the_command_says_what_does_not_hold(at_work: Door, settings: Settings, by_hand: Callable[[str], None]) -> None:
    assert call(settings, "auditor", "--chains").returncode == 0
    by_hand(f"{SESSIONS} end_at = {PAST}")
    done = call(settings, "auditor", "--once")
    assert (done.returncode, '"number": 1' in done.stdout) == (1, True)


@pytest.mark.long
def test_an_audit_beside_a_million_events_ends_in_time(at_work: Door, url: str, by_hand: Callable[[str], None]) -> None:
    """They belong to a session that ended long ago, beside one that runs."""
    old = another_door(at_work)
    old_id = old.start()
    old.end(old_id)
    by_hand(f"{SESSIONS} ended_at = fieldvisit_now() - interval '2 hours' where id = '{old_id}'")
    by_hand(
        "insert into safety_events (org_id, session_id, sequence, at, kind, detail, previous_hash, hash)"
        " select org_id, session_id, n + 1000, at, kind, detail, hash, hash"
        f" from safety_events, generate_series(1, 1000000) n where session_id = '{old_id}' and sequence = 1"
    )
    by_hand("analyze safety_events")
    at_work.somebody_watches()
    began = time.monotonic()
    found = audit(url)
    took_s = time.monotonic() - began
    print(f"\naudit beside a million events: {took_s:.2f} s")
    assert found == []
    assert took_s < STATEMENT_MS / 1_000


def test_an_outside_that_brings_a_byte_now_and_then_keeps_no_audit_waiting() -> None:
    with dripping() as address:
        assert not call_outside(address, timeout_s=0.3)
