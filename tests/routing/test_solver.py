"""Days that a person can solve by hand, and the solver's answer to them."""

import time
from dataclasses import replace

import pytest

from routing.checking import faults
from routing.errors import InvalidProblem, Unsupported
from routing.limits import Limits, Progress
from routing.plan import Plan, Reason
from routing.problem import Band, Overtime, Pin, Prices, Problem, Travel
from routing.solver import solve
from tests.routing.worlds import HOUR, between, crew, line, lunch, street, task

LIMITS = Limits(iterations=300, threads=1, seed=1)


def plan_of(problem: Problem) -> Plan:
    return solve(problem, LIMITS)


def orders(plan: Plan) -> dict[str, list[str]]:
    return {route.crew: [stop.task for stop in route.stops] for route in plan.routes}


def reasons(plan: Plan) -> dict[str, Reason]:
    return {left.task: left.reason for left in plan.unserved}


def test_one_visit_costs_the_way_there_and_back() -> None:
    plan = plan_of(street(task("a", 3)))
    assert (plan.cost, plan.routes[0].travel_s, plan.routes[0].wait_s) == (3600, 3600, 0)


def test_the_nearer_visits_lie_on_the_way_to_the_furthest() -> None:
    plan = plan_of(street(task("far", 9), task("near", 1), task("middle", 4)))
    assert plan.cost == 2 * 9 * 600


def test_a_visit_worth_less_than_its_way_is_left_out_with_its_price() -> None:
    plan = plan_of(street(task("a", 3, value_s=3599)))
    (left,) = plan.unserved
    assert (left.reason, left.detail, plan.cost) == (
        Reason.NOT_WORTH_ITS_COST,
        {"north": "costs 3600, saves 3599"},
        3599,
    )


def test_a_mandatory_visit_is_served_at_any_cost() -> None:
    assert orders(plan_of(street(task("a", 9, value_s=0, mandatory=True)))) == {"north": ["a"]}


def test_of_two_visits_at_one_time_the_dearer_stays_and_is_named_as_the_holder() -> None:
    noon = (between(12 * HOUR, 12 * HOUR + 600),)
    plan = plan_of(street(task("dear", 9, windows=noon, value_s=90_000), task("cheap", 1, windows=noon)))
    (left,) = plan.unserved
    assert (left.task, left.reason, left.detail) == ("cheap", Reason.NO_ROOM, ("dear",))


def test_the_crew_leaves_late_enough_not_to_wait() -> None:
    plan = plan_of(street(task("a", 3, windows=(between(12 * HOUR, 13 * HOUR),))))
    assert (plan.routes[0].depart_s, plan.routes[0].wait_s) == (12 * HOUR - 1800, 0)


def test_the_second_window_is_used_when_the_first_is_taken() -> None:
    first, second = between(9 * HOUR, 9 * HOUR + 700), between(15 * HOUR, 16 * HOUR)
    plan = plan_of(street(task("a", 5, windows=(first,)), task("b", 5, windows=(first, second))))
    assert orders(plan) == {"north": ["a", "b"]}


def test_the_service_must_end_inside_the_window() -> None:
    assert reasons(plan_of(street(task("a", 1, windows=(between(9 * HOUR, 9 * HOUR + 599),))))) == {
        "a": Reason.WINDOW_TOO_SHORT
    }


def test_the_break_lies_between_the_visits_and_is_no_waiting() -> None:
    whole_day = tuple(task(f"t{n}", n, windows=(between((8 + n) * HOUR, (9 + n) * HOUR),)) for n in range(1, 7))
    plan = plan_of(street(*whole_day, crews=(crew(break_=lunch()),)))
    (route,) = plan.routes
    assert plan.unserved == ()
    assert route.break_begin_s is not None
    assert 12 * HOUR <= route.break_begin_s < 13 * HOUR


def test_a_crew_that_is_home_before_lunch_needs_no_break() -> None:
    plan = plan_of(street(task("a", 1), crews=(crew(break_=lunch()),)))
    assert plan.routes[0].break_begin_s is None


def test_an_open_route_breaks_before_its_last_visit() -> None:
    late = task("a", 1, windows=(between(12 * HOUR, 13 * HOUR),))
    plan = plan_of(street(late, crews=(crew(end=None, break_=lunch(12 * HOUR, 12 * HOUR + 60)),)))
    (route,) = plan.routes
    # Leaving when the window has closed needs no break at all.
    assert (route.depart_s >= 12 * HOUR + 60, route.travel_s) == (True, 600)


def test_an_open_end_saves_the_way_home() -> None:
    assert plan_of(street(task("a", 3), crews=(crew(end=None),))).cost == 1800


def test_only_a_crew_that_offers_the_skill_comes() -> None:
    crews = (crew("north"), crew("south", start=9, end=9, offers=frozenset({"tall"})))
    assert orders(plan_of(street(task("a", 1, requires=frozenset({"tall"})), crews=crews))) == {"south": ["a"]}


def test_nobody_offers_it() -> None:
    assert reasons(plan_of(street(task("a", 1, requires=frozenset({"tall"}))))) == {"a": Reason.NO_CREW_OFFERS}


def test_nobody_is_large_enough() -> None:
    assert reasons(plan_of(street(task("a", 1, visitors=2)))) == {"a": Reason.NO_CREW_LARGE_ENOUGH}


def test_a_pin_to_a_crew_without_the_skill_contradicts_itself() -> None:
    crews = (crew("north"), crew("south", offers=frozenset({"tall"})))
    pinned = task("a", 1, requires=frozenset({"tall"}), pin=Pin(crew="north"))
    assert reasons(plan_of(street(pinned, crews=crews))) == {"a": Reason.PIN_CONTRADICTS}


def test_a_window_after_every_shift_is_a_reason() -> None:
    late = task("a", 1, windows=(between(20 * HOUR, 21 * HOUR),))
    (left,) = plan_of(street(late)).unserved
    assert (left.reason, left.detail) == (Reason.OUTSIDE_EVERY_SHIFT, {"north": "outside_every_shift"})


def test_no_way_is_a_reason() -> None:
    cut_off = Travel(seconds=((0, None), (None, 0)))
    assert reasons(plan_of(street(task("a", 1), travel=cut_off))) == {"a": Reason.UNREACHABLE}


def test_a_way_over_another_place_is_a_way() -> None:
    # From 0 to 2 only over 1, where a visit waits.
    seconds = ((0, 60, None), (60, 0, 60), (None, 60, 0))
    plan = plan_of(street(task("a", 1), task("b", 2), task("c", 1), travel=Travel(seconds=seconds)))
    assert plan.unserved == ()
    assert orders(plan)["north"][1] == "b"


def test_a_load_over_every_capacity_is_a_reason() -> None:
    assert reasons(plan_of(street(task("a", 1, load=(3,)), crews=(crew(capacity=(2,)),)))) == {"a": Reason.OVER_LIMIT}


def test_a_full_vehicle_leaves_one_behind() -> None:
    plan = plan_of(street(task("a", 1, load=(2,)), task("b", 2, load=(2,)), crews=(crew(capacity=(3,)),)))
    assert list(reasons(plan).values()) == [Reason.NO_ROOM]


def test_limits_of_visits_travel_and_work_are_kept() -> None:
    tasks = (task("a", 1), task("b", 2), task("c", 3))
    assert len(plan_of(street(*tasks, crews=(crew(max_tasks=2),))).unserved) == 1
    assert len(plan_of(street(*tasks, crews=(crew(max_travel_s=2400),))).unserved) == 1
    assert len(plan_of(street(*tasks, crews=(crew(max_work_s=3600),))).unserved) == 1


def test_overtime_is_taken_when_it_is_worth_its_price() -> None:
    late = task("a", 1, windows=(between(17 * HOUR, 18 * HOUR),))
    paid = crew(overtime=Overtime(until_s=18 * HOUR, price=2))
    assert plan_of(street(late, crews=(paid,))).cost == 1200 + 2 * 1200
    dear = replace(paid, overtime=Overtime(until_s=18 * HOUR, price=10))
    assert reasons(plan_of(street(late, crews=(dear,)))) == {"a": Reason.NOT_WORTH_ITS_COST}


def test_of_a_group_one_is_served_and_its_mate_costs_nothing() -> None:
    plan = plan_of(street(task("far", 9, group="g"), task("near", 1, group="g")))
    assert (orders(plan), plan.cost, plan.unserved[0].detail) == ({"north": ["near"]}, 1200, ("near",))
    assert reasons(plan) == {"far": Reason.GROUP_TAKEN}


def test_two_crews_meet_at_one_door_in_the_same_second() -> None:
    crews = (crew("north"), crew("south", start=9, end=9))
    plan = plan_of(street(task("a", 3, crews=2, visitors=2, value_s=10_801), crews=crews))
    begins = {stop.begin_s for route in plan.routes for stop in route.stops}
    assert (orders(plan), len(begins)) == ({"north": ["a"], "south": ["a"]}, 1)


def test_a_meeting_of_two_crews_that_costs_too_much_is_told_with_its_price() -> None:
    crews = (crew("north"), crew("south", start=9, end=9))
    (left,) = plan_of(street(task("a", 3, crews=2, value_s=10_800), crews=crews)).unserved
    told = "costs 10800, saves 10800"
    assert (left.reason, left.detail) == (Reason.NOT_WORTH_ITS_COST, {"north": told, "south": told})


def test_two_crews_that_could_never_meet_are_a_reason() -> None:
    crews = (crew("north"), crew("south", shift=(18 * HOUR, 20 * HOUR)))
    (left,) = plan_of(street(task("a", 3, crews=2), crews=crews)).unserved
    assert left.reason is Reason.NO_ROOM


def test_a_published_crew_is_kept_when_change_has_a_price() -> None:
    crews = (crew("north"), crew("south"))
    published = task("a", 3, published_crew="south")
    for prices, cost in ((Prices(change=500), 3600), (Prices(change=0), 3600)):
        assert plan_of(street(published, crews=crews, prices=prices)).cost == cost
    assert orders(plan_of(street(published, crews=crews, prices=Prices(change=500)))) == {"south": ["a"]}


def test_the_price_of_a_crew_keeps_a_second_one_at_home() -> None:
    tasks = (task("a", 3), task("b", 4))
    crews = (crew("north"), crew("south"))
    assert len(plan_of(street(*tasks, crews=crews, prices=Prices(crew_used=5000))).routes) == 1


def test_balance_shares_the_work() -> None:
    tasks = (task("a", 3, service_s=7200), task("b", 3, service_s=7200))
    crews = (crew("north"), crew("south"))
    assert len(plan_of(street(*tasks, crews=crews)).routes) == 1
    assert len(plan_of(street(*tasks, crews=crews, prices=Prices(balance=5))).routes) == 2


def test_the_band_of_the_departure_counts() -> None:
    bands = (Band(from_s=0, seconds=line(10)), Band(from_s=9 * HOUR, seconds=line(10, 1200)))
    plan = plan_of(street(task("a", 3), travel=Travel(bands=bands)))
    # There and back before the slow hour begins.
    assert plan.cost == 3600


def test_a_break_before_the_drive_waits_for_the_hour_in_which_there_is_a_way() -> None:
    shut = ((0, None), (None, 0))
    bands = (Band(from_s=0, seconds=shut), Band(from_s=10 * HOUR, seconds=((0, 600), (600, 0))))
    early = crew(shift=(10 * HOUR - 60, 11 * HOUR), break_=lunch(9 * HOUR, 11 * HOUR, 60))
    plan = plan_of(street(task("a", 1), crews=(early,), travel=Travel(bands=bands)))
    assert (orders(plan), plan.cost) == ({"north": ["a"]}, 1200)


def test_a_day_without_crews_or_tasks_has_a_plan() -> None:
    assert reasons(plan_of(street(task("a", 1), crews=()))) == {"a": Reason.NO_CREW_OFFERS}
    assert plan_of(street()).cost == 0


def crowd(count: int = 40) -> Problem:
    tasks = [
        task(f"t{n}", n % 10, service_s=300 + 97 * (n % 11), value_s=2000 + 531 * (n % 7), windows=())
        for n in range(count)
    ]
    return street(*tasks, crews=(crew("north", break_=lunch()), crew("south", start=9, end=9)))


def test_the_same_seed_and_iterations_give_the_same_plan() -> None:
    limits = Limits(iterations=200, threads=2, seed=5)
    first, second = (replace(solve(crowd(), limits), seconds=0) for _ in range(2))
    assert first == second


def test_progress_is_told_and_a_wish_to_stop_keeps_the_best() -> None:
    told: list[Progress] = []
    plan = solve(crowd(), Limits(seconds=60, threads=1), on_progress=told.append, should_stop=lambda: len(told) >= 2)
    assert faults(crowd(), plan) == []
    assert (len(told), told[-1].served > 0) == (2, True)


def test_a_stopped_solve_ends_at_once() -> None:
    began = time.monotonic()
    plan = solve(crowd(), Limits(seconds=60, threads=1), should_stop=lambda: True)
    assert (faults(crowd(), plan), time.monotonic() - began < 30) == ([], True)


def test_the_reference_engine_plans_the_same_street() -> None:
    problem = street(task("far", 9), task("near", 1), task("shut", 4, windows=(between(9 * HOUR, 10 * HOUR),)))
    plan = solve(problem, Limits(iterations=5, engine="ortools"))
    assert (plan.cost, plan.engine) == (2 * 9 * 600, "ortools")


def test_the_reference_engine_says_what_it_cannot_model() -> None:
    problem = street(task("a", 1), crews=(crew(break_=lunch()),))
    with pytest.raises(Unsupported, match="cannot model breaks"):
        solve(problem, Limits(iterations=5, engine="ortools"))


def test_limits_need_an_end() -> None:
    with pytest.raises(InvalidProblem, match="need seconds, iterations, or both"):
        Limits()
