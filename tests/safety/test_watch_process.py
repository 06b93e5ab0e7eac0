"""The real process: killed, restarted, stopped politely."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from fieldvisit.database import acting_for_all
from fieldvisit.models import EngineBeat
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import AlertKind
from tests.safety.worlds import MINUTE, Door, another_door

PATIENCE_S = 60
COMMAND = (sys.executable, "-m", "api", "watch")


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    return {
        "ENVIRONMENT": "test",
        "DATA_FOLDER": str(settings.data_folder),
        "DATABASE_URL": settings.database_url or "",
        "DATABASE_OWNER_URL": settings.database_owner_url or "",
        "PATH": os.environ["PATH"],
    }


@contextmanager
def watcher(environment: dict[str, str], name: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([*COMMAND, "--name", name], env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether it comes to hold within a patience that no healthy machine needs."""
    give_up = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > give_up:
            return False
        time.sleep(0.05)
    return True


def has_beaten(door: Door, name: str) -> bool:
    with acting_for_all(door.sessions) as session:
        return session.get(EngineBeat, name) is not None


def test_an_engine_killed_in_the_middle_of_its_work_loses_and_doubles_nothing(
    door: Door, environment: dict[str, str]
) -> None:
    started = {each.start() for each in (door, *(another_door(door) for _ in range(59)))}
    with watcher(environment, "first") as process:
        assert eventually(lambda: has_beaten(door, "first"))
        door.clock.pass_s(18 * MINUTE)
        assert eventually(lambda: bool(door.alerts()))
        process.send_signal(signal.SIGKILL)
        process.wait()
    door.somebody_watches()
    with watcher(environment, "second") as process:
        assert eventually(lambda: len(door.alerts()) >= len(started))
        assert eventually(lambda: has_beaten(door, "second"))
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate()
    assert (process.returncode, '"event": "watch_stopped"' in output) == (0, True)
    raised = door.alerts()
    assert (len(raised), {alert.session_id for alert in raised}) == (len(started), started)
    assert {alert.kind for alert in raised} == {AlertKind.MISSED_CHECKIN}
    assert all(door.told_events(session_id).count("alert_opened") == 1 for session_id in started)


def test_one_turn_by_hand_tells_its_figures(door: Door, environment: dict[str, str]) -> None:
    door.start()
    door.pass_under_watch_s(18 * MINUTE)
    done = subprocess.run([*COMMAND, "--once"], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (
        0,
        '{"raised": 1, "lost": 0, "climbed": 0, "failed": 0, "reminded": 0, "sent": 2}',
    )


def test_one_turn_without_a_database_says_try_again(environment: dict[str, str]) -> None:
    nowhere = environment | {"DATABASE_URL": "postgresql://nobody:x@127.0.0.1:1/none", "DATABASE_OWNER_URL": ""}
    done = subprocess.run([*COMMAND, "--once"], env=nowhere, capture_output=True, text=True, check=False)
    assert done.returncode == 75
