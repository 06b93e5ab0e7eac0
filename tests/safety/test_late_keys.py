"""What a provider tells late, twice, or of somebody who has left: a key takes an alarm once, and only the one it was
pressed for."""

import datetime as dt

import sqlalchemy as sa

from fieldvisit.accounts import close_account
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import Account, OutboxMessage
from fieldvisit.safety.handling import reopen
from fieldvisit.safety.receipts import ReceiptKind
from fieldvisit.vocabulary import AlarmChannel, AlertState, MessagePurpose, MessageState, Role
from tests.safety.offices import Office
from tests.safety.worlds import MINUTE, Door


def voice(office: Office) -> OutboxMessage:
    """The first call of the first officer."""
    return next(each for each in office.messages() if each.channel is AlarmChannel.VOICE)


def test_a_key_that_is_told_again_after_its_acknowledgement_lapsed_takes_nothing(
    door: Door, told_office: Office
) -> None:
    office = told_office
    session_id = door.call_for_help()
    office.send()
    office.receive(ReceiptKind.KEY, voice(office), "1")
    office.turn(3 * MINUTE)
    assert door.alert().state is AlertState.NOTIFYING
    office.receive(ReceiptKind.KEY, voice(office), "1")
    assert door.alert().state is AlertState.NOTIFYING
    assert door.told_events(session_id).count("acknowledged") == 1


def test_a_key_of_before_takes_no_alert_that_was_opened_again(door: Door, told_office: Office) -> None:
    office = told_office
    door.call_for_help()
    office.send()
    called = voice(office)
    door.acknowledge(door.other_officer)
    door.resolve(door.other_officer, resume=False)
    with acting_for(door.sessions, door.world.agency) as session:
        reopen(session, door.alert().id, door.other_officer, "Not over.")
    office.receive(ReceiptKind.KEY, called, "1")
    assert door.alert().state is AlertState.NOTIFYING


def test_a_key_takes_nothing_but_an_alarm(door: Door, told_office: Office) -> None:
    """Pressed in an all-clear, when the alert had been opened again."""
    office = told_office
    door.call_for_help()
    office.send()
    door.acknowledge(door.other_officer)
    door.resolve(door.other_officer, resume=False)
    with acting_for(door.sessions, door.world.agency) as session:
        reopen(session, door.alert().id, door.other_officer, "Not over.")
    clear = next(each for each in office.messages() if each.purpose is MessagePurpose.ALL_CLEAR)
    office.receive(ReceiptKind.KEY, clear, "1")
    assert door.alert().state is AlertState.NOTIFYING


def test_the_key_of_who_answers_no_alarms_any_more_is_kept_and_takes_nothing(door: Door, told_office: Office) -> None:
    office = told_office
    door.call_for_help()
    office.send()
    with acting_for_all(door.sessions) as session:
        session.execute(
            sa.update(Account).where(Account.id == door.officer.account_id).values(roles=[Role.DISPATCHER.value])
        )
    office.receive(ReceiptKind.KEY, voice(office), "1")
    assert door.alert().state is AlertState.NOTIFYING
    assert voice(office).state is MessageState.ANSWERED


def test_the_alerts_of_an_account_that_is_closed_are_waited_for_no_longer(door: Door) -> None:
    session_id = door.call_for_help()
    door.acknowledge()
    with acting_for(door.sessions, door.world.agency) as session:
        close_account(session, door.officer.account_id, dt.datetime(2026, 3, 3, 7, tzinfo=dt.UTC))
    assert door.watch().climbed == 1
    alert = door.alert()
    assert (alert.state, alert.owner_id) == (AlertState.NOTIFYING, None)
    assert "acknowledgement_lapsed" in door.told_events(session_id)
