"""What the judge finds, in the reader's words."""

import json
from pathlib import Path

import pytest

from fieldvisit.languages import LANGUAGES, say
from fieldvisit.planning.faults import WORDS, fault_words
from fieldvisit.planning.judging import PlanFaulty, demand_faultless
from routing.checking import Fault, faults
from routing.format import plan_from_document, problem_from_document

# Each kind of fault that the judge knows has a plan there; tests/routing/test_checking.py sees to it.
GOLDEN = Path(__file__).parents[1] / "routing" / "format"


def golden_faults() -> list[Fault]:
    cases = [json.loads(path.read_text()) for path in sorted(GOLDEN.glob("*.json"))]
    return [
        fault
        for case in cases
        for fault in faults(problem_from_document(case["problem"]), plan_from_document(case["plan"]))
    ]


def test_the_judge_knows_no_fault_without_words_and_no_words_are_for_nothing() -> None:
    assert sorted({fault.code for fault in golden_faults()}) == sorted(WORDS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_name_nobody_who_is_not_there(language: str) -> None:
    said = [say(fault_words(fault), language) for fault in golden_faults()]
    assert [line for line in said if "None" in line or "{" in line] == []


def test_a_fault_is_told_with_its_place_and_its_code() -> None:
    fault = Fault(code="break_missing", path="routes[0]", says="the route meets the break's window from 3", crew="A")
    assert [say(fault_words(fault), language) for language in LANGUAGES] == [
        "routes[0]: Crew A gets no break. [break_missing]",
        "routes[0]：小组 A 没有休息。 [break_missing]",
    ]


def test_a_refused_plan_tells_its_faults_in_the_readers_language() -> None:
    case = json.loads((GOLDEN / "cost-wrong.json").read_text())
    with pytest.raises(PlanFaulty) as refused:
        demand_faultless(case["problem"], case["plan"])
    assert [say(refused.value, language) for language in LANGUAGES] == [
        "The plan breaks its own rules: cost: The cost is not what the plan costs. [cost_wrong]",
        "该计划违反自身规则：cost：计划的成本与实际计算不符。 [cost_wrong]",
    ]
    assert str(refused.value) == say(refused.value, "en")
