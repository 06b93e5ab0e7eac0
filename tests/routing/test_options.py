"""Where one task could go: what an option promises is what the plan is once the task is put there."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from routing.checking import faults
from routing.errors import InvalidProblem
from routing.options import Shift, options_for, put
from routing.plan import Plan, Reason, Unserved
from routing.pricing import mandatory_left, plan_price
from routing.problem import Prices, Problem
from routing.solver import Limits, solve
from tests.routing.cities import city
from tests.routing.days import days
from tests.routing.insertions import lawful_insertions
from tests.routing.worlds import HOUR, between, crew, lunch, street, task

FEW = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
BRIEF = Limits(iterations=20, threads=1, seed=7)


def solved(problem: Problem) -> Plan:
    return solve(problem, BRIEF)


def served_by(plan: Plan, name: str) -> set[str]:
    return {route.crew for route in plan.routes for stop in route.stops if stop.task == name}


@FEW
@given(days())
def test_an_option_costs_what_the_plan_costs_once_the_task_is_put_there_and_breaks_no_rule(problem: Problem) -> None:
    plan = solved(problem)
    for one in problem.tasks:
        for option in options_for(problem, plan, one.id):
            after = put(problem, plan, option)
            assert faults(problem, after) == []
            assert (after.mandatory_left, after.cost) == option.rank
            assert option.cost == plan_price(problem, after.routes)
            assert served_by(after, one.id) == {option.crew, option.partner} - {None}
            assert not any(served_by(after, name) for name in option.displaces)


@FEW
@given(days())
def test_the_best_place_beside_the_others_is_that_of_a_slow_search(problem: Problem) -> None:
    if len(problem.travel.matrices) > 1:
        return
    plan = solved(problem)
    for left in plan.unserved:
        slow = [
            (mandatory_left(problem, routes), plan_price(problem, routes))
            for routes in lawful_insertions(problem, plan, problem.task_by_id[left.task])
        ]
        closed = left.reason in (Reason.GROUP_TAKEN, Reason.QUOTA_FULL)
        if slow and not closed and problem.task_by_id[left.task].crews == 1:
            fast = [o.rank for o in options_for(problem, plan, left.task, most=100) if not o.displaces]
            assert min(fast) <= min(slow)


def test_an_urgent_visit_goes_where_it_costs_least_and_everybody_who_could_take_it_is_listed() -> None:
    crews = (crew("near", start=1, end=1), crew("far", start=9, end=9), crew("closed", shift=(0, HOUR)))
    day = street(task("urgent", 2, windows=(between(9 * HOUR, 10 * HOUR),)), crews=crews)
    standing = Plan(cost=10_000, mandatory_left=0)
    found = options_for(day, standing, "urgent")
    assert [(option.crew, option.cost, option.displaces) for option in found] == [
        ("near", 1_200, ()),
        ("far", 8_400, ()),
    ]


def test_the_knock_on_names_who_comes_at_another_time() -> None:
    nine = (between(9 * HOUR, 9 * HOUR + 600),)
    day = street(task("fixed", 1, windows=nine), task("later", 4), task("urgent", 2))
    best = options_for(day, without(day, "urgent"), "urgent")[0]
    assert (best.crew, best.place, best.begin_s) == ("north", 1, 9 * HOUR + 1_200)
    drives_past, with_a_stop = 9 * HOUR + 600 + 1_800, 9 * HOUR + 600 + 1_800 + 600
    assert best.shifts == (Shift(task="later", before_s=drives_past, after_s=with_a_stop),)


def test_where_there_is_no_room_the_one_that_has_to_go_is_named_and_told_why() -> None:
    morning = (between(8 * HOUR, 9 * HOUR),)
    day = street(task("dear", 1, windows=morning, value_s=9_000), task("cheap", 1, windows=morning, value_s=2_000))
    day = replace(day, tasks=(replace(day.tasks[0], service_s=1_800), replace(day.tasks[1], service_s=2_400)))
    plan = solved(day)
    (option,) = options_for(day, plan, "cheap")
    assert (option.displaces, option.cost - plan.cost) == (("dear",), 7_000)
    (left,) = put(day, plan, option).unserved
    assert (left.task, left.reason) == ("dear", Reason.NO_ROOM)


def test_a_mandatory_visit_is_not_pushed_out_for_one_that_is_not() -> None:
    hour = (between(8 * HOUR, 9 * HOUR),)
    day = street(
        task("must", 1, windows=hour, service_s=3_000, mandatory=True, value_s=0),
        task("may", 1, windows=hour, service_s=3_000),
    )
    assert options_for(day, solved(day), "may") == ()
    assert [o.displaces for o in options_for(day, without(day, "must"), "must")] == [("may",)]


def without(day: Problem, name: str) -> Plan:
    """The plan of the day in which nobody has thought of this one."""
    plan = solved(replace(day, tasks=tuple(each for each in day.tasks if each.id != name)))
    left = (*plan.unserved, Unserved(task=name, reason=Reason.NO_ROOM))
    missed = mandatory_left(day, plan.routes)
    return replace(plan, cost=plan_price(day, plan.routes), mandatory_left=missed, unserved=left)


def test_a_visit_that_is_planned_already_is_shown_the_places_it_could_move_to() -> None:
    day = street(task("here", 2), crews=(crew("a"), crew("b", start=5, end=5)), prices=Prices(travel=1, change=500))
    day = replace(day, tasks=(replace(day.tasks[0], published_crew="a"),))
    plan = solved(day)
    found = options_for(day, plan, "here")
    assert [(option.crew, option.cost - plan.cost, option.emptied) for option in found] == [
        ("a", 0, ()),
        ("b", 3_600 - 2_400 + 500, ("a",)),
    ]


def test_of_a_group_one_takes_the_place_of_the_other() -> None:
    day = street(task("one", 1, group="household"), task("other", 3, group="household"))
    plan = solved(day)
    served = next(name for name in ("one", "other") if served_by(plan, name))
    other = ({"one", "other"} - {served}).pop()
    (option,) = options_for(day, plan, other)
    assert option.displaces == (served,)
    assert [left.reason for left in put(day, plan, option).unserved] == [Reason.GROUP_TAKEN]


def test_the_break_is_kept_by_every_option() -> None:
    day = street(task("a", 3), task("b", 5), task("urgent", 4), crews=(crew(break_=lunch()),))
    plan = without(day, "urgent")
    found = options_for(day, plan, "urgent")
    assert [option.displaces for option in found] == [(), ("b",), ("a",)]
    assert [faults(day, put(day, plan, option)) for option in found] == [[]] * 3


def test_what_nobody_may_do_has_no_option() -> None:
    day = street(task("song", 1, requires=frozenset({"sings"})))
    assert options_for(day, solved(day), "song") == ()


def test_an_unknown_task_is_refused() -> None:
    day = street(task("a", 1))
    with pytest.raises(InvalidProblem):
        options_for(day, solved(day), "nobody")


def test_a_large_day_offers_ten_options_and_all_of_them_hold() -> None:
    day = city(120, 12, seed=4)
    plan = solved(day)
    found = options_for(day, plan, plan.routes[0].stops[0].task)
    assert len(found) == 10
    assert [option.cost for option in found] == sorted(option.cost for option in found)
    assert [faults(day, put(day, plan, option)) for option in found] == [[]] * 10
