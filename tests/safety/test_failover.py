"""Another database takes over that lacks the last five seconds (T7): what phones tell again brings it up to the truth.

The copy is made as a replica would have it: everything up to a moment, and nothing after it.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql

from fieldvisit import embedded
from fieldvisit.database import Urls, app_engine, session_factory
from fieldvisit.models import SafetySession
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import AlertKind, SafetyState
from tests.safety.worlds import Clock, Door, another_door, kinds

LOST_S, AGE_S = 5, 30


@contextmanager
def replica(superuser: psycopg.Connection, server: embedded.Server, urls: Urls) -> Iterator[Urls]:
    """All that has been committed so far, under a name of its own."""
    there, name = sa.make_url(urls.app).database or "", f"test_{uuid.uuid4().hex}"
    clone = sql.SQL("create database {} owner {} template {} strategy file_copy")
    superuser.execute(clone.format(*map(sql.Identifier, (name, embedded.OWNER, there))))
    try:
        yield Urls(app=server.url(embedded.APP, name), owner=server.url(embedded.OWNER, name))
    finally:
        superuser.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.mark.long
def test_what_phones_tell_again_is_as_if_nothing_had_been_lost(
    door: Door,
    engine: sa.Engine,
    urls: Urls,
    settings: Settings,
    server: embedded.Server,
    superuser: psycopg.Connection,
) -> None:
    checks_in, calls, ends = door, another_door(door), another_door(door)
    check_in_id, call_id, end_id = (each.start() for each in (checks_in, calls, ends))
    door.pass_under_watch_s(600)
    engine.dispose()
    with replica(superuser, server, urls) as others:
        ids = {name: uuid.uuid4() for name in ("check-in", "call")}

        def tell(checks_in: Door, calls: Door, age_s: int) -> None:
            checks_in.check_in(check_in_id, event_id=ids["check-in"], age_s=age_s)
            calls.call_for_help(event_id=ids["call"], age_s=age_s)

        tell(checks_in, calls, 0)
        ends.end(end_id)
        told = checks_in.row(check_in_id)
        spare = app_engine(others.app, settings)
        try:
            clock = Clock(sa.create_engine(others.owner, poolclass=sa.NullPool))
            checks_in, calls, ends = (
                replace(each, sessions=session_factory(spare), clock=clock) for each in (checks_in, calls, ends)
            )
            clock.pass_s(LOST_S)
            ends.somebody_watches()
            # What was lost: the check-in, the call and the end.
            assert not ends.alerts()
            assert ends.row(end_id).state is SafetyState.ACTIVE
            for _ in range(2):
                tell(checks_in, calls, AGE_S)
                ends.watch()
            kept = checks_in.row(check_in_id)
            assert [kind for kind, _ in kinds(ends.alerts())] == [AlertKind.SOS]
            assert (kept.generation, is_no_safer(kept, told)) == (told.generation, True)
            assert calls.row(call_id).state is SafetyState.ALARM
            # An end that was lost is told again too; until then the session is watched over, which harms nobody.
            ends.end(end_id)
            assert ends.row(end_id).state is SafetyState.ENDED
        finally:
            spare.dispose()


def is_no_safer(after: SafetySession, before: SafetySession) -> bool:
    """A deadline on the new server is no later than the phone's own evidence had it on the old one."""
    assert after.grace_until is not None
    assert before.grace_until is not None
    return after.grace_until <= before.grace_until
