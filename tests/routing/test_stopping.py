"""A wish to stop is heard in every part of a solve; how soon is measured in processor time, by the long tests."""

import time

import pytest

from routing.benchmark.days import DayShape, field_day
from routing.checking import faults
from routing.improve.flat import Flat, flat
from routing.improve.pairs import move_pairs, place_pairs, served
from routing.improve.search import Lane, Watch
from routing.limits import Limits
from routing.problem import Problem
from routing.select import LOOKED_AT_EVERY, Effort, PoolRoute, choose
from routing.solver import solve
from tests.routing.worlds import crew, street, task

WITHIN_S = 0.25


class Patience:
    """Somebody who wishes to stop at the so-many-th look."""

    def __init__(self, looks: int) -> None:
        self.left = looks

    def over(self) -> bool:
        self.left -= 1
        return self.left < 0


def watch_of(looks: int) -> Watch:
    return Watch(deadline=None, should_stop=Patience(looks).over, on_tick=lambda: None)


def pairs_of(count: int) -> tuple[Flat, Lane]:
    tasks = [task(f"t{n}", n, crews=2, value_s=90_000) for n in range(1, count + 1)]
    arrays = flat(street(*tasks, crews=(crew(), crew("south"))))
    return arrays, Lane(arrays.day, 1)


def test_between_two_pairs_the_wish_is_heard() -> None:
    arrays, lane = pairs_of(4)
    place_pairs(arrays, lane, watch_of(3))
    assert sum(served(arrays, lane, index) for index in arrays.pairs) == 3
    patience = Patience(1)
    move_pairs(arrays, lane, Watch(deadline=None, should_stop=patience.over, on_tick=lambda: None))
    assert patience.left == -1


def test_while_the_choice_is_made_ready_the_wish_is_heard() -> None:
    arrays = flat(street(*(task(f"t{n}", n) for n in range(1, 4))))
    routes = [PoolRoute(0, (number % 3,), 1200 + number, 1200) for number in range(3 * LOOKED_AT_EVERY)]
    effort = Effort(None, 1.0, 1, 1)
    patience = Patience(2)
    watch = Watch(deadline=None, should_stop=patience.over, on_tick=lambda: None)
    assert choose(arrays, routes, ((),), watch, effort) is None
    assert (watch.ended, patience.left) == (True, -1)
    assert choose(arrays, routes[:9], ((),), watch_of(10**9), effort) is not None


def test_a_stopped_search_still_says_of_each_visit_left_out_why() -> None:
    problem = field_day(DayShape(style="city", visits=60, seed=1, crews=2))
    plan = solve(problem, Limits(seconds=60, threads=1), should_stop=Patience(3).over, clock=lambda: 0.0)
    assert len(plan.unserved) > 20
    assert faults(problem, plan) == []


@pytest.mark.long
@pytest.mark.parametrize(
    "shape",
    [
        DayShape(style="city", visits=300, seed=1),
        DayShape(style="city", visits=1000, seed=1),
        DayShape(style="city", visits=1000, seed=2, breaks=True, crews=45),
        DayShape(style="city", visits=1000, seed=1, pairs=0.03),
        DayShape(style="city", visits=300, seed=1, pairs=0.03, wait=1, breaks=True),
    ],
    ids=lambda shape: f"{shape.name}-{shape.crews}",
)
def test_the_limit_and_a_wish_to_stop_are_honoured_within_a_quarter_of_a_second(
    shape: DayShape, capsys: pytest.CaptureFixture[str]
) -> None:
    """By processor time, which other processes cannot lengthen. Setting up is not interrupted: it comes first."""
    problem = field_day(shape)
    solve(problem, Limits(iterations=1, threads=1))
    late = [late_of(problem, at, limited=limited) for limited in (True, False) for at in (4.0, 5.5, 7.0)]
    with capsys.disabled():
        print(f"\n{shape.name}: at most {max(late):.3f} s late")
    assert max(late) <= WITHIN_S


def late_of(problem: Problem, at_s: float, *, limited: bool) -> float:
    until = time.process_time() + at_s
    if limited:
        solve(problem, Limits(seconds=at_s, threads=1), clock=time.process_time)
    else:
        solve(
            problem,
            Limits(seconds=600, threads=1),
            should_stop=lambda: time.process_time() >= until,
            clock=time.process_time,
        )
    return time.process_time() - until
