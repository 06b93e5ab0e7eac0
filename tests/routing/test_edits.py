"""A plan changed by hand: what is wished is done, on both routes of a pair, and the judge names what it breaks."""

from dataclasses import replace

import pytest

from routing.checking import faults
from routing.edits import Edited, Put, Reorder, Retime, TakeOut, edited
from routing.errors import InvalidProblem
from routing.plan import Plan
from routing.problem import Problem
from routing.solver import Limits, solve
from tests.routing.worlds import HOUR, between, crew, street, task

TEN = (between(10 * HOUR, 11 * HOUR),)
DAY = street(
    task("pair", 4, crews=2, windows=TEN),
    task("one", 2),
    crews=(crew("a"), crew("b", start=9, end=9), crew("c", start=4, end=4)),
)


def solved(day: Problem = DAY) -> Plan:
    return solve(day, Limits(iterations=50, threads=1, seed=3))


def orders(made: Edited) -> dict[str, list[str]]:
    return {route.crew: [stop.task for stop in route.stops] for route in made.plan.routes}


def codes(made: Edited) -> list[str]:
    return [fault.code for fault in faults(made.problem, made.plan)]


def test_a_pair_is_taken_off_both_routes_and_put_on_two_others() -> None:
    out = edited(DAY, solved(), [TakeOut(task="pair")])
    assert (orders(out), codes(out)) == ({"a": ["one"]}, [])
    assert [left.task for left in out.plan.unserved] == ["pair"]
    back = edited(DAY, out.plan, [Put(task="pair", crew="b", partner="c")])
    assert (orders(back), codes(back)) == ({"a": ["one"], "b": ["pair"], "c": ["pair"]}, [])


def test_without_a_name_the_partner_is_the_one_with_whom_it_costs_least() -> None:
    moved = edited(DAY, solved(), [Put(task="pair", crew="b")])
    assert (orders(moved), codes(moved)) == ({"a": ["one"], "b": ["pair"], "c": ["pair"]}, [])


def test_a_stated_time_holds_for_both_crews() -> None:
    later = edited(DAY, solved(), [Retime(task="pair", begin_s=10 * HOUR + 900)])
    begins = {stop.begin_s for route in later.plan.routes for stop in route.stops if stop.task == "pair"}
    assert (begins, codes(later)) == ({10 * HOUR + 900}, [])


def test_who_changes_one_crews_route_does_not_move_the_meeting_and_what_cannot_be_kept_is_named() -> None:
    plan = solved()
    (order,) = (order for crew, order in orders(edited(DAY, plan, [])).items() if crew == "a")
    turned = edited(DAY, plan, [Reorder(crew="a", tasks=tuple(reversed(order)))])
    begins = {stop.begin_s for route in turned.plan.routes for stop in route.stops if stop.task == "pair"}
    assert (begins, codes(turned)) == ({10 * HOUR}, [])
    long = replace(DAY, tasks=(DAY.tasks[0], replace(DAY.tasks[1], service_s=3 * HOUR, value_s=99_000)))
    late = edited(long, plan, [Reorder(crew="a", tasks=("one", "pair"))])
    assert {"crews_begin_apart", "outside_window"} <= set(codes(late))


def test_what_means_nothing_is_refused_with_its_path() -> None:
    for wrong in (
        Put(task="pair", crew="a", partner="nobody"),
        Put(task="pair", crew="a", partner="a"),
        Put(task="none", crew="a"),
        TakeOut(task="none"),
    ):
        with pytest.raises(InvalidProblem, match=r"\[1\]"):
            edited(DAY, solved(), [Retime(task="pair", begin_s=None), wrong])
