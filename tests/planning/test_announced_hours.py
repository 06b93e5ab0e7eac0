"""Hours that a debtor was told, as values: a day planned anew keeps them, and what breaks them is named."""

import datetime as dt
from dataclasses import replace

import pytest
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.compliance.parameters import NoticeAbout
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.notices.filing import GivenDraft, record_given
from fieldvisit.planning.joining import joined_by
from fieldvisit.planning.plans import get_plan
from fieldvisit.planning.rest import Standing, rest_of, standing_of
from fieldvisit.planning.stops import JudgedStop, leave_out
from fieldvisit.visits import move
from fieldvisit.vocabulary import Channel, VisitState
from routing.checking import faults
from routing.edits import Retime, edited
from routing.limits import Limits
from routing.problem import Pin
from routing.replan import Budget, replan
from routing.solver import solve
from tests.conftest import NOW
from tests.planning.worlds import drafted, make_crew, make_ready_visit
from tests.worlds import World

TOLD = (13 * 3_600, 15 * 3_600)


@pytest.fixture
def told(sessions: sessionmaker[Session], world: World) -> tuple[Standing, str]:
    """A day of three visits and one crew; the debtor of the first was told: between one and three in the afternoon."""
    with acting_for_all(sessions) as session:
        make_crew(session, world, "A")
        visits = [make_ready_visit(session, world).id for _ in range(3)]
    plan_id = drafted(sessions, world)
    with acting_for(sessions, world.agency) as session:
        standing = standing_of(session, get_plan(session, plan_id), NOW)
        assert {stop.visit_id for route in standing.row.routes for stop in route.stops} == set(visits)
        return replace(standing, announced={visits[0]: TOLD}), str(visits[0])


def test_they_are_a_pin_that_a_repair_keeps_and_whose_breach_is_named(told: tuple[Standing, str]) -> None:
    standing, visit = told
    rest = rest_of(standing, standing.problem.crew_by_id)
    task = rest.problem.task_by_id[visit]
    assert task.pin == Pin(begin=(TOLD[0], TOLD[1] - task.service_s))
    assert all(other.pin is None for other in rest.problem.tasks if other is not task)

    found = replan(rest.problem, Budget(price=1_800), Limits(iterations=30, threads=1), solve)
    (begin_s,) = [stop.begin_s for route in found.plan.routes for stop in route.stops if stop.task == visit]
    assert TOLD[0] <= begin_s <= TOLD[1] - task.service_s
    assert sum(len(route.stops) for route in found.plan.routes) == 3

    # A visit that somebody pulls to the morning by hand is named by the judge of the day with these hours.
    pulled = edited(rest.problem, found.plan, [Retime(task=visit, begin_s=11 * 3_600)])
    assert [fault.task for fault in faults(rest.problem, pulled.plan) if fault.code == "outside_pin"] == [visit]


def test_a_visit_that_fell_out_and_was_announced_since_joins_inside_the_hours_that_were_told(
    sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for_all(sessions) as session:
        make_crew(session, world, "A")
        visit_id = make_ready_visit(session, world).id
    plan_id = drafted(sessions, world)
    begins, ends = (dt.datetime(2026, 3, 3, hour, tzinfo=dt.UTC) for hour in (11, 13))
    with acting_for(sessions, world.agency) as session:
        plan = get_plan(session, plan_id)
        (route,) = plan.routes
        (stop,) = route.stops
        leave_out(session, plan, JudgedStop(route, stop, stop.visit, ()))
        move(session, stop.visit, VisitState.ELIGIBLE, now=NOW)
        given = GivenDraft(
            about=NoticeAbout.VISIT,
            channel=Channel.LETTER,
            sent_at=NOW,
            visit_id=visit_id,
            announced_from=begins,
            announced_until=ends,
        )
        record_given(session, given, made_by_id=None, now=NOW)
        session.expire_all()
        standing = joined_by(session, standing_of(session, get_plan(session, plan_id), NOW), visit_id, NOW)
        task = rest_of(standing, standing.problem.crew_by_id).problem.task_by_id[str(visit_id)]
    # The day's problem still holds it as it was read in the morning: with all the hours of the policy.
    assert [(window.opens_s, window.closes_s) for window in task.windows] == [TOLD]
    assert task.pin == Pin(begin=(TOLD[0], TOLD[1] - task.service_s))
