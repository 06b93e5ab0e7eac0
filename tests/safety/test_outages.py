"""After an outage of our own those on duty are told once of all whom nobody watched; each has an alert all the same."""

import datetime as dt
import uuid
from collections import Counter

import psycopg
import pytest
import sqlalchemy as sa

from fieldvisit.database import Urls, acting_for, acting_for_all, plain_url
from fieldvisit.models import OutboxMessage, SafetyAlert, SafetySession, WatchOutage
from fieldvisit.safety import alerts, closing
from fieldvisit.safety.drafts import Resolution
from fieldvisit.safety.live import read_wall
from fieldvisit.safety.outage_notes import Unverified, covering
from fieldvisit.safety.outages import OpenOutage
from fieldvisit.vocabulary import AlarmChannel, AlertOutcome, AlertState, MessagePurpose, ResolutionProof, RiskLevel
from tests.safety.crowds import fall_silent, make_crowd
from tests.safety.offices import Office
from tests.safety.test_external import agree, outside
from tests.safety.worlds import MINUTE, Door, another_door

MANY, CROWD = 5, 200
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def silent(office: Office) -> list[Door]:
    """Five of a house fall silent while nobody watches for twenty minutes."""
    doors = [office.door, *(another_door(office.door) for _ in range(MANY - 1))]
    for door, level in zip(doors, [RiskLevel.LOW, *[RiskLevel.NORMAL] * 3, RiskLevel.HIGH], strict=True):
        door.start(level, planned_s=15 * MINUTE)
    office.door.clock.stop()
    office.door.somebody_watches()
    office.door.clock.pass_s(20 * MINUTE)
    return doors


def outages(door: Door) -> list[OpenOutage]:
    with acting_for(door.sessions, door.world.agency) as session:
        return list(read_wall(session).outages)


def close(door: Door, alert: SafetyAlert) -> None:
    ended = Resolution(outcome=AlertOutcome.FALSE_OUR_OUTAGE, proof=ResolutionProof.VOICE_CONTACT, resume=False)
    with acting_for(door.sessions, door.world.agency) as session:
        alerts.acknowledge(session, alert.id, door.officer)
        closing.resolve(session, alert.id, door.officer, ended)


def purposes(office: Office) -> Counter[str]:
    return Counter(each.purpose.value for each in office.messages())


def test_all_are_raised_as_unverified_and_those_on_duty_are_told_once(office: Office, silent: list[Door]) -> None:
    assert office.door.watch().raised == MANY
    raised = office.door.alerts()
    assert {(each.unverified, each.state) for each in raised} == {(True, AlertState.NOTIFYING)}
    assert len({each.outage_id for each in raised}) == 1
    assert purposes(office)["outage"] == 2, "an SMS and a call to the one on duty, not of each"
    office.send()
    said = [each["text"] for each in office.heard() if "own watch was down" in each["text"]]
    assert len(said) == 2
    assert all("Of 5 visitors" in text for text in said)
    (shown,) = outages(office.door)
    assert (shown.sessions, shown.open, shown.unanswered) == (MANY, MANY, MANY)
    assert (shown.until_at - (shown.from_at or shown.until_at)) == dt.timedelta(minutes=20)


def test_two_hundred_deadlines_of_an_outage_are_raised_by_one_turn_with_one_banner_and_none_is_moved(
    office: Office,
) -> None:
    make_crowd(office.door, CROWD)
    office.door.clock.stop()
    office.door.somebody_watches()
    fall_silent(office.door, CROWD, within_s=19 * MINUTE)
    before = deadlines(office.door)
    office.door.clock.pass_s(20 * MINUTE)
    assert office.door.watch().raised == CROWD
    raised = office.door.alerts()
    assert (len(raised), len({each.session_id for each in raised})) == (CROWD, CROWD)
    assert {(each.unverified, each.state) for each in raised} == {(True, AlertState.NOTIFYING)}
    assert deadlines(office.door) == before
    (shown,) = outages(office.door)
    assert (shown.sessions, shown.open, shown.unanswered) == (CROWD, CROWD, CROWD)
    assert purposes(office)["outage"] == 2, "one message by each of two ways, of all of them"
    assert office.door.watch().raised == 0


def deadlines(door: Door) -> dict[uuid.UUID, tuple[dt.datetime | None, ...]]:
    columns = SafetySession.due_at, SafetySession.grace_until, SafetySession.end_at
    with acting_for_all(door.sessions) as session:
        return {row[0]: tuple(row[1:]) for row in session.execute(sa.select(SafetySession.id, *columns))}


def test_they_climb_together_until_each_has_been_taken(office: Office, silent: list[Door]) -> None:
    office.door.watch()
    first, *others = office.door.alerts()
    close(office.door, first)
    office.turn(61)
    latest = [each for each in office.messages() if each.purpose is MessagePurpose.OUTAGE and each.step == 2]
    assert len(latest) == 4, "the one on duty again, and the backup, by both ways"
    assert any("Of 4 visitors" in each["text"] for each in office.heard())
    for alert in others:
        close(office.door, alert)
    assert outages(office.door) == []
    office.turn(10 * MINUTE)
    waiting = [each for each in office.messages() if each.purpose is MessagePurpose.OUTAGE and each.next_try_at]
    assert waiting == []


def test_the_number_outside_is_called_for_each_of_them(office: Office, silent: list[Door]) -> None:
    agree(office.door)
    office.door.watch()
    for _ in range(4):
        office.turn(2 * MINUTE + 1)
    called = [each.alert_id for each in outside(office) if each.channel is AlarmChannel.VOICE and each.round == 1]
    assert sorted(called, key=str) == sorted((each.id for each in office.door.alerts()), key=str)


def test_one_that_was_taken_and_let_go_is_told_of_by_itself(office: Office, silent: list[Door]) -> None:
    office.door.watch()
    alert = max(office.door.alerts(), key=lambda each: each.opened_at)
    with acting_for(office.door.sessions, office.door.world.agency) as session:
        alerts.acknowledge(session, alert.id, office.door.officer)
    for each in office.door.alerts():
        if each.id != alert.id:
            close(office.door, each)
    before = purposes(office)["alarm"]
    office.door.pass_under_watch_s(9 * MINUTE)
    office.door.watch()
    assert purposes(office)["alarm"] > before


def test_one_that_is_told_of_by_itself_goes_on_when_its_own_messages_fail(office: Office, silent: list[Door]) -> None:
    """Whatever became of those about the others."""
    office.door.watch()
    office.send()
    alert = office.door.alerts()[0]
    with acting_for(office.door.sessions, office.door.world.agency) as session:
        alerts.acknowledge(session, alert.id, office.door.officer)
    office.turn(61)
    with acting_for_all(office.door.sessions) as session:
        now = sa.func.fieldvisit_now()
        session.execute(sa.update(SafetyAlert).where(SafetyAlert.id == alert.id).values(next_action_at=now))
        session.execute(sa.update(SafetyAlert).where(SafetyAlert.id != alert.id).values(next_action_at=now + HOUR))
    office.door.watch()
    for each in office.providers.all():
        office.providers.behave(each.name, mode="fail")
    office.send()
    assert office.door.watch().climbed == 1


def test_a_step_of_which_no_message_is_taken_goes_on_at_once_for_all(office: Office, silent: list[Door]) -> None:
    for each in office.providers.all():
        office.providers.behave(each.name, mode="fail")
    office.door.watch()
    for _ in range(6):
        office.send()
        office.door.pass_under_watch_s(3)
        office.door.watch()
    assert {each.step > 1 for each in office.door.alerts()} == {True}, "long before its minute"


def test_one_alone_is_told_of_as_ever_and_an_engine_that_died_leaves_the_count(office: Office) -> None:
    office.door.start(RiskLevel.LOW, planned_s=15 * MINUTE)
    office.door.somebody_watches()
    office.door.clock.pass_s(20 * MINUTE)
    office.door.watch()
    assert purposes(office) == {"alarm": 2}
    with acting_for_all(office.door.sessions) as session:
        (noted,) = session.scalars(sa.select(WatchOutage)).all()
        assert noted.expected == 1
        assert session.scalar(sa.select(OutboxMessage.outage_id).where(OutboxMessage.outage_id.is_not(None))) is None


def test_who_holds_the_outages_is_waited_for_once_and_not_for_each_batch(office: Office, urls: Urls) -> None:
    door, waits = office.door, list[str]()
    passed = [Unverified(door.world.agency, door.start(), dt.datetime.now(dt.UTC))]

    def note(_c: object, _d: object, statement: str, given: dict[str, str], *_: object) -> None:
        waits.extend(value for value in given.values() if "set_config" in statement and value in ("1", "300"))

    def ask() -> None:
        with acting_for_all(door.sessions) as session:
            connection = session.connection()
            sa.event.listen(connection, "before_cursor_execute", note)
            usual = session.scalar(sa.text("show lock_timeout"))
            assert covering(session, passed) == {}
            assert session.scalar(sa.text("show lock_timeout")) == usual, "and the transaction goes on as it was"

    with psycopg.connect(plain_url(urls.owner)) as owner:
        owner.execute("lock table watch_outages in access exclusive mode")
        ask()
        ask()
        owner.rollback()
    ask()
    ask()
    assert waits == ["300", "1", "1", "300"]
