"""`fieldvisit plan`, as real processes: what a dispatcher without a browser does."""

import json
import re
import uuid
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from sqlalchemy.orm import Session, sessionmaker

import fieldvisit.demo
from api.cli import main
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import DayPlan
from fieldvisit.planning.publishing import publish_plan
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import DayPlanState
from routing.checking import faults
from routing.format import plan_from_json, problem_from_json
from tests.conftest import NOW
from tests.planning.worlds import ask_for_plan, drafted, make_crew, make_ready_visit
from tests.processes import call, environ, running
from tests.worlds import World, make_world

OURS = ("--organisation", "pohjola-field")
MAP = Path(fieldvisit.demo.__file__).parent / "helsinki-centre.osm.pbf"


@pytest.fixture
def world(sessions: sessionmaker[Session]) -> World:
    world = make_world(sessions)
    with acting_for_all(sessions) as session:
        make_crew(session, world, "A")
        for _ in range(2):
            make_ready_visit(session, world)
        make_ready_visit(session, world, requires=["sign_language"])
    return world


def test_a_day_is_planned_over_roads_shown_drawn_exported_judged_and_published(
    settings: Settings, sessions: sessionmaker[Session], world: World, tmp_path: Path
) -> None:
    roads = {"MAP_FILE": str(MAP)}
    with running(settings, "worker", **roads):
        made = call(settings, "plan", "make", *OURS, "--area", "centre", "--on", "2026-03-03", "--seconds", "2")
    assert made.returncode == 0, made.stderr
    plan_id = made.stdout.strip()
    shown = here(settings, "plan", "show", plan_id, *OURS, "--stops")
    assert "No crew has what it needs: it needs sign language" in re.sub(r"\s+", " ", shown.stdout)
    assert len(re.findall(r"V-\d{5} +│ Aleksanterinkatu \d+, Helsinki", shown.stdout)) == 2
    page = tmp_path / "plan.html"
    assert here(settings, "plan", "picture", plan_id, *OURS, "-o", str(page), **roads).exit_code == 0
    assert "road travel times from the map" in page.read_text("utf-8")
    folder = tmp_path / "open"
    assert here(settings, "plan", "export", plan_id, *OURS, "--to", str(folder)).exit_code == 0
    problem, plan = ((folder / f"{name}.json").read_text("utf-8") for name in ("problem", "plan"))
    assert faults(problem_from_json(problem), plan_from_json(plan)) == []
    judged = here(settings, "plan", "check", plan_id, *OURS, LANG="zh_CN.UTF-8")
    assert (judged.exit_code, judged.stdout) == (0, "未发现错误。\n")
    published = here(settings, "plan", "publish", plan_id, *OURS)
    assert (published.exit_code, published.stdout) == (0, "Published as version 1.\n")
    again = here(settings, "plan", "publish", plan_id, *OURS)
    assert (again.exit_code, again.stderr) == (
        1,
        "This day plan is Published; only a draft can be published or dropped. [plan_not_draft]\n",
    )


def test_a_plan_that_fails_ends_the_command_with_the_reason_and_leaves_the_published_one(
    settings: Settings, sessions: sessionmaker[Session], world: World
) -> None:
    published = drafted(sessions, world)
    with acting_for(sessions, world.agency) as session:
        publish_plan(session, published, published_by_id=None, now=NOW)
    with running(settings, "worker", MAP_FILE="/nowhere/city.osm.pbf"):
        made = call(settings, "plan", "make", *OURS, "--area", "centre", "--on", "2026-03-03")
    assert made.returncode == 1
    words = "The map for road travel times cannot be read. An operator has to mend the setting MAP_FILE."
    assert made.stderr.splitlines()[-1] == words
    with acting_for(sessions, world.agency) as session:
        found = session.scalars(sa.select(DayPlan).order_by(DayPlan.requested_at)).all()
        assert [plan.state for plan in found] == [DayPlanState.PUBLISHED, DayPlanState.FAILED]
        assert found[1].failure["code"] == "map_unusable"


def test_a_stored_plan_that_was_tampered_with_is_found_out(
    settings: Settings, sessions: sessionmaker[Session], world: World
) -> None:
    plan_id = drafted(sessions, world)
    with acting_for(sessions, world.agency) as session:
        plan = session.get_one(DayPlan, plan_id)
        plan.plan = json.loads(json.dumps(plan.plan)) | {"cost": 1}
    judged = here(settings, "plan", "check", str(plan_id), *OURS)
    assert judged.exit_code == 1
    assert "cost" in judged.stdout
    assert here(settings, "plan", "publish", str(plan_id), *OURS).exit_code == 1
    with acting_for(sessions, world.agency) as session:
        assert session.scalars(sa.select(DayPlan.state)).all() == [DayPlanState.DRAFT]


def test_what_is_not_there_is_told_in_one_sentence(
    settings: Settings, sessions: sessionmaker[Session], world: World
) -> None:
    nowhere = here(settings, "plan", "make", *OURS, "--area", "harbour", "--on", "2026-03-03")
    assert (nowhere.exit_code, nowhere.stderr.endswith("[not_found]\n")) == (1, True)
    unknown = here(settings, "plan", "show", str(uuid.uuid4()), *OURS)
    assert (unknown.exit_code, unknown.stderr.endswith("[not_found]\n")) == (1, True)
    with acting_for(sessions, world.agency) as session:
        plan_id = ask_for_plan(session, world)
    unmade = here(settings, "plan", "export", str(plan_id), *OURS, "--to", str(settings.data_folder / "open"))
    assert (unmade.exit_code, unmade.stderr.endswith("[invalid_value]\n")) == (2, True)


def here(settings: Settings, *arguments: str, **more: str) -> Result:
    """The same command in this process: what it says does not depend on where it runs."""
    return CliRunner().invoke(main, arguments, env=environ(settings, **more))
