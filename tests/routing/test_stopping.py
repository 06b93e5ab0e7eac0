"""A wish to stop is heard in every part of a solve; how soon is measured in processor time, by the long tests."""

import time

import pytest

from routing.benchmark.days import DayShape, field_day
from routing.campaign import Reporter
from routing.checking import faults
from routing.improve.flat import Flat, flat
from routing.improve.pairs import move_pairs, place_pairs, served
from routing.improve.search import Lane, Watch
from routing.limits import Limits
from routing.plan import Reason
from routing.problem import Problem
from routing.reasons import Teller, unserved
from routing.screening import Ways
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


class Hand:
    """A clock that somebody turns."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_writing_the_plan_out_has_the_time_that_reading_the_problem_took() -> None:
    hand = Hand()
    reporter = Reporter(Limits(seconds=10), hand, None, None)
    hand.now += 0.4
    reporter.keep_time_to_finish()
    assert reporter.watch.deadline == pytest.approx(109.6)
    hand.now = 109.7
    reporter.watch.look()
    assert reporter.watch.ended
    assert reporter.watch.ended_at == 109.7
    long_read = Reporter(Limits(seconds=10), hand, None, None)
    hand.now += 8
    long_read.keep_time_to_finish()
    assert long_read.watch.deadline == pytest.approx(118.7)


def test_what_is_pleasant_to_know_is_told_in_time_only() -> None:
    hand = Hand()
    by_itself = Reporter(Limits(seconds=10), hand, None, None)
    called_off = Reporter(Limits(seconds=10), hand, lambda: True, None)
    rounds = Reporter(Limits(iterations=5), hand, None, None)
    hand.now = 104.0
    called_off.watch.look()
    assert by_itself.may_tell()
    assert called_off.may_tell()
    assert rounds.may_tell()
    hand.now = 104.2
    called_off.watch.look()
    assert by_itself.may_tell()
    assert not called_off.may_tell()
    hand.now = 110.0
    assert not by_itself.may_tell()
    assert rounds.may_tell()


def test_out_of_time_a_reason_is_told_without_its_detail() -> None:
    tasks = [task(f"t{n}", n % 9, value_s=9000) for n in range(1, 80)]
    problem = street(*tasks, crews=(crew(),))
    plan = solve(problem, Limits(iterations=5))
    told = {left.task: left for left in plan.unserved}
    assert told
    assert all(left.detail for left in told.values())
    arrays, lane = flat(problem), Lane(flat(problem).day, 1)
    rows = {arrays.task_of(row).id: row for row in range(len(arrays.rows))}
    lane.load(tuple(tuple(rows[stop.task] for stop in route.stops) for route in plan.routes))
    teller = Teller(arrays, lane, Ways(problem.travel), lambda: False)
    assert [(left.task, left.reason) for left in unserved(teller, {})] == [(n, left.reason) for n, left in told.items()]
    assert all(left.detail is None for left in unserved(teller, {}) if left.reason is Reason.NO_ROOM)


@pytest.mark.long
@pytest.mark.parametrize(
    "shape",
    [
        # Days of up to 150 visits are bred.
        DayShape(style="city", visits=100, seed=1),
        DayShape(style="region", visits=150, seed=2, pairs=0.05, wait=1, breaks=True),
        DayShape(style="city", visits=300, seed=1),
        DayShape(style="city", visits=1000, seed=1),
        DayShape(style="city", visits=1000, seed=2, breaks=True, crews=45),
        DayShape(style="city", visits=1000, seed=1, pairs=0.03),
        DayShape(style="city", visits=300, seed=1, pairs=0.03, wait=1, breaks=True),
        DayShape(style="city", visits=600, seed=2, pairs=0.2, crews=20),
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
