"""The last look of a search: no pair is left out for which two routes as they stand have room, if it pays."""

from dataclasses import replace

from routing.checking import faults
from routing.limits import Limits
from routing.plan import Plan
from routing.problem import Prices, Problem, Quota
from routing.solver import solve
from tests.routing.worlds import HOUR, between, crew, lunch, street, task

EIGHT = 8 * HOUR
BRIEF = Limits(iterations=5, threads=1)


def begins_of(plan: Plan, name: str) -> list[tuple[str, int]]:
    return [(route.crew, stop.begin_s) for route in plan.routes for stop in route.stops if stop.task == name]


def rested_first() -> Problem:
    """One crew rests before it drives to the pair's door: nobody could be there first at the only begins."""
    pair = task("pair", 1, crews=2, windows=(between(EIGHT, EIGHT + 3_300),))
    rests = crew("a", break_=lunch(EIGHT, EIGHT + 2_700, 1_800))
    return street(pair, crews=(rests, crew("b", start=4, end=4, shift=(EIGHT + 360, 17 * HOUR))))


def test_two_crews_meet_where_one_of_them_comes_from_its_break() -> None:
    problem = rested_first()
    plan = solve(problem, BRIEF)
    assert begins_of(plan, "pair") == [("a", EIGHT + 2_400), ("b", EIGHT + 2_400)]
    assert faults(problem, plan) == []


def test_a_pair_is_not_put_in_at_a_loss_nor_beyond_its_quota() -> None:
    problem = rested_first()
    worth = 2 * 600 + 2 * 1_800
    cheap, dear = (replace(problem, tasks=(replace(problem.tasks[0], value_s=worth + more),)) for more in (0, 1))
    assert (begins_of(solve(cheap, BRIEF), "pair"), len(begins_of(solve(dear, BRIEF), "pair"))) == ([], 2)
    counted = (replace(problem.tasks[0], quotas=frozenset({"east"})),)
    full = replace(problem, tasks=counted, quotas=(Quota(id="east", most=0),))
    assert begins_of(solve(full, BRIEF), "pair") == []


def test_where_waiting_has_a_price_they_meet_when_it_costs_least() -> None:
    """The stop behind it opens at eleven: whoever comes early waits for it."""
    problem = rested_first()
    later = task("later", 2, windows=(between(11 * HOUR, 12 * HOUR),))
    open_all_day = replace(problem.tasks[0], windows=())
    problem = replace(problem, tasks=(later, open_all_day), prices=Prices(wait=1))
    plan = solve(problem, BRIEF)
    assert plan.routes
    assert sum(route.wait_s for route in plan.routes) == 0
    assert len(begins_of(plan, "pair")) == 2
