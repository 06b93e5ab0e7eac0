"""Other people's solvers, asked for a small day. What is not installed is skipped, and pytest says so."""

import importlib.util
from dataclasses import replace

import pytest

from routing.benchmark.days import DayShape, field_day
from routing.benchmark.instances import read_instance
from routing.benchmark.judged import plan_of
from routing.benchmark.peers import Ask, peers
from routing.checking import faults
from routing.errors import Unsupported
from routing.problem import Problem
from tests.routing.benchmark.files import PRIZES, SITES, SOLOMON
from tests.routing.worlds import between, crew, line, lunch, street, task

PACKAGES = {"pyvrp": "pyvrp", "vroom": "vroom"}


def _installed(name: str) -> None:
    package = PACKAGES.get(name)
    if package is not None and importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed: it comes with the extra `bench`")


def _asked(problem: Problem, seconds: float = 0.4) -> Ask:
    return Ask(problem=problem, seconds=seconds, threads=1, seed=1, processor=True)


@pytest.mark.long
@pytest.mark.parametrize("name", ["fieldvisit", "pyvrp", "vroom", "ortools"])
def test_each_solver_makes_a_lawful_plan_of_a_made_up_day(name: str) -> None:
    _installed(name)
    problem = field_day(DayShape(style="city", visits=25, seed=3))
    plan = plan_of(problem, peers()[name](_asked(problem)).orders)
    assert faults(problem, plan) == []
    assert plan.cost < sum(task.value_s for task in problem.tasks) / 2


@pytest.mark.long
@pytest.mark.parametrize("name", ["fieldvisit", "pyvrp", "ortools"])
def test_each_solver_finds_the_best_of_two_visits_with_prizes(name: str) -> None:
    """Both fit into two vehicles; the far one's prize of 210 pays its 200, the near one's 90 does not pay its 100."""
    _installed(name)
    problem = read_instance(PRIZES, "pcvrptw")
    assert plan_of(problem, peers()[name](_asked(problem)).orders).cost == 290


@pytest.mark.long
@pytest.mark.parametrize("name", ["fieldvisit", "pyvrp", "vroom"])
@pytest.mark.parametrize(("text", "family", "cost"), [(SOLOMON, "solomon", 300), (SITES, "sdvrptw", None)])
def test_each_solver_reads_a_public_instance_alike(name: str, text: str, family: str, cost: int | None) -> None:
    _installed(name)
    problem = read_instance(text, family)
    if name == "vroom" and family == "sdvrptw":
        pytest.skip("VROOM has no limit of work")
    plan = plan_of(problem, peers()[name](_asked(problem)).orders)
    assert (faults(problem, plan), plan.mandatory_left) == ([], 0)
    assert cost is None or plan.cost == cost


@pytest.mark.long
def test_the_other_window_of_a_visit_is_a_client_of_its_own_to_pyvrp() -> None:
    _installed("pyvrp")
    late = task("late", 3, windows=(between(0, 600), between(60_000, 61_000)))
    split = task("split", 2, windows=(between(28_800, 30_000), between(40_000, 50_000)))
    problem = street(late, split, task("mate", 4, group="g"), task("twin", 9, group="g"))
    answer = peers()["pyvrp"](_asked(problem))
    assert sorted(answer.orders["north"]) == ["mate", "split"]
    assert answer.trace[-1][1] == plan_of(problem, answer.orders).cost


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("pyvrp", street(task("a", 1), crews=(crew(break_=lunch()),))),
        ("vroom", street(task("a", 1, group="g"))),
        ("ortools", street(task("a", 1, crews=2))),
    ],
)
def test_a_peer_refuses_what_it_cannot_model(name: str, problem: Problem) -> None:
    _installed(name)
    with pytest.raises(Unsupported):
        peers()[name](_asked(problem))


def test_an_order_without_a_lawful_clock_is_left_out_and_costs_what_it_leaves() -> None:
    early, late = task("early", 9, windows=(between(0, 35_000),)), task("late", 9, windows=(between(60_000, 70_000),))
    problem = street(early, late)
    assert plan_of(problem, {"north": ("late", "early")}).cost == 20_000


def test_a_judged_plan_leaves_as_late_as_its_return_allows() -> None:
    visit = task("a", 1, windows=(between(36_000, 40_000),))
    problem = replace(street(visit), crews=(crew(max_work_s=2_000),), travel=replace(street().travel, seconds=line(2)))
    (route,) = plan_of(problem, {"north": ("a",)}).routes
    assert (route.depart_s, route.wait_s) == (35_400, 0)
