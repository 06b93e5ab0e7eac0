"""A day in parts: cut, claimed by whoever has time, tried again, joined to one plan that is like any other."""

import asyncio
import datetime as dt
from dataclasses import asdict, replace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.clock import Clock
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import DayPlan, PlanPart
from fieldvisit.planning.child import solve_day
from fieldvisit.planning.claiming import claim_plan
from fieldvisit.planning.drafting import Found, accept_plan
from fieldvisit.planning.jobs import solve_plan
from fieldvisit.planning.judging import faults_of
from fieldvisit.planning.part_question import answer_join, answer_parts
from fieldvisit.planning.parts import (
    MOST_TRIES,
    SILENT_S,
    ClaimedPart,
    answer_part,
    answers_of,
    claim_part,
    clear_parts,
    put_down,
    round_state,
    still_wanted,
)
from fieldvisit.planning.plans import Claimed, drop_plan, get_plan
from fieldvisit.planning.publishing import publish_plan
from fieldvisit.planning.split_jobs import help_with_parts
from fieldvisit.planning.tools import Tools
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import DayPlanState, PartState
from tests.conftest import NOW
from tests.planning.worlds import ask_for_plan, claimed_plan, make_crew, make_ready_case, make_ready_visit, work_for
from tests.worlds import World


@pytest.fixture
def large(sessions: sessionmaker[Session], world: World) -> World:
    """Eight visits in two neighbourhoods, and three crews."""
    with acting_for_all(sessions) as session:
        for number in range(8):
            east = 24.90 if number < 4 else 24.99
            case = make_ready_case(session, world, point=(60.16 + number * 0.001, east))
            make_ready_visit(session, world, case)
        for code in "ABC":
            make_crew(session, world, code)
    return world


def asked(claimed: Claimed, plans: list[Any], *, most: int = 4) -> dict[str, Any]:
    points = [list(point) for point in claimed.draft.points]
    return {"document": claimed.draft.document, "points": points, "plans": plans, "most_visits": most}


def solved_works(works: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the searches of the parts come back with, without their processes."""
    answers = [solve_day(work_for(work["document"], work["points"], orders=work["orders"])) for work in works]
    assert [answer.failure for answer in answers] == [None] * len(works)
    return [asdict(answer) for answer in answers]


def test_the_parts_are_joined_to_one_plan_that_is_judged_drafted_and_published_like_any_other(
    sessions: sessionmaker[Session], large: World
) -> None:
    claimed = claimed_plan(sessions, large)
    first = answer_parts(asked(claimed, []))["works"]
    assert sorted(len(work["document"]["tasks"]) for work in first) == [4, 4]
    assert all(work["orders"] is None for work in first)
    answers = solved_works(first)
    second = answer_parts(asked(claimed, [answer["plan"] for answer in answers]))["works"]
    assert sum(len(stops) for work in second for stops in work["orders"].values()) == 8
    mended = solved_works(second)
    whole = answer_join({**asked(claimed, []), "works": second, "answers": mended})
    found = Found(problem=whole["problem"], plan=whole["plan"], travel_source="geodesic", paths={})
    with acting_for(sessions, large.agency) as session:
        assert accept_plan(session, claimed, found, now=NOW)
        plan = get_plan(session, claimed.plan_id)
        assert faults_of(plan) == []
        assert sum(len(route.stops) for route in plan.routes) == 8
        publish_plan(session, claimed.plan_id, published_by_id=None, now=NOW)
        assert get_plan(session, claimed.plan_id).state is DayPlanState.PUBLISHED


def put(sessions: sessionmaker[Session], world: World, *, parts: int = 2) -> Claimed:
    claimed = claimed_plan(sessions, world)
    with acting_for(sessions, world.agency) as session:
        put_down(session, claimed, 0, [{"orders": None, "number": number} for number in range(parts)])
    return claimed


def take(sessions: sessionmaker[Session], world: World, claimed: Claimed, *, after_s: int = 0) -> ClaimedPart | None:
    with acting_for(sessions, world.agency) as session:
        return claim_part(session, claimed.plan_id, NOW + dt.timedelta(seconds=after_s))


SOLVED = {"failure": None, "says": "", "plan": {}}
FAILED = {"failure": "out_of_memory", "says": "too large"}


def test_two_workers_take_two_parts_and_a_third_finds_none(sessions: sessionmaker[Session], large: World) -> None:
    claimed = put(sessions, large)
    with acting_for(sessions, large.agency) as one, acting_for(sessions, large.agency) as other:
        first, second = claim_part(one, claimed.plan_id, NOW), claim_part(other, claimed.plan_id, NOW)
        assert first is not None
        assert second is not None
        assert {first.work["number"], second.work["number"]} == {0, 1}
    assert take(sessions, large, claimed) is None


def test_a_part_whose_worker_died_is_solved_again_and_the_dead_one_is_not_heard(
    sessions: sessionmaker[Session], large: World
) -> None:
    claimed = put(sessions, large, parts=1)
    dead = take(sessions, large, claimed)
    assert dead is not None
    assert take(sessions, large, claimed, after_s=SILENT_S) is None
    alive = take(sessions, large, claimed, after_s=SILENT_S + 60)
    assert alive is not None
    with acting_for(sessions, large.agency) as session:
        assert (still_wanted(session, dead), still_wanted(session, alive)) == (False, True)
        answer_part(session, dead, SOLVED)
        assert round_state(session, claimed, 0).solved == 0
        answer_part(session, alive, SOLVED)
        assert round_state(session, claimed, 0).over
        assert answers_of(session, claimed, 0) == [SOLVED]


def test_a_worker_taken_for_dead_leaves_the_parts_of_the_one_that_took_over(
    sessions: sessionmaker[Session], large: World
) -> None:
    asleep = put(sessions, large, parts=1)
    works = [{"orders": None, "number": number} for number in range(3)]
    with acting_for(sessions, large.agency) as session:
        awake = claim_plan(session, asleep.plan_id, NOW + dt.timedelta(seconds=40))
    assert awake is not None
    with acting_for(sessions, large.agency) as session:
        assert not put_down(session, asleep, 1, works[:1])
        assert put_down(session, awake, 0, works)
        assert round_state(session, asleep, 0).parts == 0
        clear_parts(session, asleep)
        assert not put_down(session, asleep, 1, works[:1])
        state = round_state(session, awake, 0)
        assert (state.parts, state.over) == (3, False)
        clear_parts(session, awake)
        assert session.scalars(sa.select(PlanPart)).all() == []


def test_a_part_that_fails_each_time_fails_its_round_with_the_reason(
    sessions: sessionmaker[Session], large: World
) -> None:
    claimed = put(sessions, large)
    for _ in range(MOST_TRIES):
        part = take(sessions, large, claimed)
        assert part is not None
        with acting_for(sessions, large.agency) as session:
            assert round_state(session, claimed, 0).failure is None
            answer_part(session, part, FAILED)
    with acting_for(sessions, large.agency) as session:
        state = round_state(session, claimed, 0)
        assert (state.failure, state.over) == ({"code": "out_of_memory", "says": "too large"}, True)


def test_a_part_that_kills_each_worker_fails_too(sessions: sessionmaker[Session], large: World) -> None:
    claimed = put(sessions, large, parts=1)
    for number in range(MOST_TRIES):
        assert take(sessions, large, claimed, after_s=number * 1_000) is not None
    assert take(sessions, large, claimed, after_s=9_000) is None
    with acting_for(sessions, large.agency) as session:
        failure = round_state(session, claimed, 0).failure
        assert failure is not None
        assert failure["code"] == "worker_lost"


def test_the_parts_of_a_plan_that_was_dropped_are_nobodys_business(
    sessions: sessionmaker[Session], large: World
) -> None:
    claimed = put(sessions, large)
    part = take(sessions, large, claimed)
    assert part is not None
    with acting_for(sessions, large.agency) as session:
        drop_plan(session, claimed.plan_id, now=NOW)
        assert not still_wanted(session, part)
    assert take(sessions, large, claimed) is None


def tools_of(settings: Settings, sessions: sessionmaker[Session], engine: sa.Engine) -> Tools:
    small = replace(settings, split_visits=5, part_visits=4)
    return Tools(settings=small, sessions=sessions, clock=Clock(engine))


@pytest.mark.long
def test_the_job_solves_a_large_day_in_parts_and_a_second_worker_helps(
    settings: Settings, sessions: sessionmaker[Session], engine: sa.Engine, large: World
) -> None:
    tools = tools_of(settings, sessions, engine)
    with acting_for(sessions, large.agency) as session:
        plan_id = ask_for_plan(session, large)

    async def both() -> int:
        async def helper() -> int:
            done = 0
            while not solving.done():
                done += await help_with_parts(tools, large.agency, plan_id)
                await asyncio.sleep(0.05)
            return done

        solving = asyncio.ensure_future(solve_plan(tools, large.agency, plan_id))
        helped = await helper()
        await solving
        return helped

    assert asyncio.run(both()) > 0
    with acting_for(sessions, large.agency) as session:
        plan = get_plan(session, plan_id)
        assert plan.state is DayPlanState.DRAFT
        assert sum(len(route.stops) for route in plan.routes) == 8
        assert faults_of(plan) == []
        assert session.scalars(sa.select(PlanPart)).all() == []


@pytest.mark.long
def test_a_part_without_memory_fails_the_plan_with_its_reason(
    settings: Settings, sessions: sessionmaker[Session], engine: sa.Engine, large: World
) -> None:
    tools = tools_of(settings, sessions, engine)
    with acting_for(sessions, large.agency) as session:
        plan_id = ask_for_plan(session, large)
    claimed = claimed_plan(sessions, large)
    works = answer_parts(asked(claimed, []))["works"]
    with acting_for(sessions, large.agency) as session:
        put_down(session, claimed, 0, works)
        session.execute(sa.update(PlanPart).values(work={**works[0], "document": {"format": "none"}}))
    asyncio.run(help_with_parts(tools, large.agency, claimed.plan_id))
    with acting_for(sessions, large.agency) as session:
        failure = round_state(session, claimed, 0).failure
        assert failure is not None
        assert failure["code"] == "problem_refused"
        assert session.scalars(sa.select(PlanPart.state)).all() == [PartState.FAILED] * 2
        assert session.get_one(DayPlan, plan_id).state is DayPlanState.REQUESTED
