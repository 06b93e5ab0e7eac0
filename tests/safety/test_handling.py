"""An alert in the hands of officers: handed over, referred, closed by two, opened again."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.errors import InvalidValue
from fieldvisit.models import Account, OutboxMessage, SafetyAlert, Visitor
from fieldvisit.safety import handling as use
from fieldvisit.safety.alerts import AlertNotYours, SelfHandling, get_alert
from fieldvisit.safety.closing import CalledMeanwhile, resolve
from fieldvisit.safety.drafts import Officer, Resolution
from fieldvisit.safety.roster import NotAnOfficer
from fieldvisit.safety.sessions import SessionAlreadyOpen
from fieldvisit.vocabulary import (
    AlertKind,
    AlertOutcome,
    AlertState,
    CallResult,
    MessagePurpose,
    ResolutionProof,
    Role,
)
from tests.safety.worlds import ALARM, ENDED, MINUTE, Door, kinds, make_account


def does(door: Door, act: Callable[..., SafetyAlert], *given: Any, **more: Any) -> SafetyAlert:
    with acting_for(door.sessions, door.world.agency) as session:
        return act(session, *given, **more)


@pytest.fixture
def alert_id(door: Door) -> uuid.UUID:
    """A call for help that the first officer has taken."""
    door.call_for_help()
    door.acknowledge()
    return door.alert().id


def put_out(door: Door, purpose: MessagePurpose) -> list[tuple[str, str]]:
    with acting_for_all(door.sessions) as session:
        found = session.scalars(
            sa.select(OutboxMessage).where(OutboxMessage.purpose == purpose).order_by(OutboxMessage.channel)
        )
        return [(each.recipient.value, each.channel.value) for each in found]


def test_an_alert_is_handed_over_when_the_other_one_accepts(door: Door, alert_id: uuid.UUID) -> None:
    does(door, use.offer, alert_id, door.officer, door.other_officer)
    assert door.alert().owner_id == door.officer.account_id
    door.clock.pass_s(MINUTE)
    taken = does(door, use.accept, alert_id, door.other_officer)
    assert (taken.owner_id, taken.offered_to_id) == (door.other_officer.account_id, None)
    assert (taken.ack_until - taken.acknowledged_at).total_seconds() == 3 * MINUTE
    with pytest.raises(AlertNotYours):
        does(door, use.refer, alert_id, door.officer, use.Referral(service="police", reference="1"))


def test_what_was_not_offered_is_not_accepted(door: Door, alert_id: uuid.UUID) -> None:
    with pytest.raises(use.AlertNotOffered):
        does(door, use.accept, alert_id, door.other_officer)


def test_an_offer_is_void_when_the_acknowledgement_lapsed(door: Door, alert_id: uuid.UUID) -> None:
    does(door, use.offer, alert_id, door.officer, door.other_officer)
    door.pass_under_watch_s(3 * MINUTE)
    door.watch()
    with pytest.raises(use.AlertNotOffered):
        does(door, use.accept, alert_id, door.other_officer)


def test_nothing_is_offered_to_the_subject_or_to_who_handles_no_alarms(door: Door, alert_id: uuid.UUID) -> None:
    with acting_for_all(door.sessions) as session:
        subject = make_account(session, door.world, Role.SAFETY_OFFICER, visitor_id=door.visitor_id)
        dispatcher = make_account(session, door.world, Role.DISPATCHER)
    with pytest.raises(SelfHandling):
        does(door, use.offer, alert_id, door.officer, Officer(account_id=subject.id, visitor_id=door.visitor_id))
    with pytest.raises(NotAnOfficer):
        does(door, use.offer, alert_id, door.officer, Officer(account_id=dispatcher.id))


def test_an_officer_whose_account_was_closed_does_nothing_any_more(door: Door, alert_id: uuid.UUID) -> None:
    with acting_for_all(door.sessions) as session:
        session.execute(sa.update(Account).where(Account.id == door.officer.account_id).values(active=False))
    before = door.alert().version
    for act in (door.acknowledge, door.note, door.resolve):
        with pytest.raises(NotAnOfficer):
            act()
    assert door.alert().version == before


def test_the_result_of_a_call_keeps_the_alert_and_is_recorded(door: Door, alert_id: uuid.UUID) -> None:
    door.clock.pass_s(2 * MINUTE)
    kept = does(door, use.record_call, alert_id, door.officer, CallResult.NO_ANSWER)
    assert (kept.ack_until - kept.acknowledged_at).total_seconds() > 4 * MINUTE
    assert door.events(kept.session_id)[-1].detail == {"alert_id": str(alert_id), "result": "no_answer"}


def test_a_referral_is_on_record_and_the_alert_stays_open(door: Door, alert_id: uuid.UUID) -> None:
    referral = use.Referral(service="Police", reference="R 12/26", note="Script A")
    kept = does(door, use.refer, alert_id, door.officer, referral)
    assert (kept.state, kept.referred_at is not None) == (AlertState.ACKNOWLEDGED, True)
    assert door.events(kept.session_id)[-1].note == "Police: R 12/26\nScript A"


def close(session: Session, alert_id: uuid.UUID, by: Officer) -> SafetyAlert:
    how = Resolution(outcome=AlertOutcome.GENUINE_THREAT, proof=ResolutionProof.SEEN_IN_PERSON, resume=False)
    return resolve(session, alert_id, by, how)


@pytest.mark.parametrize("result", [CallResult.WRONG_ANSWER, CallResult.DURESS_WORD])
def test_a_wrong_answer_turns_the_alert_into_one_under_duress_which_two_officers_close(
    door: Door, alert_id: uuid.UUID, result: CallResult
) -> None:
    turned = does(door, use.record_call, alert_id, door.officer, result)
    assert (turned.kind, turned.covert, turned.owner_id) == (AlertKind.DURESS, True, door.officer.account_id)
    proposed = does(door, close, alert_id, door.officer)
    assert (proposed.state, proposed.second_officer_needed) == (AlertState.ACKNOWLEDGED, True)
    with pytest.raises(use.SecondOfficerNeeded):
        does(door, use.agree_to_close, alert_id, door.officer)
    agreed = does(door, use.agree_to_close, alert_id, door.other_officer)
    assert (agreed.state, agreed.outcome) == (AlertState.RESOLVED, AlertOutcome.GENUINE_THREAT)
    assert door.row(agreed.session_id).state is ENDED
    resolved = next(event for event in door.events(agreed.session_id) if event.kind == "resolved")
    assert (resolved.actor_id, resolved.detail["second_id"]) == (
        door.officer.account_id,
        str(door.other_officer.account_id),
    )


def test_nobody_agrees_to_what_was_not_proposed(door: Door, alert_id: uuid.UUID) -> None:
    with pytest.raises(use.SecondOfficerNeeded):
        does(door, use.agree_to_close, alert_id, door.other_officer)


def test_a_closed_alert_is_opened_again_and_climbs_from_its_first_step(door: Door, alert_id: uuid.UUID) -> None:
    door.resolve(resume=False)
    door.clock.pass_s(23 * 60 * MINUTE)
    again = does(door, use.reopen, alert_id, door.other_officer, "It was closed by mistake.")
    assert (again.state, again.step, again.round, again.owner_id) == (AlertState.NOTIFYING, 1, 2, None)
    assert door.row(again.session_id).state is ALARM
    assert len(put_out(door, MessagePurpose.ALARM)) == 4


def climbing(door: Door) -> list[tuple[AlertKind, bool]]:
    """The open alerts, and whether they climb by themselves, not as the child of another one."""
    open_ones = [alert for alert in door.alerts() if alert.resolved_at is None]
    return [(alert.kind, alert.parent_id is None and alert.next_action_at is not None) for alert in open_ones]


def test_a_call_for_help_that_is_opened_again_takes_over_what_was_raised_since(door: Door, alert_id: uuid.UUID) -> None:
    door.resolve(resume=True)
    door.pass_under_watch_s(60 * MINUTE)
    door.watch()
    assert climbing(door) == [(AlertKind.MISSED_CHECKIN, True)]
    does(door, use.reopen, alert_id, door.other_officer, "It was not over.")
    assert climbing(door) == [(AlertKind.SOS, True), (AlertKind.MISSED_CHECKIN, False)]


def test_silence_that_is_opened_again_waits_for_the_call_for_help_that_is_open(door: Door) -> None:
    door.start()
    door.pass_under_watch_s(60 * MINUTE)
    door.watch()
    silent = door.acknowledge().id
    door.resolve(resume=True)
    door.call_for_help()
    does(door, use.reopen, silent, door.officer, "It was not over.")
    assert climbing(door) == [(AlertKind.MISSED_CHECKIN, False), (AlertKind.SOS, True)]


def test_a_call_that_the_officer_has_not_read_keeps_the_alert_open(door: Door, alert_id: uuid.UUID) -> None:
    session_id = door.alert().session_id
    read_to = door.events(session_id)[-1].sequence
    door.call_for_help()
    with pytest.raises(CalledMeanwhile) as refused:
        door.resolve(read_to=read_to)
    last = door.events(session_id)[-1]
    assert (last.kind, refused.value.details["sequence"]) == ("sos_pressed", last.sequence)
    assert door.resolve(read_to=last.sequence).state is AlertState.RESOLVED


def test_after_a_day_a_closed_alert_stays_closed(door: Door, alert_id: uuid.UUID) -> None:
    door.resolve(resume=False)
    door.clock.pass_s(25 * 60 * MINUTE)
    with pytest.raises(use.AlertNotReopened):
        does(door, use.reopen, alert_id, door.other_officer, "Too late.")


def test_an_alert_is_not_opened_again_beside_a_new_session(door: Door, alert_id: uuid.UUID) -> None:
    door.resolve(resume=False)
    door.start()
    with pytest.raises(SessionAlreadyOpen):
        does(door, use.reopen, alert_id, door.other_officer, "Which one?")


def sent(door: Door) -> None:
    with acting_for_all(door.sessions) as session:
        session.execute(sa.update(OutboxMessage).values(sent_at=sa.func.fieldvisit_now()))


def test_everyone_who_was_told_is_told_the_all_clear_by_the_quietest_way(door: Door) -> None:
    door.call_for_help()
    sent(door)
    door.acknowledge()
    door.resolve(resume=False)
    assert put_out(door, MessagePurpose.ALL_CLEAR) == [("officer", "sms")]


def test_who_was_not_told_is_not_told_the_all_clear(door: Door) -> None:
    door.call_for_help()
    door.acknowledge()
    door.resolve(resume=False)
    assert put_out(door, MessagePurpose.ALL_CLEAR) == []


@pytest.mark.parametrize(("covert", "told"), [(False, [("visitor", "sms")]), (True, [])])
def test_the_visitor_is_told_that_somebody_has_it_unless_it_is_covert(
    door: Door, covert: bool, told: list[tuple[str, str]]
) -> None:
    with acting_for_all(door.sessions) as session:
        session.get_one(Visitor, door.visitor_id).phone = "+358401234567"
    door.call_for_help(covert=covert)
    door.acknowledge()
    assert put_out(door, MessagePurpose.TAKEN) == told


def test_a_man_who_is_down_and_then_calls_has_one_ladder(door: Door) -> None:
    door.call_for_help(man_down=True)
    door.call_for_help()
    down, sos = door.alerts()
    assert kinds([down, sos]) == [(AlertKind.MAN_DOWN, AlertState.OPEN), (AlertKind.SOS, AlertState.NOTIFYING)]
    assert down.parent_id == sos.id


def test_a_weaker_call_joins_the_stronger_one(door: Door) -> None:
    door.call_for_help()
    door.call_for_help(man_down=True)
    sos, down = door.alerts()
    assert (down.parent_id, down.next_action_at, sos.state) == (sos.id, None, AlertState.NOTIFYING)


def test_only_the_visitor_cancels(door: Door, alert_id: uuid.UUID) -> None:
    with pytest.raises(InvalidValue):
        door.resolve(outcome=AlertOutcome.CANCELLED_BY_VISITOR)


def test_the_first_acknowledgement_is_remembered_when_it_lapsed(door: Door, alert_id: uuid.UUID) -> None:
    first = door.alert().first_acknowledged_at
    door.pass_under_watch_s(3 * MINUTE)
    door.watch()
    door.acknowledge(door.other_officer)
    with acting_for(door.sessions, door.world.agency) as session:
        assert get_alert(session, alert_id).first_acknowledged_at == first
