"""What the safety officer does with an alert, and who may not."""

import datetime as dt
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.errors import FieldVisitError, InvalidValue, NotFound
from fieldvisit.models import CrewMember, DayPlan, Route, SafetyAlert, Visitor
from fieldvisit.safety import alerts as use
from fieldvisit.safety.alerts import AlertNotYours, AlertResolved, AlreadyAcknowledged, SelfHandling
from fieldvisit.safety.drafts import Officer, Resolution
from fieldvisit.vocabulary import AlertKind, AlertOutcome, AlertState, DayPlanState, ResolutionProof, RiskLevel
from tests.conftest import NOW
from tests.safety.worlds import ACTIVE, ALARM, ENDED, MINUTE, Door, another_door
from tests.worlds import TODAY, make_shift


@pytest.fixture
def session_id(door: Door) -> uuid.UUID:
    """A missed check-in at normal risk, raised and at its first step."""
    session_id = door.start()
    door.pass_under_watch_s(18 * MINUTE)
    door.watch()
    return session_id


def held_s(alert: SafetyAlert) -> float:
    assert alert.ack_until is not None
    assert alert.acknowledged_at is not None
    return (alert.ack_until - alert.acknowledged_at).total_seconds()


def test_the_first_to_acknowledge_has_the_alert_and_the_second_learns_who(door: Door, session_id: uuid.UUID) -> None:
    taken = door.acknowledge()
    assert (taken.state, taken.owner_id, held_s(taken)) == (
        AlertState.ACKNOWLEDGED,
        door.officer.account_id,
        8 * MINUTE,
    )
    with pytest.raises(AlreadyAcknowledged) as refused:
        door.acknowledge(door.other_officer)
    assert refused.value.details["owner_id"] == door.officer.account_id
    assert str(refused.value) == f"{refused.value.details['name']} has taken this alert."
    assert door.told_events(session_id).count("acknowledged") == 1


def test_a_call_for_help_is_held_three_minutes_only(door: Door) -> None:
    door.call_for_help()
    assert held_s(door.acknowledge()) == 3 * MINUTE


def test_acknowledging_twice_is_once_and_renews_nothing(door: Door, session_id: uuid.UUID) -> None:
    first = door.acknowledge()
    door.clock.pass_s(MINUTE)
    assert door.acknowledge().ack_until == first.ack_until
    assert door.told_events(session_id).count("acknowledged") == 1


def test_of_officers_at_the_same_moment_exactly_one_wins(door: Door, session_id: uuid.UUID) -> None:
    def attempt(by: Officer) -> str:
        try:
            return f"{door.acknowledge(by).owner_id} has it"
        except AlreadyAcknowledged as error:
            return f"{error.details['owner_id']} has it already"

    for _ in range(10):
        with ThreadPoolExecutor(2) as pool:
            answers = set(pool.map(attempt, (door.officer, door.other_officer)))
        owner = door.alert().owner_id
        assert answers == {f"{owner} has it", f"{owner} has it already"}
        door.clock.pass_s(8 * MINUTE)
        door.watch()
    assert door.told_events(session_id).count("acknowledged") == 10


def test_a_note_of_the_owner_renews_and_a_note_of_another_does_not(door: Door, session_id: uuid.UUID) -> None:
    first = door.acknowledge()
    assert first.ack_until is not None
    door.clock.pass_s(5 * MINUTE)
    assert door.note(door.other_officer).ack_until == first.ack_until
    renewed = door.note()
    assert renewed.ack_until is not None
    assert renewed.ack_until - first.ack_until >= dt.timedelta(minutes=5)
    assert renewed.next_action_at == renewed.ack_until
    assert [event.detail["renews"] for event in door.events(session_id) if event.kind == "noted"] == [False, True]


@pytest.mark.parametrize("text", ["", "  ", "a" * 2_001, "a\x00b"])
def test_an_unusable_note_is_refused(door: Door, session_id: uuid.UUID, text: str) -> None:
    with pytest.raises(InvalidValue):
        door.note(text=text)


def test_only_the_owner_closes_an_alert(door: Door, session_id: uuid.UUID) -> None:
    with pytest.raises(AlertNotYours) as nobody:
        door.resolve()
    door.acknowledge()
    with pytest.raises(AlertNotYours) as other:
        door.resolve(door.other_officer)
    assert [nobody.value.details, other.value.details] == [{"owner_id": None}, {"owner_id": door.officer.account_id}]
    assert door.row(session_id).state is ALARM


def test_a_closed_alert_lets_the_session_go_on_with_fresh_deadlines(door: Door, session_id: uuid.UUID) -> None:
    door.acknowledge()
    closed = door.resolve(note="Spoke with her; she had left the phone in the car.")
    assert (closed.state, closed.outcome, closed.proof, closed.next_action_at) == (
        AlertState.RESOLVED,
        AlertOutcome.FALSE_FORGOT,
        ResolutionProof.VOICE_CONTACT,
        None,
    )
    row = door.row(session_id)
    assert row.due_at is not None
    assert row.grace_until is not None
    assert (row.state, row.generation, row.grace_until - row.due_at) == (ACTIVE, 2, dt.timedelta(minutes=3))
    assert door.watch().raised == 0
    door.pass_under_watch_s(18 * MINUTE)
    assert door.watch().raised == 1
    assert [alert.kind for alert in door.alerts()] == [AlertKind.MISSED_CHECKIN] * 2


def test_a_closed_alert_may_end_the_session(door: Door, session_id: uuid.UUID) -> None:
    door.acknowledge()
    door.resolve(resume=False)
    row = door.row(session_id)
    assert (row.state, row.ended_at is not None) == (ENDED, True)
    assert door.told_events(session_id)[-2:] == ["resolved", "ended"]


def test_an_overrun_that_goes_on_gets_an_end_in_the_future(door: Door) -> None:
    session_id = door.start(planned_s=10 * MINUTE)
    door.pass_under_watch_s(10 * MINUTE)
    door.watch()
    door.acknowledge()
    door.resolve()
    row = door.row(session_id)
    assert (row.state, row.end_at) == (ACTIVE, row.grace_until)
    assert door.watch().raised == 0


def test_a_stronger_alert_takes_over_the_ladder_and_closes_both(door: Door, session_id: uuid.UUID) -> None:
    door.call_for_help()
    silent, sos = door.alerts()
    assert (silent.parent_id, silent.next_action_at, sos.parent_id) == (sos.id, None, None)
    with acting_for(door.sessions, door.world.agency) as session:
        assert use.acknowledge(session, silent.id, door.officer).id == sos.id
    door.resolve(alert_id=silent.id)
    assert [alert.state for alert in door.alerts()] == [AlertState.RESOLVED] * 2
    assert door.row(session_id).state is ACTIVE
    assert "taken_over" in door.told_events(session_id)


def test_a_closed_alert_is_neither_taken_nor_noted_nor_closed_again(door: Door, session_id: uuid.UUID) -> None:
    door.acknowledge()
    door.resolve()
    for act in (door.acknowledge, door.note, door.resolve):
        with pytest.raises(AlertResolved):
            act()


@pytest.mark.parametrize(
    ("level", "outcome", "fits"),
    [
        (RiskLevel.NORMAL, AlertOutcome.DRILL, False),
        (RiskLevel.DRILL, AlertOutcome.DRILL, True),
        (RiskLevel.DRILL, AlertOutcome.FALSE_FORGOT, True),
    ],
)
def test_only_a_drill_is_closed_as_one(door: Door, level: RiskLevel, outcome: AlertOutcome, fits: bool) -> None:
    door.start(level)
    door.call_for_help()
    door.acknowledge()
    if fits:
        assert door.resolve(outcome=outcome).outcome is outcome
    else:
        with pytest.raises(InvalidValue):
            door.resolve(outcome=outcome)


def test_an_emergency_service_is_proof_only_with_its_reference() -> None:
    said: dict[str, Any] = {"outcome": AlertOutcome.GENUINE_INJURY, "resume": False}
    with pytest.raises(InvalidValue):
        Resolution(proof=ResolutionProof.EMERGENCY_SERVICE, **said)
    assert Resolution(proof=ResolutionProof.EMERGENCY_SERVICE, note="112, no. 8-2231", **said).note


def every_act(door: Door, by: Officer) -> list[type[FieldVisitError] | None]:
    outcomes: list[type[FieldVisitError] | None] = []
    for act in (door.acknowledge, door.note, door.resolve):
        try:
            act(by)
            outcomes.append(None)
        except FieldVisitError as error:
            outcomes.append(type(error))
    return outcomes


def test_the_visitor_it_is_about_handles_nothing(door: Door, session_id: uuid.UUID) -> None:
    herself = replace(door.officer, visitor_id=door.visitor_id)
    assert every_act(door, herself) == [SelfHandling] * 3
    assert door.alert().state is AlertState.NOTIFYING


def test_a_fellow_of_the_same_shift_handles_nothing(door: Door, session_id: uuid.UUID) -> None:
    fellow = another_door(door)
    with acting_for_all(door.sessions) as session:
        for visitor_id in (door.visitor_id, fellow.visitor_id):
            make_shift(session, session.get_one(Visitor, visitor_id), crew="A", lead=visitor_id == door.visitor_id)
    assert every_act(door, replace(door.officer, visitor_id=fellow.visitor_id)) == [SelfHandling] * 3


def test_a_fellow_of_the_same_route_handles_nothing(door: Door, session_id: uuid.UUID) -> None:
    fellow = another_door(door)
    with acting_for_all(door.sessions) as session:
        make_route(session, door, [door.visitor_id, fellow.visitor_id])
    assert every_act(door, replace(door.officer, visitor_id=fellow.visitor_id)) == [SelfHandling] * 3


def test_a_colleague_of_another_crew_or_another_day_does(door: Door, session_id: uuid.UUID) -> None:
    colleague = another_door(door)
    with acting_for_all(door.sessions) as session:
        hers, theirs = session.get_one(Visitor, door.visitor_id), session.get_one(Visitor, colleague.visitor_id)
        make_shift(session, hers, crew="A")
        make_shift(session, theirs, crew="B")
        for visitor in (hers, theirs):
            make_shift(session, visitor, crew="C", on=TODAY - dt.timedelta(days=2))
    assert every_act(door, replace(door.officer, visitor_id=colleague.visitor_id)) == [None] * 3


def make_route(session: Any, door: Door, visitor_ids: list[uuid.UUID]) -> None:
    plan = DayPlan(
        org_id=door.world.agency, area_id=door.world.area, planned_on=TODAY, state=DayPlanState.DRAFT, seconds=1
    )
    session.add(plan)
    session.flush()
    route = Route(
        org_id=door.world.agency,
        plan_id=plan.id,
        crew_code="A",
        from_office=True,
        start_lat=60.17,
        start_lon=24.94,
        depart_at=NOW,
        return_at=NOW + dt.timedelta(hours=8),
        travel_s=0,
        wait_s=0,
        path=[],
    )
    session.add(route)
    session.flush()
    session.add_all(
        CrewMember(org_id=door.world.agency, route_id=route.id, visitor_id=each, lead=each == visitor_ids[0])
        for each in visitor_ids
    )


def test_the_list_shows_calls_for_help_first_then_the_riskier_then_the_older(door: Door) -> None:
    low, raised, older, newer = door, *(another_door(door) for _ in range(3))
    low.start(RiskLevel.LOW)
    for each in (older, newer):
        each.start(planned_s=10 * MINUTE)
        door.clock.pass_s(1)
    door.pass_under_watch_s(10 * MINUTE)
    door.watch()
    raised.start(RiskLevel.RAISED)
    door.pass_under_watch_s(5 * MINUTE)
    door.watch()
    low.call_for_help()
    with acting_for(door.sessions, door.world.agency) as session:
        listed = [alert.session.visitor_id for alert in use.open_alerts(session)]
        older_alert, newer_alert = (
            alert.opened_at for alert in use.open_alerts(session) if alert.kind is AlertKind.OVERRUN
        )
    assert listed[:2] == [low.visitor_id, raised.visitor_id]
    assert set(listed[2:]) == {older.visitor_id, newer.visitor_id}
    assert older_alert <= newer_alert


def test_the_history_tells_everything_in_order(door: Door, session_id: uuid.UUID) -> None:
    door.acknowledge()
    door.note(text="She picks up.")
    door.resolve()
    with acting_for(door.sessions, door.world.agency) as session:
        told = [(event.kind, event.actor_id, event.note) for event in use.read_alert(session, door.alert().id).events]
    officer = door.officer.account_id
    assert told == [
        ("started", door.account_id, None),
        ("contact_lost", None, None),
        ("alert_opened", None, None),
        ("step_begun", None, None),
        ("acknowledged", officer, None),
        ("noted", officer, "She picks up."),
        ("resolved", officer, None),
        ("resumed", officer, None),
    ]


def test_another_organisation_sees_no_alert_and_touches_none(door: Door, session_id: uuid.UUID) -> None:
    alert_id = door.alert().id
    with acting_for(door.sessions, door.world.stranger) as session:
        assert list(use.open_alerts(session)) == []
        with pytest.raises(NotFound):
            use.acknowledge(session, alert_id, door.officer)
