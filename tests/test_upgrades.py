"""What a migration does to what is there already, and what becomes of one that is broken off."""

import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg import sql

from fieldvisit import embedded
from fieldvisit.database import Urls, head_revision
from fieldvisit.migrating import MigrationHeldUp, migrate

MIGRATE = """
import sys
from fieldvisit.database import Urls
from fieldvisit.migrating import migrate
migrate(Urls(app=sys.argv[1], owner=sys.argv[2]))
"""
WAITS = """
do $$ begin
    while not exists (select from pg_locks where relation = 'safety_outbox'::regclass and not granted) loop
        perform pg_sleep(0.01);
        perform pg_stat_clear_snapshot();
    end loop;
end $$
"""


@pytest.fixture
def rows(server: embedded.Server, urls: Urls) -> Iterator[psycopg.Connection]:
    """Rows may be put in with nothing that they belong to, and are seen whosever they are."""
    with server.connect("postgres", urls.owner.rsplit("/", 1)[1]) as connection:
        connection.execute("set session_replication_role = replica")
        yield connection


def put(rows: psycopg.Connection, table: str, **values: object) -> uuid.UUID:
    """A row; what must be said of it and is not given is empty."""
    asked = rows.execute(
        "select column_name, udt_name from information_schema.columns where table_schema = 'public' and table_name = %s"
        " and is_nullable = 'NO' and column_default is null",
        (table,),
    ).fetchall()
    empty = {"uuid": uuid.uuid4(), "jsonb": "{}", "timestamptz": "2026-10-14T09:00Z", "date": "2026-10-14", "int4": 1}
    values = {name: empty.get(kind, "") for name, kind in asked} | {"id": uuid.uuid4()} | values
    statement = sql.SQL("insert into {} ({}) values ({}) returning id").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, values)),
        sql.SQL(", ").join(sql.Placeholder() * len(values)),
    )
    found = rows.execute(statement, list(values.values())).fetchone()
    assert found
    return uuid.UUID(str(found[0]))


def revision(rows: psycopg.Connection) -> str:
    found = rows.execute("select version_num from alembic_version").fetchone()
    assert found
    return str(found[0])


def test_a_draft_that_waits_replaces_what_is_published(urls: Urls, rows: psycopg.Connection) -> None:
    migrate(urls, "0088_last_activity", back=True)
    area_id = uuid.uuid4()
    shown = put(rows, "day_plans", area_id=area_id, state="published", version=1)
    made = put(rows, "day_plans", area_id=area_id, state="draft")
    migrate(urls)
    assert rows.execute("select replaces_id from day_plans where id = %s", (made,)).fetchone() == (shown,)


def test_a_message_with_words_of_this_version_does_not_keep_it_from_being_taken_back(
    urls: Urls, rows: psycopg.Connection
) -> None:
    words = ("check_in_soon", "outage", "slow_week", "new_door", "marker_review_due")
    for purpose in ("alarm", *words):
        put(
            rows, "safety_outbox", key=purpose, purpose=purpose, recipient="officer", channel="sms",
            next_try_at="2026-10-14T09:00Z",
        )  # fmt: skip
    migrate(urls, "0044_location_looks", back=True)
    assert rows.execute("select purpose from safety_outbox").fetchall() == [("alarm",)]


def test_one_id_of_a_sender_that_is_not_known_is_one_payment(urls: Urls, rows: psycopg.Connection) -> None:
    payment = {"org_id": uuid.uuid4(), "external_id": "P-1", "amount_minor": 1, "currency": "EUR"}
    put(rows, "payments", **payment)
    with pytest.raises(psycopg.errors.UniqueViolation):
        put(rows, "payments", **payment)


@pytest.fixture
def half_way(urls: Urls, rows: psycopg.Connection) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has added a column to the alerts, and waits for the messages, which a call for help holds."""
    migrate(urls, "0077_declined_by", back=True)
    rows.execute("begin")
    rows.execute("lock table safety_outbox in row exclusive mode")
    with subprocess.Popen([sys.executable, "-c", MIGRATE, urls.app, urls.owner]) as process:
        rows.execute(WAITS)
        yield process
        process.kill()


def test_a_migration_that_waits_holds_nothing_of_the_one_before_and_killed_it_is_done_by_the_next(
    half_way: subprocess.Popen[bytes], urls: Urls, rows: psycopg.Connection
) -> None:
    rows.execute("lock table safety_alerts in row exclusive mode nowait")
    assert revision(rows) == "0078_raised_at"
    half_way.kill()
    half_way.wait()
    rows.execute("rollback")
    migrate(urls)
    assert revision(rows) == head_revision()


def test_two_that_migrate_at_once_do_it_one_after_the_other(urls: Urls, rows: psycopg.Connection) -> None:
    migrate(urls, "0076_accepted_by", back=True)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(migrate, [urls, urls])) == [None, None]
    assert revision(rows) == head_revision()


@pytest.mark.long
def test_a_table_that_stays_in_use_ends_a_migration_which_the_next_call_goes_on_with(
    urls: Urls, rows: psycopg.Connection
) -> None:
    migrate(urls, "0077_declined_by", back=True)
    with rows.transaction():
        rows.execute("lock table safety_outbox in row exclusive mode")
        with pytest.raises(MigrationHeldUp):
            migrate(urls)
    assert revision(rows) == "0078_raised_at"
    migrate(urls)
    assert revision(rows) == head_revision()
