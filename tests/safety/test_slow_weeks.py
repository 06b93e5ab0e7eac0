"""A week in which too few alarms were taken in time is told of once, with its figures, in the reader's language.

It is Tuesday, 3 March, nine in the morning by the organisation's clock: the week is that from 23 February on.
"""

import pytest
import sqlalchemy as sa

from fieldvisit.database import acting_for_all
from fieldvisit.models import OfficerContact, OutboxMessage
from fieldvisit.safety.slow_weeks import tell_of_slow_weeks
from fieldvisit.safety.wording import write
from fieldvisit.vocabulary import AlarmChannel, DutyRank, MessagePurpose, Role
from tests.safety.worlds import MINUTE, Door, another_door, make_account, put_on_duty

MOVED = sa.text("""
update safety_alerts a set opened_at = '2026-02-25 10:00+00',
    first_acknowledged_at = timestamptz '2026-02-25 10:00+00' + n.taken_s * interval '1 second'
from (select id, case when row_number() over (order by id) <= :late then 90 else 20 end as taken_s from safety_alerts) n
where n.id = a.id
""")


def alarms_of_last_week(door: Door, *, late: int) -> None:
    """Three, of which so many were taken after more than a minute."""
    for each in (door, another_door(door), another_door(door)):
        each.call_for_help()
    with acting_for_all(door.sessions) as session:
        session.execute(MOVED, {"late": late})


def tell(door: Door) -> int:
    with acting_for_all(door.sessions) as session:
        return tell_of_slow_weeks(session)


def texts(door: Door) -> list[str]:
    with acting_for_all(door.sessions) as session:
        found = sa.select(OutboxMessage.id).where(OutboxMessage.purpose == MessagePurpose.SLOW_WEEK)
        return [getattr(each, "text", "") for each in write(session, session.scalars(found).all()).values()]


def test_it_is_told_once_to_the_safety_manager_with_its_figures(door: Door) -> None:
    alarms_of_last_week(door, late=1)
    with acting_for_all(door.sessions) as session:
        manager = make_account(session, door.world, Role.SUPERVISOR)
        put_on_duty(session, manager, DutyRank.SAFETY_MANAGER, AlarmChannel.MAIL, AlarmChannel.VOICE)
        chinese = sa.update(OfficerContact).where(OfficerContact.account_id == manager.id).values(language="zh_CN")
        session.execute(chinese)
    assert [tell(door), tell(door)] == [1, 0]
    (said,) = texts(door)
    assert "2026-02-23" in said
    assert "3 次警报中仅有 2 次" in said
    assert "66.7 %" in said
    door.clock.pass_s(7 * 24 * 60 * MINUTE)
    assert tell(door) == 0, "nothing was asked for in the week after"


def test_everybody_who_answers_is_told_where_nobody_manages_and_only_by_day(door: Door) -> None:
    alarms_of_last_week(door, late=3)
    door.clock.pass_s(-2 * 60 * MINUTE)
    assert tell(door) == 0, "seven in the morning"
    door.clock.pass_s(2 * 60 * MINUTE)
    assert tell(door) == 2
    assert all("only 0 of 3 alarms" in said for said in texts(door))


def test_a_manager_who_can_only_be_rung_is_none(door: Door) -> None:
    alarms_of_last_week(door, late=1)
    with acting_for_all(door.sessions) as session:
        manager = make_account(session, door.world, Role.SUPERVISOR)
        put_on_duty(session, manager, DutyRank.SAFETY_MANAGER, AlarmChannel.VOICE)
    assert tell(door) == 2


@pytest.mark.parametrize("what", ["in time", "in time since raised", "of this week", "none"])
def test_a_week_that_was_quick_enough_is_told_to_nobody(door: Door, what: str) -> None:
    if what.startswith("in time"):
        alarms_of_last_week(door, late=0)
    if what == "in time since raised":
        pressed = sa.text(
            "update safety_alerts set raised_at = opened_at + interval '5 s',"
            " first_acknowledged_at = opened_at + interval '63 s'"
        )
        with acting_for_all(door.sessions) as session:
            session.execute(pressed)
    elif what == "of this week":
        door.call_for_help()
    assert tell(door) == 0
