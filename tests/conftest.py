"""The world every test may stand on: a real PostgreSQL, migrated once, cloned for each test that wants a database."""

import base64
import datetime as dt
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck
from hypothesis import settings as looking_for_examples
from psycopg import sql
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit import database, embedded
from fieldvisit.database import Urls, acting_for, acting_for_all, app_engine, session_factory
from fieldvisit.migrating import migrate
from fieldvisit.settings import Settings, read_settings
from tests.engines import sharing_statements
from tests.worlds import World, make_world

# What is true of every example is not less true where the machine is busy.
looking_for_examples.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
looking_for_examples.load_profile("busy")

NOW = dt.datetime(2026, 3, 3, 7, 0, tzinfo=dt.UTC)
"""Tuesday 09:00 in Helsinki: inside permitted hours."""

DATA_KEY = base64.b64encode(bytes(32)).decode()
"""One for all tests: engines with the same share what they compile."""

# Of its own for each worker process of a test run: an outside server is shared by all of them.
TEMPLATE = f"fieldvisit_template_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
OUTSIDE = os.environ.get("TEST_DATABASE_URL")


def outside_server(url: str) -> embedded.Server:
    """An outside server with the product's two roles made on it, in the shape of our own."""
    parts = make_url(url)
    server = embedded.Server(
        folder="",
        port=parts.port or 5432,
        superuser_password=parts.password or "",
        owner_password="owner of the tests",
        app_password="app of the tests",
    )
    embedded.ensure_roles(server)
    with server.connect() as connection:
        for role, password in ((embedded.OWNER, server.owner_password), (embedded.APP, server.app_password)):
            connection.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(role), password))
    return server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Server]:
    """A server of our own, in memory where the machine has a shared-memory file system.

    TEST_DATABASE_URL (postgresql://superuser:password@127.0.0.1:port/postgres) names another one, on this machine.
    """
    if OUTSIDE:
        yield outside_server(OUTSIDE)
        return
    # Not under pytest's own folder: PostgreSQL's account has to be able to enter it, also when the tests run as root.
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="fieldvisit-test-", dir=base))
    folder.chmod(0o755)
    server = embedded.start(folder, forgetful=True)
    yield server
    embedded.stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def template(server: embedded.Server) -> str:
    """The name of a migrated database; cloned, never used itself."""
    embedded.create_database(server, TEMPLATE)
    urls = Urls(app=server.url(embedded.APP, TEMPLATE), owner=server.url(embedded.OWNER, TEMPLATE))
    migrate(urls)
    with server.connect(embedded.OWNER, TEMPLATE) as connection:
        set_clock(connection)
        connection.execute("select maintain_partitions()")
    return TEMPLATE


def set_clock(owner: psycopg.Connection) -> None:
    owner.execute("update clock_shift set shift = %s - clock_timestamp()", (NOW,))


@pytest.fixture(scope="session")
def superuser(server: embedded.Server) -> Iterator[psycopg.Connection]:
    """One connection that makes and drops the databases of all tests: connecting for each costs as much as dropping."""
    with server.connect() as connection:
        yield connection


@pytest.fixture
def urls(server: embedded.Server, superuser: psycopg.Connection, template: str) -> Iterator[Urls]:
    """A fresh clone of the template, for one test; its clock shows NOW, however long the others have taken."""
    name = f"test_{uuid.uuid4().hex}"
    clone = sql.SQL("create database {} owner {} template {} strategy file_copy")
    superuser.execute(clone.format(*map(sql.Identifier, (name, embedded.OWNER, template))))
    with server.connect(embedded.OWNER, name) as connection:
        set_clock(connection)
    yield Urls(app=server.url(embedded.APP, name), owner=server.url(embedded.OWNER, name))
    superuser.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def settings(tmp_path: Path, urls: Urls) -> Settings:
    # Where the programs that a test starts look for it too, as on a developer's machine.
    (tmp_path / "data_key.base64").write_text(DATA_KEY)
    return read_settings(
        {
            "ENVIRONMENT": "test",
            "DATA_FOLDER": str(tmp_path),
            "DATABASE_URL": database.plain_url(urls.app),
            "DATABASE_OWNER_URL": database.plain_url(urls.owner),
            "PATH": os.environ["PATH"],
        }
    )


@pytest.fixture
def engine(settings: Settings, urls: Urls) -> Iterator[sa.Engine]:
    """The application role's engine: under row-level security, like the product's own."""
    engine = sharing_statements(app_engine(urls.app, settings))
    yield engine
    engine.dispose()


@pytest.fixture
def sessions(engine: sa.Engine) -> sessionmaker[Session]:
    return session_factory(engine)


@pytest.fixture
def world(sessions: sessionmaker[Session]) -> World:
    return make_world(sessions)


@pytest.fixture
def making(sessions: sessionmaker[Session], world: World) -> Iterator[Session]:
    """A transaction that sees everything, for making a world; committed at its own `commit`."""
    with acting_for_all(sessions) as session:
        yield session


@pytest.fixture
def agency(sessions: sessionmaker[Session], world: World) -> Iterator[Session]:
    """A transaction of the agency's."""
    with acting_for(sessions, world.agency) as session:
        yield session
