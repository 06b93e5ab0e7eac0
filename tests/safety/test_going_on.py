"""What is known when a session goes on after an alarm makes it stricter: nobody stays by ordinary timers at a door that
is known to be violent."""

import datetime as dt
import uuid

import pytest
import sqlalchemy as sa

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import CoverOverride, OutboxMessage, SafetySession, Visitor
from fieldvisit.phone.steps import set_out
from fieldvisit.safety import incidents
from fieldvisit.safety.cover import override_cover
from fieldvisit.safety.handling import agree_to_close
from fieldvisit.safety.incidents import IncidentDraft
from fieldvisit.safety.own_timers import TimersDraft, set_timers
from fieldvisit.safety.pairs import PairNeeded
from fieldvisit.safety.pins import set_pins
from fieldvisit.vocabulary import IncidentKind, RiskLevel, SafetyState, SessionCover
from tests.conftest import NOW
from tests.phone.worlds import event
from tests.safety.test_following import EXPECTED_AT, Planned, planned
from tests.safety.test_markers import Dangerous, dangerous
from tests.safety.test_planned import plan, rules
from tests.safety.worlds import ACTIVE, ALARM, MINUTE, Door, another_door

__all__ = ["dangerous", "planned"]
ALONE_AT_HIGH_S = 150


def closes(door: Door) -> None:
    door.acknowledge()
    door.resolve()


def strictness(door: Door, session_id: uuid.UUID) -> tuple[SafetyState, RiskLevel, SessionCover, float]:
    """State, level, cover, and in how many seconds the next check-in is due."""
    row = door.row(session_id)
    with acting_for(door.sessions, door.world.agency) as session:
        now: dt.datetime = session.scalars(sa.select(sa.func.fieldvisit_now())).one()
    left_s = (row.due_at - now).total_seconds() if row.due_at else 0.0
    return row.state, row.level, row.cover, left_s


@pytest.mark.parametrize("marked", [True, False], ids=["a marker while it was open", "the incident alone"])
def test_a_session_that_goes_on_is_as_strict_as_its_door_is_known_to_be_by_then(
    dangerous: Dangerous, marked: bool
) -> None:
    door = dangerous.door
    door.clock.stop()
    with acting_for_all(door.sessions) as session:
        session.get_one(Visitor, door.visitor_id).phone = "+358401112233"
    session_id = dangerous.starts()
    door.call_for_help()
    if marked:
        dangerous.marks(incident=IncidentKind.VIOLENCE)
        row = door.row(session_id)
        assert (row.state, row.level, row.policy["check_in_s"]) == (ALARM, RiskLevel.HIGH, 5 * MINUTE)
    else:
        dangerous.happens(IncidentKind.VIOLENCE)
    closes(door)
    assert strictness(door, session_id) == (ACTIVE, RiskLevel.HIGH, SessionCover.NONE, ALONE_AT_HIGH_S)
    assert [kind for kind in door.told_events(session_id) if kind in ("tightened", "resumed")] == [
        "tightened",
        "resumed",
    ]
    with acting_for(door.sessions, door.world.agency) as session:
        closer = sa.select(OutboxMessage).where(OutboxMessage.key.contains(":closer:"))
        assert len(session.scalars(closer).all()) == (0 if marked else 2), "in alarm it is an officer's to say"


def test_where_nothing_more_is_known_it_goes_on_as_it_was(dangerous: Dangerous) -> None:
    session_id = dangerous.starts()
    dangerous.door.call_for_help()
    closes(dangerous.door)
    assert strictness(dangerous.door, session_id)[1:3] == (RiskLevel.NORMAL, SessionCover.SOLO)
    assert "tightened" not in dangerous.door.told_events(session_id)


def test_what_a_phone_under_duress_is_shown_is_tightened_when_that_is_over(dangerous: Dangerous) -> None:
    door = dangerous.door
    session_id = dangerous.starts()
    with acting_for(door.sessions, door.world.agency) as session:
        set_pins(session, door.visitor_id, "4711", "4862")
    door.end(session_id, pin="4862")
    dangerous.marks()
    assert dangerous.level(session_id) is RiskLevel.NORMAL
    closes(door)
    with acting_for(door.sessions, door.world.agency) as session:
        agree_to_close(session, door.alert().id, door.other_officer)
    assert strictness(door, session_id)[:3] == (ACTIVE, RiskLevel.HIGH, SessionCover.NONE)


@pytest.fixture
def unwatched(planned: Planned) -> Planned:
    """She has set out without a session, which is an alarm in ten minutes; the house has timers of its own."""
    rules(planned, unwatched_s=10 * MINUTE)
    own = {"remind_s": 60, "grace_s": 60, "lost_s": 120, "arrive_s": 600, "leave_s": 60}
    with acting_for(planned.door.sessions, planned.door.world.agency) as session:
        draft = TimersDraft(level=RiskLevel.NORMAL, check_in_s=8 * MINUTE, reason="Short visits.", **own)
        set_timers(session, draft, planned.door.officer.account_id)
    planned.pass_until(EXPECTED_AT)
    planned.told(set_out, event())
    return planned


def is_raised(planned: Planned) -> uuid.UUID:
    planned.door.pass_under_watch_s(10 * MINUTE)
    assert planned.door.watch().raised == 1
    with acting_for(planned.door.sessions, planned.door.world.agency) as session:
        return session.scalars(sa.select(SafetySession.id).where(SafetySession.state == ALARM)).one()


def violent(planned: Planned) -> None:
    draft = IncidentDraft(
        kind=IncidentKind.VIOLENCE, happened_at=NOW - dt.timedelta(days=1), account="A blow.", visit_id=planned.visit_id
    )
    with acting_for(planned.door.sessions, planned.door.world.agency) as session:
        incident = incidents.report_incident(session, draft, planned.door.officer.account_id)
        incidents.review_incident(session, incident.id, planned.door.other_officer.account_id, "Go in pairs.")


@pytest.mark.parametrize("was_planned", [False, True], ids=["made by the engine", "planned before"])
def test_who_starts_at_last_starts_as_strictly_as_anybody(unwatched: Planned, was_planned: bool) -> None:
    door = unwatched.door
    given = {"event_id": plan(unwatched, level=RiskLevel.LOW) if was_planned else uuid.uuid4()}
    session_id = is_raised(unwatched)
    violent(unwatched)
    buddy_id = another_door(door).visitor_id
    with pytest.raises(PairNeeded):
        unwatched.start(covered=True, **given)
    with acting_for(door.sessions, door.world.agency) as session:
        override_cover(session, door.visitor_id, door.officer, "He is not at home")
    for _ in range(2):
        assert unwatched.start(covered=True, buddy_id=buddy_id, **given) == session_id
    row = door.row(session_id)
    assert (row.level, row.policy["check_in_s"], row.cover) == (RiskLevel.HIGH, 5 * MINUTE, SessionCover.NONE)
    assert (row.buddy_id, row.expected is not None) == (buddy_id, True)
    with acting_for(door.sessions, door.world.agency) as session:
        assert session.scalars(sa.select(CoverOverride.session_id)).one() == session_id
    closes(door)
    assert strictness(door, session_id) == (ACTIVE, RiskLevel.HIGH, SessionCover.NONE, ALONE_AT_HIGH_S)
    assert unwatched.start(covered=True, **given) == session_id, "told once more, also when the alarm is over"
    told = door.told_events(session_id)
    assert [told.count(kind) for kind in ("tightened", "checked_in_late", "cover_overridden", "resumed")] == [1] * 4


def test_what_an_alarm_has_made_goes_on_by_the_timers_of_the_house(unwatched: Planned) -> None:
    session_id = is_raised(unwatched)
    closes(unwatched.door)
    assert strictness(unwatched.door, session_id) == (ACTIVE, RiskLevel.NORMAL, SessionCover.SOLO, 8 * MINUTE)


def test_a_call_for_help_at_a_violent_door_that_goes_on_is_a_session_like_any_other_there(unwatched: Planned) -> None:
    violent(unwatched)
    session_id = unwatched.door.call_for_help(visit_id=unwatched.visit_id)
    assert unwatched.door.row(session_id).level is RiskLevel.NORMAL, "no call waits for a judgement"
    closes(unwatched.door)
    assert strictness(unwatched.door, session_id) == (ACTIVE, RiskLevel.HIGH, SessionCover.NONE, ALONE_AT_HIGH_S)
