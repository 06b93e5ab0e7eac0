"""Pairs that move while the search anneals: each lane by itself, and all of one mind afterwards."""

from dataclasses import replace

import numpy as np
import pytest

from routing.checking import faults
from routing.improve.flat import Flat, flat
from routing.improve.pairs import move_pairs, place_pairs, served
from routing.improve.search import Lane, Stretch, Watch
from routing.limits import Limits
from routing.pairing import Pairing, pieces_of
from routing.problem import Problem
from routing.solver import solve
from tests.routing.worlds import HOUR, between, crew, street, task

FOREVER = Watch(deadline=None, should_stop=lambda: False, on_tick=lambda: None)
TEAM = (crew(), crew("south", start=9, end=9), crew("west", start=4, end=4))


def meetings() -> Problem:
    """Fifteen visits of which three need two crews, some of them at narrow hours."""
    alone = [task(f"t{n}", n % 10, windows=(between((8 + n % 6) * HOUR, (11 + n % 6) * HOUR),)) for n in range(1, 13)]
    pairs = [task(f"p{n}", 3 * n, crews=2, value_s=40_000, windows=(between(9 * HOUR, 15 * HOUR),)) for n in (1, 2, 3)]
    return street(*alone, *pairs, crews=TEAM)


def lanes_of(problem: Problem, count: int) -> tuple[Flat, list[Lane]]:
    arrays = flat(problem)
    lanes = [Lane(arrays.day, seed) for seed in range(1, count + 1)]
    place_pairs(arrays, lanes[0], FOREVER)
    lanes[0].fill()
    for lane in lanes:
        lane.load(lanes[0].order())
        lane.keep()
    return arrays, lanes


def begins(lane: Lane) -> list[int]:
    return lane.day.spans[:, 0, 0].tolist()


def test_a_move_that_does_not_pay_leaves_routes_and_begins_as_they_were() -> None:
    arrays, (lane,) = lanes_of(meetings(), 1)
    while move_pairs(arrays, lane, FOREVER):
        pass
    order, cost, at = lane.order(), lane.cost(), begins(lane)
    assert not move_pairs(arrays, lane, FOREVER)
    assert (lane.order(), begins(lane)) == (order, at)
    assert lane.cost() == pytest.approx(cost)
    lane.load(())
    lane.load(order)
    assert lane.cost() == pytest.approx(cost)


def test_what_moves_at_a_temperature_is_still_a_pair_of_two_crews_at_one_begin() -> None:
    arrays, (lane,) = lanes_of(meetings(), 1)
    for _ in range(20):
        move_pairs(arrays, lane, FOREVER, heat=5_000.0)
        for index, (one, other) in arrays.pairs.items():
            crews = {int(lane.routes.crew_of[row]) for row in (one, other)}
            assert len(crews) == (2 if served(arrays, lane, index) else 1)
            assert begins(lane)[one] == begins(lane)[other]
        cost, order = lane.cost(), lane.order()
        lane.load(())
        lane.load(order)
        assert lane.cost() == pytest.approx(cost)


def test_each_lane_moves_its_own_pairs_and_afterwards_all_stand_on_the_best_solution() -> None:
    arrays, lanes = lanes_of(meetings(), 3)
    before = lanes[0].cost()
    pairing = Pairing(arrays, lanes, FOREVER)
    pairing.anneal(Stretch(hot=3_000, cold=300, rounds=240, seconds=None))
    pairing.agree()
    assert len({lane.order() for lane in lanes}) == 1
    assert [begins(lane) for lane in lanes] == [arrays.day.spans[:, 0, 0].tolist()] * 3
    assert {round(lane.cost()) for lane in lanes} == {round(float(lanes[0].best.cost[0]))}
    assert lanes[0].cost() <= before + 1e-6
    assert all(np.isfinite(lane.best.cost[0]) for lane in lanes)


def test_the_pieces_of_a_stretch_go_on_where_the_one_before_ended() -> None:
    pieces = pieces_of(Stretch(hot=1_600, cold=100, rounds=80, seconds=8.0), 4)
    assert [(round(piece.hot), round(piece.cold)) for piece in pieces] == [
        (1600, 800),
        (800, 400),
        (400, 200),
        (200, 100),
    ]
    assert {(piece.rounds, piece.seconds) for piece in pieces} == {(20, 2.0)}


@pytest.mark.parametrize("threads", [1, 2])
def test_a_day_with_many_pairs_is_lawful_and_the_same_every_time(threads: int) -> None:
    limits = Limits(iterations=120, threads=threads, seed=4)
    first, second = (replace(solve(meetings(), limits), seconds=0) for _ in range(2))
    assert faults(meetings(), first) == []
    assert first == second
    assert first.unserved == ()
