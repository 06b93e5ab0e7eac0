"""When a visit could begin at a place of a route: the spans told at once are those of the whole clock."""

from hypothesis import HealthCheck, given, settings

from routing.problem import Problem
from routing.solver import Limits, solve
from routing.standing import Standing
from tests.routing.days import days
from tests.routing.worlds import HOUR, between, crew, lunch, street, task

FEW = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@FEW
@given(days(banded=False))
def test_a_place_allows_the_begins_that_the_whole_clock_allows_and_no_others(problem: Problem) -> None:
    standing = Standing(problem, solve(problem, Limits(iterations=5, threads=1, seed=7)))
    for line in standing.lines.values():
        if line.table.searched or line.crew.max_travel_s is not None:
            continue
        for one in (each for each in problem.tasks if each not in line.tasks):
            told = dict(line.begins(one, one.begins))
            edges = {begin for spans in told.values() for span in spans for begin in span}
            asked = {begin for edge in edges for begin in (edge - 1, edge, edge + 1)} | set(range(0, 10_000, 2_000))
            for place in range(len(line.visits) + 1):
                for begin in asked:
                    inside = any(opens <= begin <= last for opens, last in told.get(place, ()))
                    in_hours = any(opens <= begin <= last for opens, last in one.begins)
                    pinned = line.with_task(place, (one, ((begin, begin),)))
                    assert inside == (in_hours and line.table.lawful(pinned))


def test_a_break_leaves_two_spans_before_it_and_after_it() -> None:
    """Home before noon would need no break at all; home is an hour away, so lunch is on the way or over."""
    day = street(task("urgent", 6, windows=(between(9 * HOUR, 16 * HOUR),)), crews=(crew(break_=lunch()),))
    (line,) = Standing(day, solve(day, Limits(iterations=1, threads=1, seed=1))).lines.values()
    ((place, spans),) = line.without("urgent").begins(day.tasks[0], day.tasks[0].begins)
    assert place == 0
    assert spans == [(9 * HOUR, 13 * HOUR - 1 - 600), (12 * HOUR + 1_800, 15 * HOUR + 3_000)]
