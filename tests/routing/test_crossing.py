"""A day made of two others."""

from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.crossing import crossed
from routing.improve.arrays import SEED
from routing.improve.flat import Flat, flat
from routing.improve.search import Lane, Order
from routing.problem import Quota
from tests.routing.cities import city
from tests.routing.worlds import crew, street, task

DAY = flat(city(40, 6, seed=5))


def searched(arrays: Flat, seed: int, rounds: int = 200) -> Lane:
    lane = Lane(arrays.day, seed)
    lane.anneal(np.array([500.0, 50.0, 0.0]), np.zeros(1, np.int64), rounds)
    lane.load(lane.best_order())
    return lane


MOTHER, FATHER = (searched(DAY, seed).order() for seed in (1, 2))


def served(order: Order) -> list[int]:
    return sorted(row for rows in order for row in rows)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32))
def test_a_child_has_routes_of_both_serves_nothing_twice_and_keeps_every_time(seed: int) -> None:
    child = crossed(DAY.day, MOTHER, FATHER, Random(seed))
    assert len(served(child)) == len(set(served(child)))
    lane = Lane(DAY.day, 1)
    lane.load(child)
    assert lane.cost() < 1e9
    from_mother = [crew for crew in range(6) if set(child[crew]) <= set(MOTHER[crew])]
    from_father = [crew for crew in range(6) if set(child[crew]) <= set(FATHER[crew])]
    assert from_mother
    assert set(range(6)) == {*from_mother, *from_father}


def test_a_day_crossed_with_itself_is_itself() -> None:
    assert all(crossed(DAY.day, MOTHER, MOTHER, Random(seed)) == MOTHER for seed in range(20))


def test_a_route_of_a_crew_that_has_one_goes_to_a_crew_alike() -> None:
    arrays = flat(street(*(task(f"t{n}", n) for n in range(1, 7)), crews=(crew("one"), crew("two"))))
    mother: Order = ((0, 1, 2), (3, 4, 5))
    father: Order = ((3, 4, 5), (0, 1, 2))
    children = {crossed(arrays.day, mother, father, Random(seed)) for seed in range(20)}
    assert {tuple(sorted(child)) for child in children} == {tuple(sorted(mother))}


def test_a_child_serves_one_of_a_group_and_no_more_than_a_quota_holds() -> None:
    east = frozenset({"east"})
    tasks = (task("mate", 1, group="g"), task("double", 8, group="g"), *(task(f"e{n}", n, quotas=east) for n in (2, 7)))
    # The last two are worth their way only to have crews with two stops.
    arrays = flat(
        street(*tasks, task("a", 1), task("b", 8), crews=(crew("n"), crew("s")), quotas=(Quota(id="east", most=1),))
    )
    row = {arrays.task_of(number).id: number for number in range(6)}
    mother: Order = ((row["mate"], row["e2"], row["a"]), (row["b"],))
    father: Order = ((row["a"],), (row["e7"], row["double"], row["b"]))
    for seed in range(20):
        child = served(crossed(arrays.day, mother, father, Random(seed)))
        assert not {row["mate"], row["double"]} <= set(child)
        assert not {row["e2"], row["e7"]} <= set(child)


def test_a_lane_that_takes_on_another_solution_tells_it_as_one_that_never_had_any() -> None:
    lane, fresh = searched(DAY, 3), Lane(DAY.day, 4)
    for order in (MOTHER, FATHER, (), MOTHER):
        lane.load(order)
    fresh.load(MOTHER)
    assert (lane.order(), lane.cost()) == (fresh.order(), fresh.cost())
    for told in ("totals", "load", "cost", "crew_of", "taken", "left"):
        assert np.array_equal(getattr(lane.routes, told), getattr(fresh.routes, told)), told


def test_ruins_begin_around_the_named_visits_alone() -> None:
    lane, begun = searched(DAY, 1), set()
    lane.search_around((3, 5))
    for _ in range(20):
        lane.anneal(np.array([1.0, 1.0, 0.0]), np.zeros(1, np.int64), 1)
        begun.add(int(lane.work.numbers[SEED]))
    assert begun == {3, 5}
    lane.search_around(())
    assert lane.seeds == 40
