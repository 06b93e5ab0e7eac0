"""Under duress no single person closes an alert, whatever the two have done before."""

import uuid

import pytest
import sqlalchemy as sa

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import OutboxMessage, SafetyAlert, Visitor
from fieldvisit.safety import handling as use
from fieldvisit.safety.closing import resolve
from fieldvisit.safety.drafts import Officer, Resolution
from fieldvisit.vocabulary import AlertKind, AlertOutcome, AlertState, CallResult, MessageRecipient, ResolutionProof
from tests.safety.offices import Office
from tests.safety.worlds import MINUTE, Door, kinds

THREAT = AlertOutcome.GENUINE_THREAT


@pytest.fixture
def alert_id(door: Door) -> uuid.UUID:
    """An alert that the first officer has, of which a wrong answer has told that it is one under duress."""
    door.call_for_help()
    alert_id = door.acknowledge().id
    with acting_for(door.sessions, door.world.agency) as session:
        use.record_call(session, alert_id, door.officer, CallResult.WRONG_ANSWER)
    return alert_id


def propose(door: Door, by: Officer, proof: ResolutionProof = ResolutionProof.SEEN_IN_PERSON) -> SafetyAlert:
    how = Resolution(outcome=THREAT, proof=proof, resume=False, note="Police, R 12/26")
    with acting_for(door.sessions, door.world.agency) as session:
        return resolve(session, door.alert().id, by, how)


def agree(door: Door, by: Officer) -> SafetyAlert:
    with acting_for(door.sessions, door.world.agency) as session:
        return use.agree_to_close(session, door.alert().id, by)


def test_what_the_emergency_service_proves_is_closed_by_two_as_well(door: Door, alert_id: uuid.UUID) -> None:
    proposed = propose(door, door.officer, ResolutionProof.EMERGENCY_SERVICE)
    assert proposed.state is AlertState.ACKNOWLEDGED
    closed = agree(door, door.other_officer)
    assert (closed.state, closed.proof) == (AlertState.RESOLVED, ResolutionProof.EMERGENCY_SERVICE)
    resolved = next(event for event in door.events(closed.session_id) if event.kind == "resolved")
    assert resolved.note == "Police, R 12/26"


def test_who_proposed_a_closing_and_handed_the_alert_over_does_not_agree_to_it(door: Door, alert_id: uuid.UUID) -> None:
    propose(door, door.officer)
    with acting_for(door.sessions, door.world.agency) as session:
        use.offer(session, alert_id, door.officer, door.other_officer)
    with acting_for(door.sessions, door.world.agency) as session:
        taken = use.accept(session, alert_id, door.other_officer)
    assert not taken.second_officer_needed
    with pytest.raises(use.SecondOfficerNeeded):
        agree(door, door.officer)
    propose(door, door.other_officer)
    assert agree(door, door.officer).state is AlertState.RESOLVED


def test_a_new_call_for_help_makes_a_proposal_void(door: Door, alert_id: uuid.UUID) -> None:
    propose(door, door.officer)
    door.call_for_help()
    duress = next(each for each in door.alerts() if each.id == alert_id)
    assert (duress.kind, duress.closing) == (AlertKind.DURESS, None)
    with acting_for(door.sessions, door.world.agency) as session, pytest.raises(use.SecondOfficerNeeded):
        use.agree_to_close(session, alert_id, door.other_officer)


def test_whose_answer_was_wrong_is_not_rung_any_more(door: Door, office: Office) -> None:
    """Called for silence, the visitor was rung and written to; now nothing may be heard of it beside that phone."""
    with acting_for_all(door.sessions) as session:
        session.get_one(Visitor, door.visitor_id).phone = "+358401234567"
    for each in office.providers.all():
        office.providers.behave(each.name, mode="fail")
    door.start()
    office.turn(18 * MINUTE)
    with acting_for(door.sessions, door.world.agency) as session:
        use.record_call(session, door.alert().id, door.officer, CallResult.DURESS_WORD)
    for each in office.providers.all():
        office.providers.behave(each.name, mode="ok")
    office.turn(30)
    assert {each.state.value for each in office.messages() if each.recipient is MessageRecipient.VISITOR} == {"dropped"}
    assert {each.state.value for each in office.messages() if each.recipient is MessageRecipient.OFFICER} >= {"sent"}


def test_an_alert_that_is_opened_again_beside_a_stronger_one_has_no_ladder_of_its_own(door: Door) -> None:
    session_id = door.start()
    door.pass_under_watch_s(18 * MINUTE)
    door.watch()
    missed = door.acknowledge().id
    door.resolve(resume=True)
    door.call_for_help(covert=True)
    with acting_for(door.sessions, door.world.agency) as session:
        use.reopen(session, missed, door.officer, "It was not all well.")
    weaker, sos = door.alerts()
    assert kinds([weaker, sos]) == [
        (AlertKind.MISSED_CHECKIN, AlertState.OPEN),
        (AlertKind.SOS, AlertState.NOTIFYING),
    ]
    assert (weaker.parent_id, weaker.next_action_at) == (sos.id, None)
    with acting_for_all(door.sessions) as session:
        waiting = session.scalars(
            sa.select(OutboxMessage.id).where(OutboxMessage.alert_id == missed, OutboxMessage.next_try_at.is_not(None))
        ).all()
    assert waiting == []
    assert door.told_events(session_id)[-2:] == ["reopened_alert", "taken_over"]


def test_a_call_for_help_that_is_opened_again_takes_over_what_silence_raised(door: Door) -> None:
    door.start()
    called = door.call_for_help()
    sos = door.acknowledge().id
    door.resolve(resume=True)
    door.pass_under_watch_s(18 * MINUTE)
    door.watch()
    with acting_for(door.sessions, door.world.agency) as session:
        use.reopen(session, sos, door.officer, "It was not all well.")
    by_kind = {each.kind: each for each in door.alerts()}
    assert by_kind[AlertKind.SOS].state is AlertState.NOTIFYING
    assert by_kind[AlertKind.MISSED_CHECKIN].parent_id == sos
    assert door.row(called).state.value == "alarm"
