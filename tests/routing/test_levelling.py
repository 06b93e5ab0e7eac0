"""Clocks of several routes told together: who waits so that work is equal, and when pairs meet."""

from dataclasses import replace

from routing.checking import faults
from routing.levelling import levelled, pays
from routing.limits import Limits, Patience
from routing.plan import Plan
from routing.pricing import plan_price
from routing.problem import Crew, Overtime, Pin, Prices, Problem, Task
from routing.solver import solve
from tests.routing.worlds import HOUR, between, crew, lunch, street, task

BRIEF = Limits(iterations=20, threads=1)
LEVEL = Prices(balance=2)


def day(*crews: Crew, near: Task | None = None, prices: Prices = LEVEL) -> Problem:
    """One crew drives to the end of the street, the other one next door."""
    far = task("far", 9, value_s=90_000, pin=Pin(crew="north"))
    return street(far, near or task("near", 1, value_s=90_000, pin=Pin(crew="south")), crews=crews, prices=prices)


def solved(problem: Problem) -> Plan:
    plan = solve(problem, BRIEF)
    assert faults(problem, plan) == []
    return plan


def worked(plan: Plan) -> dict[str, int]:
    return {route.crew: route.return_s - route.depart_s for route in plan.routes}


def test_a_crew_waits_outside_where_unequal_work_costs_more_and_only_there() -> None:
    two = crew(), crew("south")
    assert worked(solved(day(*two))) == {"north": 11_400, "south": 11_400}
    assert solved(day(*two)).cost == 18 * 600 + 2 * 600
    for wait in (2, 3):
        assert worked(solved(day(*two, prices=replace(LEVEL, wait=wait)))) == {"north": 11_400, "south": 1_800}


def test_it_waits_no_longer_than_its_hours_windows_and_limits_allow() -> None:
    def south(**fields: object) -> dict[str, int]:
        return worked(solved(day(crew(), crew("south", **fields))))

    assert south(max_work_s=4_000)["south"] == 4_000
    assert south(shift=(8 * HOUR, 10 * HOUR))["south"] == 7_200
    # Overtime at this price costs more than it levels.
    late = Overtime(until_s=12 * HOUR, price=3)
    assert south(shift=(8 * HOUR, 10 * HOUR), overtime=late)["south"] == 7_200
    # An open route ends with its last service, which may begin at half past nine at the latest.
    near = task("near", 1, value_s=90_000, pin=Pin(crew="south"), windows=(between(9 * HOUR, 9 * HOUR + 2_400),))
    assert worked(solved(day(crew(), crew("south", end=None), near=near)))["south"] == 1_800 + 3_600 + 600


def test_a_break_is_work_that_nobody_waits_for_but_it_needs_its_window() -> None:
    """To meet the window one may wait; then the rest of the time is the break's."""
    rests = crew("south", break_=lunch(9 * HOUR, 10 * HOUR, 3_000))
    problem = day(crew(), rests, prices=Prices(balance=2, wait=1))
    plan = solved(problem)
    assert worked(plan) == {"north": 11_400, "south": 11_400}
    assert sum(route.wait_s for route in plan.routes) == 11_400 - 1_800 - 3_000


def test_a_pair_meets_when_both_together_wait_least() -> None:
    """Given routes that meet early, with a stop behind that opens at eleven."""
    later = [task(name, 2, windows=(between(11 * HOUR, 12 * HOUR),), pin=Pin(crew=name)) for name in ("north", "south")]
    problem = street(task("pair", 2, crews=2), *later, crews=(crew(), crew("south")), prices=Prices(wait=1))
    plan = solve(problem, BRIEF)
    assert (plan.cost, faults(problem, plan)) == (4 * 1_200, [])
    early = tuple(
        replace(
            route,
            depart_s=8 * HOUR,
            wait_s=route.wait_s + route.depart_s - 8 * HOUR,
            stops=tuple(
                replace(stop, arrive_s=8 * HOUR + 1_200, begin_s=8 * HOUR + 1_200, end_s=8 * HOUR + 1_800)
                if stop.task == "pair"
                else replace(stop, arrive_s=8 * HOUR + 1_800)
                for stop in route.stops
            ),
        )
        for route in plan.routes
    )
    assert faults(problem, replace(plan, routes=early, cost=plan_price(problem, early), bound=None)) == []
    found = levelled(problem, early, Patience(deterministic=1.0))
    assert plan_price(problem, found) == plan.cost
    assert {stop.begin_s for route in found for stop in route.stops if stop.task == "pair"} == {11 * HOUR - 600}


def test_prices_beyond_what_can_be_summed_leave_the_clocks_as_they_are() -> None:
    routes = solve(day(crew(), crew("south"), prices=Prices(balance=1, wait=1)), BRIEF).routes
    dear = day(crew(), crew("south"), prices=Prices(balance=10**9, wait=10**8))
    assert pays(dear, routes)
    assert levelled(dear, routes, Patience(deterministic=1.0)) == routes


def test_nobody_asks_where_no_clock_has_a_price_for_another() -> None:
    plain = day(crew(), crew("south"), prices=Prices(wait=1))
    assert not pays(plain, solve(plain, BRIEF).routes)
    level = day(crew(), crew("south"))
    assert pays(level, solve(level, BRIEF).routes)
    assert not pays(level, ())
