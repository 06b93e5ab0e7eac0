"""What is done for a visitor who cannot do it: an officer ends or extends after a call, the office or a buddy calls for
help."""

import uuid

import pytest

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.errors import InvalidValue, NotFound
from fieldvisit.safety.by_voice import NoVoiceContact, SpokenExtension, VoiceContact, end_by_voice, extend_by_voice
from fieldvisit.safety.drafts import Officer
from fieldvisit.safety.on_behalf import CallFor, NotTheirBuddy, call_for
from fieldvisit.safety.seeming import as_shown
from fieldvisit.safety.sessions import ExtensionTooLong, SessionNotActive
from fieldvisit.safety.standing import Standing, standing
from fieldvisit.vocabulary import AlertKind, AlertState, CallResult, Role, SafetyState
from tests.safety.worlds import ACTIVE, ALARM, ENDED, MINUTE, Door, another_door, kinds

SAFE = CallResult.SPOKE_SAFE


def extend(door: Door, session_id: uuid.UUID, by_s: int, result: CallResult = SAFE) -> Standing:
    contact = SpokenExtension(result=result, note="Rang her at 10:05; the right answer.", by_s=by_s)
    with acting_for(door.sessions, door.world.agency) as session:
        return extend_by_voice(session, session_id, door.officer, contact)


def call(door: Door, *, by: Officer, roles: tuple[Role, ...], event_id: uuid.UUID | None = None, covert: bool = False):  # type: ignore[no-untyped-def]
    wanted = CallFor(
        visitor_id=door.visitor_id, event_id=event_id or uuid.uuid4(), note="She rang and screamed.", covert=covert
    )
    with acting_for(door.sessions, door.world.agency) as session:
        return call_for(session, wanted, by, roles).session.id


def test_the_planned_end_moves_and_the_check_in_stays_due(door: Door) -> None:
    session_id = door.start()
    before = door.row(session_id)
    extend(door, session_id, 20 * MINUTE)
    row = door.row(session_id)
    assert row.end_at is not None
    assert before.end_at is not None
    assert (row.end_at - before.end_at).total_seconds() == 20 * MINUTE
    assert (row.grace_until, row.extended_s, row.state) == (before.grace_until, 20 * MINUTE, ACTIVE)
    event = door.events(session_id)[-1]
    assert (event.kind, event.actor_id, event.note) == (
        "extended_by_officer",
        door.officer.account_id,
        "Rang her at 10:05; the right answer.",
    )
    assert "extended_by_officer" in door.told_events(session_id)
    with pytest.raises(ExtensionTooLong):
        extend(door, session_id, 41 * MINUTE)


@pytest.mark.parametrize("result", [CallResult.NO_ANSWER, CallResult.VOICEMAIL, CallResult.SPOKE_NEEDS_HELP])
def test_without_the_right_answer_nothing_is_done(door: Door, result: CallResult) -> None:
    session_id = door.start()
    with pytest.raises(NoVoiceContact):
        extend(door, session_id, MINUTE, result)
    with pytest.raises(NoVoiceContact), acting_for(door.sessions, door.world.agency) as session:
        end_by_voice(session, session_id, door.officer, VoiceContact(result=result, note="Rang her."))
    assert door.told_events(session_id) == ["started"]


@pytest.mark.parametrize("result", [CallResult.WRONG_ANSWER, CallResult.DURESS_WORD])
def test_who_is_not_free_to_speak_is_in_covert_alarm_and_the_phone_shows_what_it_showed(
    door: Door, result: CallResult
) -> None:
    session_id = door.start()
    before = door.row(session_id)
    extend(door, session_id, MINUTE, result)
    assert [(each.kind, each.covert) for each in door.alerts()] == [(AlertKind.DURESS, True)]
    row = door.row(session_id)
    assert (row.state, row.end_at) == (ALARM, before.end_at)
    with acting_for(door.sessions, door.world.agency) as session:
        seen = as_shown(session, standing(session, session.merge(row))).session
    assert (seen.state, seen.due_at, seen.end_at) == (ACTIVE, before.due_at, before.end_at)
    with pytest.raises(SessionNotActive):
        extend(door, session_id, MINUTE)


def test_the_office_calls_for_a_visitor_once_with_or_without_a_session(door: Door) -> None:
    event_id = uuid.uuid4()
    made = {call(door, by=door.officer, roles=(Role.DISPATCHER,), event_id=event_id) for _ in range(3)}
    (session_id,) = made
    assert kinds(door.alerts()) == [(AlertKind.SOS, AlertState.NOTIFYING)]
    row = door.row(session_id)
    assert (row.state, row.last_heard_at) == (ALARM, None), "her phone has said nothing"
    pressed = next(each for each in door.events(session_id) if each.kind == "sos_pressed")
    assert (pressed.detail["on_behalf"], pressed.actor_id, pressed.note) == (
        True,
        door.officer.account_id,
        "She rang and screamed.",
    )


def test_a_buddy_calls_for_who_named_them_and_for_nobody_else(door: Door) -> None:
    other = another_door(door)
    buddy = Officer(account_id=other.account_id, visitor_id=other.visitor_id)
    with pytest.raises(NotTheirBuddy):
        call(door, by=buddy, roles=(Role.VISITOR,))
    session_id = door.start()
    with pytest.raises(NotTheirBuddy):
        call(door, by=buddy, roles=(Role.VISITOR,))
    door.end(session_id)
    session_id = door.start(buddy_id=other.visitor_id)
    heard_at = door.row(session_id).last_heard_at
    assert call(door, by=buddy, roles=(Role.VISITOR,), covert=True) == session_id
    assert [(each.kind, each.covert) for each in door.alerts()] == [(AlertKind.SOS, True)]
    row = door.row(session_id)
    assert (row.state, row.last_heard_at) == (SafetyState.ALARM, heard_at)


def test_a_buddy_is_another_visitor_of_the_house(door: Door) -> None:
    with pytest.raises(InvalidValue):
        door.start(buddy_id=door.visitor_id)
    with pytest.raises(NotFound):
        door.start(buddy_id=uuid.uuid4())
    with acting_for_all(door.sessions):
        assert door.alerts() == []
    session_id = door.start()
    door.end(session_id)
    assert door.row(session_id).state is ENDED
