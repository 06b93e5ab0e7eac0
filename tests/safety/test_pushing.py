"""Reminders and alarms are pushed to the phones that said where: by ntfy, and by another way where that fails."""

import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from fieldvisit.alarm_providers import AlarmProvider, read_providers
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.devices import revoke_device
from fieldvisit.models import Account, Device, DutyShift, OfficerContact
from fieldvisit.outgoing.gateways import Channels
from fieldvisit.push_tokens import PushTokenDraft, register_push_token
from fieldvisit.safety.engine import Fired
from fieldvisit.safety.news import tell_all_clear
from fieldvisit.safety.roster import reachable_officers
from fieldvisit.safety.sending import Sender
from fieldvisit.vocabulary import AlarmChannel, AlertState, DutyRank, Role
from tests.conftest import NOW
from tests.safety.offices import QUICK, Office
from tests.safety.providers import Providers
from tests.safety.worlds import MINUTE, Door, another_door, make_account, put_on_duty

VISITORS, OFFICERS = "up-visitor", "up-officer"


def carry(door: Door, account_id: uuid.UUID, token: str, *, language: str = "en") -> uuid.UUID:
    """A phone in this account's hand."""
    device_id = uuid.uuid4()
    with acting_for(door.sessions, door.world.agency) as session:
        account = session.get_one(Account, account_id)
        session.add(
            Device(
                org_id=account.org_id,
                id=device_id,
                account_id=account_id,
                visitor_id=account.visitor_id,
                name="Fairphone",
                app_version="1",
                registered_at=NOW,
                last_seen_at=NOW,
            )
        )
        session.flush()
        register_push_token(session, device_id, PushTokenDraft(token=token, language=language))
    return device_id


@pytest.fixture
def pushed(door: Door, providers: Providers) -> Iterator[Office]:
    """Pushes go by ntfy, and by a gateway where that fails."""
    ntfy = f"ntfy://{urlsplit(providers.base).netloc}/{{to}}"
    providers.behave("ntfy", mode="ok")
    office = Office(door, providers)
    office.channels.close()
    others = [each for each in providers.all() if each.name not in ("push-a",)]
    office.channels = Channels.of(
        [AlarmProvider(name="ours", channel=AlarmChannel.PUSH, url=ntfy), *others], QUICK.timeout_s
    )
    office.sender = Sender(door.sessions, office.channels, pace=QUICK)
    yield office
    office.channels.close()


def test_a_reminder_is_pushed_to_the_phone_and_goes_by_the_other_way_where_the_first_fails(
    door: Door, pushed: Office
) -> None:
    carry(door, door.account_id, VISITORS, language="zh_CN")
    session_id = door.start()
    door.pass_under_watch_s(12 * MINUTE)
    door.beat(session_id)
    door.watch()
    assert pushed.send() == 1
    by_ntfy = [each for each in pushed.providers.heard_by("ntfy") if each.get("topic") == VISITORS]
    assert [each["message"] for each in by_ntfy] == ["请在 09:15 前报平安。"]
    pushed.providers.behave("ntfy", mode="fail")
    door.pass_under_watch_s(3 * MINUTE)
    door.watch()
    pushed.send()
    assert [(each.purpose.value, each.state.value, each.provider) for each in pushed.messages()] == [
        ("check_in_soon", "sent", "ours"),
        ("overdue", "sent", "push-b"),
    ]
    (gateway,) = [each for each in pushed.heard() if each["provider"] == "push-b"]
    assert (gateway["to"], gateway["text"]) == (VISITORS, "您应在 09:15 报平安。请立即报平安：09:18 将通知安全员。")


def test_an_alarm_is_pushed_to_the_officers_phone_and_to_the_visitors_with_the_words_for_each(
    door: Door, pushed: Office
) -> None:
    carry(door, door.account_id, VISITORS)
    carry(door, door.officer.account_id, OFFICERS)
    door.start()
    pushed.turn(18 * MINUTE)
    said = {each["topic"]: each["message"] for each in pushed.providers.heard_by("ntfy")[-2:]}
    assert said[VISITORS].startswith("You have not reported back.")
    assert said[OFFICERS].startswith("ALARM: Missed check-in.")
    door.acknowledge()
    pushed.send()
    assert pushed.providers.heard_by("ntfy")[-1]["message"].startswith("Your safety officer has your alarm")


def test_a_phone_that_was_revoked_or_went_to_somebody_else_is_told_nothing_that_waits(
    door: Door, pushed: Office
) -> None:
    revoked_id = carry(door, door.account_id, VISITORS)
    moved_id = carry(door, door.officer.account_id, OFFICERS)
    door.start()
    door.pass_under_watch_s(18 * MINUTE)
    door.watch()
    with acting_for(door.sessions, door.world.agency) as session:
        revoke_device(session, revoked_id, reason="lost", by=door.officer.account_id, now=NOW)
        mover = make_account(session, door.world, Role.DISPATCHER)
        session.get_one(Device, (door.world.agency, moved_id)).account_id = mover.id
    pushed.send()
    pushes = [each for each in pushed.messages() if each.channel is AlarmChannel.PUSH]
    assert {(each.state.value, each.error) for each in pushes} == {("dropped", "not reachable any more")}


def test_a_push_alone_is_no_alarm_line(door: Door, pushed: Office) -> None:
    """It covers nobody, and a step whose telephones all fail goes on although a push was accepted."""
    with acting_for_all(door.sessions) as session:
        session.execute(sa.update(OfficerContact).values(active=False))
        put_on_duty(session, session.get_one(Account, door.officer.account_id), DutyRank.DUTY, AlarmChannel.PUSH)
        assert reachable_officers(session, door.world.agency) == []
        session.execute(sa.delete(DutyShift))
        session.execute(sa.update(OfficerContact).values(active=True))
        put_on_duty(session, session.get_one(Account, door.officer.account_id), DutyRank.DUTY, AlarmChannel.SMS)
    carry(door, door.officer.account_id, OFFICERS)
    for name in ("sms-a", "sms-b", "voice-a", "voice-b"):
        pushed.providers.behave(name, mode="fail")
    door.call_for_help()
    pushed.send()
    assert door.watch().climbed == 1


def test_a_step_of_which_only_pushes_were_accepted_goes_on_at_once(door: Door, office: Office) -> None:
    with acting_for_all(door.sessions) as session:
        session.execute(sa.delete(DutyShift))
        mine = OfficerContact.account_id == door.officer.account_id
        session.execute(sa.update(OfficerContact).where(mine).values(active=False))
        account = session.get_one(Account, door.officer.account_id)
        put_on_duty(session, account, DutyRank.DUTY, AlarmChannel.PUSH)
    door.call_for_help()
    assert office.send() == 1
    assert office.states() == {("push", "sent"): 1}
    door.watch()
    assert door.alert().state is AlertState.EXHAUSTED, "nobody else is on duty: everyone is called"


def test_a_push_to_the_visitor_ends_no_step_whose_officers_were_told_of_a_whole_outage(
    door: Door, pushed: Office
) -> None:
    """They are rung once of all of them; what is pushed to each visitor is of each alert."""
    doors = [door, another_door(door)]
    for number, each in enumerate(doors):
        carry(each, each.account_id, f"{VISITORS}-{number}")
        each.start(planned_s=15 * MINUTE)
    door.clock.stop()
    door.somebody_watches()
    door.clock.pass_s(20 * MINUTE)
    assert door.watch().raised == len(doors)
    pushed.send()
    assert pushed.states() == {("push", "sent"): 2, ("sms", "sent"): 1, ("voice", "sent"): 1}
    assert door.watch() == Fired()


def test_the_all_clear_of_a_covert_alarm_is_not_pushed_to_the_visitor(door: Door, pushed: Office) -> None:
    carry(door, door.account_id, VISITORS)
    door.start()
    pushed.turn(18 * MINUTE)
    alert = door.alert()
    with acting_for(door.sessions, door.world.agency) as session:
        session.get_one(type(alert), alert.id).covert = True
        session.flush()
        tell_all_clear(session, alert.id)
    told = [each for each in pushed.messages() if each.purpose.value == "all_clear"]
    assert "device" not in {each.recipient.value for each in told}


def test_a_push_service_may_be_one_of_apprise_and_a_telephone_may_not() -> None:
    (push,) = read_providers('[{"name": "p", "channel": "push", "url": "ntfys://push.example.org/{to}"}]')
    assert push.url == "ntfys://push.example.org/{to}"
    for channel, url in (("sms", "ntfys://push.example.org/{to}"), ("push", "ntfys://push.example.org/everybody")):
        with pytest.raises(ValueError, match="p: its url"):
            read_providers(f'[{{"name": "p", "channel": "{channel}", "url": "{url}"}}]')
