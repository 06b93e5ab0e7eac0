"""The last position is the one at which the phone was last, in whatever order it is told; how old it is can be seen."""

import datetime as dt
import uuid
from typing import Any

import pytest

from fieldvisit.database import acting_for
from fieldvisit.safety import sessions as use
from fieldvisit.safety.live import read_wall
from fieldvisit.vocabulary import RiskLevel
from tests.safety.offices import Office
from tests.safety.worlds import MINUTE, Door

THERE: dict[str, Any] = {"lat": 60.17, "lon": 24.94}
FARTHER: dict[str, Any] = {"lat": 60.2, "lon": 24.9}


@pytest.fixture
def stopped(door: Door) -> Door:
    """Time passes only where a test lets it."""
    door.clock.stop()
    return door


def known(door: Door, session_id: uuid.UUID) -> tuple[float | None, float | None, dt.timedelta | None]:
    """The last position, and how long before the last sign of the phone that was."""
    row = door.row(session_id)
    assert row.last_heard_at is not None
    return row.last_lat, row.last_lon, row.last_located_at and row.last_heard_at - row.last_located_at


def ago(seconds: int) -> dt.timedelta:
    return dt.timedelta(seconds=seconds)


def test_a_beat_that_is_told_again_takes_nobody_back(stopped: Door) -> None:
    session_id = stopped.start(**THERE)
    assert known(stopped, session_id) == (60.17, 24.94, ago(0))
    stopped.clock.pass_s(5 * MINUTE)
    stopped.beat(session_id, **FARTHER)
    stopped.clock.pass_s(MINUTE)
    stopped.beat(session_id, **THERE, age_s=6 * MINUTE)
    assert known(stopped, session_id) == (60.2, 24.9, ago(MINUTE)), "contact holds, and it is elsewhere by now"
    stopped.check_in(session_id)
    stopped.clock.pass_s(MINUTE)
    stopped.beat(session_id)
    assert known(stopped, session_id) == (60.2, 24.9, ago(2 * MINUTE)), "heard now, and there two minutes ago"
    with acting_for(stopped.sessions, stopped.world.agency) as session:
        (tile,) = read_wall(session).tiles
    assert tile.last_located_at == stopped.row(session_id).last_located_at


def test_how_good_a_position_is_goes_with_it(stopped: Door) -> None:
    def good() -> int | None:
        with acting_for(stopped.sessions, stopped.world.agency) as session:
            (tile,) = read_wall(session).tiles
        return tile.last_accuracy_m

    session_id = stopped.start(**THERE, accuracy_m=12)
    assert good() == 12
    stopped.clock.pass_s(5 * MINUTE)
    stopped.beat(session_id, **FARTHER, accuracy_m=40)
    stopped.beat(session_id, **THERE, age_s=4 * MINUTE, accuracy_m=5)
    stopped.beat(session_id)
    assert good() == 40, "of a place where it is no more, or of none, nothing is told"
    stopped.clock.pass_s(MINUTE)
    stopped.beat(session_id, **FARTHER)
    assert good() is None
    stopped.clock.pass_s(MINUTE)
    stopped.call_for_help(**THERE, accuracy_m=7)
    assert good() == 7
    stopped.clock.pass_s(MINUTE)
    stopped.beat(session_id, **THERE, accuracy_m=9)
    assert good() == 9


def test_what_has_waited_while_an_alarm_is_up_takes_nobody_back(stopped: Door) -> None:
    session_id = stopped.start()
    stopped.beat(session_id, **THERE, age_s=10)
    assert known(stopped, session_id) == (60.17, 24.94, ago(10))
    stopped.clock.pass_s(5 * MINUTE)
    stopped.call_for_help(**FARTHER)
    stopped.check_in(session_id, **THERE, age_s=4 * MINUTE)
    stopped.call_for_help(**THERE, age_s=3 * MINUTE)
    assert known(stopped, session_id) == (60.2, 24.9, ago(0))


def test_of_what_is_told_at_once_the_youngest_position_counts(stopped: Door) -> None:
    session_id = stopped.start(RiskLevel.LOW)
    heard = [(False, {"age_s": 30, **FARTHER}), (True, {"age_s": 600, **THERE}), (False, {})]
    with acting_for(stopped.sessions, stopped.world.agency) as session:
        use.hear_all(session, session_id, [(pressed, stopped.told(**said)) for pressed, said in heard])
    assert known(stopped, session_id) == (60.2, 24.9, ago(30))


@pytest.mark.parametrize(("age_s", "said"), [(20 * MINUTE, "(08:40)"), (2 * 24 * 60 * MINUTE, "(2026-03-01 09:00)")])
def test_an_alarm_says_when_the_phone_was_there(office: Office, age_s: int, said: str) -> None:
    office.door.call_for_help(**THERE, age_s=age_s)
    office.send()
    assert all(said in each["text"] for each in office.heard())
