"""A day planned anew while it runs: what is frozen stays, and no more changes than may."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.checking import faults
from routing.errors import InvalidProblem
from routing.plan import Plan
from routing.problem import Pin, Problem, Quota
from routing.replan import Budget, Cut, changed_tasks, cut_at, kept_to_crews, replan
from routing.solver import Limits, solve
from tests.routing.cities import city
from tests.routing.days import HORIZON, days
from tests.routing.worlds import HOUR, between, crew, street, task

FEW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
BRIEF = Limits(iterations=30, threads=1, seed=7)


def solved(problem: Problem) -> Plan:
    return solve(problem, BRIEF)


def visits(plan: Plan) -> dict[str, str]:
    return {stop.task: route.crew for route in plan.routes for stop in route.stops}


def cut_city(seed: int = 3, *, now: int = 12 * HOUR) -> tuple[Problem, Cut]:
    day = city(60, 7, seed=seed)
    return day, cut_at(day, solved(day), now)


@FEW
@given(days(), st.integers(0, HORIZON))
def test_what_is_frozen_is_never_moved_and_what_is_left_is_planned_without_a_fault(problem: Problem, now: int) -> None:
    plan = solved(problem)
    cut = cut_at(problem, plan, now)
    awaited = {task.id for task in cut.problem.tasks if task.crews < problem.task_by_id[task.id].crews}
    frozen = {stop.task for stops in cut.done.values() for stop in stops} - awaited
    for crew_id, stops in cut.done.items():
        (route,) = (route for route in plan.routes if route.crew == crew_id)
        assert stops == route.stops[: len(stops)]
    found = replan(cut.problem, Budget(price=300, most=1), BRIEF, solve)
    assert faults(found.problem, found.plan) == []
    assert not frozen & set(visits(found.plan))
    for route in found.plan.routes:
        assert route.depart_s >= now
        done = cut.done.get(route.crew, ())
        assert not done or route.depart_s >= done[-1].end_s


def test_without_a_reason_nothing_changes_hands() -> None:
    _, cut = cut_city()
    found = replan(cut.problem, Budget(price=100_000), BRIEF, solve)
    assert (found.changed, found.within) == ((), True)


def test_no_more_visits_change_hands_than_may() -> None:
    """A crew falls ill at noon: its visits have to go elsewhere, and nobody else's."""
    _, cut = cut_city()
    ill = max(cut.problem.crews, key=lambda each: sum(t.published_crew == each.id for t in cut.problem.tasks))
    theirs = [each.id for each in cut.problem.tasks if each.published_crew == ill.id]
    day = replace(
        cut.problem,
        crews=tuple(replace(c, shift=(c.shift[0], c.shift[0])) if c.id == ill.id else c for c in cut.problem.crews),
    )
    found = replan(day, Budget(price=0, most=len(theirs)), BRIEF, solve)
    assert found.within
    assert set(theirs) <= set(found.changed)
    impossible = replan(day, Budget(price=0, most=len(theirs) - 1), BRIEF, solve)
    assert not impossible.within
    assert faults(found.problem, found.plan) == faults(impossible.problem, impossible.plan) == []


def test_the_price_of_a_change_is_in_the_cost() -> None:
    crews = (crew("a"), crew("b", start=9, end=9))
    day = street(task("near_b", 8, published_crew="a"), crews=crews)
    cheap, dear = (replan(day, Budget(price=price), BRIEF, solve) for price in (100, 50_000))
    assert (visits(cheap.plan), cheap.plan.cost, cheap.changed) == ({"near_b": "b"}, 1_200 + 100, ("near_b",))
    assert (visits(dear.plan), dear.changed) == ({"near_b": "a"}, ())


def test_an_announced_hour_is_kept_as_a_pin() -> None:
    told = task("told", 4, windows=(between(8 * HOUR, 17 * HOUR),), published_crew="north")
    day = street(replace(told, pin=kept_to_crews(street(told)).tasks[0].pin))
    later = replace(day.tasks[0], pin=replace(day.tasks[0].pin, begin=(14 * HOUR, 15 * HOUR)))  # type: ignore[type-var]
    found = replan(replace(day, tasks=(later,)), Budget(price=0), BRIEF, solve)
    assert 14 * HOUR <= found.plan.routes[0].stops[0].begin_s <= 15 * HOUR


def test_who_is_on_the_way_is_left_to_arrive() -> None:
    day = street(task("first", 2), task("second", 5))
    plan = solved(day)
    (route,) = plan.routes
    cut = cut_at(day, plan, route.depart_s + 1)
    assert cut.done == {"north": route.stops[:1]}
    assert (cut.problem.crews[0].start, cut.problem.crews[0].shift[0]) == (
        day.task_by_id[route.stops[0].task].location,
        route.stops[0].end_s,
    )
    assert changed_tasks(cut.problem, Plan(cost=0, mandatory_left=0)) == (route.stops[1].task,)


def test_who_has_set_out_to_meet_another_crew_is_not_left_alone_at_the_door() -> None:
    """One comes from far and has left; the other has a visit before, and stays free to make it or not."""
    crews = (crew("far", start=9, end=9), crew("near", start=1, end=1))
    pair = task("pair", 2, crews=2, visitors=2, windows=(between(10 * HOUR, 10 * HOUR + 600),), quotas=frozenset({"q"}))
    day = street(pair, task("before", 1, pin=Pin(crew="near")), crews=crews, quotas=(Quota(id="q", most=1),))
    plan = solved(day)
    cut = cut_at(day, plan, 9 * HOUR)
    assert {crew: [stop.task for stop in stops] for crew, stops in cut.done.items()} == {"far": ["pair"]}
    (left,) = (each for each in cut.problem.tasks if each.id == "pair")
    assert (left.crews, left.visitors, left.mandatory, left.pin) == (
        1,
        1,
        True,
        Pin(crew="near", begin=(36_000, 36_000)),
    )
    found = replan(cut.problem, Budget(price=300), BRIEF, solve)
    assert faults(found.problem, found.plan) == []
    assert [(route.crew, [stop.task for stop in route.stops]) for route in found.plan.routes] == [
        ("near", ["before", "pair"])
    ]


def test_a_budget_below_nothing_is_refused() -> None:
    for wrong in ({"price": -1}, {"price": 1, "most": -1}):
        with pytest.raises(InvalidProblem):
            Budget(**wrong)
