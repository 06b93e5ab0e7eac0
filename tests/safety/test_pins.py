"""Cover before the door, the PIN, the press, and duress that nobody beside the phone can see."""

import uuid
from contextlib import suppress
from typing import Any

import pytest
import sqlalchemy as sa

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.errors import InvalidValue, Refused
from fieldvisit.models import CoverOverride, SafetySession, VisitorPin
from fieldvisit.safety import sessions as use
from fieldvisit.safety.alerts import SelfHandling
from fieldvisit.safety.cover import NoCover, override_cover
from fieldvisit.safety.drafts import Officer, SessionDraft
from fieldvisit.safety.handling import agree_to_close, end_for_visitor, reopen
from fieldvisit.safety.pins import PinNeeded, PinWrong, set_pins
from fieldvisit.safety.seeming import as_shown
from fieldvisit.safety.standing import Standing
from fieldvisit.vocabulary import AlertKind, AlertOutcome, AlertState, RiskLevel, SafetyState
from tests.safety.worlds import ACTIVE, ALARM, ENDED, MINUTE, Door, another_door, kinds

PIN, DURESS = "4711", "4862"


@pytest.fixture
def holder(door: Door) -> Door:
    """The visitor has set both PINs."""
    with acting_for(door.sessions, door.world.agency) as session:
        set_pins(session, door.visitor_id, PIN, DURESS)
    return door


def act(door: Door, what: Any, session_id: uuid.UUID, **given: Any) -> SafetySession | Refused:
    """What the phone is shown of it."""
    with acting_for(door.sessions, door.world.agency) as session:
        found = what(session, session_id, door.told(**given))
        return found if isinstance(found, Refused) else as_shown(session, found).session


def shown(door: Door, session_id: uuid.UUID) -> SafetySession:
    with acting_for(door.sessions, door.world.agency) as session:
        row = session.get_one(SafetySession, session_id)
        return as_shown(session, Standing(row, row.started_at)).session


@pytest.mark.parametrize(
    ("pin", "duress"),
    [("123", "456"), ("12a4", "9999"), ("4711", "4712"), ("4711", "47111"), ("123456789", "987654321")],
)
def test_pins_that_would_be_mistaken_are_refused(door: Door, pin: str, duress: str) -> None:
    with acting_for(door.sessions, door.world.agency) as session, pytest.raises(InvalidValue):
        set_pins(session, door.visitor_id, pin, duress)


def test_neither_pin_is_stored_as_it_is(holder: Door) -> None:
    with acting_for(holder.sessions, holder.world.agency) as session:
        kept = session.get_one(VisitorPin, holder.visitor_id)
    assert {len(kept.pin), len(kept.duress_pin)} == {32}
    assert PIN.encode() not in kept.pin + kept.duress_pin


def test_who_has_a_pin_needs_it_to_end(holder: Door) -> None:
    session_id = holder.start()
    with pytest.raises(PinNeeded):
        holder.end(session_id)
    refused = act(holder, use.end_session, session_id, pin="0000")
    assert isinstance(refused, Refused)
    assert isinstance(refused.error, PinWrong)
    assert holder.row(session_id).state is ACTIVE
    act(holder, use.end_session, session_id, pin=PIN)
    assert holder.row(session_id).state is ENDED
    assert holder.alerts() == []


def test_three_wrong_pins_within_a_minute_are_a_covert_alert(holder: Door) -> None:
    session_id = holder.start()
    for _ in range(3):
        assert isinstance(act(holder, use.end_session, session_id, pin="0000"), Refused)
    assert (holder.alert().kind, holder.alert().covert) == (AlertKind.DURESS, True)
    assert shown(holder, session_id).state is ACTIVE


def test_three_wrong_pins_in_a_quarter_of_an_hour_are_a_bad_memory(holder: Door) -> None:
    session_id = holder.start()
    for _ in range(3):
        act(holder, use.end_session, session_id, pin="0000")
        holder.clock.pass_s(5 * MINUTE)
    assert holder.alerts() == []


def test_the_duress_pin_seems_to_end_and_calls_for_help(holder: Door) -> None:
    session_id = holder.start()
    seen = act(holder, use.end_session, session_id, pin=DURESS)
    assert isinstance(seen, SafetySession)
    assert (seen.state, seen.ended_at is not None) == (ENDED, True)
    row, alert = holder.row(session_id), holder.alert()
    assert (row.state, row.duress) == (ALARM, True)
    assert (alert.kind, alert.state, alert.covert) == (AlertKind.DURESS, AlertState.NOTIFYING, True)
    assert holder.told_events(session_id)[1:] == ["duress_pin", "alert_opened", "step_begun"]


def test_what_is_seen_under_duress_is_what_is_seen_otherwise(holder: Door) -> None:
    """The same fields with values of the same kind, after the end, a late check-in, a beat and a second end."""

    def story(pin: str) -> list[dict[str, Any]]:
        session_id = holder.start()
        seen = []
        for what in (use.end_session, use.check_in, use.beat, use.end_session):
            found = act(holder, what, session_id, pin=pin)
            assert isinstance(found, SafetySession)
            names = ("state", "visit_id", "level", "extended_s", "lost_contact")
            moments = ("remind_at", "due_at", "grace_until", "end_at", "ended_at")
            seen.append(
                {name: getattr(found, name) for name in names}
                | {name: getattr(found, name) is None for name in moments}
                | {"own id": found.id == session_id}
            )
        return seen

    assert story(PIN) == story(DURESS)


def test_a_phone_that_seems_to_have_ended_can_seem_to_start_again(holder: Door) -> None:
    session_id = holder.start()
    act(holder, use.end_session, session_id, pin=DURESS)
    new_id = uuid.uuid4()
    with acting_for(holder.sessions, holder.world.agency) as session:
        draft = SessionDraft(visitor_id=holder.visitor_id, actor_id=None, event_id=new_id, planned_s=600)
        seen = as_shown(session, use.start_session(session, draft)).session
        assert (seen.id, seen.state) == (new_id, ACTIVE)
    checked = act(holder, use.check_in, new_id)
    assert isinstance(checked, SafetySession)
    assert (checked.id, checked.state) == (new_id, ACTIVE)
    ended = act(holder, use.end_session, new_id, pin=PIN)
    assert isinstance(ended, SafetySession)
    assert (ended.id, ended.state) == (new_id, ENDED)
    assert holder.row(session_id).state is ALARM
    assert kinds(holder.alerts()) == [(AlertKind.DURESS, AlertState.NOTIFYING)]


@pytest.mark.parametrize("resume", [True, False])
def test_when_duress_is_over_the_phone_shows_what_is(holder: Door, resume: bool) -> None:
    session_id, new_id = holder.start(), uuid.uuid4()
    act(holder, use.end_session, session_id, pin=DURESS)
    with acting_for(holder.sessions, holder.world.agency) as session:
        draft = SessionDraft(visitor_id=holder.visitor_id, actor_id=None, event_id=new_id, planned_s=600)
        use.start_session(session, draft)
    holder.acknowledge()
    holder.resolve(resume=resume)
    with acting_for(holder.sessions, holder.world.agency) as session:
        agree_to_close(session, holder.alert().id, holder.other_officer)
    state = ACTIVE if resume else ENDED
    assert (shown(holder, session_id).state, holder.row(session_id).state) == (state, state)
    seen = act(holder, use.check_in, new_id)
    assert isinstance(seen, SafetySession)
    assert (seen.state, seen.due_at) == (state, holder.row(session_id).due_at)
    act(holder, use.end_session, new_id, pin=PIN)
    assert holder.row(session_id).state is ENDED


def test_an_alert_under_duress_that_is_opened_again_shows_on_no_phone(holder: Door) -> None:
    session_id = holder.start()
    act(holder, use.end_session, session_id, pin=DURESS)
    holder.acknowledge()
    holder.resolve(resume=False)
    with acting_for(holder.sessions, holder.world.agency) as session:
        agree_to_close(session, holder.alert().id, holder.other_officer)
        reopen(session, holder.alert().id, holder.officer, "Not over yet.")
    assert (shown(holder, session_id).state, holder.row(session_id).state) == (ENDED, ALARM)


def test_the_duress_pin_for_a_session_that_is_over_is_heard_in_the_one_that_runs(holder: Door) -> None:
    over = holder.start()
    act(holder, use.end_session, over, pin=PIN)
    running = holder.start()
    before = shown(holder, running)
    seen = act(holder, use.end_session, over, pin=DURESS)
    assert isinstance(seen, SafetySession)
    assert (seen.id, seen.state, holder.row(over).state) == (over, ENDED, ENDED)
    assert (holder.alert().session_id, holder.alert().kind) == (running, AlertKind.DURESS)
    assert (shown(holder, running).state, shown(holder, running).due_at) == (ACTIVE, before.due_at)


def test_the_duress_pin_after_the_end_calls_for_help_too(holder: Door) -> None:
    over = holder.start()
    first = act(holder, use.end_session, over, pin=PIN)
    again = act(holder, use.end_session, over, pin=DURESS)
    assert isinstance(first, SafetySession)
    assert isinstance(again, SafetySession)
    assert (again.state, again.ended_at, holder.row(over).state) == (ENDED, first.ended_at, ALARM)
    assert (holder.alert().kind, holder.alert().covert) == (AlertKind.DURESS, True)


def test_under_duress_the_phone_is_still_tracked(holder: Door) -> None:
    session_id = holder.start()
    act(holder, use.end_session, session_id, pin=DURESS)
    holder.beat(session_id, lat=60.2, lon=24.9)
    assert holder.row(session_id).last_lat == 60.2


def test_the_visitor_is_told_nothing_of_a_covert_alert(holder: Door) -> None:
    with acting_for_all(holder.sessions) as session:
        session.execute(sa.text("update visitors set phone = null"))
    session_id = holder.start()
    act(holder, use.end_session, session_id, pin=DURESS)
    holder.acknowledge()
    with acting_for_all(holder.sessions) as session:
        told = session.scalars(sa.text("select count(*) from safety_outbox where recipient = 'visitor'")).one()
    assert told == 0


def test_a_press_is_known_at_once_and_calls_nobody_for_five_seconds(holder: Door) -> None:
    holder.clock.stop()
    holder.start()
    holder.call_for_help()
    assert kinds(holder.alerts()) == [(AlertKind.SOS, AlertState.PRE)]
    holder.pass_under_watch_s(4)
    assert holder.watch().climbed == 0
    holder.pass_under_watch_s(1)
    assert holder.watch().climbed == 1
    assert (holder.alert().state, holder.alert().step) == (AlertState.NOTIFYING, 1)


@pytest.mark.parametrize("given", [{"covert": True}, {"man_down": True}, {"age_s": 6}])
def test_what_may_not_be_taken_back_calls_at_once(holder: Door, given: dict[str, Any]) -> None:
    holder.call_for_help(**given)
    assert holder.alert().state is AlertState.NOTIFYING


def test_a_press_is_taken_back_by_the_pin_and_kept(holder: Door) -> None:
    session_id = holder.start()
    holder.call_for_help()
    seen = act(holder, use.cancel_call, session_id, pin=PIN)
    assert isinstance(seen, SafetySession)
    assert (seen.state, holder.row(session_id).state) == (ACTIVE, ACTIVE)
    alert = holder.alert()
    assert (alert.state, alert.outcome, alert.proof) == (
        AlertState.RESOLVED,
        AlertOutcome.CANCELLED_BY_VISITOR,
        None,
    )
    holder.pass_under_watch_s(6)
    assert holder.watch().climbed == 0


@pytest.mark.parametrize("pin", [PIN, DURESS])
def test_taking_back_a_call_takes_back_no_alarm_that_was_up_before(holder: Door, pin: str) -> None:
    session_id = holder.start()
    holder.pass_under_watch_s(18 * MINUTE)
    holder.watch()
    holder.call_for_help()
    seen = act(holder, use.cancel_call, session_id, pin=pin)
    assert isinstance(seen, SafetySession)
    row = holder.row(session_id)
    assert (seen.state, row.state, seen.due_at) == (ALARM, ALARM, row.due_at)
    checked = act(holder, use.check_in, session_id)
    assert isinstance(checked, SafetySession)
    assert (checked.state, checked.due_at) == (ALARM, row.due_at)
    with pytest.raises(use.AlertStillOpen):
        act(holder, use.end_session, session_id, pin=PIN)
    if pin == PIN:
        assert holder.watch().climbed == 1
        missed, sos = holder.alerts()
        assert (missed.state, missed.parent_id, sos.state) == (AlertState.NOTIFYING, None, AlertState.RESOLVED)


def test_the_strongest_of_those_that_a_call_took_over_climbs_for_the_others(holder: Door) -> None:
    session_id = holder.start()
    holder.pass_under_watch_s(18 * MINUTE)
    holder.watch()
    holder.call_for_help(man_down=True)
    holder.call_for_help()
    act(holder, use.cancel_call, session_id, pin=PIN)
    holder.watch()
    missed, down, _ = holder.alerts()
    assert (down.kind, down.state, down.parent_id) == (AlertKind.MAN_DOWN, AlertState.NOTIFYING, None)
    assert (missed.state, missed.parent_id) == (AlertState.OPEN, down.id)


def test_a_press_without_a_session_that_is_taken_back_leaves_none_open(holder: Door) -> None:
    session_id = holder.call_for_help()
    act(holder, use.cancel_call, session_id, pin=PIN)
    assert holder.row(session_id).state is ENDED


def test_after_five_seconds_an_officer_speaks_first(holder: Door) -> None:
    session_id = holder.start()
    holder.call_for_help()
    holder.pass_under_watch_s(5)
    holder.watch()
    with pytest.raises(use.AlertStillOpen):
        act(holder, use.cancel_call, session_id, pin=PIN)


def test_a_press_taken_back_by_the_duress_pin_seems_to_be(holder: Door) -> None:
    session_id = holder.start()
    holder.call_for_help()
    seen = act(holder, use.cancel_call, session_id, pin=DURESS)
    assert isinstance(seen, SafetySession)
    assert seen.state is ACTIVE
    sos, duress = holder.alerts()
    assert (sos.parent_id, duress.kind, duress.state) == (duress.id, AlertKind.DURESS, AlertState.NOTIFYING)
    checked = act(holder, use.check_in, session_id)
    assert isinstance(checked, SafetySession)
    assert (checked.state, checked.due_at is not None and checked.due_at > seen.due_at) == (ACTIVE, True)


@pytest.mark.parametrize("pin", [PIN, DURESS])
def test_under_duress_a_press_is_taken_back_like_any_other(holder: Door, pin: str) -> None:
    session_id = holder.start()
    act(holder, use.check_in, session_id, pin=DURESS)
    holder.call_for_help()
    assert shown(holder, session_id).state is ALARM
    seen = act(holder, use.cancel_call, session_id, pin=pin)
    assert isinstance(seen, SafetySession)
    assert (seen.state, holder.row(session_id).state) == (ACTIVE, ALARM)
    assert {alert.kind: alert.state for alert in holder.alerts()} == {
        AlertKind.DURESS: AlertState.NOTIFYING,
        AlertKind.SOS: AlertState.OPEN,
    }


@pytest.mark.parametrize("pin", [PIN, DURESS])
def test_too_late_it_is_too_late_under_duress_as_well_and_the_alarm_is_shown(holder: Door, pin: str) -> None:
    session_id = holder.start()
    act(holder, use.check_in, session_id, pin=DURESS)
    holder.call_for_help()
    holder.pass_under_watch_s(5)
    answer = None
    with suppress(use.AlertStillOpen):
        answer = act(holder, use.cancel_call, session_id, pin=pin)
    assert answer is None or (isinstance(answer, Refused) and isinstance(answer.error, use.AlertStillOpen))
    assert shown(holder, session_id).state is ALARM


def test_the_duress_pin_that_comes_too_late_is_refused_as_the_pin_is_and_heard(holder: Door) -> None:
    session_id = holder.start()
    holder.call_for_help()
    holder.pass_under_watch_s(5)
    holder.watch()
    answer = act(holder, use.cancel_call, session_id, pin=DURESS)
    assert isinstance(answer, Refused)
    assert isinstance(answer.error, use.AlertStillOpen)
    assert [alert.kind for alert in holder.alerts()] == [AlertKind.SOS, AlertKind.DURESS]
    assert shown(holder, session_id).state is ALARM


def start_covered(door: Door) -> uuid.UUID:
    draft = SessionDraft(
        visitor_id=door.visitor_id, actor_id=None, event_id=uuid.uuid4(), planned_s=600, level=RiskLevel.NORMAL
    )
    with acting_for(door.sessions, door.world.agency) as session:
        return use.start_session(session, draft, covered=True).session.id


UNCOVERED = {
    "nobody on duty": "delete from duty_shifts",
    "nobody with an address": "update officer_contacts set active = false",
    "nobody with an open account": "update accounts set active = false where visitor_id is null",
    "nobody on duty yet": "update duty_shifts set starts_at = starts_at + interval '3 hours'",
    "only the visitor": "update accounts set visitor_id = (select id from visitors limit 1)",
}


@pytest.mark.parametrize("uncovered", UNCOVERED)
def test_nobody_starts_while_no_officer_can_be_reached(door: Door, uncovered: str) -> None:
    with acting_for_all(door.sessions) as session:
        session.execute(sa.text(UNCOVERED[uncovered]))
    with pytest.raises(NoCover) as refused:
        start_covered(door)
    assert refused.value.details == {"emergency_number": "112"}


def test_a_supervisor_may_override_it_once_and_who_and_why_stays(door: Door) -> None:
    with acting_for_all(door.sessions) as session:
        session.execute(sa.text("delete from duty_shifts"))
    with acting_for(door.sessions, door.world.agency) as session:
        override_cover(session, door.visitor_id, door.officer, "I watch myself")
    session_id = start_covered(door)
    event = next(each for each in door.events(session_id) if each.kind == "cover_overridden")
    assert (event.actor_id, event.note) == (door.officer.account_id, "I watch myself")
    door.end(session_id)
    with pytest.raises(NoCover):
        start_covered(door)


def test_a_supervisor_who_goes_out_as_well_overrides_it_for_nobody_but_others(door: Door) -> None:
    """A lone one would set out with nobody who knows of it."""
    himself, other = Officer(account_id=door.account_id, visitor_id=door.visitor_id), another_door(door)
    with acting_for_all(door.sessions) as session:
        session.execute(sa.text("delete from duty_shifts"))
    with pytest.raises(SelfHandling), acting_for(door.sessions, door.world.agency) as session:
        override_cover(session, door.visitor_id, himself, "I am fine")
    with pytest.raises(NoCover):
        start_covered(door)
    with acting_for(door.sessions, door.world.agency) as session:
        override_cover(session, other.visitor_id, himself, "I wait in the car")
    start_covered(other)


def test_an_override_holds_for_half_an_hour(door: Door) -> None:
    with acting_for_all(door.sessions) as session:
        session.execute(sa.text("delete from duty_shifts"))
    with acting_for(door.sessions, door.world.agency) as session:
        override_cover(session, door.visitor_id, door.officer, "I watch myself")
    door.clock.pass_s(31 * MINUTE)
    with pytest.raises(NoCover):
        start_covered(door)
    with acting_for(door.sessions, door.world.agency) as session:
        assert session.scalars(sa.select(CoverOverride.session_id)).all() == [None]


def test_an_officer_ends_a_session_after_speaking_with_the_visitor(door: Door) -> None:
    session_id = door.start()
    with acting_for(door.sessions, door.world.agency) as session:
        end_for_visitor(session, session_id, door.officer, "Spoke at 10:05, right answer.")
    assert door.row(session_id).state is SafetyState.ENDED
    assert door.events(session_id)[-1].note == "Spoke at 10:05, right answer."


def test_an_officer_does_not_end_what_is_in_alarm(door: Door) -> None:
    session_id = door.call_for_help()
    with acting_for(door.sessions, door.world.agency) as session, pytest.raises(use.SessionNotActive):
        end_for_visitor(session, session_id, door.officer, "No.")
