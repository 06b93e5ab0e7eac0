"""Who is stopped in the middle of a transaction, but not killed, holds nobody up without end: the server lets go."""

import subprocess
import sys

import psutil
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from api.storage import translated
from fieldvisit.database import (
    IDLE_S,
    LOCK_S,
    Limits,
    Urls,
    acting_for,
    app_engine,
    may_think,
    session_factory,
    was_cut_short,
)
from fieldvisit.errors import DatabaseUnavailable
from fieldvisit.gate import open_visits
from fieldvisit.settings import Settings
from tests.conftest import NOW
from tests.processes import environ, wait_until
from tests.worlds import World

LET_GO = "25P03"
NAMES = (
    "idle_in_transaction_session_timeout",
    "lock_timeout",
    "tcp_user_timeout",
    "tcp_keepalives_idle",
    "tcp_keepalives_interval",
    "tcp_keepalives_count",
)


def test_who_waits_for_one_that_was_stopped_goes_on_and_the_stopped_one_is_cut_short(
    sessions: sessionmaker[Session], world: World
) -> None:
    with sessions(info={"org": world.agency}) as stopped:
        open_visits(stopped, world.agency, NOW)
        may_think(stopped, 0.05)
        with acting_for(sessions, world.agency) as waiting:
            open_visits(waiting, world.agency, NOW)
        with pytest.raises(DBAPIError) as ended:
            stopped.execute(sa.select(1))
    assert (getattr(ended.value.orig, "sqlstate", None), was_cut_short(ended.value)) == (LET_GO, True)


def test_nobody_waits_for_a_lock_without_end(
    urls: Urls, settings: Settings, sessions: sessionmaker[Session], world: World
) -> None:
    engine = app_engine(urls.app, settings, limits=Limits(lock_s=0.05))
    with acting_for(sessions, world.agency) as holding:
        open_visits(holding, world.agency, NOW)
        with pytest.raises(OperationalError) as ended, acting_for(session_factory(engine), world.agency) as waiting:
            open_visits(waiting, world.agency, NOW)
    engine.dispose()
    assert was_cut_short(ended.value)
    assert isinstance(translated(ended.value), DatabaseUnavailable)


def test_the_limits_of_worker_and_commands_are_the_servers_own(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        found = dict(
            connection.execute(
                sa.text("select name, setting from pg_settings where name = any(:names)"), {"names": list(NAMES)}
            ).all()
        )
    assert found == {
        "idle_in_transaction_session_timeout": str(IDLE_S * 1000),
        "lock_timeout": str(LOCK_S * 1000),
        "tcp_user_timeout": str(IDLE_S * 1000),
        "tcp_keepalives_idle": "30",
        "tcp_keepalives_interval": "15",
        "tcp_keepalives_count": "6",
    }


@pytest.mark.long
@pytest.mark.parametrize("waits_for", ["nothing", "an_answer"])
def test_a_process_that_is_stopped_loses_the_gate(
    settings: Settings, sessions: sessionmaker[Session], world: World, waits_for: str
) -> None:
    command = [sys.executable, "-m", "tests.stopped", str(world.agency), waits_for, "3"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environ(settings), **pipes) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        wait_until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)
        try:
            with acting_for(sessions, world.agency) as session:
                open_visits(session, world.agency, NOW)
        finally:
            process.kill()
