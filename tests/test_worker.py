"""`fieldvisit worker` as a real process: what it finishes, and what becomes of its work when it ends early."""

import signal
import uuid
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import Urls, acting_for, acting_for_all
from fieldvisit.models import DayPlan, VisitEvent
from fieldvisit.planning.jobs import enqueue_solve
from fieldvisit.planning.plans import PlanRequest, drop_plan, get_plan, request_plan
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import DayPlanState, VisitState
from tests.conftest import NOW
from tests.planning.worlds import make_crew, make_ready_visit, states
from tests.processes import call, running, searches_of, wait_until
from tests.worlds import TODAY, World, make_world

VISITS = 4
FOR_EVER_S = 600


@pytest.fixture
def world(sessions: sessionmaker[Session]) -> World:
    """Four visits that wait, and a crew to make them."""
    world = make_world(sessions)
    with acting_for_all(sessions) as session:
        make_crew(session, world, "A")
        for _ in range(VISITS):
            make_ready_visit(session, world)
    return world


@pytest.fixture
def owner(urls: Urls) -> Iterator[sa.Engine]:
    engine = sa.create_engine(urls.owner, poolclass=sa.NullPool)
    yield engine
    engine.dispose()


def ask(sessions: sessionmaker[Session], world: World, *, seconds: int, iterations: int | None = None) -> uuid.UUID:
    with acting_for(sessions, world.agency) as session:
        request = PlanRequest(area_id=world.area, planned_on=TODAY, seconds=seconds, iterations=iterations)
        plan = request_plan(session, world.agency, request, requested_by_id=None, now=NOW)
        enqueue_solve(session, world.agency, plan.id)
        return plan.id


def shorten(sessions: sessionmaker[Session], world: World, plan_id: uuid.UUID) -> None:
    """Let whoever takes the plan up next be done at once."""
    with acting_for(sessions, world.agency) as session:
        session.execute(sa.update(DayPlan).where(DayPlan.id == plan_id).values(iterations=20, seconds=5))


def plan_of(sessions: sessionmaker[Session], world: World, plan_id: uuid.UUID) -> DayPlan:
    with acting_for(sessions, world.agency) as session:
        return get_plan(session, plan_id)


def is_in(sessions: sessionmaker[Session], world: World, plan_id: uuid.UUID, state: DayPlanState) -> bool:
    return plan_of(sessions, world, plan_id).state is state


def wait_for_search(sessions: sessionmaker[Session], world: World, plan_id: uuid.UUID) -> None:
    """Until the search has told something; one that failed will never."""

    def told() -> bool:
        plan = plan_of(sessions, world, plan_id)
        assert plan.failure == {}
        return plan.progress != {}

    wait_until(told)


def jobs(owner: sa.Engine) -> list[str]:
    with owner.connect() as connection:
        rows = connection.execute(sa.text("select status::text from procrastinate_jobs where task_name = 'solve'"))
        return list(rows.scalars())


def planned_once(sessions: sessionmaker[Session], world: World, plan_id: uuid.UUID) -> None:
    """The plan is a draft, and nothing of it is there twice."""
    plan = plan_of(sessions, world, plan_id)
    assert plan.state is DayPlanState.DRAFT
    assert sum(len(route.stops) for route in plan.routes) == VISITS
    with acting_for(sessions, world.agency) as session:
        assert set(states(session).values()) == {VisitState.PLANNED}
        assert session.scalars(sa.select(VisitEvent.kind)).all() == ["planned"] * VISITS


def test_a_job_of_a_transaction_that_was_rolled_back_does_not_exist(
    sessions: sessionmaker[Session], world: World, owner: sa.Engine
) -> None:
    with sessions(info={"org": world.agency}) as session:
        request = PlanRequest(area_id=world.area, planned_on=TODAY, seconds=5)
        plan = request_plan(session, world.agency, request, requested_by_id=None, now=NOW)
        enqueue_solve(session, world.agency, plan.id)
        session.rollback()
    assert jobs(owner) == []
    ask(sessions, world, seconds=5)
    assert jobs(owner) == ["todo"]


def test_what_waits_is_done_and_the_plan_tells_how_far_it_was(
    settings: Settings, sessions: sessionmaker[Session], world: World, owner: sa.Engine
) -> None:
    plan_id = ask(sessions, world, seconds=60, iterations=20)
    done = call(settings, "worker", "--once")
    assert done.returncode == 0, done.stderr
    planned_once(sessions, world, plan_id)
    plan = plan_of(sessions, world, plan_id)
    assert (plan.progress["served"], plan.travel_source) == (VISITS, "geodesic, detour 1.35, 7 m/s")
    assert jobs(owner) == []
    assert "Aleksanterinkatu" not in done.stdout + done.stderr


def test_what_a_killed_worker_leaves_another_finishes_once(
    settings: Settings, sessions: sessionmaker[Session], world: World, owner: sa.Engine
) -> None:
    plan_id = ask(sessions, world, seconds=FOR_EVER_S)
    with running(settings, "worker", "--silent-s", "3") as first:
        wait_for_search(sessions, world, plan_id)
        (search,) = searches_of(first)
        first.send_signal(signal.SIGKILL)
        wait_until(lambda: not search.is_running())
    assert is_in(sessions, world, plan_id, DayPlanState.SOLVING)
    shorten(sessions, world, plan_id)
    with running(settings, "worker", "--silent-s", "3"):
        wait_until(lambda: jobs(owner) == [])
    planned_once(sessions, world, plan_id)


def test_a_worker_told_to_stop_gives_its_job_back_and_takes_its_search_along(
    settings: Settings, sessions: sessionmaker[Session], world: World, owner: sa.Engine
) -> None:
    plan_id = ask(sessions, world, seconds=FOR_EVER_S)
    with running(settings, "worker") as worker:
        wait_for_search(sessions, world, plan_id)
        (search,) = searches_of(worker)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=60) == 0
    assert not search.is_running()
    assert jobs(owner) == ["todo"]
    assert is_in(sessions, world, plan_id, DayPlanState.SOLVING)


def test_a_plan_that_is_dropped_ends_its_search_and_the_next_one_is_made(
    settings: Settings, sessions: sessionmaker[Session], world: World, owner: sa.Engine
) -> None:
    dropped = ask(sessions, world, seconds=FOR_EVER_S)
    with running(settings, "worker") as worker:
        wait_for_search(sessions, world, dropped)
        (search,) = searches_of(worker)
        with acting_for(sessions, world.agency) as session:
            drop_plan(session, dropped, now=NOW)
        wait_until(lambda: not search.is_running())
        made = ask(sessions, world, seconds=60, iterations=20)
        wait_until(lambda: jobs(owner) == [])
    assert is_in(sessions, world, dropped, DayPlanState.DROPPED)
    planned_once(sessions, world, made)


def test_a_worker_that_loses_the_database_waits_for_it_and_goes_on(
    settings: Settings, sessions: sessionmaker[Session], world: World
) -> None:
    with running(settings, "worker"):
        first = ask(sessions, world, seconds=60, iterations=20)
        wait_until(lambda: is_in(sessions, world, first, DayPlanState.DRAFT))
        with acting_for(sessions, world.agency) as session:
            # Those of this test too: its pool finds new ones by itself, as the worker has to.
            everybody_else = "datname = current_database() and pid <> pg_backend_pid() and usename = current_user"
            session.execute(sa.text(f"select pg_terminate_backend(pid) from pg_stat_activity where {everybody_else}"))
        second = ask(sessions, world, seconds=60, iterations=20)
        wait_until(lambda: is_in(sessions, world, second, DayPlanState.DRAFT))
    assert is_in(sessions, world, first, DayPlanState.DROPPED)
