import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime
from typing import Any

import pytest

from routing.errors import InvalidPlan, InvalidProblem
from routing.format import (
    plan_from_json,
    plan_to_document,
    plan_to_json,
    problem_from_document,
    problem_from_json,
    problem_to_document,
    problem_to_json,
)
from routing.plan import Plan, Reason, Remedy, Route, Stop, Unserved
from routing.problem import Crew, Prices, Quota, Task, Travel
from tests.routing.worlds import crew, everything, street

PLAN = Plan(
    cost=10**12,
    mandatory_left=1,
    bound=None,
    pool_bound=7,
    routes=(
        Route(
            crew="c",
            depart_s=0,
            return_s=9,
            travel_s=4,
            wait_s=5,
            break_begin_s=2,
            stops=(Stop(task="t", arrive_s=1, begin_s=2, end_s=3),),
        ),
    ),
    unserved=(
        Unserved(task="u", reason=Reason.NO_ROOM, detail=("t",)),
        Unserved(task="w", reason=Reason.OVER_LIMIT, detail={"c": "over_limit"}),
        Unserved(task="x", reason=Reason.NO_ROOM, remedy=Remedy(change="later", cost=3, displaces=("t",))),
    ),
    engine="ruin",
    seed=1,
    iterations=90,
    seconds=9.5,
)


def test_a_problem_comes_back_from_its_json_as_it_was() -> None:
    assert problem_from_json(problem_to_json(everything())) == everything()


def test_the_origin_keeps_its_offset() -> None:
    document = problem_to_document(everything()) | {"origin": "2026-03-02T00:00:00+08:00"}
    assert problem_from_document(document).origin == datetime.fromisoformat("2026-03-02T00:00:00+08:00")
    assert problem_to_document(problem_from_document(document))["origin"] == "2026-03-02T00:00:00+08:00"


def test_a_plan_comes_back_from_its_json_as_it_was() -> None:
    assert plan_from_json(plan_to_json(PLAN)) == PLAN


def test_keys_with_defaults_may_be_left_out() -> None:
    document: dict[str, Any] = {
        "format": "fieldvisit-problem/1",
        "travel": {"seconds": [[0]]},
        "tasks": [{"id": "t", "location": 0, "service_s": 0}],
        "crews": [{"id": "c", "start": 0, "shift": [0, 0]}],
    }
    written = problem_to_document(problem_from_document(document))
    assert problem_from_document(written) == problem_from_document(document)


def places(value: object, path: str = "") -> Iterator[tuple[str, list[str | int]]]:
    """Every field of a document with the keys that lead to it; of a matrix or other list only the first item."""
    if isinstance(value, dict):
        for key, inner in value.items():
            below = f"{path}.{key}" if path else key
            yield below, [key]
            yield from ((found, [key, *keys]) for found, keys in places(inner, below))
    elif isinstance(value, list) and value:
        yield f"{path}[0]", [0]
        yield from ((found, [0, *keys]) for found, keys in places(value[0], f"{path}[0]"))


def spoilt(document: Any, keys: list[str | int], wrong: object) -> Any:
    document = copy.deepcopy(document)
    inner = document
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = wrong
    return document


FULL = problem_to_document(everything()) | {"origin": "2026-03-02T00:00:00+08:00"}
FULL["tasks"] = [FULL["tasks"][1] | {"windows": [[1, 9999999]]}]  # type: ignore[index]
FLAGS = {"tasks[0].mandatory"}


@pytest.mark.parametrize(
    ("path", "keys"), list(places(FULL)), ids=lambda value: value if isinstance(value, str) else ""
)
@pytest.mark.parametrize("wrong", [True, 1.0, "", 10**9 + 1, -(10**9) - 1, {"strange": 1}, [[[]]], "NaN"], ids=repr)
def test_each_field_that_is_wrong_is_refused_with_its_path(path: str, keys: list[str | int], wrong: object) -> None:
    if (path in FLAGS and wrong is True) or (wrong == "NaN" and isinstance(_value(FULL, keys), str)):
        return
    with pytest.raises(InvalidProblem) as refused:
        problem_from_document(spoilt(FULL, keys, wrong))
    assert refused.value.path.startswith(path)


def test_no_field_of_the_format_is_missing_among_those_that_are_spoilt() -> None:
    assert [path for path, keys in places(FULL) if _value(FULL, keys) in (None, [], {})] == []
    document: Any = FULL
    for value, written in ((Task, document["tasks"][0]), (Crew, document["crews"][0]), (Prices, document["prices"])):
        assert {field.name.rstrip("_") for field in fields(value)} == set(written)
    assert {field.name for field in fields(Quota)} == set(document["quotas"][0])
    assert {field.name for field in fields(Travel)} == {*document["travel"], "seconds"}


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("travel.seconds", "0"),
        ("travel.seconds[0]", [0]),
        ("travel.seconds[0]", [[0, 1]]),
        ("travel.seconds[1]", [[0, 1], [1]]),
        ("travel.seconds[1]", [[0, 1], [1, 0, 2]]),
        ("travel.seconds[1]", [[0, 1], "10"]),
        ("travel.seconds[0][0]", [[None, 1], [1, 0]]),
        ("travel.seconds[1][0]", [[0, 1], [-1, 0]]),
        ("travel.seconds[1][0]", [[0, 1], [10**9 + 1, 0]]),
        ("travel.seconds[1][0]", [[0, 1], [1.0, 0]]),
        ("travel.seconds[1][0]", [[0, 1], [True, 0]]),
        ("travel.seconds[1][1]", [[0, 1], [1, 5]]),
    ],
)
def test_a_matrix_that_is_none_is_refused_with_its_place(path: str, wrong: object) -> None:
    document = FULL | {"travel": {"seconds": wrong}, "tasks": [], "crews": []}
    with pytest.raises(InvalidProblem) as refused:
        problem_from_document(document)
    assert refused.value.path == path


def _value(document: Any, keys: list[str | int]) -> object:
    for key in keys:
        document = document[key]
    return document


@pytest.mark.parametrize(
    ("path", "keys", "wrong"),
    [
        ("crews[1].id", ["crews", 1, "id"], "north"),
        ("tasks[0].location", ["tasks", 0, "location"], 10),
        ("tasks[0].location", ["tasks", 0, "location"], -1),
        ("crews[0].start", ["crews", 0, "start"], 10),
        ("crews[0].end", ["crews", 0, "end"], 10),
        ("tasks[0].pin.crew", ["tasks", 0, "pin", "crew"], "west"),
        ("tasks[0].pin", ["tasks", 0, "pin"], {}),
        ("tasks[0].pin.begin", ["tasks", 0, "pin", "begin"], [5, 4]),
        ("tasks[0].published_crew", ["tasks", 0, "published_crew"], "west"),
        ("tasks[0].windows", ["tasks", 0, "windows"], []),
        ("tasks[0].windows", ["tasks", 0, "windows"], None),
        ("tasks[0].windows[0]", ["tasks", 0, "windows"], [[5, 5]]),
        ("tasks[0].windows[0]", ["tasks", 0, "windows"], [[5, 6, 7]]),
        ("tasks[0].windows[1]", ["tasks", 0, "windows"], [[5, 6], [6, 7]]),
        ("tasks[0].windows[1]", ["tasks", 0, "windows"], [[8, 9], [5, 6]]),
        ("tasks[0].crews", ["tasks", 0, "crews"], 3),
        ("tasks[0].service_s", ["tasks", 0, "service_s"], -1),
        ("crews[0].shift", ["crews", 0, "shift"], [5, 4]),
        ("crews[0].overtime.until_s", ["crews", 0, "overtime", "until_s"], 0),
        ("crews[0].break.window", ["crews", 0, "break", "window"], [9, 9]),
        ("travel.bands[0].seconds[0]", ["travel", "bands", 0, "seconds", 0], [0]),
        ("travel.bands[0].seconds[2][2]", ["travel", "bands", 0, "seconds", 2, 2], 1),
        ("travel.bands[0].seconds[0][1]", ["travel", "bands", 0, "seconds", 0, 1], -1),
        ("travel.bands[1].from_s", ["travel", "bands", 1, "from_s"], 0),
        ("travel.metres", ["travel", "metres"], [[0]]),
        ("travel", ["travel"], {"seconds": [[0]], "bands": [{"from_s": 0, "seconds": [[0]]}]}),
        ("travel", ["travel"], {}),
        ("format", ["format"], "fieldvisit-problem/2"),
        ("prices.travel", ["prices", "travel"], -1),
        ("prices.balance_risk", ["prices", "balance_risk"], -1),
        ("quotas[0].most", ["quotas", 0, "most"], -1),
        ("quotas[1].id", ["quotas"], [{"id": "east", "most": 1}, {"id": "east", "most": 2}]),
        ("tasks[0].quotas", ["tasks", 0, "quotas"], ["west"]),
        ("tasks[0].risk", ["tasks", 0, "risk"], -1),
        ("crews[0].earning_before", ["crews", 0, "earning_before"], -1),
    ],
)
def test_each_contradiction_is_refused_with_its_path(path: str, keys: list[str | int], wrong: object) -> None:
    with pytest.raises(InvalidProblem) as refused:
        problem_from_document(spoilt(FULL, keys, wrong))
    assert refused.value.path == path


def test_two_tasks_of_one_id_are_refused() -> None:
    document = problem_to_document(everything())
    document["tasks"] = document["tasks"] * 2  # type: ignore[operator]
    with pytest.raises(InvalidProblem, match=r"tasks\[3\]\.id: 'pair' is there twice"):
        problem_from_document(document)


@pytest.mark.parametrize("text", ["", "{", "[]", "1", '{"format": NaN}', '{"tasks": [], "tasks": []}', b"\xff"])
def test_what_is_no_problem_at_all_is_refused(text: str | bytes) -> None:
    with pytest.raises(InvalidProblem):
        problem_from_json(text)


@pytest.mark.parametrize(
    ("path", "keys", "wrong"),
    [
        ("routes[0].stops[0].begin_s", ["routes", 0, "stops", 0, "begin_s"], 1.0),
        ("routes[0].stops[0].task", ["routes", 0, "stops", 0, "task"], 1),
        ("routes[0].late", ["routes", 0, "late"], 1),
        ("routes[0].depart_s", ["routes", 0, "depart_s"], None),
        ("unserved[0].reason", ["unserved", 0, "reason"], "because"),
        ("unserved[0].detail", ["unserved", 0, "detail"], "because"),
        ("unserved[2].remedy.cost", ["unserved", 2, "remedy", "cost"], "7"),
        ("cost", ["cost"], True),
        ("mandatory_left", ["mandatory_left"], -1),
        ("seconds", ["seconds"], -0.1),
        ("bound", ["bound"], 1.5),
    ],
)
def test_a_plan_that_cannot_be_read_is_refused_with_its_path(path: str, keys: list[str | int], wrong: object) -> None:
    with pytest.raises(InvalidPlan) as refused:
        plan_from_json(json.dumps(spoilt(plan_to_document(PLAN), keys, wrong)))
    assert refused.value.path == path


def test_values_made_in_the_code_are_checked_alike() -> None:
    with pytest.raises(InvalidProblem, match="there is no place 99"):
        street(crews=(crew(start=99),))


def test_the_values_the_format_and_the_judge_load_no_solver() -> None:
    script = (
        "import sys, routing.problem, routing.plan, routing.format, routing.checking\n"
        "print(sorted({'numpy', 'numba', 'ortools', 'osrm'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
