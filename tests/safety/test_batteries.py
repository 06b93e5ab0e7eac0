"""A battery that falls is noted at 20 and at 10 percent, each once in a session (T24)."""

import datetime as dt
import uuid

import pytest
import sqlalchemy as sa

from fieldvisit.clock import database_now
from fieldvisit.database import acting_for
from fieldvisit.devices import DeviceDraft, note_seen, register_device
from fieldvisit.models import Account
from fieldvisit.safety.live import read_wall
from tests.safety.worlds import Door


@pytest.fixture
def phone(door: Door) -> uuid.UUID:
    """The visitor's."""
    draft = DeviceDraft(id=uuid.uuid4(), name="phone", app_version="1")
    with acting_for(door.sessions, door.world.agency) as session:
        account = session.get_one(Account, door.account_id)
        register_device(session, account, draft, session.scalars(sa.select(database_now())).one())
    return draft.id


def tell(door: Door, phone: uuid.UUID, percent: int) -> None:
    with acting_for(door.sessions, door.world.agency) as session:
        now = session.scalars(sa.select(database_now())).one()
        note_seen(session, phone, drift=dt.timedelta(), battery_percent=percent, now=now)


def noted(door: Door, session_id: uuid.UUID) -> list[int]:
    door.told_events(session_id)
    return [each.detail["percent"] for each in door.events(session_id) if each.kind == "battery_low"]


def on_the_wall(door: Door) -> list[int | None]:
    with acting_for(door.sessions, door.world.agency) as session:
        return [each.battery_noted for each in read_wall(session).tiles]


def test_a_battery_that_falls_is_noted_twice_and_not_again_when_it_was_charged(door: Door, phone: uuid.UUID) -> None:
    session_id = door.start()
    for percent in (100, 60, 21):
        tell(door, phone, percent)
        door.watch()
    assert (noted(door, session_id), on_the_wall(door)) == ([], [None])
    for percent in (20, 19, 11):
        tell(door, phone, percent)
        door.watch()
    assert (noted(door, session_id), on_the_wall(door)) == ([20], [20])
    for percent in (10, 1, 90, 15, 5):
        tell(door, phone, percent)
        door.watch()
    assert (noted(door, session_id), on_the_wall(door)) == ([20, 10], [10])


def test_one_that_is_low_at_the_start_is_noted_once_it_is_heard_and_one_of_before_is_not(
    door: Door, phone: uuid.UUID
) -> None:
    tell(door, phone, 4)
    door.clock.pass_s(60)
    session_id = door.start()
    door.watch()
    assert noted(door, session_id) == []
    tell(door, phone, 4)
    door.watch()
    door.watch()
    assert noted(door, session_id) == [4]
