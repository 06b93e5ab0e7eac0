"""A search that begins from routes as they stand."""

import pytest

from routing.checking import faults
from routing.errors import InvalidProblem, Unsupported
from routing.limits import Limits
from routing.solver import Orders, solve
from tests.routing.cities import city
from tests.routing.worlds import HOUR, between, crew, street, task

BRIEF = Limits(iterations=30, threads=1)


def test_it_is_never_worse_than_they_are_and_begins_cold_without_any() -> None:
    problem = city(40, 5)
    cold = solve(problem, BRIEF)
    warm = solve(problem, BRIEF, start={route.crew: tuple(s.task for s in route.stops) for route in cold.routes})
    assert warm.rank <= cold.rank
    assert faults(problem, warm) == []
    assert solve(problem, BRIEF, start={}).routes == cold.routes


def test_what_is_not_lawful_of_them_is_left_out() -> None:
    noon = (between(12 * HOUR, 12 * HOUR + 600),)
    crews = (crew("north", max_tasks=2, capacity=(2,)), crew("south", start=9, end=9))
    tasks = (
        task("tall", 1, requires=frozenset({"tall"})),
        task("heavy", 2, load=(3,)),
        task("one", 3, windows=noon),
        task("other", 8, windows=noon),
        task("mate", 4, group="g"),
        task("double", 5, group="g"),
        task("pair", 6, crews=2, value_s=90_000),
    )
    start = {
        "north": ("tall", "heavy", "mate", "double", "pair"),
        # Nobody is at both ends of the street at noon: this route cannot be driven.
        "south": ("one", "other", "pair"),
    }
    problem = street(*tasks, crews=crews)
    warm = solve(problem, BRIEF, start=start)
    assert faults(problem, warm) == []
    served = [stop.task for route in warm.routes for stop in route.stops]
    assert ("tall" in served, served.count("pair")) == (False, 2)
    assert len({"mate", "double"} & set(served)) == 1


def test_a_route_of_more_stops_than_a_shift_holds_is_left_out() -> None:
    problem = street(*(task(f"t{n}", 1) for n in range(9)), crews=(crew(shift=(0, 3600)),))
    warm = solve(problem, BRIEF, start={"north": [one.id for one in problem.tasks]})
    assert faults(problem, warm) == []
    # Ten minutes there, ten minutes back, four visits of ten minutes.
    assert [len(route.stops) for route in warm.routes] == [4]


@pytest.mark.parametrize(
    ("start", "path"),
    [
        ({"west": ("a",)}, "start.west"),
        ({"north": ("a", "b")}, "start.north[1]"),
        ({"north": ("a", "a")}, "start.north[1]"),
    ],
)
def test_what_is_not_there_is_refused_with_its_place(start: Orders, path: str) -> None:
    with pytest.raises(InvalidProblem) as refused:
        solve(street(task("a", 1)), BRIEF, start=start)
    assert refused.value.path == path


def test_the_reference_engine_says_that_it_cannot() -> None:
    with pytest.raises(Unsupported, match="cannot begin from routes"):
        solve(street(task("a", 1)), Limits(iterations=5, engine="ortools"), start={"north": ("a",)})
