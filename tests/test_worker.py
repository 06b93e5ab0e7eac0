"""`fieldvisit worker` as a real process: what it finishes, and what becomes of its work when it ends early."""

import os
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
from fieldvisit.planning.publishing import publish_plan
from fieldvisit.planning.repairing import RepairRequest, request_repair
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import DayPlanState, VisitState
from tests.conftest import NOW
from tests.planning.worlds import drafted, make_crew, make_ready_visit, states
from tests.processes import call, running, searches_of, wait_until
from tests.worlds import TODAY, World, make_world

VISITS = 4
FOR_EVER_S = 600
SOLVES_IN_A_ROW = int(os.environ.get("SOLVES_IN_A_ROW", "1000"))
GROWTH = 24 << 20
"""What a worker's memory may grow by between the tenth part of its solves and the last: its pools fill up once."""


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


@pytest.mark.long
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


@pytest.mark.long
def test_a_worker_killed_while_it_plans_a_running_day_anew_loses_nothing_and_it_is_made_once(
    settings: Settings, sessions: sessionmaker[Session], world: World, owner: sa.Engine
) -> None:
    first = drafted(sessions, world)
    with acting_for_all(sessions) as session:
        added = make_ready_visit(session, world).id
    with acting_for(sessions, world.agency) as session:
        publish_plan(session, first, published_by_id=None, now=NOW)
        asked = RepairRequest(seconds=FOR_EVER_S, add=(added,))
        repair = request_repair(session, first, asked, by=None, now=NOW).id
        enqueue_solve(session, world.agency, repair)
    with running(settings, "worker", "--silent-s", "3") as worker:
        wait_for_search(sessions, world, repair)
        (search,) = searches_of(worker)
        worker.send_signal(signal.SIGKILL)
        wait_until(lambda: not search.is_running())
    assert is_in(sessions, world, first, DayPlanState.PUBLISHED)
    assert is_in(sessions, world, repair, DayPlanState.SOLVING)
    shorten(sessions, world, repair)
    with running(settings, "worker", "--silent-s", "3"):
        wait_until(lambda: jobs(owner) == [])
    made = plan_of(sessions, world, repair)
    assert (made.state, made.repairs_id) == (DayPlanState.DRAFT, first)
    served = [stop.visit_id for route in made.routes for stop in route.stops]
    assert len(served) == len(set(served)) == VISITS + 1
    with acting_for(sessions, world.agency) as session:
        assert sorted(states(session).values()) == [VisitState.PLANNED, *[VisitState.PUBLISHED] * VISITS]
        kinds = session.scalars(sa.select(VisitEvent.kind).where(VisitEvent.visit_id == added)).all()
        assert kinds == ["planned"]
        drafts = sa.select(sa.func.count()).where(DayPlan.state == DayPlanState.DRAFT)
        assert session.scalar(drafts) == 1


@pytest.mark.long
def test_a_thousand_days_in_a_row_leave_the_worker_as_it_was(
    settings: Settings, sessions: sessionmaker[Session], world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """No search dies, and neither the worker nor what it starts grows. `SOLVES_IN_A_ROW` says how many."""
    sizes = []
    with running(settings, "worker") as worker:
        for _ in range(SOLVES_IN_A_ROW):
            plan_id = ask(sessions, world, seconds=60, iterations=20)
            wait_for_draft(sessions, world, plan_id)
            sizes.append(worker.memory_info().rss)
            assert len(searches_of(worker)) <= 1
    early, last = sizes[len(sizes) // 10], sizes[-1]
    with capsys.disabled():
        print(f"\n{len(sizes)} solves: {early >> 20} MiB after a tenth of them, {last >> 20} MiB at the end")
    assert last - early < GROWTH
    with acting_for(sessions, world.agency) as session:
        failed = session.scalar(sa.select(sa.func.count()).where(DayPlan.state == DayPlanState.FAILED))
    assert failed == 0


def wait_for_draft(sessions: sessionmaker[Session], world: World, plan_id: uuid.UUID) -> None:
    wait_until(lambda: is_in(sessions, world, plan_id, DayPlanState.DRAFT))
