"""A search that breeds: worth its rounds, lawful whatever the day holds, the same every time."""

from dataclasses import replace

from hypothesis import given, settings

from routing.campaign import ROUNDS_TO_BREED, Campaign, Reporter
from routing.checking import faults
from routing.improve.flat import flat
from routing.limits import Limits, Progress
from routing.problem import Problem
from routing.solver import solve
from tests.routing.cities import city
from tests.routing.days import days


def dear(breaks: bool = True) -> Problem:
    """A day whose visits each pay for their way alone: others are searched in another course."""
    problem = city(12, 3, breaks=breaks)
    return replace(problem, tasks=tuple(replace(task, value_s=90_000) for task in problem.tasks))


def limits_for(problem: Problem, threads: int) -> Limits:
    return Limits(iterations=ROUNDS_TO_BREED * max(1, len(problem.tasks)), threads=threads, seed=7)


def test_it_breeds_where_there_are_rounds_for_it_and_each_thread_makes_about_as_many_as_it_may() -> None:
    arrays, limits = flat(dear(breaks=False)), Limits(iterations=12 * ROUNDS_TO_BREED, threads=2, seed=3)
    campaign = Campaign(arrays, limits, Reporter(limits, lambda: 0.0, None, None).watch)
    outcome = campaign.search()
    assert campaign.population is not None
    assert len(campaign.population.members) >= 2
    assert 0.9 < outcome.iterations / (2 * 12 * ROUNDS_TO_BREED) < 1.3
    few = replace(limits, iterations=12 * ROUNDS_TO_BREED - 1)
    campaign = Campaign(arrays, few, Reporter(few, lambda: 0.0, None, None).watch)
    assert campaign.search().order
    assert campaign.population is None


def test_the_same_seed_and_rounds_breed_the_same_plan() -> None:
    problem = dear()
    first, second = (replace(solve(problem, limits_for(problem, 2)), seconds=0) for _ in range(2))
    assert first == second


@settings(max_examples=5, deadline=None)
@given(days())
def test_what_is_bred_is_lawful_on_any_day(problem: Problem) -> None:
    assert faults(problem, solve(problem, limits_for(problem, 1))) == []


def test_what_is_told_of_the_cost_never_rises_and_a_stopped_search_keeps_the_best() -> None:
    problem, told = dear(), list[Progress]()
    plan = solve(problem, Limits(seconds=60, threads=2), on_progress=told.append, should_stop=lambda: len(told) >= 3)
    assert [each.cost for each in told] == sorted((each.cost for each in told), reverse=True)
    assert faults(problem, plan) == []
    assert plan.cost <= told[-1].cost
