"""Where the house says so a check-in needs the PIN, and the duress PIN seems to be one."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from fieldvisit.database import acting_for
from fieldvisit.errors import Refused
from fieldvisit.safety import sessions as use
from fieldvisit.safety.opening import EventIdUsed
from fieldvisit.safety.pins import PinNeeded, PinNotSet
from fieldvisit.safety.rules import RulesDraft, set_rules
from fieldvisit.vocabulary import AlertKind, RiskLevel
from tests.safety.test_pins import DURESS, PIN, act, holder, shown
from tests.safety.worlds import ACTIVE, ALARM, ENDED, MINUTE, Door

__all__ = ["holder"]


@pytest.fixture
def strict(holder: Door) -> Door:
    demand(holder, RiskLevel.NORMAL)
    return holder


def demand(door: Door, level: RiskLevel | None) -> None:
    with acting_for(door.sessions, door.world.agency) as session:
        draft = RulesDraft(positions_days=30, sessions_days=730, pin_from=level, reason="Phones were taken away.")
        set_rules(session, draft, door.officer.account_id)


def checked(door: Door, session_id: uuid.UUID, pin: str | None, **given: Any) -> Any:
    return act(door, use.check_in, session_id, pin=pin, **given)


def test_a_check_in_without_the_pin_moves_nothing_and_may_be_told_again_with_it(strict: Door) -> None:
    session_id, event_id = strict.start(), uuid.uuid4()
    due_at = strict.row(session_id).due_at
    strict.clock.pass_s(60)
    with pytest.raises(PinNeeded):
        checked(strict, session_id, None, event_id=event_id)
    assert isinstance(checked(strict, session_id, "0000", event_id=event_id), Refused)
    assert strict.row(session_id).due_at == due_at
    checked(strict, session_id, PIN, event_id=event_id)
    moved = strict.row(session_id)
    assert (moved.due_at is not None and due_at is not None and moved.due_at > due_at, moved.generation) == (True, 2)
    checked(strict, session_id, "0000", event_id=event_id)
    assert strict.row(session_id).generation == 2, "told twice, done once, whatever the PIN"
    other = strict.end(session_id, pin=PIN) and strict.start()
    with pytest.raises(EventIdUsed):
        checked(strict, other, PIN, event_id=event_id)


def test_the_rule_of_the_start_holds_until_the_end_and_a_level_below_it_asks_for_none(strict: Door) -> None:
    session_id = strict.start()
    demand(strict, None)
    with pytest.raises(PinNeeded):
        strict.check_in(session_id)
    strict.end(session_id, pin=PIN)
    strict.check_in(strict.start())


def test_nobody_starts_without_a_pin_where_one_is_asked_for(door: Door) -> None:
    demand(door, RiskLevel.RAISED)
    with pytest.raises(PinNotSet):
        door.start(RiskLevel.RAISED, covered=True)
    door.end(door.start(covered=True))
    told_late = door.start(RiskLevel.RAISED)
    door.check_in(told_late)
    assert door.row(told_late).generation == 2, "who is at the door already is watched over all the same"


@pytest.mark.parametrize("asked", [True, False], ids=["asked for", "given all the same"])
def test_the_duress_pin_seems_to_check_in_and_calls_for_help(holder: Door, asked: bool) -> None:
    demand(holder, RiskLevel.LOW if asked else None)
    session_id = holder.start()
    holder.clock.pass_s(5 * MINUTE)
    seen = checked(holder, session_id, DURESS)
    assert (seen.state, seen.due_at - seen.remind_at) == (ACTIVE, seen.due_at - seen.remind_at)
    row, alert = holder.row(session_id), holder.alert()
    assert (row.state, row.duress, alert.kind, alert.covert) == (ALARM, True, AlertKind.DURESS, True)
    assert seen.due_at > row.due_at, "the phone is shown a deadline that moved; the true one stands"
    assert shown(holder, session_id).state is ACTIVE
    holder.clock.pass_s(MINUTE)
    again = checked(holder, session_id, PIN)
    assert (again.state, again.due_at > seen.due_at) == (ACTIVE, True)
    assert checked(holder, session_id, DURESS).state is ACTIVE
    assert act(holder, use.end_session, session_id, pin=PIN).state is ENDED
    assert checked(holder, session_id, DURESS).state is ENDED, "what seems over stays so"
    assert len(holder.alerts()) == 1


def test_three_wrong_pins_at_check_ins_are_a_covert_alert(strict: Door) -> None:
    session_id = strict.start()
    answers = [checked(strict, session_id, "0000") for _ in range(3)]
    assert all(isinstance(answer, Refused) for answer in answers)
    assert (strict.alert().kind, strict.alert().covert) == (AlertKind.DURESS, True)
    assert shown(strict, session_id).state is ACTIVE


def test_an_alarm_that_the_phone_knows_of_is_not_lowered_by_either_pin(strict: Door) -> None:
    session_id = strict.start()
    strict.pass_under_watch_s(18 * MINUTE + 1)
    assert strict.watch().raised == 1
    assert checked(strict, session_id, PIN).state is ALARM
    assert checked(strict, session_id, DURESS).state is ALARM
    assert {alert.kind for alert in strict.alerts()} == {AlertKind.MISSED_CHECKIN, AlertKind.DURESS}


def test_what_is_seen_after_a_check_in_is_the_same_with_either(strict: Door) -> None:
    def story(pin: str) -> list[dict[str, Any]]:
        session_id = strict.start()
        strict.clock.pass_s(MINUTE)
        found = [checked(strict, session_id, pin) for _ in range(2)]
        waits: Callable[[Any], Any] = lambda row: row.due_at - row.remind_at  # noqa: E731
        seen = [{"state": row.state, "wait": waits(row), "end": row.end_at is None} for row in found]
        act(strict, use.end_session, session_id, pin=pin)
        return seen

    assert story(PIN) == story(DURESS)
