"""A table that somebody holds keeps no message from being handed over but one that is reached by what stands there."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import psycopg
import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from fieldvisit.database import Urls, acting_for_all, plain_url
from fieldvisit.models import Visitor
from fieldvisit.safety.engine import Fired
from fieldvisit.safety.held_tables import REACHED_BY, WORDS
from fieldvisit.vocabulary import AlarmChannel, MessageRecipient, MessageState
from tests.safety.offices import Office
from tests.safety.test_outbox import all_fail
from tests.safety.worlds import MINUTE, Door

type Hold = Callable[..., AbstractContextManager[None]]


@pytest.fixture
def hold(urls: Urls) -> Hold:
    """Somebody else's transaction, as of a migration."""

    @contextmanager
    def held(*tables: str) -> Iterator[None]:
        with psycopg.connect(plain_url(urls.owner)) as owner:
            owner.execute(f"lock table {', '.join(tables)} in access exclusive mode")
            yield
            owner.rollback()

    return held


def test_an_alarm_goes_out_without_the_words_of_tables_that_are_held_and_waits_for_them_once(
    door: Door, office: Office, hold: Hold
) -> None:
    door.call_for_help(lat=60.17, lon=24.94)
    only_words = WORDS.keys() - REACHED_BY[MessageRecipient.OFFICER]
    with capture_logs() as logs, hold(*only_words):
        assert office.send() == 2
    assert office.states() == {("sms", "sent"): 1, ("voice", "sent"): 1}
    sms = next(each["text"] for each in office.heard() if each["channel"] == "sms")
    assert sms == "ALARM: Call for help. - (-), visit -, since 07:00 UTC, last position 60.17000,24.94000 (07:00 UTC)."
    told = [each["tables"] for each in logs if each["event"] == "tables_held"]
    assert told == [sorted(only_words)], "the second channel waits for none of them"
    office.turn(60)
    with acting_for_all(door.sessions) as session:
        assert session.get_one(Visitor, door.visitor_id).name in office.heard()[-1]["text"]


def test_who_cannot_be_found_just_now_is_tried_again_and_keeps_nobody_else_from_being_called(
    door: Door, office: Office, hold: Hold
) -> None:
    with acting_for_all(door.sessions) as session:
        session.get_one(Visitor, door.visitor_id).phone = "+358401234567"
    door.start()
    door.clock.stop()
    door.pass_under_watch_s(18 * MINUTE)
    door.watch()
    with hold("officer_contacts"):
        office.send()
    alarms = [each for each in office.messages() if each.purpose == "alarm"]
    assert {(each.recipient.value, each.state.value, each.error) for each in alarms} == {
        ("visitor", "sent", None),
        ("officer", "queued", "not written: held"),
    }
    door.clock.pass_s(1)
    office.send()
    assert {each.state for each in office.messages() if each.purpose == "alarm"} == {MessageState.SENT}


def test_what_nobody_can_do_without_leaves_the_message_as_due_as_it_was(door: Door, office: Office, hold: Hold) -> None:
    door.clock.stop()
    door.call_for_help()
    with hold("safety_sessions"), pytest.raises(OperationalError):
        office.send()
    assert {(each.state, each.attempts, each.lease) for each in office.messages()} == {(MessageState.QUEUED, 0, None)}
    assert office.send() == 2


def test_an_alert_that_is_held_keeps_no_result_from_being_written_down(door: Door, office: Office, hold: Hold) -> None:
    all_fail(office)
    door.clock.stop()
    door.call_for_help()
    found = office.sender.claim(AlarmChannel.SMS, 1)
    tried = [office.sender.hand_over(each) for each in found]
    with hold("safety_alerts"):
        office.sender.record(tried)
    (sms,) = [each for each in office.messages() if each.channel is AlarmChannel.SMS]
    assert (sms.error, sms.lease) == ("HTTP 500", None)
    office.send()
    assert door.watch() == Fired(climbed=1), "the next that fails hurries the step"


def test_a_message_that_is_held_keeps_no_other_from_being_written_down(door: Door, office: Office, urls: Urls) -> None:
    door.call_for_help()
    found = [each for channel in (AlarmChannel.SMS, AlarmChannel.VOICE) for each in office.sender.claim(channel, 12)]
    tried = [office.sender.hand_over(each) for each in found]
    with psycopg.connect(plain_url(urls.owner)) as owner:
        owner.execute("select set_config('app.sees_all', 'on', true)")
        assert owner.execute("select from safety_outbox where channel = 'sms' for update").rowcount == 1
        office.sender.record(tried)
        owner.rollback()
    assert office.states() == {("sms", "queued"): 1, ("voice", "sent"): 1}
    office.sender.record(tried)
    assert office.states() == {("sms", "sent"): 1, ("voice", "sent"): 1}
