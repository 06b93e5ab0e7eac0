import json
from pathlib import Path

import pytest

from routing.__main__ import main
from routing.checking import faults
from routing.format import plan_from_json, problem_to_document, problem_to_json
from routing.options import options_for, put
from tests.routing.worlds import crew, street, task

DAY = street(task("a", 3), task("b", 4))


@pytest.fixture
def day(tmp_path: Path) -> Path:
    path = tmp_path / "problem.json"
    path.write_text(problem_to_json(DAY))
    return path


def solve(day: Path, *options: str) -> int:
    return main(
        ["solve", str(day), "--iterations", "50", "--threads", "1", "-o", str(day.with_name("plan.json")), *options]
    )


def test_solve_writes_a_plan_that_check_accepts(day: Path) -> None:
    assert solve(day) == 0
    plan = day.with_name("plan.json")
    assert faults(DAY, plan_from_json(plan.read_text())) == []
    assert main(["check", str(day), str(plan)]) == 0


def test_check_prints_each_fault_on_a_line(day: Path, capsys: pytest.CaptureFixture[str]) -> None:
    solve(day)
    plan = day.with_name("plan.json")
    plan.write_text(json.dumps(json.loads(plan.read_text()) | {"cost": 1, "mandatory_left": 2}))
    assert main(["check", str(day), str(plan)]) == 1
    assert [line.split(": ")[1] for line in capsys.readouterr().out.splitlines()] == [
        "mandatory_left_wrong",
        "cost_wrong",
    ]


def test_an_invalid_problem_is_told_with_its_path(day: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = problem_to_document(DAY)
    document["tasks"][1]["service_s"] = 1.5  # type: ignore[index]
    day.write_text(json.dumps(document))
    assert solve(day) == 2
    assert capsys.readouterr().err == "tasks[1].service_s: must be a whole number, not 1.5\n"


def test_what_cannot_be_read_is_told(day: Path, tmp_path: Path) -> None:
    assert main(["solve", str(tmp_path / "nothing.json")]) == 2
    assert main(["check", str(day), str(tmp_path / "nothing.json")]) == 2
    assert main(["check", str(day), str(day)]) == 2


def test_a_day_that_the_reference_cannot_model_is_told(day: Path) -> None:
    document = problem_to_document(DAY)
    document["prices"]["wait"] = 1  # type: ignore[index]
    day.write_text(json.dumps(document))
    assert solve(day, "--engine", "ortools") == 2


def test_solve_tells_what_would_help_and_explain_tells_it_again(day: Path) -> None:
    day.write_text(problem_to_json(street(task("a", 3), task("far", 5, value_s=2_399))))
    assert solve(day) == 0
    plan, again = day.with_name("plan.json"), day.with_name("again.json")
    (left,) = plan_from_json(plan.read_text()).unserved
    assert left.remedy is not None
    assert left.remedy.change.startswith("worth value_s=")
    assert main(["explain", str(day), str(plan), "-o", str(again)]) == 0
    assert again.read_text() == plan.read_text()


def test_options_prints_a_line_an_option(day: Path, capsys: pytest.CaptureFixture[str]) -> None:
    day.write_text(problem_to_json(street(task("a", 3), task("far", 5, value_s=2_399))))
    solve(day)
    assert main(["options", str(day), str(day.with_name("plan.json")), "far"]) == 0
    assert [line.split("\t")[3:] for line in capsys.readouterr().out.splitlines()] == [["+1", "-"], ["+10001", "a"]]
    assert main(["options", str(day), str(day.with_name("plan.json")), "nobody"]) == 2


def test_options_of_a_visit_for_two_crews_name_both(day: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pair = street(task("pair", 3, crews=2, value_s=1), task("b", 4), crews=(crew("a"), crew("c")))
    day.write_text(problem_to_json(pair))
    solve(day)
    assert main(["options", str(day), str(day.with_name("plan.json")), "pair"]) == 0
    assert capsys.readouterr().out.splitlines()[0].split("\t")[0] == "a+c"


def test_a_bound_is_shown_only_where_it_holds_for_the_whole_problem(
    day: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What holds for the routes met has another name in the file, is in no other output, and goes with any change."""
    assert solve(day) == 0
    plan = plan_from_json(day.with_name("plan.json").read_text())
    assert plan.pool_bound is not None
    assert plan.bound is None
    (best, *_) = options_for(DAY, plan, "a")
    assert put(DAY, plan, best).pool_bound is None
    for command in (["check"], ["options"]):
        main([*command, str(day), str(day.with_name("plan.json")), *(["a"] if command == ["options"] else [])])
    told = capsys.readouterr()
    assert "bound" not in told.out + told.err
    claims = json.loads(day.with_name("plan.json").read_text()) | {"bound": plan.cost + 1}
    day.with_name("plan.json").write_text(json.dumps(claims))
    assert main(["check", str(day), str(day.with_name("plan.json"))]) == 1
    assert "bound_wrong" in capsys.readouterr().out


def test_a_plan_with_faults_is_not_explained(day: Path, capsys: pytest.CaptureFixture[str]) -> None:
    solve(day)
    plan = day.with_name("plan.json")
    plan.write_text(json.dumps(json.loads(plan.read_text()) | {"cost": 1}))
    assert main(["explain", str(day), str(plan)]) == 1
    assert main(["options", str(day), str(plan), "a"]) == 1
    assert "cost_wrong" in capsys.readouterr().err
