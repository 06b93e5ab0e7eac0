"""`fieldvisit watch --check`: what a container's health check asks."""

import socket

import pytest
from click.testing import CliRunner

from api.cli import main
from fieldvisit.safety.alive import UNSENT_S
from fieldvisit.safety.beats import OUTAGE_S
from fieldvisit.safety.engine import watch_once
from fieldvisit.settings import Settings
from tests.processes import environ
from tests.safety.offices import Office
from tests.safety.worlds import Door

HERE = f"{socket.gethostname()}-1"


def check(settings: Settings, *more: str) -> int:
    return CliRunner().invoke(main, ("watch", "--check", *more), env=environ(settings)).exit_code


def test_a_host_is_well_while_its_engine_finishes_turns(settings: Settings, door: Door) -> None:
    never = check(settings)
    watch_once(door.sessions, name=HERE)
    lately = check(settings)
    door.clock.pass_s(OUTAGE_S + 5)
    assert (never, lately, check(settings)) == (1, 0, 1)


def test_a_host_whose_alarms_are_raised_and_not_sent_is_not_well(
    settings: Settings, door: Door, office: Office
) -> None:
    door.call_for_help()
    door.pass_under_watch_s(UNSENT_S + 1)
    watch_once(door.sessions, name=HERE)
    unsent = check(settings)
    office.send()
    watch_once(door.sessions, name=HERE)
    assert (unsent, check(settings)) == (1, 0)


@pytest.mark.parametrize(("asked", "code"), [((), 1), (("--name", "elsewhere-1"), 0), (("--name", "elsewhere"), 1)])
def test_an_engine_of_another_host_speaks_for_itself_alone(
    settings: Settings, door: Door, asked: tuple[str, ...], code: int
) -> None:
    watch_once(door.sessions, name="elsewhere-1")
    assert check(settings, *asked) == code


def test_without_a_database_nothing_is_well(settings: Settings) -> None:
    nowhere = environ(settings) | {"DATABASE_URL": "postgresql://nobody:x@127.0.0.1:1/none"}
    assert CliRunner().invoke(main, ("watch", "--check"), env=nowhere).exit_code == 75
