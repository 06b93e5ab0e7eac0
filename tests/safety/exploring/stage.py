"""The stage on which states are tried: one connection, one transaction that is never committed, a clock that stands."""

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import sqlalchemy as sa
import structlog
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import Urls, scope_transactions
from fieldvisit.errors import FieldVisitError

# The clock shows what this connection says; elsewhere, what it ever did.
FUNCTIONS = """
create or replace function fieldvisit_now() returns timestamptz language plpgsql volatile as $$ begin
    return coalesce(nullif(current_setting('explored.now', true), '')::timestamptz,
                    clock_timestamp() + (select shift from clock_shift));
end $$;
create or replace function explored_put(doc jsonb) returns void language plpgsql security definer as $$ begin
    perform set_config('app.sees_all', 'on', true), set_config('explored.now', doc ->> 'now', true);
    delete from visitor_pins;
    delete from engine_beats;
    insert into safety_sessions select * from jsonb_populate_recordset(null::safety_sessions, doc -> 'sessions');
    insert into safety_alerts select * from jsonb_populate_recordset(null::safety_alerts, doc -> 'alerts');
    insert into safety_outbox select * from jsonb_populate_recordset(null::safety_outbox, doc -> 'messages');
    insert into visitor_pins select * from jsonb_populate_recordset(null::visitor_pins, doc -> 'pins');
    insert into engine_beats select * from jsonb_populate_recordset(null::engine_beats, doc -> 'beats');
end $$;
create or replace function explored_found() returns jsonb language plpgsql as $$ begin
    perform set_config('app.sees_all', 'on', true);
    return jsonb_build_object(
        'now', fieldvisit_now(),
        'sessions', coalesce((select jsonb_agg(s order by s.started_at, s.id) from safety_sessions s), '[]'),
        'alerts', coalesce((select jsonb_agg(a order by a.opened_at, a.id) from safety_alerts a), '[]'),
        'messages', coalesce((select jsonb_agg(o order by o.key) from safety_outbox o), '[]'),
        'pins', coalesce((select jsonb_agg(p order by p.visitor_id) from visitor_pins p), '[]'),
        'beats', coalesce((select jsonb_agg(b order by b.name) from engine_beats b), '[]'));
end $$;
"""
UNDOES = re.compile(r"\s*rollback", re.IGNORECASE)
COMMITS = re.compile(r"\s*release savepoint (\w+)", re.IGNORECASE)
READS = re.compile(r"\s*(select|savepoint|release|rollback)", re.IGNORECASE)

type Document = dict[str, Any]
"""Every row of a state as JSON, and its moment."""


class Dead(Exception):
    """The power went. An ordinary error, for the driver gives up its connection over any other."""


class Stage:
    """A place to try things in; all of it is forgotten."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.sessions: sessionmaker[Session] = sessionmaker(
            connection, join_transaction_mode="create_savepoint", expire_on_commit=False
        )
        scope_transactions(self.sessions)
        self._until_cut: int | None = None
        event.listen(connection, "before_cursor_execute", self._statement)

    def _statement(self, _: object, cursor: Any, statement: str, *__: object) -> None:
        if self._until_cut is None:
            return
        if self._until_cut < 0 and not UNDOES.match(statement):
            # It stays away, whoever takes it for a fault of what they were about: nothing is committed any more.
            if (commits := COMMITS.match(statement)) is not None:
                cursor.execute(f"rollback to savepoint {commits.group(1)}")
            raise Dead
        if READS.match(statement):
            return
        self._until_cut -= 1
        if self._until_cut < 0:
            raise Dead

    @contextmanager
    def put(self, document: Document) -> Iterator[None]:
        """This state is the one that holds, until the end of the block."""
        with self.forgotten():
            self.connection.execute(sa.text("select explored_put(:doc)"), {"doc": json.dumps(document)})
            yield

    def attempt(self, act: Callable[[], object], *, cut_after: int | None = None) -> tuple[Document | None, object]:
        """What one act leaves of the state that holds (None: what there was), and what came of it: its answer, or the
        refusal. It is taken back. With `cut_after` the power goes after so many statements that write: what was
        committed before then stays."""
        with self.forgotten():
            self._until_cut = cut_after
            try:
                answer: object = act()
            except FieldVisitError as refused:
                return None, refused
            except Dead as died:
                answer = died
            except DBAPIError as died:
                if died.connection_invalidated:
                    # That was no move of anybody's: the stage itself is gone.
                    raise
                answer = died
            finally:
                self._until_cut = None
            return self.found(), answer

    def found(self) -> Document:
        document: Document = self.connection.scalar(sa.text("select explored_found()"))
        return document

    def set_clock(self, now: dt.datetime) -> None:
        self.connection.execute(sa.text("select set_config('explored.now', :now, true)"), {"now": now.isoformat()})

    @contextmanager
    def forgotten(self) -> Iterator[None]:
        """What happens in this block has not happened."""
        savepoint = self.connection.begin_nested()
        try:
            yield
        finally:
            savepoint.rollback()


@contextmanager
def open_stage(engine: sa.Engine, urls: Urls) -> Iterator[Stage]:
    """A stage over a test's own database."""
    owner = sa.create_engine(urls.owner, poolclass=sa.NullPool)
    with owner.begin() as connection:
        connection.exec_driver_sql(FUNCTIONS)
    with unheard(), engine.connect() as connection, connection.begin() as transaction:
        # The server ends a transaction of the product's that stands idle; this one holds nobody up.
        connection.exec_driver_sql("set local idle_in_transaction_session_timeout = 0")
        yield Stage(connection)
        transaction.rollback()


@contextmanager
def unheard() -> Iterator[None]:
    """Nothing is logged: each power cut would be told in full, which takes a hundred times as long as it does."""
    before = structlog.get_config()
    structlog.configure(processors=[_drop])
    try:
        yield
    finally:
        structlog.configure(**before)


def _drop(*_: object) -> NoReturn:
    raise structlog.DropEvent
