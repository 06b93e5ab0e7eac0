"""What time passes by, and what becomes of a plan that nobody will try again."""

import asyncio
import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.clock import Clock
from fieldvisit.database import Urls, acting_for, acting_for_all
from fieldvisit.models import DayPlan, FieldRules, VisitEvent
from fieldvisit.planning.jobs import MOST_ATTEMPTS, solve_or_give_up
from fieldvisit.planning.plans import get_plan
from fieldvisit.planning.publishing import publish_plan
from fieldvisit.planning.tools import Tools
from fieldvisit.planning.upkeep import pass_time
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import DayPlanState, VisitState
from tests.conftest import NOW
from tests.planning.worlds import (
    a_day_later,
    ask_for_plan,
    drafted,
    make_crew,
    make_ready_case,
    make_ready_visit,
    states,
)
from tests.worlds import TODAY, World


@pytest.fixture
def tools(settings: Settings, sessions: sessionmaker[Session], engine: sa.Engine) -> Tools:
    return Tools(settings=settings, sessions=sessions, clock=Clock(engine))


def test_what_nobody_began_waits_again_when_its_day_is_over(
    urls: Urls, tools: Tools, sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for_all(sessions) as session:
        make_crew(session, world, "A")
        visit = make_ready_visit(session, world)
    plan_id = drafted(sessions, world)
    with acting_for(sessions, world.agency) as session:
        publish_plan(session, plan_id, published_by_id=None, now=NOW)
    pass_time(tools)
    with acting_for(sessions, world.agency) as session:
        assert states(session) == {visit.reference: VisitState.PUBLISHED}
    a_day_later(urls)
    pass_time(Tools(settings=tools.settings, sessions=sessions, clock=Clock(sessions.kw["bind"])))
    with acting_for(sessions, world.agency) as session:
        assert states(session) == {visit.reference: VisitState.ELIGIBLE}
        last = session.scalars(sa.select(VisitEvent).order_by(VisitEvent.at.desc()).limit(1)).one()
        assert (last.kind, last.detail) == ("eligible", {"code": "day_over"})


def test_who_set_out_and_never_arrived_is_waited_for_as_long_as_the_house_says_and_while_watched_over(
    urls: Urls, tools: Tools, sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for_all(sessions) as session:
        make_crew(session, world, "A")
        visit = make_ready_visit(session, world, state=VisitState.UNDER_WAY, planned_on=TODAY)
        session.merge(
            FieldRules(org_id=world.agency, order_rule="allow", may_reject=True, undo_minutes=0, give_back_hours=12)
        )

    def after(*, days: int) -> VisitState:
        a_day_later(urls, days=days)
        pass_time(Tools(settings=tools.settings, sessions=sessions, clock=Clock(sessions.kw["bind"])))
        with acting_for(sessions, world.agency) as session:
            return states(session)[visit.reference]

    # 09:00 of the day after is nine hours after its end.
    assert after(days=1) is VisitState.UNDER_WAY
    assert after(days=2) is VisitState.ELIGIBLE


def test_what_waited_past_its_last_date_expires(tools: Tools, sessions: sessionmaker[Session], world: World) -> None:
    with acting_for_all(sessions) as session:
        late = make_ready_visit(session, world, last_on=TODAY - dt.timedelta(days=1))
        there = make_ready_visit(session, world, last_on=TODAY)
    pass_time(tools)
    with acting_for(sessions, world.agency) as session:
        found = states(session)
    assert (found[late.reference], found[there.reference]) == (VisitState.EXPIRED, VisitState.ELIGIBLE)


def test_the_gate_looks_again_at_those_whom_the_phone_failed_to_reach(
    tools: Tools, sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for_all(sessions) as session:
        make_ready_case(session, world)
    pass_time(tools)
    pass_time(tools)
    with acting_for(sessions, world.agency) as session:
        assert list(states(session).values()) == [VisitState.ELIGIBLE]


def test_a_job_tried_too_often_leaves_a_failed_plan(
    tools: Tools, sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for(sessions, world.agency) as session:
        plan_id = ask_for_plan(session, world)
    asyncio.run(solve_or_give_up(tools, world.agency, plan_id, attempts=MOST_ATTEMPTS))
    with acting_for(sessions, world.agency) as session:
        plan = get_plan(session, plan_id)
        assert (plan.state, plan.failure["code"]) == (DayPlanState.FAILED, "worker_lost")


def test_an_error_of_the_workers_own_is_not_left_as_a_plan_in_the_making(
    tools: Tools, sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for_all(sessions) as session:
        # A zone that no tz database knows, behind the back of every check: reading the day breaks.
        session.execute(sa.text("update organisations set zone = 'Nowhere/Land' where id = :id"), {"id": world.agency})
    with acting_for(sessions, world.agency) as session:
        plan = DayPlan(
            org_id=world.agency, area_id=world.area, planned_on=TODAY, state=DayPlanState.REQUESTED, seconds=5
        )
        session.add(plan)
        session.flush()
        plan_id = plan.id
    asyncio.run(solve_or_give_up(tools, world.agency, plan_id, attempts=0))
    with acting_for(sessions, world.agency) as session:
        plan = get_plan(session, plan_id)
        assert (plan.state, plan.failure["code"]) == (DayPlanState.FAILED, "worker_failed")
