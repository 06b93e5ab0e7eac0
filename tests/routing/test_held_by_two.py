"""Which tasks hold the place of one that two crews make, against every way of taking one or two of them out."""

from dataclasses import replace
from itertools import combinations
from random import Random

import pytest

from routing.explain import explain
from routing.plan import Plan, Reason
from routing.problem import Pin, Problem
from tests.routing.insertions import lawful_meetings
from tests.routing.test_meetings import unplanned
from tests.routing.worlds import HOUR, between, crew, street, task

SERVICE_S = 2_400
OPENS = [8 * HOUR + minutes * 60 for minutes in (20, 80)]
"""When the two could meet: each window is as long as the visit, so that its begins can be counted."""


def full_day(seed: int) -> Problem:
    """Three crews with two visits each, at hours of their own, and one visit for two of them."""
    dice = Random(seed)
    held = []
    for name in "abc":
        for number, begin in enumerate(sorted(dice.sample(range(0, 110, 10), 2))):
            window = (between(8 * HOUR + begin * 60, 8 * HOUR + begin * 60 + 1_800 + 300 * dice.randrange(3)),)
            held.append(
                replace(task(f"{name}{number}", dice.randrange(4), windows=window, service_s=1_800), pin=Pin(crew=name))
            )
    windows = tuple(between(opens, opens + SERVICE_S) for opens in OPENS)
    pair = task("pair", 2, windows=windows, service_s=SERVICE_S, crews=2)
    return street(*held, pair, crews=tuple(crew(name, shift=(8 * HOUR - 1_800, 11 * HOUR + 1_800)) for name in "abc"))


def without(plan: Plan, names: tuple[str, ...]) -> Plan:
    routes = (replace(route, stops=tuple(s for s in route.stops if s.task not in names)) for route in plan.routes)
    return replace(plan, routes=tuple(route for route in routes if route.stops))


def in_the_way(day: Problem, plan: Plan) -> set[str]:
    """The names any one of which would have to go; where there is none, those of every two that would."""
    served = [stop.task for route in plan.routes for stop in route.stops]
    for count in (1, 2):
        found = [
            each
            for each in combinations(served, count)
            if lawful_meetings(day, without(plan, each), day.task_by_id["pair"])
        ]
        if found:
            return {name for each in found for name in each}
    return set()


@pytest.mark.parametrize("seed", [1, 7, 8, 10])
def test_every_visit_that_would_have_to_go_for_two_crews_is_named_and_no_other(seed: int) -> None:
    day = full_day(seed)
    plan = unplanned(day, "pair")
    (one,) = (each for each in explain(day, plan) if each.task == "pair")
    assert one.reason is Reason.NO_ROOM
    assert set(one.held_by) == in_the_way(day, plan)
