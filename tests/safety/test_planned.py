"""Before anybody sets out: a session is planned, started as it was planned, cancelled, or in alarm without a start; and
the questions before a visit count.

The crew is expected at 08:00 UTC; the clock begins at 07:00 and stands still but for what is let pass.
"""

import datetime as dt
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.errors import AlreadyExists, InvalidValue, NotFound, Refused
from fieldvisit.models import SafetySession, Visit
from fieldvisit.phone.steps import set_out
from fieldvisit.safety import sessions
from fieldvisit.safety.assessments import Answered, AssessmentDraft, AssessmentNeeded, answer_assessment
from fieldvisit.safety.drafts import SessionDraft
from fieldvisit.safety.live import read_wall
from fieldvisit.safety.markers import Reader
from fieldvisit.safety.opening import EventIdUsed
from fieldvisit.safety.own_timers import TimersDraft, set_timers
from fieldvisit.safety.pins import set_pins
from fieldvisit.safety.questionnaire import newest, questionnaires
from fieldvisit.safety.rules import RulesDraft, set_rules
from fieldvisit.safety.sessions.planning import cancel_idle
from fieldvisit.safety.sessions.refusals import SessionAlreadyOpen, SessionNotPlanned, VisitIsOver
from fieldvisit.vocabulary import AlertKind, AlertState, RiskLevel, Role, SafetyState, VisitState
from tests.phone.worlds import event, make_visit_on_evidence
from tests.safety.test_following import EXPECTED_AT, Planned, planned
from tests.safety.test_pins import DURESS, PIN, act
from tests.safety.worlds import ACTIVE, ALARM, ENDED, MINUTE, kinds

__all__ = ["planned"]

PLANNED, CANCELLED = SafetyState.PLANNED, SafetyState.CANCELLED
CALM = {"known_people": "met_before", "place": "public", "way_out": "both", "task": "talk", "fit": "yes"}


def reader(planned: Planned, *roles: Role) -> Reader:
    visitor_id = None if roles else planned.door.visitor_id
    return Reader(account_id=planned.door.account_id, roles=frozenset(roles or {Role.VISITOR}), visitor_id=visitor_id)


def rules(planned: Planned, **given: Any) -> None:
    with acting_for(planned.door.sessions, planned.door.world.agency) as session:
        draft = RulesDraft(**{"positions_days": 30, "sessions_days": 730, "reason": "By our own rules."} | given)
        set_rules(session, draft, planned.door.officer.account_id)


def plan(planned: Planned, *roles: Role, **given: Any) -> uuid.UUID:
    values = {
        "visitor_id": planned.door.visitor_id,
        "actor_id": planned.door.account_id,
        "event_id": uuid.uuid4(),
        "planned_s": 30 * MINUTE,
        "visit_id": planned.visit_id,
        "level": RiskLevel.RAISED,
    }
    with acting_for(planned.door.sessions, planned.door.world.agency) as session:
        return sessions.plan_session(session, SessionDraft(**values | given), reader(planned, *roles)).session.id


def cancel(planned: Planned, session_id: uuid.UUID, event_id: uuid.UUID | None = None) -> None:
    with acting_for(planned.door.sessions, planned.door.world.agency) as session:
        sessions.cancel_session(session, session_id, event_id or uuid.uuid4(), reader(planned))


def answer(planned: Planned, **answers: str) -> Answered:
    draft = AssessmentDraft(
        id=uuid.uuid4(),
        visit_id=planned.visit_id,
        visitor_id=planned.door.visitor_id,
        questionnaire=newest().version,
        answers=CALM | answers,
    )
    with acting_for(planned.door.sessions, planned.door.world.agency) as session:
        return answer_assessment(session, draft, reader(planned))


def begin(planned: Planned, session_id: uuid.UUID, **given: Any) -> uuid.UUID:
    return planned.door.start(event_id=session_id, covered=True, **given)


def test_what_is_planned_is_watched_from_its_start_on_and_by_what_held_when_it_was_planned(planned: Planned) -> None:
    door = planned.door
    session_id = plan(planned, Role.DISPATCHER)
    row = door.row(session_id)
    assert (row.state, row.due_at, row.end_at, row.last_heard_at) == (PLANNED, None, None, None)
    assert row.level is RiskLevel.RAISED, "as was asked for"
    with acting_for(door.sessions, door.world.agency) as session:
        tile = read_wall(session).tiles[-1]
        assert (tile.id, tile.shown.value, tile.deadline_at) == (session_id, "planned", None)
        stricter = TimersDraft(
            level=RiskLevel.RAISED, check_in_s=120, remind_s=60, grace_s=0, lost_s=60, arrive_s=300, leave_s=60,
            reason="A try.",
        )  # fmt: skip
        set_timers(session, stricter, door.officer.account_id)
    door.pass_under_watch_s(30 * MINUTE)
    assert door.watch().raised == 0, "nothing of it is watched yet"
    assert begin(planned, session_id) == session_id
    row = door.row(session_id)
    assert (row.state, row.policy["check_in_s"]) == (ACTIVE, 10 * MINUTE)
    assert row.planned_at is not None
    assert row.started_at - row.planned_at == dt.timedelta(minutes=30)
    assert row.due_at == row.started_at + dt.timedelta(minutes=10)
    assert row.arrive_by is not None, "the published plan feeds it like any other"
    assert begin(planned, session_id) == session_id
    door.check_in(session_id)
    door.end(session_id)
    assert door.told_events(session_id) == ["planned", "started", "checked_in", "ended"]


def test_a_visitor_plans_the_own_visits_only_and_each_once(planned: Planned) -> None:
    first = plan(planned)
    assert plan(planned, event_id=first) == first
    with pytest.raises(AlreadyExists):
        plan(planned)
    with acting_for_all(planned.door.sessions) as session:
        elsewhere = make_visit_on_evidence(session, planned.door.world).id
    with pytest.raises(EventIdUsed):
        plan(planned, Role.DISPATCHER, event_id=first, visit_id=elsewhere)
    with pytest.raises(InvalidValue):
        plan(planned, visit_id=None)
    stranger = Reader(account_id=planned.door.account_id, roles=frozenset({Role.VISITOR}), visitor_id=uuid.uuid4())
    values = {"event_id": uuid.uuid4(), "planned_s": 60, "visit_id": planned.visit_id, "actor_id": None}
    with pytest.raises(NotFound), acting_for(planned.door.sessions, planned.door.world.agency) as session:
        sessions.plan_session(session, SessionDraft(visitor_id=planned.door.visitor_id, **values), stranger)


def test_it_is_cancelled_while_nobody_has_started_it(planned: Planned) -> None:
    door = planned.door
    session_id, told = plan(planned), uuid.uuid4()
    cancel(planned, session_id, told)
    cancel(planned, session_id, told)
    assert door.row(session_id).state is CANCELLED
    assert door.told_events(session_id) == ["planned", "cancelled"]
    again = plan(planned)
    begin(planned, again)
    with pytest.raises(SessionNotPlanned):
        cancel(planned, again)
    assert door.row(again).state is ACTIVE


def test_what_was_never_planned_is_not_cancelled_by_an_id_that_it_knows(planned: Planned) -> None:
    door, told = planned.door, uuid.uuid4()
    at_once = door.start()
    door.check_in(at_once, event_id=told)
    with pytest.raises(SessionNotPlanned):
        cancel(planned, at_once, told)


def test_a_phone_that_starts_at_once_takes_the_place_of_what_was_planned(planned: Planned) -> None:
    door = planned.door
    planned_id = plan(planned, Role.DISPATCHER)
    session_id = planned.start()
    assert (door.row(planned_id).state, door.row(session_id).state) == (CANCELLED, ACTIVE)
    assert door.events(planned_id)[-1].detail["session_id"] == str(session_id)
    later = plan(planned)
    with pytest.raises(SessionAlreadyOpen):
        begin(planned, later)
    door.end(session_id)
    assert begin(planned, later) == later


def test_nobody_starts_what_is_over_and_the_engine_clears_it_away(planned: Planned) -> None:
    door = planned.door
    session_id = plan(planned)
    with acting_for_all(door.sessions) as session:
        session.execute(sa.update(Visit).where(Visit.id == planned.visit_id).values(state=VisitState.EXPIRED))
    with pytest.raises(VisitIsOver):
        begin(planned, session_id)
    with pytest.raises(VisitIsOver):
        plan(planned, event_id=uuid.uuid4())
    with acting_for_all(door.sessions) as session:
        assert [cancel_idle(session), cancel_idle(session)] == [1, 0]
    assert door.row(session_id).state is CANCELLED


@pytest.mark.parametrize("named", [True, False])
def test_a_call_for_help_from_a_planned_session_raises_it(planned: Planned, named: bool) -> None:
    door = planned.door
    session_id = plan(planned)
    called = door.call_for_help(**({"session_id": session_id} if named else {}))
    assert called == session_id
    row = door.row(session_id)
    assert (row.state, row.visit_id) == (ALARM, planned.visit_id)
    assert kinds(door.alerts()) == [(AlertKind.SOS, AlertState.NOTIFYING)]
    door.acknowledge()
    door.resolve()
    row = door.row(session_id)
    assert (row.state, row.grace_until is not None) == (ACTIVE, True)
    assert "sos_pressed" in door.told_events(session_id)


def test_under_duress_a_planned_session_seems_to_start_like_any_other(planned: Planned) -> None:
    door = planned.door
    with acting_for(door.sessions, door.world.agency) as session:
        set_pins(session, door.visitor_id, PIN, DURESS)
    forced_id = door.start()
    act(door, sessions.end_session, forced_id, pin=DURESS)
    session_id = plan(planned)
    begin(planned, session_id)
    begin(planned, session_id)
    seen = [act(door, what, session_id) for what in (sessions.check_in, sessions.beat, sessions.check_in)]
    assert [(row.id, row.state) for row in seen if not isinstance(row, Refused)] == [(session_id, ACTIVE)] * 3
    with acting_for(door.sessions, door.world.agency) as session:
        assert sessions.planned_sessions(session, door.visitor_id) == []
    with pytest.raises(SessionNotPlanned) as refused:
        cancel(planned, session_id)
    assert refused.value.details == {"state": "active"}
    seen = [act(door, sessions.end_session, session_id, pin=PIN)]
    assert [row.state for row in seen if not isinstance(row, Refused)] == [ENDED]
    assert (door.row(forced_id).state, door.row(session_id).state) == (ALARM, CANCELLED)


def test_a_call_at_a_door_is_not_about_a_door_that_is_only_planned(planned: Planned) -> None:
    door = planned.door
    session_id = door.start()
    planned_id = plan(planned)
    assert door.call_for_help() == session_id
    assert door.row(planned_id).state is PLANNED
    door.acknowledge()
    door.resolve(resume=False)
    assert door.row(session_id).state is ENDED
    assert door.call_for_help() == session_id, "what ended a moment ago is nearer than what is planned"


def test_who_goes_with_only_a_planned_session_is_out_without_one_and_raised_in_it(planned: Planned) -> None:
    rules(planned, unwatched_s=10 * MINUTE)
    door = planned.door
    session_id = plan(planned)
    planned.pass_until(EXPECTED_AT)
    planned.told(set_out, event())
    with acting_for(door.sessions, door.world.agency) as session:
        assert [each.person.id for each in read_wall(session).unwatched] == [door.visitor_id]
    door.pass_under_watch_s(10 * MINUTE)
    assert [door.watch(name).raised for name in ("one", "two")] == [1, 0]
    assert (door.row(session_id).state, door.alert().kind) == (ALARM, AlertKind.UNWATCHED)
    assert begin(planned, session_id) == session_id
    assert door.alert().visitor_reports_safe_at is not None
    with acting_for_all(door.sessions) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(SafetySession)) == 1, "and no other was made"


def test_the_questions_are_asked_where_the_house_demands_them_and_good_for_their_time(planned: Planned) -> None:
    door = planned.door
    rules(planned, assessed_from=RiskLevel.RAISED, assessment_valid_s=60 * MINUTE)
    with pytest.raises(AssessmentNeeded) as refused:
        plan(planned)
    assert refused.value.details == {"valid_min": 60, "questionnaire": newest().version}
    with pytest.raises(AssessmentNeeded):
        planned.door.start(RiskLevel.RAISED, covered=True, visit_id=planned.visit_id)
    answered = answer(planned)
    assert (answered.row.level, answered.valid_until) == (None, answered.row.answered_at + dt.timedelta(hours=1))
    session_id = plan(planned)
    assert door.events(session_id)[0].detail["assessment_id"] == str(answered.row.id)
    door.pass_under_watch_s(60 * MINUTE)
    with pytest.raises(AssessmentNeeded):
        begin(planned, session_id)
    answer(planned)
    begin(planned, session_id)
    rules(planned, assessed_from=RiskLevel.HIGH)
    door.end(session_id)
    door.start(RiskLevel.RAISED, covered=True, visit_id=planned.visit_id)


def test_whoever_tells_it_afterwards_is_at_the_door_and_watched_over_without_them(planned: Planned) -> None:
    rules(planned, assessed_from=RiskLevel.LOW)
    session_id = planned.door.start(visit_id=planned.visit_id)
    assert planned.door.row(session_id).state is ACTIVE


def test_an_answer_makes_a_visit_more_dangerous_never_less(planned: Planned) -> None:
    door = planned.door
    session_id = plan(planned)
    assert door.row(session_id).level is RiskLevel.RAISED
    assert answer(planned, task="removal").row.level is RiskLevel.HIGH
    told = door.start(event_id=session_id)
    row = door.row(told)
    assert (row.level, row.policy["check_in_s"]) == (RiskLevel.HIGH, 5 * MINUTE)
    started = door.events(session_id)[1].detail
    assert (started["because"], started["planned"], started["assessed"]) == (["assessed"], True, "high")


@pytest.mark.parametrize(
    "answers", [{"fit": "perhaps"}, {"hour": "late"}], ids=["no such answer", "no such question"]
)  # fmt: skip
def test_answers_that_do_not_fit_the_version_are_refused(planned: Planned, answers: dict[str, str]) -> None:
    with pytest.raises(InvalidValue):
        answer(planned, **answers)


def test_every_version_is_said_in_both_languages() -> None:
    for version in questionnaires().values():
        for question in version.questions:
            said = [question.label, *(choice.label for choice in question.choices)]
            assert all(set(label) == {"en", "zh_CN"} and all(label.values()) for label in said)
