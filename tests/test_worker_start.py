"""`fieldvisit worker`, started before its database."""

import dataclasses
import json
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from fieldvisit import embedded
from fieldvisit.database import plain_url
from fieldvisit.settings import Settings
from tests.processes import call, command, environ, wait_until


@pytest.fixture
def away(server: embedded.Server, settings: Settings) -> Iterator[Settings]:
    """An installation whose database is not there yet."""
    name = f"late_{uuid.uuid4().hex}"
    app, owner = (plain_url(server.url(role, name)) for role in (embedded.APP, embedded.OWNER))
    yield dataclasses.replace(settings, database_url=app, database_owner_url=owner)
    embedded.drop_database(server, name)


@contextmanager
def worker(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    """One that waits: it has said twice already that the database is away."""
    with subprocess.Popen(command("worker"), env=environ(settings), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = [json.loads(process.stdout.readline()) for _ in range(2)]
            assert [line["event"] for line in said] == ["database_unavailable"] * 2
            yield process
        finally:
            process.kill()


def test_a_worker_waits_for_a_database_that_comes_late(away: Settings, server: embedded.Server, template: str) -> None:
    url = sa.make_url(str(away.database_owner_url)).set(drivername="postgresql+psycopg")
    with worker(away) as process:
        embedded.create_database(server, str(url.database), template=template)
        owner = sa.create_engine(url, poolclass=sa.NullPool)
        at_work = sa.text("select count(*) from procrastinate_workers")

        def works() -> bool:
            with owner.connect() as connection:
                return bool(connection.scalar(at_work))

        wait_until(works)
        process.terminate()
        assert process.wait() == 0


def test_a_worker_that_waits_ends_when_it_is_told_to(away: Settings) -> None:
    with worker(away) as process:
        process.terminate()
        assert process.wait() == 0


def test_one_round_without_a_database_says_try_again(away: Settings) -> None:
    done = call(away, "worker", "--once")
    assert (done.returncode, "[database_unavailable]" in done.stderr) == (75, True)
