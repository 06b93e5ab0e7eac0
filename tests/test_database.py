"""A database that must not be served is refused, with the reason and the cure."""

import dataclasses
import os
import socket

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit import embedded
from fieldvisit.clock import Clock
from fieldvisit.database import (
    OwnerServes,
    SchemaAhead,
    SchemaBehind,
    ShiftedClock,
    UnsafeRole,
    Urls,
    app_engine,
    refuse_unsafe,
)
from fieldvisit.migrating import migrate
from fieldvisit.settings import Settings
from tests.conftest import NOW


def test_a_good_database_is_served(engine: sa.Engine, settings: Settings) -> None:
    refuse_unsafe(engine, settings)


def test_a_role_above_row_level_security_is_refused(server: embedded.Server, urls: Urls, settings: Settings) -> None:
    name = urls.app.rsplit("/", 1)[1]
    engine = app_engine(server.url("postgres", name), settings)
    with pytest.raises(UnsafeRole):
        refuse_unsafe(engine, settings)
    engine.dispose()


def test_a_schema_that_is_behind_is_refused_with_the_cure(urls: Urls, engine: sa.Engine, settings: Settings) -> None:
    migrate(urls, "base")
    with pytest.raises(SchemaBehind, match="fieldvisit migrate"):
        refuse_unsafe(engine, settings)


def test_a_schema_of_a_newer_version_is_refused_without_a_cure_that_cures_nothing(
    urls: Urls, engine: sa.Engine, settings: Settings
) -> None:
    with sa.create_engine(urls.owner, poolclass=sa.NullPool).begin() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '9999_next_year'"))
    with pytest.raises(SchemaAhead, match="9999_next_year"):
        refuse_unsafe(engine, settings)


def test_production_refuses_a_shifted_clock(engine: sa.Engine, settings: Settings) -> None:
    with pytest.raises(ShiftedClock):
        refuse_unsafe(engine, dataclasses.replace(settings, environment="production"))


def test_the_application_cannot_shift_the_clock(urls: Urls) -> None:
    with (
        psycopg.connect(urls.app.replace("+psycopg", "")) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("update clock_shift set shift = interval '1 day'")


def test_python_and_the_database_agree_what_time_it_is(engine: sa.Engine, sessions: sessionmaker[Session]) -> None:
    with sessions() as session:
        theirs = session.scalar(sa.text("select fieldvisit_now()"))
    ours = Clock(engine)()
    assert theirs is not None
    assert abs((ours - theirs).total_seconds()) < 60
    assert ours.date() == NOW.date()


def test_a_partition_is_made_only_for_the_tables_that_have_them_and_months_that_make_sense(urls: Urls) -> None:
    with psycopg.connect(urls.app.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("select ensure_partition('contact_attempts', '2024-02-29')")
        for parent, month in (("cases", "2026-03-01"), ("contact_attempts", "2031-01-01")):
            with pytest.raises(psycopg.errors.RaiseException):
                connection.execute("select ensure_partition(%s, %s)", (parent, month))


def test_the_owner_of_the_tables_is_not_served(urls: Urls, settings: Settings) -> None:
    engine = app_engine(urls.owner, settings)
    with pytest.raises(OwnerServes):
        refuse_unsafe(engine, settings)
    engine.dispose()


def test_the_parameters_of_a_failed_statement_are_in_no_message(sessions: sessionmaker[Session]) -> None:
    with sessions() as session, pytest.raises(sa.exc.DBAPIError) as failed:
        session.execute(sa.text("select cast(:name as integer)"), {"name": "Meri Example"})
    assert "Meri Example" not in str(failed.value).split("[SQL")[1]


def test_a_day_in_sql_is_a_day_of_utc_whatever_the_servers_own_zone(urls: Urls, settings: Settings) -> None:
    name = urls.owner.rsplit("/", 1)[1]
    with psycopg.connect(urls.owner.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f'alter database "{name}" set timezone = "Asia/Shanghai"')
    engine = app_engine(urls.app, settings)
    with engine.connect() as connection:
        assert connection.scalar(sa.text("show timezone")) == "UTC"
    engine.dispose()


def test_a_connection_that_the_server_has_ended_is_not_used_again(engine: sa.Engine, server: embedded.Server) -> None:
    with engine.connect() as connection:
        ended = connection.scalar(sa.text("select pg_backend_pid()"))
    with server.connect() as superuser:
        superuser.execute("select pg_terminate_backend(%s, 5000)", (ended,))
    with engine.connect() as connection:
        assert connection.scalar(sa.text("select pg_backend_pid()")) != ended


def test_a_server_that_has_gone_from_the_network_is_waited_for_seconds_only(urls: Urls, settings: Settings) -> None:
    engine = app_engine(urls.app, settings)
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        with socket.socket(fileno=os.dup(raw.fileno())) as line:
            waits_ms = line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
            asks_after_s = line.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
    engine.dispose()
    assert (waits_ms, asks_after_s) == (10_000, 5)
