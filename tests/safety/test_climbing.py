"""An alert that nobody answers climbs, for ever."""

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from fieldvisit.database import acting_for_all
from fieldvisit.models import DutyShift, SafetyAlert, Visitor
from fieldvisit.safety.climbing import Rise, Rung, climb, next_rung
from fieldvisit.safety.timers import CALLING, SILENT
from fieldvisit.vocabulary import AlertState, DutyRank, Role
from tests.safety.worlds import MINUTE, Door, another_door, make_account, put_on_duty

OPEN, NOTIFYING, EXHAUSTED, TAKEN = (
    AlertState.OPEN,
    AlertState.NOTIFYING,
    AlertState.EXHAUSTED,
    AlertState.ACKNOWLEDGED,
)


@pytest.mark.parametrize(
    ("state", "step", "round", "then"),
    [
        (OPEN, 1, 1, Rung(NOTIFYING, 1, 1, MINUTE)),
        (NOTIFYING, 1, 1, Rung(NOTIFYING, 2, 1, MINUTE)),
        (NOTIFYING, 2, 1, Rung(NOTIFYING, 3, 1, 2 * MINUTE)),
        (NOTIFYING, 4, 1, Rung(EXHAUSTED, 5, 1, 2 * MINUTE)),
        (EXHAUSTED, 5, 1, Rung(EXHAUSTED, 5, 2, 2 * MINUTE)),
        (EXHAUSTED, 5, 700, Rung(EXHAUSTED, 5, 701, 2 * MINUTE)),
        (TAKEN, 1, 1, Rung(NOTIFYING, 2, 1, MINUTE)),
        (TAKEN, 4, 1, Rung(EXHAUSTED, 5, 1, 2 * MINUTE)),
        (TAKEN, 5, 3, Rung(EXHAUSTED, 5, 4, 2 * MINUTE)),
    ],
)
def test_the_rung_after_each_rung(state: AlertState, step: int, round: int, then: Rung) -> None:
    assert next_rung(SILENT, state=state, step=step, round=round) == then


def climbed(door: Door) -> tuple[AlertState, int, int]:
    alert = door.alert()
    return alert.state, alert.step, alert.round


def test_a_call_for_help_is_exhausted_after_two_minutes_and_repeated_for_ever(door: Door) -> None:
    session_id = door.call_for_help()
    seen = [climbed(door)]
    for wait_s in (*CALLING.waits_s, *(CALLING.repeat_s,) * 3):
        door.pass_under_watch_s(wait_s)
        assert door.watch().climbed == 1
        assert door.watch().climbed == 0
        seen.append(climbed(door))
    assert seen == [
        (NOTIFYING, 1, 1),
        (NOTIFYING, 2, 1),
        (EXHAUSTED, 3, 1),
        (EXHAUSTED, 3, 2),
        (EXHAUSTED, 3, 3),
        (EXHAUSTED, 3, 4),
    ]
    assert door.told_events(session_id)[3:] == ["step_begun"] * 2 + ["exhausted"] * 4


@pytest.mark.parametrize("ranks", [[], [DutyRank.TEAM_LEAD]])
def test_with_nobody_on_duty_who_could_take_it_silence_does_not_wait_for_the_visitor(
    door: Door, ranks: list[DutyRank]
) -> None:
    """Who is rung to say that all is well, and the buddy who is to look, take no alarm."""
    session_id = door.start(buddy_id=another_door(door).visitor_id)
    with acting_for_all(door.sessions) as session:
        session.execute(sa.update(Visitor).values(phone="+358401234567"))
        session.execute(sa.delete(DutyShift))
        for rank in ranks:
            put_on_duty(session, make_account(session, door.world, Role.SAFETY_OFFICER), rank)
    door.pass_under_watch_s(18 * MINUTE)
    assert door.watch().raised == 1
    assert climbed(door) == ((NOTIFYING, 3, 1) if ranks else (EXHAUSTED, 5, 1))
    begun = [event.detail["messages"] for event in door.events(session_id) if event.kind in ("step_begun", "exhausted")]
    assert begun[0] == 4, "the visitor and the buddy, by voice and SMS"


def test_a_step_read_before_another_engine_took_it_is_not_taken_twice(door: Door) -> None:
    door.call_for_help()
    with acting_for_all(door.sessions) as session:
        stale = session.scalars(sa.select(SafetyAlert).options(joinedload(SafetyAlert.session))).one()
        session.expunge_all()
    door.pass_under_watch_s(CALLING.waits_s[0])
    door.watch()
    door.pass_under_watch_s(CALLING.waits_s[1])
    with acting_for_all(door.sessions) as session:
        assert climb(session, [(stale.session, Rise.of(stale))]) == {}
    assert climbed(door) == (NOTIFYING, 2, 1)


def test_an_acknowledged_alert_does_not_climb(door: Door) -> None:
    door.call_for_help()
    door.watch()
    door.acknowledge()
    door.pass_under_watch_s(2 * MINUTE)
    assert door.watch().climbed == 0
    assert climbed(door) == (TAKEN, 1, 1)


def test_an_owner_who_goes_quiet_loses_the_alert_and_it_goes_on_one_step_up(door: Door) -> None:
    session_id = door.call_for_help()
    door.watch()
    door.acknowledge()
    door.pass_under_watch_s(3 * MINUTE)
    assert door.watch().climbed == 1
    alert = door.alert()
    assert (climbed(door), alert.owner_id, alert.acknowledged_at, alert.ack_until) == (
        (NOTIFYING, 2, 1),
        None,
        None,
        None,
    )
    lapse = door.events(session_id)[-2]
    assert (lapse.kind, lapse.detail) == (
        "acknowledgement_lapsed",
        {"alert_id": str(alert.id), "owner_id": str(door.officer.account_id)},
    )
    assert door.acknowledge(door.other_officer).owner_id == door.other_officer.account_id


def test_a_note_in_time_keeps_the_alert(door: Door) -> None:
    door.call_for_help()
    door.acknowledge()
    for _ in range(3):
        door.pass_under_watch_s(2 * MINUTE)
        door.note()
        door.watch()
    assert door.alert().owner_id == door.officer.account_id


def test_a_closed_alert_never_climbs(door: Door) -> None:
    session_id = door.call_for_help()
    door.acknowledge()
    door.resolve(resume=False)
    door.pass_under_watch_s(60 * MINUTE)
    assert door.watch().climbed == 0
    assert door.told_events(session_id)[-1] == "ended"
