"""The real process: killed, restarted, stopped politely."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import pytest
import sqlalchemy as sa

from api.commands.sender import SILENT_LOOKS, STARTING_LOOKS, SendingProcess, Signs, gives_signs
from fieldvisit.database import acting_for_all
from fieldvisit.models import EngineBeat, OutboxMessage
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import AlarmChannel, AlertKind
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


class Unstartable(list[str]):
    """Arguments with which no process can be started, as on a host that has no room; counts how often it is tried."""

    tries = 0

    def __iter__(self) -> Iterator[str]:
        self.tries += 1
        return iter(["x" * 1_000_000])


def test_a_sender_that_cannot_be_started_is_tried_again() -> None:
    arguments = Unstartable()
    keeper = SendingProcess(arguments, again_s=0.01)
    assert eventually(lambda: arguments.tries > 2 or not keeper._thread.is_alive())
    assert keeper._thread.is_alive()
    keeper.close()


def test_a_sender_of_which_one_channel_goes_on_no_more_is_silent() -> None:
    signs = Signs()
    give = gives_signs(signs.writing)
    assert not any(signs.look() for _ in range(STARTING_LOOKS - 1))
    assert signs.look() == [*AlarmChannel]
    signs.begin()
    for channel in AlarmChannel:
        give(channel)
    for _ in range(SILENT_LOOKS):
        assert signs.look() == []
        for channel in (AlarmChannel.SMS, AlarmChannel.PUSH, AlarmChannel.MAIL):
            give(channel)
    assert signs.look() == [AlarmChannel.VOICE]
    signs.close()


@pytest.mark.long
def test_a_sender_that_hangs_is_replaced_and_people_are_called(door: Door, environment: dict[str, str]) -> None:
    """Half a minute of silence; there is no provider here, so that an attempt is all there can be."""
    with watcher(environment, "first") as process:
        assert eventually(lambda: has_beaten(door, "first"))
        (hung,) = psutil.Process(process.pid).children()
        door.call_for_help()
        assert eventually(lambda: attempts(door) > 0)
        hung.suspend()
        assert eventually(lambda: not hung.is_running() or hung.status() == psutil.STATUS_ZOMBIE)
        tried = attempts(door)
        assert eventually(lambda: attempts(door) > tried)
        process.send_signal(signal.SIGTERM)
        process.communicate()


def attempts(door: Door) -> int:
    with acting_for_all(door.sessions) as session:
        return session.scalars(sa.select(sa.func.sum(OutboxMessage.attempts))).one() or 0


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
