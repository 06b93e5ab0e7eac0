"""Why a visit is left out, and what would help: each reason is true, and each remedy is made and works."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from routing.changes import Change, Kind, changed
from routing.checking import faults
from routing.errors import InvalidProblem
from routing.explain import Explanation, Wishes, applied, explain, explained
from routing.plan import Plan, Reason
from routing.problem import Pin, Problem
from routing.screening import Ways, impossible
from routing.solver import Limits, solve
from tests.routing.cities import city
from tests.routing.days import days
from tests.routing.insertions import lawful_insertions
from tests.routing.worlds import HOUR, between, crew, street, task

FEW = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
BRIEF = Limits(iterations=20, threads=1, seed=7)


def solved(problem: Problem) -> Plan:
    return solve(problem, BRIEF)


def told(problem: Problem, wishes: Wishes | None = None) -> dict[str, Explanation]:
    return {one.task: one for one in explain(problem, solved(problem), wishes)}


def remedied(problem: Problem, name: str, wishes: Wishes | None = None) -> str:
    """The change that helps, which is also made and judged."""
    plan = solved(problem)
    (one,) = (each for each in explain(problem, plan, wishes) if each.task == name)
    assert one.remedy is not None
    after, better = applied(problem, plan, name, one.remedy)
    assert faults(after, better) == []
    assert name in {stop.task for route in better.routes for stop in route.stops}
    return one.remedy.change


@FEW
@given(days())
def test_a_remedy_once_applied_is_a_faultless_plan_that_serves_the_visit_at_the_cost_told(problem: Problem) -> None:
    plan = solved(problem)
    for one in explain(problem, plan):
        if one.remedy is not None:
            after, better = applied(problem, plan, one.task, one.remedy)
            served = {stop.task for route in better.routes for stop in route.stops}
            assert faults(after, better) == []
            assert one.task in served
            assert better.cost == one.remedy.cost
            assert not served & set(one.remedy.displaces)


@FEW
@given(days())
def test_every_visit_left_out_has_a_reason_that_a_slow_search_confirms(problem: Problem) -> None:
    plan = solved(problem)
    known = impossible(problem, Ways(problem.travel))
    explanations = explain(problem, plan)
    assert [one.task for one in explanations] == [left.task for left in plan.unserved]
    for one in explanations:
        if one.reason is Reason.NO_ROOM and len(problem.travel.matrices) == 1:
            asked = problem.task_by_id[one.task]
            assert asked.crews == 2 or not list(lawful_insertions(problem, plan, asked))
        if one.reason is not Reason.GROUP_TAKEN:
            possible = (Reason.NO_ROOM, Reason.NOT_WORTH_ITS_COST, Reason.QUOTA_FULL)
            assert (one.task in known) == (one.reason not in possible)
    assert faults(problem, explained(problem, plan)) == []


def test_who_can_never_go_is_told_for_each_crew() -> None:
    day = street(
        task("song", 1, requires=frozenset({"sings"}), visitors=2),
        crews=(crew("dumb"), crew("small", offers=frozenset({"sings"})), crew("late", shift=(8 * HOUR, 8 * HOUR))),
    )
    one = told(day)["song"]
    assert one.crews == {
        "dumb": Reason.NO_CREW_OFFERS,
        "small": Reason.NO_CREW_LARGE_ENOUGH,
        "late": Reason.NO_CREW_OFFERS,
    }


def test_the_visits_that_hold_the_place_are_named_with_the_price_of_pushing_one_out() -> None:
    hour = (between(8 * HOUR, 9 * HOUR),)
    day = street(
        task("dear", 1, windows=hour, service_s=1_800, value_s=9_000),
        task("cheap", 1, windows=hour, service_s=2_400, value_s=2_000),
    )
    plan = solved(day)
    (one,) = explain(day, plan)
    assert (one.reason, one.held_by) == (Reason.NO_ROOM, ("dear",))
    assert one.put_in is not None
    assert (one.put_in.displaces, one.put_in.cost - plan.cost) == (("dear",), 7_000)


def test_what_costs_more_than_it_is_worth_is_told_what_it_would_have_to_be_worth() -> None:
    day = street(task("far", 5, value_s=5_999))
    assert told(day)["far"].reason is Reason.NOT_WORTH_ITS_COST
    assert remedied(day, "far") == "worth value_s=6001"


def test_one_more_hour_helps_whom_the_shift_is_too_short_for() -> None:
    day = street(task("far", 9, value_s=30_000), crews=(crew(shift=(8 * HOUR, 11 * HOUR)),))
    assert told(day)["far"].reason is Reason.OUTSIDE_EVERY_SHIFT
    assert remedied(day, "far") == f"longer_shift crew=north from_s={8 * HOUR} until_s={12 * HOUR}"


def test_another_part_of_the_day_helps_where_the_hours_may_be_moved() -> None:
    """One hour, two visits; the afternoon is free."""
    hour = (between(8 * HOUR, 9 * HOUR),)
    day = street(*(task(name, 1, windows=hour, service_s=2_000) for name in "ab"))
    (name,) = told(day)
    assert remedied(day, name) == f"other_hours from_s={8 * HOUR} until_s={10 * HOUR}"
    afternoon = Wishes(hours={name: (between(14 * HOUR, 16 * HOUR),)})
    assert remedied(day, name, afternoon) == f"other_hours from_s={14 * HOUR} until_s={15 * HOUR}"


def test_hours_that_may_not_be_moved_are_left_alone() -> None:
    day = street(*(task(name, 1, windows=(between(8 * HOUR, 9 * HOUR),), service_s=2_000) for name in "ab"))
    (name,) = told(day)
    assert remedied(day, name, Wishes(hours={})).startswith(("longer_shift", "extra_crew"))


def test_a_skill_that_one_crew_could_be_given_helps() -> None:
    crews = (crew("near"), crew("far", start=9, end=9))
    day = street(task("song", 2, requires=frozenset({"sings, low"})), crews=crews)
    assert remedied(day, "song") == "offer crew=near skills=sings%252C%2520low"
    assert told(day, Wishes(skills=frozenset()))["song"].remedy is None


def test_more_people_help_a_crew_that_is_too_small() -> None:
    assert remedied(street(task("two", 2, visitors=2)), "two") == "more_people crew=north people=2"


def test_a_higher_limit_helps_a_crew_that_may_not_do_more() -> None:
    day = street(task("a", 1), task("b", 1), crews=(crew(max_tasks=1),))
    (name,) = told(day)
    assert remedied(day, name) == "higher_limit crew=north max_tasks=2"


def test_a_freed_pin_helps_what_is_pinned_to_the_impossible() -> None:
    pinned = task("pinned", 1, pin=Pin(crew="north", begin=(5 * HOUR, 6 * HOUR)))
    assert remedied(street(pinned), "pinned") == "free_pin part=begin"


def test_one_more_crew_is_told_where_nothing_less_helps() -> None:
    hour = (between(8 * HOUR, 9 * HOUR),)
    day = street(*(task(name, 1, windows=hour, service_s=3_000) for name in "ab"))
    (name,) = told(day)
    assert remedied(day, name, Wishes(hours={})) == "extra_crew crew=north%2B like=north"


def test_of_a_group_the_one_that_is_served_is_named_and_may_be_replaced() -> None:
    day = street(task("one", 1, group="household"), task("other", 3, group="household"))
    (one,) = explain(day, solved(day))
    assert (one.reason, set(one.held_by)) == (Reason.GROUP_TAKEN, {"one", "other"} - {one.task})
    assert one.remedy is not None
    assert one.remedy.change == "put_in"
    assert one.remedy.displaces == one.held_by


def test_a_full_day_tells_a_reason_for_every_visit_and_a_remedy_for_nearly_all() -> None:
    day = city(120, 6, seed=4)
    plan = solved(day)
    hopeless = impossible(day, Ways(day.travel))
    lost = [one for one in explain(day, plan) if one.task not in hopeless]
    assert len(lost) > 10
    assert sum(one.remedy is not None for one in lost) >= 0.8 * len(lost)


@pytest.mark.parametrize("text", ["", "fly", "offer crew", "worth value_s=much", "put_in  "])
def test_a_text_that_tells_no_change_is_refused(text: str) -> None:
    with pytest.raises(InvalidProblem):
        Change.parse(text)


@pytest.mark.parametrize("kind", list(Kind))
def test_a_change_comes_back_from_its_text(kind: Kind) -> None:
    change = Change.of(kind, crew="c 1=%", value_s=-7)
    assert Change.parse(str(change)) == change


def test_a_remedy_of_another_plan_is_refused() -> None:
    day = street(task("far", 5, value_s=5_999))
    plan = solved(day)
    (one,) = explain(day, plan)
    assert one.remedy is not None
    with pytest.raises(InvalidProblem):
        applied(day, plan, "far", replace(one.remedy, cost=1))


def test_windows_that_would_touch_become_one() -> None:
    day = street(task("a", 1, windows=(between(8 * HOUR, 9 * HOUR), between(15 * HOUR, 16 * HOUR))))
    wider = changed(day, "a", Change.of(Kind.OTHER_HOURS, from_s=9 * HOUR, until_s=10 * HOUR))
    assert wider.tasks[0].windows == (between(8 * HOUR, 10 * HOUR), between(15 * HOUR, 16 * HOUR))


def test_one_more_crew_is_told_where_how_long_one_works_is_limited_too() -> None:
    hour = (between(8 * HOUR, 9 * HOUR),)
    day = street(*(task(name, 1, windows=hour, service_s=3_000) for name in "ab"), crews=(crew(max_work_s=5 * HOUR),))
    (name,) = told(day)
    assert remedied(day, name, Wishes(hours={})) == "extra_crew crew=north%2B like=north"
