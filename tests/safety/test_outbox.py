"""Messages are sent until somebody answers, by whichever provider works, and what is written down is what happened."""

from collections import Counter
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from fieldvisit.database import Urls, acting_for_all
from fieldvisit.models import Account, OfficerContact, Organisation, Visitor
from fieldvisit.outgoing.gateways import Channels, Gateway, Handed, Letter
from fieldvisit.safety.outbox import Sent, claim, record
from fieldvisit.safety.pace import PACE
from fieldvisit.safety.roster import try_contact
from fieldvisit.safety.sending import Sender
from fieldvisit.safety.timers import CALLING
from fieldvisit.sealing import cipher_of
from fieldvisit.vocabulary import AlarmChannel, AlertState, DutyRank, MessageState, Role
from tests.safety.offices import QUICK, Office
from tests.safety.worlds import MINUTE, Door, make_account, put_on_duty


def test_a_call_for_help_reaches_the_officer_on_duty_by_every_address(door: Door, office: Office) -> None:
    door.call_for_help(lat=60.17, lon=24.94)
    assert office.send() == 2
    assert office.states() == {("sms", "sent"): 1, ("voice", "sent"): 1}
    with acting_for_all(door.sessions) as session:
        visitor = session.get_one(Visitor, door.visitor_id)
    sms, voice = sorted(office.heard(), key=lambda each: each["channel"])
    assert sms["text"] == (
        f"ALARM: Call for help. {visitor.name} ({visitor.staff_number}), visit -, since 09:00, last position "
        "60.17000,24.94000 (09:00)."
    )
    assert voice["text"] == f"{sms['text']} Press 1 to take this alarm."
    assert sms["to"].startswith("sms:")


def test_who_joins_later_is_called_later_and_who_was_called_is_rung_again(door: Door, office: Office) -> None:
    door.call_for_help()
    office.send()
    office.turn(CALLING.waits_s[0])
    told = Counter((each.step, each.channel.value) for each in office.messages())
    assert told == {(1, "sms"): 1, (1, "voice"): 1, (2, "sms"): 2, (2, "voice"): 2}


def test_a_missed_check_in_rings_the_visitor_too(door: Door, office: Office) -> None:
    with acting_for_all(door.sessions) as session:
        session.get_one(Visitor, door.visitor_id).phone = "+358401234567"
    door.start()
    office.turn(18 * MINUTE)
    to_visitor = [each for each in office.heard() if each["to"] == "+358401234567"]
    assert sorted(each["channel"] for each in to_visitor) == ["sms", "voice"]
    assert to_visitor[0]["text"].startswith("You have not reported back.")


def test_an_officer_reads_chinese_where_the_contact_says_so(door: Door, office: Office) -> None:
    with acting_for_all(door.sessions) as session:
        session.execute(sa.update(OfficerContact).values(language="zh_CN"))
    door.call_for_help()
    office.send()
    assert office.heard()[0]["text"].startswith("警报：")


def test_a_provider_that_fails_hands_over_to_the_other_at_once(door: Door, office: Office) -> None:
    for name in ("sms-a", "voice-a"):
        office.providers.behave(name, mode="fail")
    door.call_for_help()
    assert office.send() == 4
    assert office.states() == {("sms", "sent"): 1, ("voice", "sent"): 1}
    assert [each["provider"] for each in office.heard()] == ["sms-a", "sms-b", "voice-a", "voice-b"]


@pytest.mark.parametrize("mode", ["hang", "drop"])
def test_a_provider_that_hangs_or_hangs_up_is_a_provider_that_fails(door: Door, office: Office, mode: str) -> None:
    office.providers.behave("sms-a", mode=mode, for_s=2)
    door.call_for_help()
    office.send()
    assert office.states() == {("sms", "sent"): 1, ("voice", "sent"): 1}


def test_a_provider_that_answers_nonsense_has_accepted(door: Door, office: Office) -> None:
    office.providers.behave("sms-a", mode="garbage")
    door.call_for_help()
    office.send()
    assert office.states()["sms", "sent"] == 1


class Broken:
    """A plug-in for a provider that does not do what it should, and says so by no error of the network."""

    name, receipts = "sms-broken", False

    def hand_over(self, letter: Letter) -> Handed:
        raise ValueError(letter.to)

    def close(self) -> None:
        """Nothing is open."""


def test_a_provider_that_breaks_is_a_provider_that_fails(door: Door, office: Office) -> None:
    second = next(each for each in office.providers.all() if each.name == "sms-b")
    channels = Channels({AlarmChannel.SMS: [Broken(), Gateway(second, QUICK.timeout_s)]})
    door.call_for_help()
    assert Sender(door.sessions, channels, pace=QUICK).send_due() == 3, "two by SMS, and by voice there is no provider"
    channels.close()
    assert [each["provider"] for each in office.heard()] == ["sms-b"]
    assert office.states()["sms", "sent"] == 1


@pytest.fixture
def by_hand(urls: Urls) -> Iterator[Callable[[str], None]]:
    """What the product itself would not write: another version of it, or a hand."""
    owner = sa.create_engine(urls.owner, poolclass=sa.NullPool)

    def execute(statement: str) -> None:
        with owner.begin() as connection:
            connection.execute(sa.text("select set_config('app.sees_all', 'on', true)"))
            connection.execute(sa.text(statement))

    yield execute
    owner.dispose()


SAYS_LESS = {
    "a time zone that this host does not know": (
        "update organisations set zone = 'Europe/Nowhere'",
        "ALARM: Call for help. {name} ({number}), visit -, since 07:00 UTC, last position -.",
    ),
    "a kind of a later version": (
        "alter table safety_alerts drop constraint ck_safety_alerts_alertkind;"
        " update safety_alerts set kind = 'fell_down'",
        "ALARM: fell_down. {name} ({number}), visit -, since 09:00, last position -.",
    ),
    "a name that cannot be opened": (
        "update visitors set name = 'x'::bytea",
        "ALARM: Call for help. - ({number}), visit -, since 09:00, last position -.",
    ),
    "a moment that no clock shows": (
        "update safety_alerts set deadline_at = '9999-12-31 23:30+00'",
        "ALARM: {name} ({number}) of {house}, since 07:00 UTC. More cannot be told here. Act as agreed, and do not "
        "ring the visitor before you know more.",
    ),
}


@pytest.mark.parametrize("trouble", SAYS_LESS)
def test_an_alarm_that_cannot_be_worded_as_it_should_be_says_what_it_can(
    door: Door, office: Office, by_hand: Callable[[str], None], trouble: str
) -> None:
    statement, text = SAYS_LESS[trouble]
    with acting_for_all(door.sessions) as session:
        visitor = session.get_one(Visitor, door.visitor_id)
        house = session.get_one(Organisation, door.world.agency)
    door.call_for_help()
    by_hand(statement)
    office.send()
    told = text.format(name=visitor.name, number=visitor.staff_number, house=house.name)
    assert [each["text"] for each in office.heard() if each["channel"] == "sms"] == [told]


def test_an_attempt_for_which_the_message_cannot_be_written_is_one_that_failed(door: Door, office: Office) -> None:
    """Its step goes on at once, the next attempt comes at the usual pace, and goes out when nothing is in the way."""
    with acting_for_all(door.sessions) as session:
        kept = dict(session.execute(sa.select(OfficerContact.id, OfficerContact.address)).all())
        # It opens, and is no text.
        sealed = cipher_of(session.connection().dialect).seal_bytes(b"\xff", "officer_contacts.address")
        session.execute(sa.text("update officer_contacts set address = :sealed"), {"sealed": sealed})
    door.clock.stop()
    door.call_for_help()
    office.send()
    assert {(each.state, each.attempts, each.error) for each in office.messages()} == {
        (MessageState.QUEUED, 1, "not written: UnicodeDecodeError")
    }
    assert office.send() == 0
    office.turn(0)
    assert door.alert().step == 2
    with acting_for_all(door.sessions) as session:
        for contact_id, address in kept.items():
            session.execute(sa.update(OfficerContact).where(OfficerContact.id == contact_id).values(address=address))
    office.turn(2)
    assert office.states()["sms", "sent"] >= 1


def test_the_waits_between_attempts_grow_to_half_a_minute_and_never_end() -> None:
    waits = [PACE.retry_s(attempt, 2) for attempt in range(1, 17)]
    assert waits == [0, 1, 0, 2, 0, 4, 0, 8, 0, 15, 0, 30, 0, 30, 0, 30]
    assert PACE.retry_s(10_000, 2) == 30
    assert PACE.retry_s(3, 0) == PACE.retry_s(3, 1) == 4


def all_fail(office: Office) -> None:
    for each in office.providers.all():
        office.providers.behave(each.name, mode="fail")


def test_nothing_is_given_up_while_the_alert_is_open(door: Door, office: Office) -> None:
    """Ten minutes of errors everywhere; then one provider is back."""
    all_fail(office)
    door.call_for_help()
    office.send()
    for _ in range(20):
        office.turn(30)
    queued = [each for each in office.messages() if each.state is MessageState.QUEUED]
    assert queued
    assert door.alert().state is AlertState.EXHAUSTED
    office.providers.behave("voice-b", mode="ok")
    office.turn(30)
    assert office.states()["voice", "sent"] >= 1


def test_a_message_that_was_refused_many_times_is_still_tried(door: Door, office: Office) -> None:
    office.providers.behave("sms-a", mode="fail")
    office.providers.behave("sms-b", mode="fail")
    door.call_for_help()
    for _ in range(6):
        office.send()
        office.door.clock.pass_s(9)
    (sms,) = [each for each in office.messages() if each.channel is AlarmChannel.SMS]
    assert (sms.state, sms.attempts >= 8) == (MessageState.QUEUED, True)
    office.providers.behave("sms-b", mode="ok")
    for _ in range(4):
        office.door.clock.pass_s(31)
        office.send()
    assert office.states()["sms", "sent"] == 1


def test_a_test_of_a_contact_is_given_up_after_an_hour(door: Door, office: Office) -> None:
    all_fail(office)
    with acting_for_all(door.sessions) as session:
        contact = session.scalars(sa.select(OfficerContact).where(OfficerContact.channel == AlarmChannel.SMS)).first()
        assert contact is not None
        try_contact(session, contact.id)
    assert office.send() == 2
    door.clock.pass_s(60 * MINUTE)
    office.send()
    (message,) = office.messages()
    assert (message.state, message.error) == (MessageState.DROPPED, "too late")


def test_a_step_that_reaches_nobody_goes_on_at_once(door: Door, office: Office) -> None:
    """With nobody to be reached the alarm is exhausted within seconds, not minutes, and rings on every two minutes."""
    all_fail(office)
    door.call_for_help()
    for _ in range(12):
        office.turn(1)
    assert (door.alert().state, door.alert().round) == (AlertState.EXHAUSTED, 1)
    rounds = {each.round for each in office.messages()}
    office.turn(CALLING.repeat_s)
    assert {each.round for each in office.messages()} == rounds | {2}


def test_a_step_that_reached_somebody_waits_its_time(door: Door, office: Office) -> None:
    office.providers.behave("sms-a", mode="fail")
    office.providers.behave("sms-b", mode="fail")
    door.call_for_help()
    office.send()
    office.turn(10)
    assert door.alert().step == 1


def test_with_nobody_on_the_roster_everyone_with_the_role_is_called_at_once(door: Door, office: Office) -> None:
    with acting_for_all(door.sessions) as session:
        session.execute(sa.text("delete from duty_shifts"))
    door.call_for_help()
    door.watch()
    door.watch()
    assert door.alert().state is AlertState.EXHAUSTED
    assert office.send() == 4


def test_an_acknowledgement_stops_the_other_telephones(door: Door, office: Office) -> None:
    all_fail(office)
    door.call_for_help()
    office.send()
    door.acknowledge()
    assert {each.state for each in office.messages()} == {MessageState.DROPPED}
    assert office.turn(MINUTE) == 0


def test_whoever_was_deactivated_in_mid_alarm_is_skipped_at_once(door: Door, office: Office) -> None:
    door.call_for_help()
    with acting_for_all(door.sessions) as session:
        session.execute(sa.update(Account).where(Account.id == door.officer.account_id).values(active=False))
    office.send()
    assert {each.error for each in office.messages()} == {"not reachable any more"}
    office.turn(1)
    assert door.alert().step == 2
    assert office.states() == {("sms", "dropped"): 1, ("voice", "dropped"): 1, ("sms", "sent"): 1, ("voice", "sent"): 1}


def test_a_roster_edited_in_mid_alarm_takes_nobody_off_it_and_adds_who_came(door: Door, office: Office) -> None:
    door.call_for_help()
    with acting_for_all(door.sessions) as session:
        session.execute(sa.text("delete from duty_shifts"))
        put_on_duty(session, make_account(session, door.world, Role.SAFETY_OFFICER), DutyRank.BACKUP)
    office.turn(CALLING.waits_s[0])
    assert Counter(each.step for each in office.messages()) == {1: 2, 2: 6}


def test_the_subject_is_not_told_of_the_own_alarm_as_an_officer(door: Door, office: Office) -> None:
    with acting_for_all(door.sessions) as session:
        own = make_account(session, door.world, Role.SAFETY_OFFICER, Role.VISITOR, visitor_id=door.visitor_id)
        put_on_duty(session, own, DutyRank.DUTY)
    door.call_for_help()
    assert office.send() == 2


def test_two_engines_never_hold_one_message(door: Door) -> None:
    door.call_for_help()
    with acting_for_all(door.sessions) as first, acting_for_all(door.sessions) as second:
        assert len(claim(first, AlarmChannel.SMS, 10, PACE)) == 1
        assert claim(second, AlarmChannel.SMS, 10, PACE) == []


def test_a_lease_that_ran_out_is_somebody_elses_and_the_late_one_records_nothing(door: Door, office: Office) -> None:
    door.call_for_help()
    with acting_for_all(door.sessions) as session:
        (late,) = claim(session, AlarmChannel.SMS, 10, PACE)
    door.clock.pass_s(PACE.lease_s - 1)
    with acting_for_all(door.sessions) as session:
        assert claim(session, AlarmChannel.SMS, 10, PACE) == []
    door.clock.pass_s(2)
    with acting_for_all(door.sessions) as session:
        (taken,) = claim(session, AlarmChannel.SMS, 10, PACE)
        assert (taken.id, taken.attempt) == (late.id, 2)
        results = [Sent(late, Handed(provider="sms-a"), 2), Sent(taken, Handed(provider="sms-b", provider_id="x"), 2)]
        assert record(session, results, PACE) == {taken.id}
    (sms,) = [each for each in office.messages() if each.channel is AlarmChannel.SMS]
    assert (sms.state, sms.provider, sms.provider_id) == (MessageState.SENT, "sms-b", "x")


def test_that_it_was_accepted_counts_also_when_the_lease_ran_out(door: Door, office: Office) -> None:
    """One who is slower than a lease would else send it for ever."""
    door.call_for_help()
    with acting_for_all(door.sessions) as session:
        (late,) = claim(session, AlarmChannel.SMS, 10, PACE)
    door.clock.pass_s(PACE.lease_s + 1)
    with acting_for_all(door.sessions) as session:
        (newer,) = claim(session, AlarmChannel.SMS, 10, PACE)
        assert record(session, [Sent(late, Handed(provider="sms-a", error="slow"), 2)], PACE) == set()
        assert record(session, [Sent(late, Handed(provider="sms-a", provider_id="x"), 2)], PACE) == {late.id}
        assert record(session, [Sent(newer, Handed(provider="sms-b", error="HTTP 500"), 2)], PACE) == set()
        assert record(session, [Sent(newer, Handed(provider="sms-b"), 2)], PACE) == set()
    door.clock.pass_s(MINUTE)
    (sms,) = [each for each in office.messages() if each.channel is AlarmChannel.SMS]
    assert (sms.state, sms.provider, sms.provider_id, sms.error) == (MessageState.SENT, "sms-a", "x", None)
    assert (sms.lease, sms.next_try_at) == (None, None)
