"""Who looked at where a visitor was: no line of the list goes at the moment when something was said in secret."""

import datetime as dt
import uuid

import pytest

from fieldvisit.database import acting_for
from fieldvisit.safety.handling import record_call
from fieldvisit.safety.looks import looks_at, record_looks
from fieldvisit.visit_records import read_record
from fieldvisit.vocabulary import CallResult
from tests.safety.test_following import Planned, planned
from tests.safety.worlds import MINUTE, Door

__all__ = ["planned"]

SAID, CALLED = "the officer rings and hears the word", "the visitor calls once more, covertly"


@pytest.mark.parametrize("turns", [SAID, CALLED])
def test_what_was_told_of_before_an_alert_turned_covert_stays_and_nothing_is_told_of_from_then_on(
    door: Door, turns: str
) -> None:
    session_id = door.start(lat=60.17, lon=24.94)
    if turns == SAID:
        door.pass_under_watch_s(18 * MINUTE + 3)
        door.watch()
        door.acknowledge()
    else:
        door.call_for_help()
    looks(door, session_id, "read_live")
    assert listed(door) == ["read_live"]
    if turns == SAID:
        with acting_for(door.sessions, door.world.agency) as session:
            record_call(session, door.alert().id, door.officer, CallResult.DURESS_WORD)
    else:
        door.call_for_help(covert=True)
    looks(door, session_id, "read_alert")
    assert (door.alert().covert, listed(door)) == (True, ["read_live"])


def test_of_an_alert_that_was_covert_from_the_first_nothing_is_told_also_after_the_word(door: Door) -> None:
    session_id = door.start(lat=60.17, lon=24.94)
    door.call_for_help(covert=True)
    looks(door, session_id, "read_live")
    door.acknowledge()
    with acting_for(door.sessions, door.world.agency) as session:
        record_call(session, door.alert().id, door.officer, CallResult.DURESS_WORD)
    assert listed(door) == []


def test_the_record_of_the_visit_goes_on_saying_that_an_alert_was_raised_which_turned_covert(planned: Planned) -> None:
    planned.door.call_for_help(session_id=planned.arrives_on_time())
    assert (before := raised(planned))
    planned.door.call_for_help(covert=True)
    assert (planned.door.alert().covert, raised(planned)) == (True, before)


def raised(planned: Planned) -> list[str]:
    with acting_for(planned.door.sessions, planned.door.world.agency) as session:
        told = read_record(session, planned.visit_id).content["safety"]
    return [each["raised_at"] for each in told if each["alert_id"]]


def looks(door: Door, session_id: uuid.UUID, action: str) -> None:
    with acting_for(door.sessions, door.world.agency) as session:
        record_looks(session, door.officer.account_id, action, [session_id])


def listed(door: Door) -> list[str]:
    with acting_for(door.sessions, door.world.agency) as session:
        found = session.scalars(looks_at(door.visitor_id, since=dt.timedelta(days=90))).all()
        assert {each.account and each.account.id for each in found} <= {door.officer.account_id}
        return [each.action for each in found]
