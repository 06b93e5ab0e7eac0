"""Who went out together: none of them handles an alarm about another, is rung as an officer, or counts as cover."""

import datetime as dt
import uuid
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import (
    CrewMember,
    DayPlan,
    DutyShift,
    OfficerContact,
    OutboxMessage,
    Route,
    SafetySession,
    Stop,
    Visit,
)
from fieldvisit.planning.relieving import _to_be_relieved
from fieldvisit.safety.alerts import SelfHandling, acknowledge
from fieldvisit.safety.cover import NoCover
from fieldvisit.safety.drafts import Officer
from fieldvisit.safety.on_behalf import CallFor, call_for
from fieldvisit.safety.pins import set_pins
from fieldvisit.safety.sessions import cancel_call
from fieldvisit.vocabulary import AlertState, DutyRank, MessageRecipient, RiskLevel, Role, SafetyState, VisitState
from tests.phone.worlds import make_plan, make_visit_on_evidence
from tests.safety.test_alerts import every_act
from tests.safety.test_external import GUARD, agree
from tests.safety.test_following import EXPECTED_AT, Planned, planned
from tests.safety.test_pins import DURESS, PIN, act
from tests.safety.test_planned import plan, rules
from tests.safety.worlds import MINUTE, Door, another_door, make_account, put_on_duty

__all__ = ["planned"]
LATER = dt.timedelta(days=3)


def two_crews(door: Door, other: Door, *, meet: bool) -> uuid.UUID:
    """The visit of her crew; the other's crew has a stop at it too, or at another visit."""
    with acting_for_all(door.sessions) as session:
        visits = [make_visit_on_evidence(session, door.world) for _ in range(2)]
        made = make_plan(session, door.world, [door.visitor_id], visits[:1])
        visits[1].plan_id = made.id
        first = session.scalars(sa.select(Route).where(Route.plan_id == made.id)).one()
        second = Route(**values_of(first) | {"id": uuid.uuid4(), "crew_code": "B"})
        session.add(second)
        session.flush()
        session.add(CrewMember(org_id=door.world.agency, route_id=second.id, visitor_id=other.visitor_id, lead=True))
        stop = session.scalars(sa.select(Stop).where(Stop.route_id == first.id)).one()
        visit_id = visits[0 if meet else 1].id
        session.add(Stop(**values_of(stop) | {"id": uuid.uuid4(), "route_id": second.id, "visit_id": visit_id}))
        return visits[0].id


def values_of(row: Route | Stop) -> dict[str, Any]:
    return {each.key: getattr(row, each.key) for each in sa.inspect(type(row)).columns}


def calls_for(door: Door, by: Door) -> None:
    call = CallFor(visitor_id=door.visitor_id, event_id=uuid.uuid4(), note="He shouts.")
    with acting_for(door.sessions, door.world.agency) as session:
        call_for(session, call, Officer(account_id=by.account_id, visitor_id=by.visitor_id), [Role.VISITOR])


def test_who_meets_her_at_the_door_from_another_crew_handles_nothing_and_calls_for_her(door: Door) -> None:
    other = another_door(door)
    visit_id = two_crews(door, other, meet=True)
    door.start(RiskLevel.HIGH, covered=True, visit_id=visit_id)
    calls_for(door, other)
    assert every_act(door, replace(door.officer, visitor_id=other.visitor_id)) == [SelfHandling] * 3


def test_who_is_watched_over_at_the_same_door_by_no_plan_handles_nothing_and_calls_for_her(door: Door) -> None:
    other = another_door(door)
    with acting_for_all(door.sessions) as session:
        visit_id = make_visit_on_evidence(session, door.world).id
    other.start(visit_id=visit_id)
    door.start(visit_id=visit_id)
    calls_for(door, other)
    assert every_act(door, replace(door.officer, visitor_id=other.visitor_id)) == [SelfHandling] * 3


def off_duty(door: Door) -> None:
    with acting_for_all(door.sessions) as session:
        session.execute(sa.delete(DutyShift))


def officers_rung(door: Door) -> set[uuid.UUID]:
    with acting_for_all(door.sessions) as session:
        told = sa.select(OfficerContact.account_id).join(OutboxMessage, OutboxMessage.recipient_id == OfficerContact.id)
        return set(session.scalars(told.where(OutboxMessage.recipient == MessageRecipient.OFFICER)))


def outside_rung(door: Door) -> int:
    with acting_for_all(door.sessions) as session:
        outside = sa.select(OutboxMessage.id).where(OutboxMessage.recipient == MessageRecipient.EXTERNAL)
        return len(session.scalars(outside).all())


@pytest.mark.parametrize("crewed", [True, False], ids=["a crew mate", "the visitor"])
def test_an_officer_who_may_not_take_the_alarm_is_no_cover_is_not_rung_and_is_not_waited_for(
    door: Door, crewed: bool
) -> None:
    agree(door, GUARD)
    mate = another_door(door)
    off_duty(door)
    with acting_for_all(door.sessions) as session:
        visit = make_visit_on_evidence(session, door.world)
        make_plan(session, door.world, [door.visitor_id, mate.visitor_id], [visit])
        visitor_id = mate.visitor_id if crewed else door.visitor_id
        account = make_account(session, door.world, Role.VISITOR, Role.SAFETY_OFFICER, visitor_id=visitor_id)
        put_on_duty(session, account, DutyRank.DUTY)
        account_id, visit_id = account.id, visit.id
    with pytest.raises(NoCover):
        door.start(covered=True, visit_id=visit_id)
    door.start(visit_id=visit_id)
    door.call_for_help()
    assert (outside_rung(door), officers_rung(door)) == (2, set())
    for _ in range(2):
        door.watch()
    alert = door.alert()
    assert account_id not in officers_rung(door)
    assert alert.state is AlertState.EXHAUSTED, "at once: nobody is waited for"


def test_officers_who_stay_are_rung_and_cover_and_so_is_who_goes_elsewhere(door: Door) -> None:
    elsewhere = another_door(door)
    off_duty(door)
    with acting_for_all(door.sessions) as session:
        account = make_account(session, door.world, Role.SAFETY_OFFICER, visitor_id=elsewhere.visitor_id)
        put_on_duty(session, account, DutyRank.DUTY)
        account_id = account.id
    visit_id = two_crews(door, elsewhere, meet=False)
    door.start(covered=True, visit_id=visit_id)
    door.call_for_help()
    assert officers_rung(door) == {account_id}


@pytest.mark.parametrize("raised", ["sos", "unwatched", "duress"])
def test_an_alarm_out_of_a_planned_session_is_of_the_day_on_which_it_is_raised(planned: Planned, raised: str) -> None:
    """Planned three days before the route, on which somebody else rides too."""
    door, mate = planned.door, another_door(planned.door)
    rules(planned, unwatched_s=10 * MINUTE)
    with acting_for_all(door.sessions) as session:
        route = session.scalars(sa.select(Route)).one()
        session.add(CrewMember(org_id=door.world.agency, route_id=route.id, visitor_id=mate.visitor_id, lead=False))
        for each in ("depart_at", "return_at"):
            setattr(route, each, getattr(route, each) + LATER)
        session.get_one(Visit, planned.visit_id).planned_on += LATER
        if raised == "duress":
            set_pins(session, door.visitor_id, PIN, DURESS)
    session_id = plan(planned)
    planned_at = door.row(session_id).started_at
    planned.pass_until(EXPECTED_AT + LATER)
    if raised == "unwatched":
        with acting_for_all(door.sessions) as session:
            under_way = {"state": VisitState.UNDER_WAY, "under_way_at": sa.func.fieldvisit_now()}
            session.execute(sa.update(Visit).where(Visit.id == planned.visit_id).values(under_way))
        door.pass_under_watch_s(10 * MINUTE)
        assert door.watch().raised == 2, "each of the two"
    elif raised == "duress":
        act(door, cancel_call, session_id, pin=DURESS)
    else:
        door.call_for_help(session_id=session_id)
    row = door.row(session_id)
    assert (row.state, row.planned_at) == (SafetyState.ALARM, planned_at)
    assert row.started_at >= EXPECTED_AT + LATER
    if raised == "sos":
        with acting_for_all(door.sessions) as session:
            session.execute(sa.update(DayPlan).values(problem={}))
            assert [*_to_be_relieved(session, EXPECTED_AT + LATER).values()] == [{"A"}], (
                "the route is another's to make"
            )
    calls_for(door, mate)
    partner = replace(door.officer, visitor_id=mate.visitor_id)
    for alert in door.alerts():
        with pytest.raises(SelfHandling), acting_for(door.sessions, door.world.agency) as session:
            acknowledge(session, alert.id, partner)


def test_a_call_that_is_taken_back_leaves_it_planned_as_it_was(planned: Planned) -> None:
    door = planned.door
    with acting_for(door.sessions, door.world.agency) as session:
        set_pins(session, door.visitor_id, PIN, DURESS)
    session_id = plan(planned)
    planned_at = door.row(session_id).started_at
    door.pass_under_watch_s(60)
    seen = {}
    for pin in (PIN, DURESS):
        door.call_for_help(session_id=session_id)
        shown = act(door, cancel_call, session_id, pin=pin)
        assert isinstance(shown, SafetySession)
        seen[pin] = (shown.state, shown.started_at)
    assert seen[PIN] == seen[DURESS] == (SafetyState.PLANNED, planned_at)
