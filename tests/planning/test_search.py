"""The search in its own process: what it answers, how it fails, and that nothing of it stays behind."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
import pytest

import fieldvisit.demo
from fieldvisit.planning.child import solve_day
from fieldvisit.planning.failures import PlanFailure
from fieldvisit.planning.search import death_of, search
from fieldvisit.planning.work import Answer, Work
from routing.checking import faults
from routing.format import plan_from_document, problem_from_document
from tests.planning.worlds import work_for

MAP = Path(fieldvisit.demo.__file__).parent / "helsinki-centre.osm.pbf"
OFFICE = (60.1699, 24.9384)
FOR_EVER = {"seconds": 600, "iterations": None}


def day_of_visits(count: int = 6) -> dict[str, Any]:
    """Visits in the centre of Helsinki, one crew from the office, any time of the day."""
    return {
        "format": "fieldvisit-problem/1",
        "origin": "2026-03-03T00:00:00+02:00",
        "tasks": [{"id": f"v{n}", "location": n, "service_s": 1_200, "value_s": 3_600} for n in range(1, count + 1)],
        "crews": [{"id": "A", "start": 0, "end": 0, "shift": [30_600, 59_400]}],
    }


def work(count: int = 6, **given: Any) -> Work:
    points = [OFFICE, *((60.165 + n % 7 * 0.001, 24.93 + n % 5 * 0.002) for n in range(count))]
    return work_for(day_of_visits(count), points, **given)


def searched(work: Work, **given: Any) -> tuple[Answer, list[Mapping[str, Any]]]:
    heard: list[Mapping[str, Any]] = []

    async def tell(progress: Mapping[str, Any]) -> bool:
        heard.append(progress)
        return True

    return asyncio.run(search(work, tell, **given)), heard


def children() -> list[psutil.Process]:
    return [one for one in psutil.Process().children(recursive=True) if one.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize("map_file", [None, str(MAP)])
def test_a_day_without_visits_and_crews_has_an_empty_plan(tmp_path: Path, map_file: str | None) -> None:
    empty = day_of_visits(0) | {"crews": []}
    answer = solve_day(work_for(empty, [], map_file=map_file, graph_folder=str(tmp_path)))
    assert (answer.failure, answer.says) == (None, "")
    assert plan_from_document(answer.plan).routes == ()


def test_over_straight_lines_it_answers_a_plan_that_the_judge_accepts_and_tells_how_far_it_is() -> None:
    answer, heard = searched(work())
    assert (answer.failure, answer.travel_source) == (None, "geodesic, detour 1.35, 7 m/s")
    assert answer.paths is not None
    problem, plan = problem_from_document(answer.problem), plan_from_document(answer.plan)
    assert faults(problem, plan) == []
    assert sum(len(route.stops) for route in plan.routes) == 6
    assert set(heard[0]) == {"seconds", "iterations", "cost", "served", "unserved"}
    stops = [problem.task_by_id[stop.task].location for stop in plan.routes[0].stops]
    points = work().points
    assert answer.paths == {"A": [[lon, lat] for lat, lon in (points[index] for index in (0, *stops, 0))]}


def test_over_roads_it_follows_them_and_a_point_without_a_road_is_left_out_for_that(tmp_path: Path) -> None:
    there = work(5)
    at_sea = Work(**{**asdict(there), "points": [*there.points[:-1], (60.05, 24.95)]})
    answer, _ = searched(Work(**{**asdict(at_sea), "map_file": str(MAP), "graph_folder": str(tmp_path)}))
    assert (answer.failure, answer.travel_source) == (None, "osrm")
    plan = plan_from_document(answer.plan)
    assert [(one.task, one.reason.value) for one in plan.unserved] == [("v5", "unreachable")]
    assert answer.set_aside == {"v5": "off_road"}
    assert answer.paths is not None
    assert len(answer.paths["A"]) > 20
    assert all(24.8 < lon < 25.1 and 60.1 < lat < 60.3 for lon, lat in answer.paths["A"])


@pytest.mark.long
def test_in_busy_hours_drives_take_longer_and_the_judge_knows() -> None:
    calm = searched(work())[0]
    busy = searched(Work(**{**asdict(work()), "busy_hours": [(0, 86_400, 2.0)]}))[0]
    assert calm.plan is not None
    assert busy.plan is not None
    travel = [sum(route["travel_s"] for route in answer["routes"]) for answer in (calm.plan, busy.plan)]
    assert travel[1] == 2 * travel[0]
    assert faults(problem_from_document(busy.problem), plan_from_document(busy.plan)) == []


@pytest.mark.long
def test_the_same_seed_and_iterations_give_the_same_plan() -> None:
    first, second = (searched(work(12, seed=7, iterations=50))[0].plan for _ in range(2))
    assert first is not None
    assert second is not None
    assert (first["routes"], first["cost"]) == (second["routes"], second["cost"])


@pytest.mark.parametrize("content", [None, b"no map at all"], ids=["gone", "no map"])
def test_a_map_that_cannot_be_used_is_a_failure_with_its_reason(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "city.osm.pbf"
    if content is not None:
        file.write_bytes(content)
    answer, _ = searched(work(map_file=str(file), graph_folder=str(tmp_path / "roads")))
    assert answer.failure is PlanFailure.MAP_UNUSABLE
    assert answer.plan is None
    assert answer.says != ""


def test_a_day_that_is_no_problem_is_refused_with_the_path_of_what_is_wrong() -> None:
    wrong = work()
    wrong.document["crews"][0]["shift"] = [59_400, 30_600]
    answer, _ = searched(wrong)
    assert (answer.failure, "crews[0].shift" in answer.says) == (PlanFailure.PROBLEM_REFUSED, True)


def test_a_search_that_needs_more_memory_than_it_may_take_is_a_failure_and_nothing_else() -> None:
    answer, _ = searched(work(memory_mb=512))
    assert answer.failure is PlanFailure.OUT_OF_MEMORY


@pytest.mark.parametrize(
    ("last", "why"),
    [
        ("MemoryError", PlanFailure.OUT_OF_MEMORY),
        ("Traceback (most recent call last):", PlanFailure.OUT_OF_MEMORY),
        ("KeyError: 'travel'", PlanFailure.SEARCH_DIED),
        ("", PlanFailure.SEARCH_DIED),
    ],
)
def test_the_last_line_tells_why_a_search_died(last: str, why: PlanFailure) -> None:
    assert death_of(last) is why


def test_a_search_that_outstays_its_time_is_ended() -> None:
    answer, _ = searched(work(40, **FOR_EVER | {"seconds": 1}), spare_s=-0.9)
    assert (answer.failure, children()) == (PlanFailure.SEARCH_TIMED_OUT, [])


def first_word(then: Callable[[], Any]) -> tuple[Answer, int]:
    """Search for ever, and do this at the first word of progress, each time there is one."""
    count = 0

    async def tell(progress: Mapping[str, Any]) -> bool:
        nonlocal count
        count += 1
        return then() is None

    return asyncio.run(search(work(60, **FOR_EVER), tell)), count


def test_a_search_that_is_killed_is_a_failure_with_its_exit_code() -> None:
    answer, _ = first_word(lambda: [os.kill(child.pid, signal.SIGKILL) for child in children()] and None)
    assert (answer.failure, answer.says) == (PlanFailure.SEARCH_DIED, "exit code -9.")


def test_a_search_that_nobody_waits_for_any_more_is_called_off_at_its_next_word() -> None:
    answer, count = first_word(lambda: "enough")
    assert (answer.called_off, count, children()) == (True, 1, [])


def test_a_search_ends_with_its_parent() -> None:
    """The worker's end is the end of the child's standard input, whatever ended the worker."""
    child = subprocess.Popen(
        [sys.executable, "-m", "fieldvisit.planning.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert child.stdin is not None
    assert child.stderr is not None
    child.stdin.write(json.dumps(asdict(work(60, **FOR_EVER))).encode() + b"\n")
    child.stdin.flush()
    assert b"progress" in child.stderr.readline()
    child.stdin.close()
    assert child.wait(timeout=60) == -signal.SIGKILL
    child.stderr.close()
