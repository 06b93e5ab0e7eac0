"""What a visitor does with a safety session, and what is refused."""

import datetime as dt
import uuid
from dataclasses import replace
from typing import Any

import pytest

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.errors import AlreadyExists, InvalidValue, NotFound
from fieldvisit.safety import sessions as use
from fieldvisit.safety.cover import override_cover
from fieldvisit.safety.drafts import Extension, SessionDraft, Told
from fieldvisit.safety.opening import EventIdUsed
from fieldvisit.safety.sessions import AlertStillOpen, ExtensionTooLong, SessionAlreadyOpen, SessionNotActive
from fieldvisit.safety.sessions.refusals import StartIsStale
from fieldvisit.safety.standing import SafetyDisplay, live_sessions
from fieldvisit.safety.timers import BY_LEVEL, DrillRefused
from fieldvisit.vocabulary import RiskLevel
from tests.safety.worlds import ACTIVE, ALARM, ENDED, MINUTE, Door, another_door
from tests.worlds import make_case, make_visit, make_visitor


def spans(door: Door, session_id: uuid.UUID, *names: str) -> dict[str, float]:
    """Deadlines as seconds after the last moment the visitor was heard of."""
    row = door.row(session_id)
    return {name: (getattr(row, name) - row.last_heard_at).total_seconds() for name in names}


def extension(door: Door, by_s: int, **given: Any) -> Extension:
    values = {"visitor_id": door.visitor_id, "actor_id": door.account_id, "event_id": uuid.uuid4()} | given
    return Extension(by_s=by_s, reason="The talk takes longer.", **values)


def extend(door: Door, session_id: uuid.UUID, told: Extension) -> None:
    with acting_for(door.sessions, door.world.agency) as session:
        use.extend_session(session, session_id, told)


@pytest.mark.parametrize("level", list(RiskLevel))
def test_a_start_sets_every_deadline_of_its_level_from_one_moment(door: Door, level: RiskLevel) -> None:
    session_id = door.start(level, planned_s=40 * MINUTE)
    timers = BY_LEVEL[level]
    assert spans(door, session_id, "started_at", "remind_at", "due_at", "grace_until", "end_at", "lost_at") == {
        "started_at": 0,
        "remind_at": timers.check_in_s - timers.remind_s,
        "due_at": timers.check_in_s,
        "grace_until": timers.check_in_s + timers.grace_s,
        "end_at": 40 * MINUTE,
        "lost_at": timers.lost_s,
    }
    row = door.row(session_id)
    assert (row.state, row.policy, row.generation) == (ACTIVE, timers.as_json(), 1)
    assert door.told_events(session_id) == ["started"]


def test_a_start_told_twice_is_one_session(door: Door) -> None:
    session_id = door.start()
    assert door.start(event_id=session_id, planned_s=10 * MINUTE) == session_id
    assert door.told_events(session_id) == ["started"]


def test_a_start_told_again_after_the_end_does_not_start_again(door: Door) -> None:
    session_id = door.start()
    door.end(session_id)
    door.start(event_id=session_id)
    assert door.row(session_id).state is ENDED


def test_a_second_session_of_a_visitor_is_refused(door: Door) -> None:
    door.start()
    with pytest.raises(SessionAlreadyOpen):
        door.start()


def test_an_id_that_another_visitor_uses_is_refused_without_a_word_about_it(door: Door) -> None:
    session_id = door.start()
    with pytest.raises(NotFound):
        another_door(door).start(event_id=session_id)


def test_an_id_that_another_organisation_uses_is_refused(door: Door) -> None:
    session_id = door.start()
    with acting_for_all(door.sessions) as session:
        foreign_id = make_visitor(session, replace(door.world, agency=door.world.stranger), papers=False).id
    draft = SessionDraft(visitor_id=foreign_id, actor_id=None, event_id=session_id, planned_s=MINUTE)
    with pytest.raises(AlreadyExists), acting_for(door.sessions, door.world.stranger) as session:
        use.start_session(session, draft)


def test_a_visit_must_be_there(door: Door) -> None:
    with pytest.raises(NotFound):
        door.start(visit_id=uuid.uuid4())
    with acting_for_all(door.sessions) as session:
        visit_id = make_visit(session, door.world, make_case(session, door.world)).id
    assert door.row(door.start(visit_id=visit_id)).visit_id == visit_id


def test_a_planned_length_beyond_the_longest_is_refused(door: Door) -> None:
    with pytest.raises(InvalidValue):
        door.start(planned_s=4 * 60 * MINUTE + 1)


def test_a_start_before_the_door_that_waited_is_pressed_again_unless_a_supervisor_says_otherwise(door: Door) -> None:
    with pytest.raises(StartIsStale):
        door.start(covered=True, age_s=61)
    with acting_for(door.sessions, door.world.agency) as session:
        override_cover(session, door.visitor_id, door.officer, "She is on the telephone with me.")
    session_id = door.start(covered=True, age_s=61)
    assert door.told_events(session_id) == ["started", "cover_overridden"]
    door.end(session_id)
    door.start(covered=True, age_s=60)


def test_a_drill_needs_leave(door: Door) -> None:
    draft = SessionDraft(
        visitor_id=door.visitor_id, actor_id=None, event_id=uuid.uuid4(), planned_s=60, level=RiskLevel.DRILL
    )
    with pytest.raises(DrillRefused), acting_for(door.sessions, door.world.agency) as session:
        use.start_session(session, draft)


def test_a_start_that_waited_for_the_network_counts_from_the_press(door: Door) -> None:
    session_id = door.start(age_s=5 * MINUTE)
    assert spans(door, session_id, "due_at", "end_at", "lost_at") == {
        "due_at": 10 * MINUTE,
        "end_at": 55 * MINUTE,
        "lost_at": 10 * MINUTE,
    }


def test_a_check_in_moves_the_deadlines_and_the_generation(door: Door) -> None:
    session_id = door.start()
    end_at = door.row(session_id).end_at
    door.clock.pass_s(9 * MINUTE)
    assert door.check_in(session_id, lat=60.17, lon=24.94) is SafetyDisplay.OK
    row = door.row(session_id)
    assert spans(door, session_id, "remind_at", "due_at", "grace_until", "lost_at") == {
        "remind_at": 12 * MINUTE,
        "due_at": 15 * MINUTE,
        "grace_until": 18 * MINUTE,
        "lost_at": 10 * MINUTE,
    }
    assert (row.generation, row.end_at, row.last_lat, row.last_lon) == (2, end_at, 60.17, 24.94)
    assert door.told_events(session_id) == ["started", "checked_in"]


def test_a_check_in_told_twice_counts_once(door: Door) -> None:
    session_id, event_id = door.start(), uuid.uuid4()
    for _ in range(3):
        door.check_in(session_id, event_id=event_id)
    assert door.row(session_id).generation == 2
    assert door.told_events(session_id) == ["started", "checked_in"]


def test_an_event_id_of_another_session_is_refused(door: Door) -> None:
    event_id = uuid.uuid4()
    door.check_in(door.start(), event_id=event_id)
    other = another_door(door)
    with pytest.raises(EventIdUsed):
        other.check_in(other.start(), event_id=event_id)


def test_a_check_in_that_waited_for_the_network_never_moves_a_deadline_earlier(door: Door) -> None:
    session_id = door.start()
    due_at = door.row(session_id).due_at
    door.check_in(session_id, age_s=20 * MINUTE)
    row = door.row(session_id)
    assert (row.due_at, row.generation) == (due_at, 2)


def test_a_check_in_that_waited_gives_only_what_is_left_of_its_interval(door: Door) -> None:
    session_id = door.start()
    door.clock.pass_s(14 * MINUTE)
    door.check_in(session_id, age_s=10 * MINUTE)
    assert spans(door, session_id, "due_at", "lost_at") == {"due_at": 5 * MINUTE, "lost_at": 10 * MINUTE}


def test_the_phones_own_clock_decides_nothing(door: Door) -> None:
    session_id = door.start()
    wrong = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    door.check_in(session_id, device_at=wrong)
    assert spans(door, session_id, "due_at") == {"due_at": 15 * MINUTE}
    assert door.events(session_id)[-1].device_at == wrong


def test_what_is_shown_follows_the_clock(door: Door) -> None:
    session_id = door.start()
    seen = [door.shown(session_id)]
    for minutes in (12, 3, 3):
        door.clock.pass_s(minutes * MINUTE)
        seen.append(door.shown(session_id))
    assert seen == [SafetyDisplay.OK, SafetyDisplay.REMINDING, SafetyDisplay.OVERDUE, SafetyDisplay.OVERDUE]
    assert door.row(session_id).state is ACTIVE
    door.check_in(session_id)
    assert door.shown(session_id) is SafetyDisplay.OK


def test_an_extension_moves_the_end_and_not_the_check_in(door: Door) -> None:
    session_id = door.start(planned_s=20 * MINUTE)
    told = extension(door, 10 * MINUTE)
    for _ in range(2):
        extend(door, session_id, told)
    assert spans(door, session_id, "due_at", "end_at") == {"due_at": 15 * MINUTE, "end_at": 30 * MINUTE}
    assert door.events(session_id)[-1].detail == {"by_s": 10 * MINUTE, "reason": "The talk takes longer."}
    assert door.told_events(session_id) == ["started", "extended"]


def test_extensions_are_capped_together(door: Door) -> None:
    session_id = door.start()
    extend(door, session_id, extension(door, 40 * MINUTE))
    with pytest.raises(ExtensionTooLong) as refused:
        extend(door, session_id, extension(door, 20 * MINUTE + 1))
    assert refused.value.details == {"cap_s": 60 * MINUTE, "used_s": 40 * MINUTE}
    extend(door, session_id, extension(door, 20 * MINUTE))
    assert door.row(session_id).extended_s == 60 * MINUTE


def test_only_a_running_session_is_extended(door: Door) -> None:
    session_id = door.start()
    door.end(session_id)
    with pytest.raises(SessionNotActive):
        extend(door, session_id, extension(door, MINUTE))


def test_an_end_told_twice_is_one_end(door: Door) -> None:
    session_id = door.start()
    assert [door.end(session_id), door.end(session_id)] == [SafetyDisplay.ENDED, SafetyDisplay.ENDED]
    assert door.told_events(session_id) == ["started", "ended"]


def test_a_session_with_an_open_alert_does_not_end(door: Door) -> None:
    session_id = door.call_for_help()
    with pytest.raises(AlertStillOpen):
        door.end(session_id)
    assert door.row(session_id).state is ALARM


def test_a_beat_keeps_contact_and_moves_no_check_in(door: Door) -> None:
    session_id = door.start()
    due_at = door.row(session_id).due_at
    door.clock.pass_s(8 * MINUTE)
    door.beat(session_id, lat=60.2, lon=24.9)
    row = door.row(session_id)
    assert (row.due_at, row.last_lat, row.last_lon) == (due_at, 60.2, 24.9)
    assert spans(door, session_id, "lost_at") == {"lost_at": 10 * MINUTE}
    assert door.told_events(session_id) == ["started"]


def test_an_ended_session_keeps_no_position(door: Door) -> None:
    session_id = door.start()
    door.end(session_id)
    door.beat(session_id, lat=60.2, lon=24.9)
    assert door.row(session_id).last_lat is None


def test_a_check_in_after_the_end_is_evidence_only(door: Door) -> None:
    session_id = door.start()
    door.end(session_id)
    assert door.check_in(session_id) is SafetyDisplay.ENDED
    assert door.told_events(session_id) == ["started", "ended", "checked_in_late"]


def test_a_visitor_touches_no_session_but_the_own(door: Door) -> None:
    session_id = door.start()
    other = another_door(door)
    for act in (other.check_in, other.beat, other.end):
        with pytest.raises(NotFound):
            act(session_id)


def test_another_organisation_sees_no_session(door: Door) -> None:
    session_id = door.start()
    with acting_for(door.sessions, door.world.stranger) as session:
        assert live_sessions(session) == []
        with pytest.raises(NotFound):
            use.check_in(session, session_id, door.told())


def test_the_wall_shows_alarms_first_then_the_riskier_then_the_nearer(door: Door) -> None:
    doors = [door, *(another_door(door) for _ in range(4))]
    normal, high, low, raised = (
        doors[place].start(level)
        for place, level in enumerate((RiskLevel.NORMAL, RiskLevel.HIGH, RiskLevel.LOW, RiskLevel.RAISED))
    )
    helped = doors[4].call_for_help()
    with acting_for(door.sessions, door.world.agency) as session:
        wall = [(each.session.id, each.shown) for each in live_sessions(session)]
    assert wall == [
        (helped, SafetyDisplay.ALARM),
        (high, SafetyDisplay.OK),
        (raised, SafetyDisplay.OK),
        (normal, SafetyDisplay.OK),
        (low, SafetyDisplay.OK),
    ]


@pytest.mark.parametrize(
    "wrong",
    [{"age_s": -1}, {"age_s": 8 * 86_400}, {"lat": 60.0}, {"lat": 91.0, "lon": 0.0}, {"lat": 0.0, "lon": 181.0}],
)
def test_what_cannot_be_true_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        Told(visitor_id=uuid.uuid4(), actor_id=None, event_id=uuid.uuid4(), **wrong)
