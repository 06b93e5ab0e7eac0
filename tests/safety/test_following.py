"""The published plan feeds the timers: late at the door, longer there than planned, gone without ending.

The crew is expected at 08:00 UTC, five minutes' travel away, for twenty minutes; the clock begins at 07:00.
"""

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.errors import InvalidValue, unless_refused
from fieldvisit.models import Marker, SafetySession, Visit
from fieldvisit.phone.drafts import UndoDraft
from fieldvisit.phone.steps import arrive, set_out
from fieldvisit.phone.undoing import undo_arrival
from fieldvisit.reports import report_visit
from fieldvisit.safety.own_timers import TimersDraft, set_timers, timers_in_force
from fieldvisit.safety.tightening import tighten_sessions
from fieldvisit.vocabulary import AlertKind, AlertState, RiskLevel, UndoReason, VisitState
from tests.conftest import NOW
from tests.phone.worlds import arrival, event, make_plan, make_visit_on_evidence, report, teller
from tests.safety.worlds import ALARM, MINUTE, Door, another_door, kinds, rewrite
from tests.worlds import HELSINKI, make_visit

EXPECTED_AT = NOW + dt.timedelta(hours=1)
FAR = (HELSINKI[0] + 0.005, HELSINKI[1])
"""Some 550 m to the north."""


@dataclass(frozen=True)
class Planned:
    """A door to which the visitor of the published plan goes."""

    door: Door
    visit_id: uuid.UUID

    def start(self, **given: Any) -> uuid.UUID:
        return self.door.start(RiskLevel.LOW, visit_id=self.visit_id, planned_s=120 * MINUTE, **given)

    def told(self, step: Callable[..., Any], draft: Any, **more: Any) -> None:
        with acting_for(self.door.sessions, self.door.world.agency) as session:
            now = _now(session)
            answer = step(session, self.visit_id, draft, by=teller(self.door.visitor_id), now=now, **more)
        unless_refused(answer)

    def arrive(self) -> None:
        self.told(arrive, arrival(), geofence_m=150)

    def arrives_on_time(self) -> uuid.UUID:
        """A session that began five minutes before the arrival, which was at 08:00."""
        self.pass_until(EXPECTED_AT - dt.timedelta(minutes=5))
        session_id = self.start()
        self.told(set_out, event())
        self.pass_until(EXPECTED_AT)
        self.arrive()
        return session_id

    def pass_until(self, moment: dt.datetime) -> None:
        with acting_for_all(self.door.sessions) as session:
            left_s = (moment - _now(session)).total_seconds()
        self.door.pass_under_watch_s(left_s)

    def row(self, session_id: uuid.UUID) -> SafetySession:
        return self.door.row(session_id)


def _now(session: Session) -> dt.datetime:
    return session.scalars(sa.select(sa.func.fieldvisit_now())).one()


@pytest.fixture
def planned(door: Door) -> Planned:
    door.clock.stop()
    with acting_for_all(door.sessions) as session:
        visit = make_visit_on_evidence(session, door.world)
        # Somebody has been there before: the level is what the phone says.
        make_visit(session, door.world, visit.case, state=VisitState.REPORTED, arrived_at=NOW - dt.timedelta(days=60))
        make_plan(session, door.world, [door.visitor_id], [visit])
        return Planned(door, visit.id)


def test_who_is_not_at_the_door_in_time_is_looked_for(planned: Planned) -> None:
    planned.pass_until(EXPECTED_AT - dt.timedelta(minutes=30))
    session_id = planned.start()
    assert planned.row(session_id).arrive_by == EXPECTED_AT + dt.timedelta(minutes=45)
    planned.pass_until(EXPECTED_AT + dt.timedelta(minutes=15))
    planned.door.check_in(session_id)
    planned.door.pass_under_watch_s(20 * MINUTE)
    planned.door.check_in(session_id)
    planned.door.pass_under_watch_s(10 * MINUTE - 1)
    assert planned.door.watch().raised == 0
    planned.door.pass_under_watch_s(2)
    assert planned.door.watch().raised == 1
    assert kinds(planned.door.alerts()) == [(AlertKind.NOT_ARRIVED, AlertState.NOTIFYING)]
    assert planned.row(session_id).state is ALARM


def a_danger_is_known(planned: Planned) -> None:
    """What the approval of a marker of the highest level does; the marker itself is another test's."""
    with acting_for(planned.door.sessions, planned.door.world.agency) as session:
        place_id = session.get_one(Visit, planned.visit_id).place_id
        by = planned.door.officer.account_id
        tighten_sessions(session, Marker(id=uuid.uuid4(), level=RiskLevel.HIGH, place_id=place_id, approved_by_id=by))


@pytest.mark.parametrize(("known_after", "waited"), [(-30, 15), (25, 25)])
def test_a_danger_that_becomes_known_on_the_way_lets_nobody_be_waited_for_as_long_as_before(
    planned: Planned, known_after: int, waited: int
) -> None:
    planned.pass_until(EXPECTED_AT - dt.timedelta(minutes=30))
    session_id = planned.start()
    planned.pass_until(EXPECTED_AT + dt.timedelta(minutes=known_after))
    a_danger_is_known(planned)
    row = planned.row(session_id)
    assert (row.level, row.arrive_by) == (RiskLevel.HIGH, EXPECTED_AT + dt.timedelta(minutes=waited))
    assert row.leave_by is None


def test_a_danger_that_becomes_known_when_the_visit_is_over_leaves_less_time_to_end(planned: Planned) -> None:
    session_id = planned.arrives_on_time()
    planned.told(report_visit, report())
    before = planned.row(session_id)
    a_danger_is_known(planned)
    after = planned.row(session_id)
    assert before.leave_by is not None
    assert after.leave_by is not None
    assert before.leave_by - after.leave_by == dt.timedelta(minutes=12)
    assert after.arrive_by is None


@pytest.mark.parametrize("written", [{"of_a_later_version": 1}, {"arrive_at": None}])
def test_what_another_version_has_copied_of_the_plan_keeps_no_check_in_from_being_heard(
    planned: Planned, written: dict[str, Any]
) -> None:
    session_id = planned.arrives_on_time()
    expected = (planned.row(session_id).expected or {}) | written
    rewrite(planned.door, session_id, expected={name: value for name, value in expected.items() if value is not None})
    planned.door.check_in(session_id, lat=HELSINKI[0], lon=HELSINKI[1])
    assert planned.row(session_id).generation == 2
    planned.told(report_visit, report())
    followed = planned.row(session_id).expected or {}
    assert (followed.get("of_a_later_version"), followed.get("over")) == (
        (1, True) if "arrive_at" in followed else (None, False)
    )


def test_who_sets_out_late_has_the_way_there_besides(planned: Planned) -> None:
    planned.pass_until(EXPECTED_AT + dt.timedelta(minutes=10))
    row = planned.row(planned.start())
    assert row.arrive_by == EXPECTED_AT + dt.timedelta(minutes=10 + 5 + 45)


def test_an_arrival_is_no_check_in_but_brings_one_to_the_planned_end(planned: Planned) -> None:
    session_id = planned.arrives_on_time()
    row, planned_end = planned.row(session_id), EXPECTED_AT + dt.timedelta(minutes=20)
    assert (row.arrive_by, row.door_until, row.due_at) == (None, planned_end, planned_end)
    assert row.grace_until == planned_end + dt.timedelta(minutes=5)
    assert planned.door.told_events(session_id) == ["started", "arrived"]
    planned.door.pass_under_watch_s(10 * MINUTE)
    planned.door.check_in(session_id)
    assert planned.row(session_id).due_at == planned_end
    planned.door.pass_under_watch_s(6 * MINUTE)
    planned.door.check_in(session_id)
    assert planned.row(session_id).due_at == EXPECTED_AT + dt.timedelta(minutes=46)


def test_an_arrival_that_was_none_is_waited_for_again(planned: Planned) -> None:
    session_id = planned.arrives_on_time()
    planned.told(undo_arrival, UndoDraft(event_id=uuid.uuid4(), reason=UndoReason.WRONG_DOOR))
    row = planned.row(session_id)
    assert (row.arrive_by, row.door_until) == (EXPECTED_AT + dt.timedelta(minutes=50), None)
    assert planned.door.told_events(session_id) == ["started", "arrived", "arrival_undone"]


def test_a_session_that_goes_on_after_the_visit_raises_an_alarm(planned: Planned) -> None:
    session_id = planned.arrives_on_time()
    planned.door.pass_under_watch_s(10 * MINUTE)
    planned.told(report_visit, report(left_at=EXPECTED_AT + dt.timedelta(minutes=9)))
    planned.door.check_in(session_id, lat=HELSINKI[0], lon=HELSINKI[1])
    planned.door.pass_under_watch_s(15 * MINUTE + 1)
    assert planned.door.watch().raised == 1
    assert planned.door.alert().kind is AlertKind.LEFT_WITHOUT_ENDING
    assert planned.door.told_events(session_id)[2:4] == ["visit_over", "checked_in"]


def test_a_phone_that_leaves_the_door_is_waited_for_and_one_that_comes_back_is_not(planned: Planned) -> None:
    session_id = planned.arrives_on_time()
    planned.door.beat(session_id, lat=FAR[0], lon=FAR[1])
    assert planned.row(session_id).leave_by == EXPECTED_AT + dt.timedelta(minutes=15)
    planned.door.pass_under_watch_s(5 * MINUTE)
    planned.door.beat(session_id, lat=FAR[0], lon=FAR[1])
    assert planned.row(session_id).leave_by == EXPECTED_AT + dt.timedelta(minutes=15)
    planned.door.check_in(session_id)
    assert planned.row(session_id).leave_by == EXPECTED_AT + dt.timedelta(minutes=20)
    planned.door.beat(session_id, lat=FAR[0], lon=FAR[1], age_s=300)
    planned.door.beat(session_id, lat=HELSINKI[0], lon=HELSINKI[1])
    assert planned.row(session_id).leave_by is None


def test_a_plan_that_does_not_hold_the_visit_for_this_visitor_feeds_nothing(planned: Planned) -> None:
    other = another_door(planned.door)
    row = other.row(other.start(visit_id=planned.visit_id))
    assert (row.expected, row.arrive_by) == (None, None)


def test_an_organisation_has_its_own_timers_and_a_running_session_keeps_those_it_began_with(planned: Planned) -> None:
    door, given = planned.door, {"remind_s": 60, "grace_s": 60, "lost_s": 120, "arrive_s": 600, "leave_s": 60}
    before = door.start(RiskLevel.NORMAL)
    with acting_for(door.sessions, door.world.agency) as session:
        for check_in_s in (1_200, 300):
            draft = TimersDraft(level=RiskLevel.NORMAL, check_in_s=check_in_s, reason="Short visits.", **given)
            set_timers(session, draft, door.officer.account_id)
    other = another_door(door)
    after = other.start(RiskLevel.NORMAL)
    lengths = [
        (row.due_at - row.started_at).total_seconds() for row in (door.row(before), other.row(after)) if row.due_at
    ]
    assert lengths == [15 * MINUTE, 300]
    with acting_for(door.sessions, door.world.lender) as session:
        assert all(each.setting is None for each in timers_in_force(session))


@pytest.mark.parametrize("wrong", [{"level": RiskLevel.DRILL}, {"grace_s": 601}, {"reason": " "}])
def test_timers_out_of_bounds_are_not_set(wrong: dict[str, Any]) -> None:
    given = {"check_in_s": 600, "remind_s": 60, "grace_s": 60, "lost_s": 120, "arrive_s": 600, "leave_s": 60}
    with pytest.raises(InvalidValue):
        TimersDraft(**{"level": RiskLevel.NORMAL, "reason": "Short visits.", **given, **wrong})
