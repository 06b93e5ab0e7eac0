"""An organisation with two areas: nobody rides in both on one day."""

import asyncio
import datetime as dt
from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.clock import Clock
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import Area, CrewMember, Route
from fieldvisit.planning.drafting import accept_plan
from fieldvisit.planning.elsewhere import CrewElsewhere
from fieldvisit.planning.jobs import solve_plan
from fieldvisit.planning.plans import drop_plan, get_plan
from fieldvisit.planning.publishing import publish_plan
from fieldvisit.planning.tools import Tools
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import DayPlanState
from tests.conftest import NOW
from tests.planning.worlds import (
    ask_for_plan,
    claimed_plan,
    day_of,
    drafted,
    found_in,
    make_crew,
    make_ready_case,
    make_ready_visit,
    solved,
)
from tests.worlds import TODAY, World

EAST = (60.2100, 25.0800)


@pytest.fixture
def east(sessions: sessionmaker[Session], world: World) -> World:
    """The same agency in its second area, with a crew and a visit in each."""
    with acting_for_all(sessions) as session:
        area = Area(org_id=world.agency, code="east", name="East", lat=EAST[0], lon=EAST[1], radius_m=3_000)
        session.add(area)
        session.flush()
        make_crew(session, world, "A", people=2)
        make_ready_visit(session, world)
        make_ready_visit(session, world, make_ready_case(session, world, point=EAST))
        return replace(world, area=area.id)


def test_whoever_is_in_the_draft_of_one_area_stays_out_of_the_other_and_it_says_where(
    sessions: sessionmaker[Session], world: World, east: World
) -> None:
    plan_id = drafted(sessions, world)
    with acting_for(sessions, world.agency) as session:
        day = day_of(session, east)
        assert day.crews == ()
        assert [str(clause.message) for home in day.stayed_home for clause in home.clauses] == [
            "Rides in the plan of Centre on this day."
        ] * 2
        assert day_of(session, east, on=TODAY + dt.timedelta(days=1)).stayed_home == ()
        drop_plan(session, plan_id, now=NOW)
        assert [crew.code for crew in day_of(session, east).crews] == ["A"]


def test_of_two_searches_side_by_side_the_second_to_end_does_not_get_the_crew(
    sessions: sessionmaker[Session], world: World, east: World
) -> None:
    ours, theirs = claimed_plan(sessions, world), claimed_plan(sessions, east)
    with acting_for(sessions, world.agency) as session:
        accept_plan(session, ours, found_in(solved(ours)), now=NOW)
    answer = found_in(solved(theirs))
    with acting_for(sessions, world.agency) as session, pytest.raises(CrewElsewhere, match="plan of Centre"):
        accept_plan(session, theirs, answer, now=NOW)
    with acting_for(sessions, world.agency) as session:
        assert get_plan(session, theirs.plan_id).state is DayPlanState.SOLVING


def test_the_job_searches_again_without_those_who_were_taken(
    settings: Settings, sessions: sessionmaker[Session], engine: sa.Engine, world: World, east: World
) -> None:
    tools = Tools(settings=settings, sessions=sessions, clock=Clock(engine))
    with acting_for_all(sessions) as session:
        make_crew(session, world, "B")
    with acting_for(sessions, world.agency) as session:
        asked = [ask_for_plan(session, area) for area in (world, east)]

    async def side_by_side() -> None:
        await asyncio.gather(*(solve_plan(tools, world.agency, plan_id) for plan_id in asked))

    asyncio.run(side_by_side())
    with acting_for(sessions, world.agency) as session:
        assert [get_plan(session, plan_id).state for plan_id in asked] == [DayPlanState.DRAFT] * 2
        riders = session.scalars(sa.select(CrewMember.visitor_id).join(Route)).all()
        assert len(riders) == len(set(riders)) == 3


def test_a_draft_whose_people_ride_elsewhere_is_not_published(
    sessions: sessionmaker[Session], world: World, east: World
) -> None:
    ours = drafted(sessions, world)
    with acting_for_all(sessions) as session:
        make_crew(session, world, "B")
    theirs = drafted(sessions, east)
    with acting_for_all(sessions) as session:
        taken = session.scalars(sa.select(CrewMember).join(Route).where(Route.plan_id == ours)).first()
        route = session.scalars(sa.select(Route).where(Route.plan_id == theirs)).one()
        assert taken is not None
        # Behind the back of every use case, as a dispatcher's own tool might.
        session.add(CrewMember(org_id=world.agency, route_id=route.id, visitor_id=taken.visitor_id, lead=False))
    with acting_for(sessions, world.agency) as session, pytest.raises(CrewElsewhere):
        publish_plan(session, theirs, published_by_id=None, now=NOW)
