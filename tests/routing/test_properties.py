"""What must hold on any day, whatever it mixes."""

from dataclasses import replace

from hypothesis import HealthCheck, assume, given, settings

from routing.checking import faults
from routing.format import plan_from_json, plan_to_json, problem_from_json, problem_to_json
from routing.plan import Plan
from routing.problem import Problem
from routing.solver import Limits, solve
from tests.routing.days import days
from tests.routing.insertions import cheaper_insertions

FEW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
BRIEF = Limits(iterations=40, threads=1, seed=7)


@FEW
@given(days())
def test_the_plan_of_any_day_has_no_fault(problem: Problem) -> None:
    assert faults(problem, solve(problem, BRIEF)) == []


@FEW
@given(days())
def test_a_day_and_its_plan_come_back_from_their_json(problem: Problem) -> None:
    plan = solve(problem, BRIEF)
    assert problem_from_json(problem_to_json(problem)) == problem
    assert plan_from_json(plan_to_json(plan)) == _rounded(plan)


def _rounded(plan: Plan) -> Plan:
    return replace(plan, seconds=round(plan.seconds, 3))


@FEW
@given(days())
def test_no_task_is_left_out_that_fits_as_things_stand_and_pays(problem: Problem) -> None:
    assume(len(problem.travel.matrices) == 1)
    assert cheaper_insertions(problem, solve(problem, BRIEF)) == []
