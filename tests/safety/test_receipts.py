"""What providers tell of a message afterwards: that it arrived or never will, and which key was pressed."""

import datetime as dt

import pytest
import sqlalchemy as sa

from fieldvisit.database import acting_for_all
from fieldvisit.models import OfficerContact
from fieldvisit.outgoing.gateways import Handed
from fieldvisit.outgoing.signatures import ReceiptRefused, demand_signed, sign
from fieldvisit.safety.engine import Fired
from fieldvisit.safety.outbox import Sent, claim, hurry, record
from fieldvisit.safety.pace import PACE
from fieldvisit.safety.receipts import Receipt, ReceiptKind, take_receipt
from fieldvisit.safety.timers import CALLING, SILENT
from fieldvisit.vocabulary import AlarmChannel, AlertState, DutyRank, MessageState
from tests.safety.offices import QUICK, Office
from tests.safety.providers import SECRET, Providers
from tests.safety.test_outbox import all_fail
from tests.safety.worlds import Door


def reached_by_voice_alone(door: Door) -> None:
    with acting_for_all(door.sessions) as session:
        others = OfficerContact.channel != AlarmChannel.VOICE
        session.execute(sa.update(OfficerContact).where(others).values(active=False))


def test_accepted_is_not_delivered_without_a_receipt_it_goes_to_the_other_provider(
    door: Door, told_office: Office
) -> None:
    office = told_office
    door.call_for_help()
    office.send()
    office.door.pass_under_watch_s(QUICK.receipt_s + 1)
    office.send()
    assert [each["provider"] for each in office.heard() if each["channel"] == "sms"] == ["sms-a", "sms-b"]


def test_a_receipt_ends_the_sending_and_told_twice_or_out_of_order_changes_nothing(
    door: Door, told_office: Office
) -> None:
    office = told_office
    door.call_for_help()
    for message in office.messages():
        office.receive(ReceiptKind.DELIVERED, message)
        office.receive(ReceiptKind.DELIVERED, message)
        office.receive(ReceiptKind.UNDELIVERABLE, message)
    assert office.turn(31) == 0
    assert office.states() == {("sms", "delivered"): 1, ("voice", "delivered"): 1}
    assert door.alert().state is AlertState.NOTIFYING


def test_a_message_that_never_arrived_goes_to_the_other_provider(door: Door, told_office: Office) -> None:
    office = told_office
    door.call_for_help()
    office.send()
    (sms,) = [each for each in office.messages() if each.channel is AlarmChannel.SMS]
    office.receive(ReceiptKind.UNDELIVERABLE, sms)
    office.send()
    assert [each["provider"] for each in office.heard() if each["channel"] == "sms"] == ["sms-a", "sms-b"]


def test_that_it_never_arrived_told_twice_rings_nobody_again_and_pushes_no_step(
    door: Door, told_office: Office
) -> None:
    office = told_office
    reached_by_voice_alone(door)
    door.clock.stop()
    door.call_for_help()
    office.send()
    (voice,) = office.messages()
    for _ in range(3):
        office.receive(ReceiptKind.UNDELIVERABLE, voice, told_by="voice-a")
    with acting_for_all(door.sessions) as session:
        (taken,) = claim(session, AlarmChannel.VOICE, 1, PACE)
    office.receive(ReceiptKind.UNDELIVERABLE, voice, told_by="voice-a")
    assert door.watch() == Fired(), "the second has it in hand"
    with acting_for_all(door.sessions) as session:
        record(session, [Sent(taken, Handed(provider="voice-b", receipts=True), 2)], PACE)
    office.receive(ReceiptKind.UNDELIVERABLE, voice, told_by="voice-a")
    assert (office.states(), office.send(), door.watch()) == ({("voice", "sent"): 1}, 0, Fired())
    office.receive(ReceiptKind.UNDELIVERABLE, voice, told_by="voice-b")
    assert (office.states(), door.watch()) == ({("voice", "queued"): 1}, Fired(climbed=1))


def test_that_it_never_arrived_counts_also_when_another_has_tried_since_and_failed(
    door: Door, told_office: Office
) -> None:
    office = told_office
    reached_by_voice_alone(door)
    door.clock.stop()
    door.call_for_help()
    office.send()
    office.providers.behave("voice-b", mode="fail")
    door.clock.pass_s(QUICK.receipt_s)
    office.send()
    (voice,) = office.messages()
    assert (voice.state, voice.provider) == (MessageState.SENT, "voice-b"), "the first may have it still"
    office.receive(ReceiptKind.UNDELIVERABLE, voice, told_by="voice-b")
    assert (office.states(), door.watch()) == ({("voice", "sent"): 1}, Fired()), "that one never had it"
    office.receive(ReceiptKind.UNDELIVERABLE, voice, told_by="voice-a")
    assert (office.states(), door.watch()) == ({("voice", "queued"): 1}, Fired(climbed=1))


def test_that_it_never_arrived_told_twice_by_the_only_provider_ends_no_attempt_under_way(
    door: Door, told_office: Office
) -> None:
    reached_by_voice_alone(door)
    door.clock.stop()
    door.call_for_help()
    told_office.send()
    (voice,) = told_office.messages()

    def lost() -> None:
        receipt = Receipt(message_id=voice.id, kind=ReceiptKind.UNDELIVERABLE)
        with acting_for_all(door.sessions) as session:
            take_receipt(session, receipt, {AlarmChannel.VOICE: 1}, told_by="voice-a")

    lost()
    door.clock.pass_s(PACE.retry_s(1, 1))
    with acting_for_all(door.sessions) as session:
        (taken,) = claim(session, AlarmChannel.VOICE, 1, PACE)
    lost()
    (voice,) = told_office.messages()
    assert (voice.lease, voice.attempts) == (taken.lease, 2), "it rings, and is not to ring twice"


@pytest.mark.parametrize("first", [True, False])
def test_that_it_never_arrived_counts_also_before_its_taking_is_written_down(
    door: Door, told_office: Office, *, first: bool
) -> None:
    """Of the first attempt, and of one that is made because the first provider stayed silent."""
    office = told_office
    reached_by_voice_alone(door)
    door.clock.stop()
    door.call_for_help()
    if not first:
        office.send()
        door.clock.pass_s(QUICK.receipt_s)
    name = "voice-a" if first else "voice-b"
    with acting_for_all(door.sessions) as session:
        (taken,) = claim(session, AlarmChannel.VOICE, 1, PACE)
    (voice,) = office.messages()
    office.receive(ReceiptKind.UNDELIVERABLE, voice, told_by=name)
    with acting_for_all(door.sessions) as session:
        record(session, [Sent(taken, Handed(provider=name, receipts=True), 2)], PACE)
    (voice,) = office.messages()
    assert (voice.state, voice.error, voice.accepted_by) == (MessageState.QUEUED, "undeliverable", name)
    assert door.watch() == Fired(climbed=0 if first else 1), "at once where each had it, and nobody was reached"
    assert voice.sent_at is not None
    assert voice.next_try_at is not None
    assert voice.next_try_at - voice.sent_at >= dt.timedelta(seconds=PACE.retry_s(voice.attempts, 2))


def test_an_attempt_that_is_under_way_holds_its_step_and_one_of_another_channel_waits_for_its_own_providers(
    door: Door, office: Office
) -> None:
    all_fail(office)
    door.clock.stop()
    door.call_for_help()
    for channel, attempts in ((AlarmChannel.SMS, 2), (AlarmChannel.VOICE, 1)):
        for _ in range(attempts):
            office.sender.record([office.sender.hand_over(each) for each in office.sender.claim(channel, 1)])
    with acting_for_all(door.sessions) as session:
        (voice,) = claim(session, AlarmChannel.VOICE, 1, PACE)
        (sms,) = [each.id for each in office.messages() if each.channel is AlarmChannel.SMS]
        hurry(session, sms, providers={AlarmChannel.SMS: 2, AlarmChannel.VOICE: 2})
    assert door.watch() == Fired(), "the second telephone line may still take it"
    with acting_for_all(door.sessions) as session:
        record(session, [Sent(voice, Handed(provider="voice-b", error="HTTP 500"), 2)], PACE)
        hurry(session, sms, providers={AlarmChannel.SMS: 1, AlarmChannel.VOICE: 3})
    assert door.watch() == Fired(), "there is a third"
    with acting_for_all(door.sessions) as session:
        hurry(session, sms, providers={AlarmChannel.SMS: 2, AlarmChannel.VOICE: 2})
    assert door.watch() == Fired(climbed=1)


def test_a_dead_number_is_tried_at_the_usual_pace_and_its_step_goes_on_at_once(door: Door, told_office: Office) -> None:
    """Whoever accepts and tells a moment later that it cannot be delivered has failed like any other."""
    office = told_office
    door.clock.stop()
    door.call_for_help()
    office.send()
    sent = 2
    for _ in range(5):
        for message in office.messages():
            office.receive(ReceiptKind.UNDELIVERABLE, message)
        sent += office.send()
    assert sent == 4, "each by both providers, and then there is a pause"
    door.clock.pass_s(PACE.retry_s(2, 2))
    office.send()
    assert {each.attempts for each in office.messages()} == {3}
    door.watch()
    assert door.alert().step == 2


def test_a_machine_that_picks_up_takes_no_alarm_and_the_ladder_moves_on(door: Door, told_office: Office) -> None:
    office = told_office
    door.call_for_help()
    office.send()
    for message in office.messages():
        office.receive(ReceiptKind.DELIVERED, message)
        office.receive(ReceiptKind.KEY, message, "5")
    office.turn(CALLING.waits_s[0])
    assert (door.alert().state, door.alert().step) == (AlertState.NOTIFYING, 2)


def test_the_key_1_takes_the_alarm_for_the_officer_whose_telephone_it_was(door: Door, told_office: Office) -> None:
    office = told_office
    session_id = door.call_for_help()
    office.send()
    (voice,) = [each for each in office.messages() if each.channel is AlarmChannel.VOICE]
    for _ in range(2):
        office.receive(ReceiptKind.KEY, voice, "1")
    alert = door.alert()
    assert (alert.state, alert.owner_id) == (AlertState.ACKNOWLEDGED, door.officer.account_id)
    assert door.told_events(session_id).count("acknowledged") == 1
    assert office.states()["voice", "answered"] == 1


def test_the_key_of_a_second_officer_takes_nothing(door: Door, told_office: Office) -> None:
    office = told_office
    door.call_for_help()
    door.acknowledge(door.other_officer)
    (voice,) = [each for each in office.messages() if each.channel is AlarmChannel.VOICE]
    office.receive(ReceiptKind.KEY, voice, "1")
    assert door.alert().owner_id == door.other_officer.account_id


NOW = dt.datetime(2026, 3, 3, 7, tzinfo=dt.UTC)
BODY = b'{"id": "018f2c5e-7c1a-7d3e-9b0a-3f5d1c2b4a69", "kind": "delivered"}'


def headers(*, secret: str = SECRET, at: dt.datetime = NOW) -> dict[str, str]:
    signature = sign(secret, webhook_id="m1", timestamp=int(at.timestamp()), body=BODY)
    return {"Webhook-Id": "m1", "Webhook-Timestamp": str(int(at.timestamp())), "Webhook-Signature": signature}


def demand(given: dict[str, str], *, name: str = "sms-a", body: bytes = BODY) -> None:
    demand_signed(Providers("http://x").all(receipts=True), name, given, body, now=NOW)


def test_a_receipt_that_is_signed_is_believed_also_with_two_signatures() -> None:
    demand(headers())
    demand(headers() | {"Webhook-Signature": f"v1,AAAA {headers()['Webhook-Signature']}"})


@pytest.mark.parametrize(
    ("given", "name", "body"),
    [
        (headers(secret="another"), "sms-a", BODY),
        (headers(at=NOW - dt.timedelta(minutes=6)), "sms-a", BODY),
        (headers(at=NOW + dt.timedelta(minutes=6)), "sms-a", BODY),
        (headers() | {"Webhook-Timestamp": "now"}, "sms-a", BODY),
        (headers() | {"Webhook-Signature": ""}, "sms-a", BODY),
        ({}, "sms-a", BODY),
        (headers(), "nobody", BODY),
        (headers(), "sms-a", BODY + b" "),
    ],
    ids=["secret", "old", "new", "no-time", "unsigned", "bare", "nobody", "altered"],
)
def test_any_other_receipt_is_refused(given: dict[str, str], name: str, body: bytes) -> None:
    with pytest.raises(ReceiptRefused):
        demand(given, name=name, body=body)


def test_the_ladders_say_who_joins_on_which_step() -> None:
    assert [SILENT.joining(step) for step in range(1, 6)] == [
        (DutyRank.DUTY,),
        (DutyRank.BACKUP,),
        (DutyRank.TEAM_LEAD,),
        (DutyRank.SAFETY_MANAGER,),
        (),
    ]
    assert CALLING.called_before(2) == (DutyRank.DUTY,)
