"""Other PINs: whoever holds the phone gets none of their own unless they know the one that holds."""

import uuid
from typing import Any

import pytest

from fieldvisit.database import acting_for
from fieldvisit.errors import Refused
from fieldvisit.models import VisitorPin
from fieldvisit.safety import sessions as use
from fieldvisit.safety.drafts import Officer
from fieldvisit.safety.pins import PinNeeded, PinNotReset, PinWrong, set_pins
from fieldvisit.safety.sessions.new_pins import change_pins, reset_pins
from fieldvisit.vocabulary import AlertKind, AlertState
from tests.safety.test_pins import DURESS, PIN, act, holder
from tests.safety.worlds import ALARM, ENDED, Door, kinds

__all__ = ["holder"]

NEW, NEW_DURESS = "1357", "9753"
DURESS_OPEN = [(AlertKind.DURESS, AlertState.NOTIFYING)]


def change(door: Door, current: str | None) -> Refused | None:
    with acting_for(door.sessions, door.world.agency) as session:
        return change_pins(session, door.told(pin=current), NEW, NEW_DURESS)


def ends_with(door: Door, session_id: uuid.UUID, pin: str) -> Any:
    seen = act(door, use.end_session, session_id, pin=pin)
    return type(seen.error) if isinstance(seen, Refused) else seen.state


def test_without_the_pin_that_holds_none_is_set(holder: Door) -> None:
    session_id = holder.start()
    with pytest.raises(PinNeeded):
        change(holder, None)
    refused = change(holder, "0000")
    assert isinstance(refused, Refused)
    assert isinstance(refused.error, PinWrong)
    assert (ends_with(holder, session_id, NEW), holder.alerts()) == (PinWrong, [])
    assert ends_with(holder, session_id, PIN) is ENDED


def test_with_it_they_are_changed_and_the_first_ones_are_set_without(door: Door) -> None:
    assert change(door, None) is None
    with acting_for(door.sessions, door.world.agency) as session:
        set_pins(session, door.visitor_id, PIN, DURESS)
    assert change(door, PIN) is None
    session_id = door.start()
    assert [ends_with(door, session_id, pin) for pin in (PIN, NEW)] == [PinWrong, ENDED]
    assert door.alerts() == []


@pytest.mark.parametrize("out", [True, False])
def test_the_duress_pin_changes_them_and_calls_covertly(holder: Door, out: bool) -> None:
    session_id = holder.start() if out else None
    assert change(holder, DURESS) is None
    assert kinds(holder.alerts()) == DURESS_OPEN
    assert holder.alert().covert
    session_id = session_id or holder.start()
    assert ends_with(holder, session_id, NEW) is ENDED
    assert holder.row(holder.alert().session_id).state is ALARM


def test_wrong_ones_count_with_those_at_the_end(holder: Door) -> None:
    session_id = holder.start()
    assert ends_with(holder, session_id, "0000") is PinWrong
    for _ in range(2):
        assert isinstance(change(holder, "0000"), Refused)
    assert kinds(holder.alerts()) == DURESS_OPEN


def test_an_officer_takes_forgotten_ones_away_but_not_while_the_visitor_is_out(holder: Door) -> None:
    session_id = holder.start()
    own = Officer(account_id=holder.account_id, visitor_id=holder.visitor_id)
    with acting_for(holder.sessions, holder.world.agency) as session, pytest.raises(PinNotReset):
        reset_pins(session, holder.visitor_id, holder.officer)
    holder.end(session_id, pin=PIN)
    with acting_for(holder.sessions, holder.world.agency) as session, pytest.raises(PinNotReset):
        reset_pins(session, holder.visitor_id, own)
    with acting_for(holder.sessions, holder.world.agency) as session:
        reset_pins(session, holder.visitor_id, holder.officer)
        assert session.get(VisitorPin, holder.visitor_id) is None
    assert change(holder, None) is None
