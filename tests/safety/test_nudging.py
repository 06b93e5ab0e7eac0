"""A visitor is reminded before a deadline passes, of each deadline once, and no alarm waits for it."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import OutboxMessage, SafetySession, Visitor
from fieldvisit.safety import pins, sessions
from fieldvisit.safety.beats import engine_transaction
from fieldvisit.safety.engine import Fired
from fieldvisit.safety.nudging import claim_unreminded, remind
from fieldvisit.safety.sending import KEPT, SLOTS
from fieldvisit.vocabulary import AlarmChannel, AlertKind, MessageRecipient, RiskLevel
from tests.safety.offices import Office
from tests.safety.worlds import MINUTE, Door, another_door, rewrite

NUMBER = "+358401234567"
REMINDED = Fired(reminded=1)


def give_number(door: Door, languages: tuple[str, ...] = ("en",)) -> None:
    with acting_for_all(door.sessions) as session:
        visitor = session.get_one(Visitor, door.visitor_id)
        visitor.phone, visitor.languages = NUMBER, [*languages]


def told(office: Office) -> list[tuple[str, str, str]]:
    """What the visitor has been told: purpose, channel, and what became of it."""
    mine = [each for each in office.messages() if each.recipient is MessageRecipient.VISITOR]
    return [(each.purpose.value, each.channel.value, each.state.value) for each in mine]


def test_a_visitor_is_reminded_before_the_check_in_is_due_rung_when_it_is_and_then_it_is_an_alarm(
    door: Door, office: Office
) -> None:
    """Normal: due after 15 minutes, reminded 3 before, and 3 of grace."""
    give_number(door)
    session_id = door.start()
    door.pass_under_watch_s(12 * MINUTE - 5)
    assert door.watch() == Fired(lost=1)
    door.pass_under_watch_s(5)
    assert [door.watch(), door.watch()] == [REMINDED, Fired()]
    office.send()
    door.pass_under_watch_s(3 * MINUTE)
    assert [door.watch(), door.watch()] == [REMINDED, Fired()]
    office.send()
    assert told(office) == [
        ("check_in_soon", "sms", "sent"),
        ("overdue", "sms", "sent"),
        ("overdue", "voice", "sent"),
    ]
    soon, *overdue = office.heard()
    assert soon["text"] == "Please check in by 09:15."
    assert {each["text"] for each in overdue} == {
        "Your check-in was due at 09:15. Check in now: at 09:18 your safety officer is called."
    }
    door.pass_under_watch_s(3 * MINUTE)
    assert door.watch() == Fired(raised=1)
    assert door.told_events(session_id) == [
        "started",
        "contact_lost",
        "reminded",
        "reminded",
        "alert_opened",
        "step_begun",
    ]


def test_a_check_in_makes_a_reminder_needless_and_the_next_deadline_is_reminded_of_anew(
    door: Door, office: Office
) -> None:
    give_number(door, ("zh-CN",))
    session_id = door.start()
    door.pass_under_watch_s(12 * MINUTE)
    door.beat(session_id)
    door.watch()
    door.check_in(session_id)
    office.send()
    assert told(office) == [("check_in_soon", "sms", "dropped")]
    door.pass_under_watch_s(12 * MINUTE)
    door.beat(session_id)
    assert door.watch() == REMINDED
    office.send()
    assert [each["text"] for each in office.heard()] == ["请在 09:27 前报平安。"]


def test_a_reminder_read_before_a_check_in_comes_too_late(door: Door) -> None:
    give_number(door)
    session_id = door.start()
    door.pass_under_watch_s(12 * MINUTE)
    with engine_transaction(door.sessions) as session:
        (row,) = claim_unreminded(session, 10)
        session.expunge(row)
    door.check_in(session_id)
    with engine_transaction(door.sessions) as session:
        assert remind(session, [row]) == set()


def test_the_planned_end_and_the_plan_are_reminded_of_too(door: Door, office: Office) -> None:
    give_number(door)
    session_id = door.start(planned_s=10 * MINUTE)
    with acting_for(door.sessions, door.world.agency) as session:
        row = session.get_one(SafetySession, session_id)
        assert row.end_at is not None
        row.arrive_by = row.leave_by = row.end_at + timedelta(minutes=1)
    door.pass_under_watch_s(8 * MINUTE)
    assert door.watch() == REMINDED
    office.send()
    assert sorted(told(office)) == [
        ("arrival_soon", "sms", "sent"),
        ("end_soon", "sms", "sent"),
        ("leaving_soon", "sms", "sent"),
    ]
    assert "Your session is planned to end at 09:10. End it or extend it by then." in {
        each["text"] for each in office.heard()
    }
    door.pass_under_watch_s(2 * MINUTE)
    door.watch()
    assert door.alert().kind is AlertKind.OVERRUN


@pytest.mark.parametrize("said", [2.5, "soon", 10**400, None])
def test_a_policy_of_a_later_version_ends_nobodys_reminders(door: Door, said: object) -> None:
    """What is not a number of seconds is what is usual at that level: three minutes."""
    other = another_door(door)
    for each in (door, other):
        give_number(each)
    odd_id, _ = door.start(planned_s=10 * MINUTE), other.start(planned_s=10 * MINUTE)
    rewrite(door, odd_id, policy=door.row(odd_id).policy | {"remind_s": said})
    door.pass_under_watch_s(7 * MINUTE)
    assert [door.watch(), door.watch()] == [Fired(reminded=2), Fired()]


def test_without_a_grace_the_alarm_itself_rings_and_nobody_is_reminded_twice(door: Door) -> None:
    give_number(door)
    door.start(RiskLevel.HIGH)
    door.pass_under_watch_s(5 * MINUTE - 1)
    assert door.watch().reminded == 0, "lost contact raises an alarm at this level"
    other = another_door(door)
    give_number(other)
    session_id = other.start(RiskLevel.HIGH)
    other.pass_under_watch_s(4 * MINUTE)
    other.beat(session_id)
    assert other.watch().reminded == 1
    other.pass_under_watch_s(MINUTE)
    assert (other.watch().raised, other.told_events(session_id).count("reminded")) == (1, 1)


def test_nothing_is_sent_to_a_phone_that_somebody_else_may_hold(door: Door, office: Office) -> None:
    give_number(door)
    with acting_for(door.sessions, door.world.agency) as session:
        pins.set_pins(session, door.visitor_id, "4711", "4829")
    session_id = door.start()
    door.pass_under_watch_s(12 * MINUTE)
    door.watch()
    with acting_for(door.sessions, door.world.agency) as session:
        sessions.end_session(session, session_id, door.told(pin="4829"))
    door.watch()
    office.send()
    assert told(office) == [("check_in_soon", "sms", "dropped")]


def test_who_has_no_number_is_not_asked_about_again_and_again(door: Door) -> None:
    door.start()
    door.pass_under_watch_s(12 * MINUTE)
    assert door.watch().reminded == 0


def test_reminders_leave_a_third_of_a_channel_to_alarms(door: Door, office: Office) -> None:
    give_number(door)
    session_id = door.start()
    with acting_for_all(door.sessions) as session:
        now = session.scalars(sa.select(sa.func.fieldvisit_now())).one()
        for count in range(2 * SLOTS):
            session.add(
                OutboxMessage(
                    org_id=door.world.agency,
                    key=f"calm-{session_id}-{count}",
                    purpose="check_in_soon",
                    session_id=session_id,
                    recipient="visitor",
                    recipient_id=door.visitor_id,
                    channel="sms",
                    next_try_at=now,
                    created_at=now,
                )
            )
    first = office.sender.claim(AlarmChannel.SMS, SLOTS)
    assert len(first) == SLOTS - KEPT
    assert office.sender.claim(AlarmChannel.SMS, KEPT) == ()
    door.call_for_help()
    (alarm,) = office.sender.claim(AlarmChannel.SMS, KEPT)
    assert alarm.letter.text.startswith("ALARM")  # type: ignore[union-attr]  # of a letter that could be written
