"""A call of which nothing may show: the phone goes on as one about which nobody has called, whatever is done there."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import OutboxMessage
from fieldvisit.safety import sessions
from fieldvisit.safety.sessions.refusals import SessionNotPlanned
from fieldvisit.safety.wording import write
from fieldvisit.vocabulary import AlertKind, AlertState, MessagePurpose, SafetyState
from tests.safety.test_following import Planned, planned
from tests.safety.test_planned import PLANNED, begin, cancel, plan
from tests.safety.test_seeming import PIN, Phone, phones
from tests.safety.worlds import ACTIVE, ALARM, ENDED, MINUTE, Door, kinds

__all__ = ["phones", "planned"]

type Script = Callable[[Phone, Callable[[], None]], None]
BY_THE_OFFICE, BY_THE_VISITOR = {"covert": True, "on_behalf": True}, {"covert": True}


def take_back(phone: Phone) -> None:
    phone.do("take back", lambda session: sessions.cancel_call(session, phone.ids[-1], phone.door.told(pin=PIN)))


def running(phone: Phone, call: Callable[[], None]) -> None:
    phone.start("start")
    call()
    phone.beat("beat")
    phone.check_in("check in")
    phone.extend("extend", 10)
    phone.end("end with no PIN", None)
    phone.end("end", PIN)
    phone.extend("extend what has ended", 5)
    phone.start("another one")
    phone.check_in("check in there")


def over(phone: Phone, call: Callable[[], None]) -> None:
    phone.start("start")
    phone.door.clock.pass_s(MINUTE)
    phone.end("end", PIN)
    phone.door.clock.pass_s(MINUTE)
    call()
    phone.check_in("check in")
    phone.beat("beat")
    phone.extend("extend", 10)
    phone.end("again", None)
    phone.start("another one")
    phone.beat("beat there")
    phone.end("end there", PIN)


def nothing_yet(phone: Phone, call: Callable[[], None]) -> None:
    call()
    phone.start("start")
    phone.check_in("check in")
    phone.call("call")
    take_back(phone)
    phone.beat("beat")
    phone.end("end", PIN)


def called_openly_as_well(phone: Phone, call: Callable[[], None]) -> None:
    phone.start("start")
    call()
    phone.call("call")
    phone.door.clock.pass_s(4)
    take_back(phone)
    take_back(phone)
    phone.call("call again")
    phone.door.pass_under_watch_s(6)
    phone.door.watch()
    take_back(phone)
    phone.check_in("check in")
    phone.end("end", PIN)


def pressed_before(phone: Phone, call: Callable[[], None]) -> None:
    phone.start("start")
    phone.call("call")
    call()
    phone.beat("beat")
    phone.end("end", PIN)


@pytest.mark.parametrize(
    ("script", "called"),
    [
        (running, BY_THE_OFFICE),
        (running, BY_THE_VISITOR),
        (over, BY_THE_OFFICE),
        (nothing_yet, BY_THE_VISITOR),
        (called_openly_as_well, BY_THE_OFFICE),
        (pressed_before, BY_THE_VISITOR),
    ],
)
def test_nothing_of_a_covert_call_shows_on_the_phone(
    phones: tuple[Phone, Phone], script: Script, called: dict[str, Any]
) -> None:
    calm, meant = phones
    calm.door.clock.stop()
    script(calm, lambda: None)
    script(meant, lambda: meant.door.call_for_help(**called) and None)
    assert [name for name, _ in calm.seen] == [name for name, _ in meant.seen]
    assert [(one, other) for one, other in zip(calm.seen, meant.seen, strict=True) if one != other] == []
    (row,) = [each for each in meant.door.alerts() if each.covert]
    assert (row.kind, row.state, meant.door.row(row.session_id).state) == (AlertKind.SOS, AlertState.NOTIFYING, ALARM)


@pytest.mark.parametrize("age_s", [0, 20 * MINUTE])
def test_the_officers_are_told_not_to_ring_who_called_covertly(door: Door, age_s: int) -> None:
    door.start()
    door.call_for_help(covert=True, age_s=age_s)
    with acting_for_all(door.sessions) as session:
        rows = session.scalars(sa.select(OutboxMessage).where(OutboxMessage.purpose == MessagePurpose.ALARM)).all()
        said = [letter.text for letter in write(session, [row.id for row in rows]).values()]
    assert said
    assert all("COVERT ALARM" in text and "Do not call the visitor" in text for text in said)
    assert all(("20 min old" in text) is bool(age_s) for text in said)


def test_what_is_planned_is_still_there_for_the_phone_after_a_covert_call(planned: Planned) -> None:
    door = planned.door
    planned_id = plan(planned)
    raised_id = door.call_for_help(**BY_THE_OFFICE)
    raised = door.row(raised_id)
    assert (raised.state, raised.visit_id, raised.level) == (ALARM, planned.visit_id, door.row(planned_id).level)
    assert door.events(raised_id)[0].detail["planned_id"] == str(planned_id)
    with acting_for(door.sessions, door.world.agency) as session:
        (listed,) = sessions.planned_sessions(session, door.visitor_id)
        assert (listed.session.id, listed.session.state) == (planned_id, PLANNED)
    phone = Phone(door)
    phone.ids.append(planned_id)
    begin(planned, planned_id)
    phone.check_in("check in")
    assert [told["state"] for _, told in phone.seen] == [ACTIVE]
    with pytest.raises(SessionNotPlanned):
        cancel(planned, planned_id)
    assert kinds(door.alerts()) == [(AlertKind.SOS, AlertState.NOTIFYING)]


def test_after_a_covert_call_what_is_planned_is_cancelled_as_ever(planned: Planned) -> None:
    door = planned.door
    planned_id = plan(planned)
    door.call_for_help(covert=True, session_id=planned_id)
    cancel(planned, planned_id)
    assert door.row(planned_id).state is SafetyState.CANCELLED
    assert kinds(door.alerts()) == [(AlertKind.SOS, AlertState.NOTIFYING)]


def test_what_was_started_out_of_reach_seems_to_start_after_a_covert_call_that_names_it(door: Door) -> None:
    phone = Phone(door)
    phone.ids.append(uuid.uuid4())
    door.call_for_help(covert=True, session_id=phone.ids[-1])
    door.start(event_id=phone.ids[-1])
    phone.check_in("check in")
    phone.end("end", PIN)
    assert [(told["mine"], told["state"]) for _, told in phone.seen] == [(0, ACTIVE), (0, ENDED)]
    assert kinds(door.alerts()) == [(AlertKind.SOS, AlertState.NOTIFYING)]
