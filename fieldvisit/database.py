"""Engines, sessions and the two roles; every transaction states whose rows it may see.

A session carries its organisation in ``session.info["org"]``; `scope_transactions` sends it to PostgreSQL at the begin
of each transaction, and row-level security does the rest. ``session.info["sees_all"]`` is for the processes that work
for every organisation at once (login, worker, watcher), never for a request that has an actor. With
``session.info["login"]``, the link of a login's chain, the first transaction asks whether that was revoked, in the
statement that is sent anyway (`has_login_ended`).
"""

import functools
import select
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
import sqlalchemy as sa
from alembic.config import Config
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, OperationalError
from sqlalchemy.orm import Session, SessionTransaction, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

from fieldvisit import embedded
from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.obeyed import CONNECTION, Obeyed, connection_of
from fieldvisit.sealing import Cipher, attach_cipher
from fieldvisit.settings import Settings

if TYPE_CHECKING:
    # Takes long to import, and is asked once.
    from alembic.script import ScriptDirectory

DATABASE = "fieldvisit"
SAME_EVERYWHERE = r"-c timezone=UTC -c datestyle=ISO -c default_transaction_isolation=read\ committed"
"""Whatever the server's own defaults: a day in SQL is a day of UTC, dates are readable, and a transaction that waited
for a lock sees what the other one has written."""


SCOPE = Obeyed(
    sa.select(
        sa.func.set_config("app.org", sa.bindparam("org", type_=sa.String), True),
        sa.func.set_config("app.sees_all", sa.bindparam("sees_all", type_=sa.String), True),
    )
)
SCOPE_OF_LOGIN = Obeyed(
    # The organisation is stated first, for the rest needs what that came to: volatile, it stays a step of its own.
    sa.text("""
select stated.org, stated.sees_all, exists (
    select from refresh_tokens t
    where t.org_id = cast(stated.org as uuid) and t.id = cast(:login as uuid) and t.revoked_at is not null)
from (select set_config('app.org', :org, true) as org, set_config('app.sees_all', :sees_all, true) as sees_all) stated
""")
)
REACHING: dict[str, Any] = {
    "connect_timeout": 3,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
"""How long a server that has gone from the network is waited for: seconds, and one time in milliseconds. Without it a
host that lost its power is waited for a quarter of an hour, by who watches over people too."""
IDLE_S, LOCK_S = 120, 60
"""Between two statements of one transaction nobody thinks for so long: the slowest that is done there is to delete one
file at a store that does not answer, a minute and a half. A lock is held for as long as its transaction."""
LOCK_NOT_AVAILABLE = "55P03"
QUIET_S = 5
"""A connection that nobody used for longer is asked whether it still reaches the server."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How long the server lets a process hold others up, in seconds: idle in a transaction, as one is that was stopped
    or whose machine was, or that has lost its power; and waiting for a lock."""

    idle_s: float = IDLE_S
    lock_s: float = LOCK_S

    @property
    def options(self) -> str:
        values = {
            "idle_in_transaction_session_timeout": f"{self.idle_s * 1000:.0f}",
            "lock_timeout": f"{self.lock_s * 1000:.0f}",
            # For a host that has gone while a statement runs, and for answers that a stopped process does not take: no
            # limit on transactions ends those.
            "tcp_user_timeout": f"{self.idle_s * 1000:.0f}",
            "tcp_keepalives_idle": "30",
            "tcp_keepalives_interval": "15",
            "tcp_keepalives_count": "6",
        }
        return " ".join(f"-c {name}={value}" for name, value in values.items())


class UnsafeRole(FieldVisitError):
    code, kind = "unsafe_role", Kind.INVALID
    says = "DATABASE_URL logs in as {role}, which bypasses row-level security. Use an ordinary role."


class SchemaBehind(FieldVisitError):
    code, kind = "schema_behind", Kind.UNAVAILABLE
    says = "The database is at revision {found}, the code needs {wanted}. Run: fieldvisit migrate"


class SchemaAhead(FieldVisitError):
    code, kind = "schema_ahead", Kind.UNAVAILABLE
    says = "The database is at revision {found}, which is newer than this version knows. Run the newer version."


class OwnerServes(FieldVisitError):
    code, kind = "owner_serves", Kind.INVALID
    says = "DATABASE_URL logs in as {role}, which owns the tables. Give the application a role of its own."


class ShiftedClock(FieldVisitError):
    code, kind = "shifted_clock", Kind.INVALID
    says = "The database clock is shifted by {shift_s} s. Production refuses that."


@dataclass(frozen=True, kw_only=True)
class Urls:
    """How the application role and the owner of the tables log in."""

    app: str
    owner: str


def database_urls(settings: Settings) -> Urls:
    """The two addresses; starts the embedded server where the settings name none."""
    if settings.database_url:
        app = _psycopg(settings.database_url)
        return Urls(app=app, owner=_psycopg(settings.database_owner_url or settings.database_url))
    server = embedded.start(settings.data_folder)
    embedded.create_database(server, DATABASE)
    return Urls(app=server.url(embedded.APP, DATABASE), owner=server.url(embedded.OWNER, DATABASE))


def connecting(limits: Limits = Limits()) -> dict[str, Any]:
    """What psycopg is told when it connects for a worker, the watcher or a command."""
    return REACHING | {"options": f"{SAME_EVERYWHERE} {limits.options}"}


def app_engine(url: str, settings: Settings, *, pool_size: int = 10, limits: Limits = Limits()) -> sa.Engine:
    """An engine of the application role that can read sealed columns, for worker, watcher and commands; requests have
    one of their own. See `tested_when_in_doubt`."""
    engine = sa.create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        # The parameters of a failed statement are names and numbers of people; no log may repeat them.
        hide_parameters=True,
        connect_args=connecting(limits),
    )
    return attach_cipher(tested_when_in_doubt(engine), Cipher(settings.data_key))


def tested_when_in_doubt(engine: sa.Engine) -> sa.Engine:
    """The same engine, whose connections are tested before use where something speaks against them: the server has said
    something unasked (that it ends, or nothing any more), or nobody used them for a while. To ask each time would be
    one more way to the server and back for every request."""

    def note(_: object, record: ConnectionPoolEntry) -> None:
        record.info["used_at"] = time.monotonic()

    def test(raw: psycopg.Connection, record: ConnectionPoolEntry, _: object) -> None:
        used_at = record.info.get("used_at")
        if used_at is None or (time.monotonic() - used_at < QUIET_S and not _has_said_something(raw)):
            return
        try:
            raw.execute("")
            raw.rollback()
        except psycopg.Error as error:
            raise InvalidatePoolError from error

    event.listen(engine, "checkin", note)
    event.listen(engine, "checkout", test)
    return engine


def _has_said_something(connection: psycopg.Connection) -> bool:
    if connection.closed:
        return True
    waiting = select.poll()
    waiting.register(connection, select.POLLIN)
    return bool(waiting.poll(0))


def owner_engine(urls: Urls) -> sa.Engine:
    """An engine of the owner of the tables, for what the application may not do. It reads nothing that is sealed."""
    return sa.create_engine(urls.owner, poolclass=sa.NullPool, connect_args={"options": SAME_EVERYWHERE})


def session_factory(engine: sa.Engine) -> sessionmaker[Session]:
    factory = sessionmaker(engine, expire_on_commit=False)
    scope_transactions(factory)
    return factory


def scope_transactions(target: object) -> None:
    """Make each transaction of these sessions state its organisation; `target` is anything that session events take."""
    event.listen(target, "after_begin", _state_organisation)


def _state_organisation(session: Session, transaction: SessionTransaction, connection: sa.Connection) -> None:
    if transaction.nested:
        return
    session.info[CONNECTION] = connection
    sees_all = "on" if session.info.get("sees_all") else ""
    stated = {"org": str(session.info.get("org") or ""), "sees_all": sees_all}
    login = session.info.pop("login", None)
    if login is None:
        SCOPE.run_on(connection, stated)
    else:
        session.info["login_ended"] = SCOPE_OF_LOGIN.one_on(connection, stated | {"login": login})[2]


def has_login_ended(session: Session) -> bool:
    """Whether the link of a login that the session was given was revoked, as its transaction began. Told once. Who ends
    a login revokes all its links, and takes turns with who renews it."""
    connection_of(session)
    ended: bool = session.info.pop("login_ended")
    return ended


@contextmanager
def on_behalf_of(session: Session, org_id: uuid.UUID) -> Iterator[None]:
    """Within the transaction, for as long as the block lasts: another organisation's rows instead of one's own.

    For the few things that must be written into the books of somebody else. What was read there is forgotten at the
    end; when anything is raised, the block has done nothing.
    """
    acting = session.info["org"]
    try:
        # The savepoint takes the statement back as well: no way out of here leaves the other's rows open.
        with session.begin_nested():
            session.expire_all()
            _become(session, org_id)
            yield
    finally:
        session.info["org"] = acting
    _become(session, acting)
    session.expire_all()


def _become(session: Session, org_id: uuid.UUID) -> None:
    session.info["org"] = org_id
    session.execute(sa.select(sa.func.set_config("app.org", str(org_id), True)))


@contextmanager
def acting_for(sessions: sessionmaker[Session], org_id: uuid.UUID) -> Iterator[Session]:
    """One transaction that sees one organisation; commits at the end, leaves nothing behind when anything is raised."""
    with sessions(info={"org": org_id}) as session, session.begin():
        yield session


@contextmanager
def acting_for_all(sessions: sessionmaker[Session]) -> Iterator[Session]:
    """One transaction that sees every organisation: for login, worker and watcher only."""
    with sessions(info={"sees_all": True}) as session, session.begin():
        yield session


def may_think(session: Session, seconds: float) -> None:
    """Let this one transaction be idle between two of its statements for so long, for a reason that its caller has."""
    limit = sa.func.set_config("idle_in_transaction_session_timeout", f"{seconds * 1000:.0f}", True)
    session.execute(sa.select(limit))


@contextmanager
def waiting_for_locks(session: Session, milliseconds: int) -> Iterator[None]:
    """A savepoint within which no lock is waited for any longer; afterwards as long as before. What is raised within
    takes the savepoint back, and the transaction may go on."""
    limit = sa.func.current_setting("lock_timeout")
    with session.begin_nested():
        before = session.scalar(sa.select(limit))
        session.execute(sa.select(sa.func.set_config("lock_timeout", str(milliseconds), True)))
        yield
        session.execute(sa.select(sa.func.set_config("lock_timeout", before, True)))


def was_held_up(error: BaseException) -> bool:
    """Whether the database says that somebody else held a lock for too long."""
    return isinstance(error, OperationalError) and getattr(error.orig, "sqlstate", None) == LOCK_NOT_AVAILABLE


def was_cut_short(error: BaseException) -> bool:
    """Whether the database broke off what may succeed when it is done again: it went away, ended this connection, or
    had it wait for a lock for too long."""
    if isinstance(error, OperationalError):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated


def refuse_unsafe(engine: sa.Engine, settings: Settings) -> None:
    """Raise where this database must not be served: a role above row-level security, an old schema, a shifted clock."""
    with engine.connect() as connection:
        name, above = connection.execute(
            sa.text("select rolname, rolsuper or rolbypassrls from pg_roles where rolname = current_user")
        ).one()
        if above:
            raise UnsafeRole(role=name)
        owns = "select exists (select from pg_tables where schemaname = 'public' and tableowner = current_user)"
        if connection.scalar(sa.text(owns)):
            raise OwnerServes(role=name)
        wanted = head_revision()
        there = connection.scalar(sa.text("select to_regclass('public.alembic_version')"))
        found = connection.scalar(sa.text("select version_num from alembic_version")) if there else None
        if found is not None and found not in known_revisions():
            raise SchemaAhead(found=found)
        if found != wanted:
            raise SchemaBehind(found=found or "none", wanted=wanted)
        shift_s = connection.scalar(sa.text("select extract(epoch from shift) from clock_shift"))
        if settings.is_production and shift_s:
            raise ShiftedClock(shift_s=int(shift_s))


@functools.cache
def head_revision() -> str:
    """The schema that this code needs."""
    return str(_migrations().get_current_head())


@functools.cache
def known_revisions() -> frozenset[str]:
    """Every schema there has been until this code."""
    return frozenset(each.revision for each in _migrations().walk_revisions())


def _migrations() -> "ScriptDirectory":
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "fieldvisit:migrations")
    return ScriptDirectory.from_config(config)


def plain_url(url: str) -> str:
    """The address as psycopg itself takes it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def _psycopg(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)
