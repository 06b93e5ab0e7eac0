"""A call for help always ends in one open alert."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from fieldvisit.database import acting_for
from fieldvisit.errors import FieldVisitError
from fieldvisit.safety.drafts import Sos
from fieldvisit.safety.pins import set_pins
from fieldvisit.safety.sessions import cancel_call
from fieldvisit.safety.sos import call_under_any_id
from fieldvisit.vocabulary import AlertKind, AlertState, RiskLevel
from tests.safety.worlds import ALARM, ENDED, MINUTE, Door, another_door, kinds

SOS_OPEN = [(AlertKind.SOS, AlertState.NOTIFYING)]


def test_a_call_for_help_turns_the_running_session_into_an_alarm(door: Door) -> None:
    session_id = door.start(RiskLevel.LOW)
    assert door.call_for_help(lat=60.17, lon=24.94) == session_id
    row = door.row(session_id)
    assert (row.state, row.last_lat, row.last_lon) == (ALARM, 60.17, 24.94)
    assert kinds(door.alerts()) == SOS_OPEN
    assert door.told_events(session_id) == ["started", "sos_pressed", "alert_opened", "step_begun"]


def test_a_call_for_help_without_a_session_opens_one(door: Door) -> None:
    session_id = door.call_for_help()
    row = door.row(session_id)
    assert (row.state, row.visitor_id, row.level, row.grace_until) == (ALARM, door.visitor_id, RiskLevel.NORMAL, None)
    assert kinds(door.alerts()) == SOS_OPEN


def test_the_session_that_a_phone_started_out_of_reach_keeps_its_id(door: Door) -> None:
    unheard_of = uuid.uuid4()
    assert door.call_for_help(session_id=unheard_of) == unheard_of
    assert door.start(event_id=unheard_of) == unheard_of
    assert kinds(door.alerts()) == SOS_OPEN


def test_wrong_hints_cost_nothing(door: Door) -> None:
    foreign_id = another_door(door).start()
    session_id = door.call_for_help(session_id=foreign_id, visit_id=uuid.uuid4())
    assert session_id != foreign_id
    assert (door.row(session_id).visit_id, kinds(door.alerts())) == (None, SOS_OPEN)


def test_a_call_for_help_takes_up_a_session_that_ended_within_the_hour(door: Door) -> None:
    session_id = door.start()
    door.end(session_id)
    door.clock.pass_s(59 * MINUTE)
    assert door.call_for_help() == session_id
    row = door.row(session_id)
    assert (row.state, row.ended_at) == (ALARM, None)
    assert door.told_events(session_id) == ["started", "ended", "reopened", "sos_pressed", "alert_opened", "step_begun"]


def test_later_it_opens_a_session_of_its_own(door: Door) -> None:
    session_id = door.start()
    door.end(session_id)
    door.clock.pass_s(61 * MINUTE)
    assert door.call_for_help() != session_id
    assert door.row(session_id).state is ENDED
    assert kinds(door.alerts()) == SOS_OPEN


def test_a_call_told_many_times_is_one_alert_also_after_it_was_closed(door: Door) -> None:
    event_id = uuid.uuid4()
    session_id = door.call_for_help(event_id=event_id)
    assert {door.call_for_help(event_id=event_id) for _ in range(5)} == {session_id}
    door.acknowledge()
    door.resolve(resume=False)
    door.clock.pass_s(2 * 60 * MINUTE)
    assert door.call_for_help(event_id=event_id) == session_id
    assert kinds(door.alerts()) == [(AlertKind.SOS, AlertState.RESOLVED)]


def test_pressing_again_joins_the_open_alert_and_is_recorded(door: Door) -> None:
    session_id = door.call_for_help()
    assert door.call_for_help() == session_id
    assert kinds(door.alerts()) == SOS_OPEN
    assert door.told_events(session_id) == ["started", "sos_pressed", "alert_opened", "step_begun", "sos_pressed"]


def test_a_call_during_a_missed_check_in_is_an_alert_of_its_own(door: Door) -> None:
    session_id = door.start()
    door.pass_under_watch_s(18 * MINUTE)
    door.watch()
    door.call_for_help()
    assert [alert.kind for alert in door.alerts()] == [AlertKind.MISSED_CHECKIN, AlertKind.SOS]
    assert door.row(session_id).state is ALARM


def test_an_old_call_alarms_and_says_how_old_it_is(door: Door) -> None:
    session_id = door.call_for_help(age_s=3 * 60 * MINUTE)
    alert = door.alert()
    assert (alert.opened_at - alert.deadline_at).total_seconds() == 3 * 60 * MINUTE
    pressed = next(event for event in door.events(session_id) if event.kind == "sos_pressed")
    assert pressed.detail["age_s"] == 3 * 60 * MINUTE


def test_a_check_in_does_not_take_back_a_call_for_help(door: Door) -> None:
    session_id = door.call_for_help()
    door.check_in(session_id)
    alert = door.alert()
    assert (alert.state, alert.visitor_reports_safe_at) == (AlertState.NOTIFYING, None)
    assert door.row(session_id).state is ALARM


@pytest.mark.parametrize("same_event", [True, False])
def test_calls_at_the_same_moment_are_one_session_and_one_alert(door: Door, same_event: bool) -> None:
    event_ids = [uuid.uuid4()] * 4 if same_event else [uuid.uuid4() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda event_id: door.call_for_help(event_id=event_id), event_ids))
    assert len(found) == 1
    assert kinds(door.alerts()) == SOS_OPEN
    door.told_events(found.pop())


@pytest.mark.parametrize("more", [{"covert": True}, {"on_behalf": True}, {"age_s": 60}], ids=str)
def test_a_call_that_nobody_can_take_back_holds_back_no_longer_the_one_that_it_joins(
    door: Door, more: dict[str, Any]
) -> None:
    """Pressed, and within the five seconds once more, covertly; or somebody hears screams; the PIN that is then made to
    be typed takes nothing back."""
    with acting_for(door.sessions, door.world.agency) as session:
        set_pins(session, door.visitor_id, "4711", "4862")
    session_id = door.start()
    door.call_for_help()
    assert kinds(door.alerts()) == [(AlertKind.SOS, AlertState.PRE)]
    door.call_for_help(**more)
    assert kinds(door.alerts()) == SOS_OPEN
    assert door.alert().covert == more.get("covert", False)
    with acting_for(door.sessions, door.world.agency) as session, suppress(FieldVisitError):
        cancel_call(session, session_id, door.told(pin="4711"))
    assert kinds(door.alerts()) == SOS_OPEN
    assert door.row(session_id).state is ALARM


def test_the_same_words_without_an_id_call_again_once_all_is_closed(door: Door) -> None:
    """A watch that can say nothing but {}: its second call of a lifetime is one too."""
    words = {"event_id": uuid.uuid4(), "made_up": True}
    first = door.call_for_help(**words)
    assert door.call_for_help(**words) == first
    assert door.told_events(first).count("sos_pressed") == 1
    door.acknowledge()
    door.resolve(resume=False)
    door.clock.pass_s(3 * 24 * 60 * MINUTE)
    assert door.call_for_help(**words) != first
    assert sorted(kinds(door.alerts())) == sorted([(AlertKind.SOS, AlertState.RESOLVED), *SOS_OPEN])


@pytest.mark.parametrize("first", ["check_in", "end"])
def test_a_call_under_the_id_of_something_else_is_a_call(door: Door, first: str) -> None:
    """A fault of the phone; told again, it is that same call."""
    event_id, session_id = uuid.uuid4(), door.start()
    getattr(door, first)(session_id, event_id=event_id)
    told = Sos(**vars(door.told(event_id=event_id)))
    for _ in range(2):
        with acting_for(door.sessions, door.world.agency) as session:
            assert call_under_any_id(session, told).session.state is ALARM
    assert kinds(door.alerts()) == SOS_OPEN
    assert door.told_events(session_id).count("sos_pressed") == 1
