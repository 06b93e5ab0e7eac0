"""Each file in `format/` is a small day, a plan for it, and the faults a judge must find: no more and no fewer."""

import json
from pathlib import Path

import pytest

from routing.checking import faults
from routing.format import plan_from_document, problem_from_document

FOLDER = Path(__file__).parent / "format"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_the_judge_finds_exactly_the_faults_of_the_golden_plans(path: Path) -> None:
    case = json.loads(path.read_text())
    problem, plan = problem_from_document(case["problem"]), plan_from_document(case["plan"])
    found = [{"code": fault.code, "path": fault.path} for fault in faults(problem, plan)]
    assert found == case["faults"]


def test_every_kind_of_fault_has_a_golden_plan() -> None:
    golden = {fault["code"] for path in FOLDER.glob("*.json") for fault in json.loads(path.read_text())["faults"]}
    sources = Path(__file__).parents[2] / "routing" / "checking"
    written = "".join(path.read_text() for path in sources.glob("*.py"))
    known = {word for word in written.replace("'", '"').split('"') if word.replace("_", "").isalpha() and "_" in word}
    codes = {word for word in known if f'fault("{word}"' in written or f'code="{word}"' in written}
    assert codes == golden
