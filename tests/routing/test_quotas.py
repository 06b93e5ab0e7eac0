"""Most visits for a branch or an area, and fair shares of risk and of chances to earn, from the values to the plan."""

from dataclasses import replace

import pytest

from routing.changes import Kind
from routing.checking import faults
from routing.errors import Unsupported
from routing.explain import explain
from routing.limits import Limits
from routing.options import options_for, put
from routing.plan import Plan, Reason
from routing.problem import Prices, Problem, Quota
from routing.replan import cut_at
from routing.solver import solve
from routing.split.quotas import shared_quotas
from tests.routing.worlds import HOUR, crew, street, task

EAST = frozenset({"east"})
TWO = (crew(), crew("south"))


def solved(problem: Problem, **more: object) -> Plan:
    plan = solve(problem, Limits(iterations=200, seed=3), **more)  # type: ignore[arg-type]
    assert faults(problem, plan) == []
    return plan


def served(plan: Plan) -> set[str]:
    return {stop.task for route in plan.routes for stop in route.stops}


def branch(most: int) -> Problem:
    """Six visits of one branch, the further ones worth more, and one that is of none."""
    tasks = [task(f"t{n}", n, value_s=5_000 + 1_000 * n, quotas=EAST) for n in range(1, 7)]
    return street(*tasks, task("free", 2), crews=TWO, quotas=(Quota(id="east", most=most),))


def test_no_more_visits_are_planned_than_the_quota_holds_and_those_that_are_worth_most() -> None:
    plan = solved(branch(2))
    assert served(plan) == {"t5", "t6", "free"}
    assert {left.task: left.reason for left in plan.unserved} == dict.fromkeys(
        ("t1", "t2", "t3", "t4"), Reason.QUOTA_FULL
    )
    assert {left.detail for left in plan.unserved} == {("t5", "t6")}
    assert served(solved(branch(0))) == {"free"}
    assert len(served(solved(branch(6)))) == 7


def test_routes_to_begin_from_that_pass_the_quota_are_taken_as_far_as_it_goes() -> None:
    plan = solved(branch(3), start={"north": ["t1", "t2"], "south": ["t3", "t4"]})
    assert len(served(plan) - {"free"}) == 3


def test_a_pair_counts_once_and_both_of_its_crews_carry_its_risk() -> None:
    pair = task("pair", 3, crews=2, quotas=EAST, risk=2)
    plan = solved(street(pair, crews=TWO, quotas=(Quota(id="east", most=1),), prices=Prices(balance_risk=500)))
    assert served(plan) == {"pair"}
    assert plan.cost == 7_200


def test_what_a_full_quota_keeps_out_is_told_by_its_holders_and_goes_in_for_one_of_them_only() -> None:
    problem = branch(2)
    plan = solved(problem)
    told = {one.task: one for one in explain(problem, plan)}["t4"]
    assert (told.reason, set(told.held_by)) == (Reason.QUOTA_FULL, {"t5", "t6"})
    assert told.remedy is not None
    assert told.remedy.change == str(Kind.PUT_IN.value)
    options = options_for(problem, plan, "t4")
    assert {option.displaces for option in options} == {("t5",), ("t6",)}
    for option in options:
        assert faults(problem, put(problem, plan, option)) == []


def test_of_a_day_that_runs_what_is_done_counts_towards_quotas_and_shares() -> None:
    problem = branch(3)
    problem = replace(problem, tasks=tuple(replace(one, risk=2, earning=3) for one in problem.tasks))
    plan = solved(problem)
    cut = cut_at(problem, plan, 11 * HOUR)
    done = {stop.task for stops in cut.done.values() for stop in stops}
    assert done
    counted = [name for name in done if name != "free"]
    assert cut.problem.quotas == (Quota(id="east", most=3 - len(counted)),)
    carried = {one.id: (one.risk_before, one.earning_before) for one in cut.problem.crews}
    for name, stops in cut.done.items():
        assert carried[name] == (2 * len(stops), 3 * len(stops))


@pytest.mark.parametrize(("share", "price"), [("risk", "balance_risk"), ("earning", "balance_earning")])
def test_shares_are_levelled_where_they_have_a_price_and_with_what_is_carried_in(share: str, price: str) -> None:
    tasks = [task(f"t{n}", n, **{share: 1}) for n in (1, 2, 3, 4)]

    def counts(prices: Prices, before: int = 0) -> list[int]:
        crews = (crew(), crew("south", **{f"{share}_before": before}))
        plan = solved(street(*tasks, crews=crews, prices=prices))
        held = {route.crew: len(route.stops) for route in plan.routes}
        return [held.get(name, 0) for name in ("north", "south")]

    assert sorted(counts(Prices())) == [0, 4]
    assert counts(Prices(**{price: 5_000})) == [2, 2]
    assert counts(Prices(**{price: 5_000}), before=2) == [3, 1]
    assert counts(Prices(**{price: 5_000}), before=9) == [4, 0]


def test_the_choice_across_routes_keeps_quotas_and_levels_shares() -> None:
    """With many rounds on two lanes the plan comes out of the choice."""
    tasks = [task(f"t{n}", n % 10, quotas=EAST, risk=n % 3, earning=n % 2) for n in range(1, 16)]
    problem = street(
        *tasks,
        crews=(*TWO, crew("west")),
        quotas=(Quota(id="east", most=9),),
        prices=Prices(balance_risk=700, balance_earning=400),
    )
    plan = solve(problem, Limits(iterations=3_000, threads=2, seed=1))
    assert faults(problem, plan) == []
    assert len(served(plan)) == 9
    assert plan.pool_bound is not None
    assert plan.pool_bound <= plan.cost


def test_the_reference_engine_refuses_quotas_and_shares() -> None:
    for problem, what in ((branch(2), "quotas"), (street(prices=Prices(balance_risk=1)), "unequal risk")):
        with_task = problem if problem.tasks else replace(problem, tasks=(task("t", 1),))
        with pytest.raises(Unsupported, match=what):
            solve(with_task, Limits(seconds=1, engine="ortools"))


def test_parts_share_a_quota_out_and_never_pass_it_together() -> None:
    tasks = {f"t{n}": task(f"t{n}", 0, quotas=EAST if n % 4 else frozenset()) for n in range(20)}
    names = list(tasks)
    parts = [names[:4], names[4:12], names[12:], []]
    shares = shared_quotas((Quota(id="east", most=7),), parts, tasks)
    assert [share[0].most for share in shares] == [1, 3, 3, 0]
    served = {"t1", "t2", "t3", "t5"}
    again = shared_quotas((Quota(id="east", most=7),), parts, tasks, served)
    assert sum(share[0].most for share in again) == 7
    assert again[0][0].most == 3
    assert [share[0].most for share in shared_quotas((Quota(id="east", most=99),), parts, tasks)][3] == 0
