"""Made-up days are the same everywhere, lawful to read, and shaped as asked."""

import pytest

from routing.benchmark.days import LANDS, DayShape, Style, field_day
from routing.format import problem_from_json, problem_to_json


def test_the_same_shape_and_seed_give_the_same_day() -> None:
    shape = DayShape(style="city", visits=12, seed=4)
    assert field_day(shape) == field_day(shape)
    assert field_day(shape) != field_day(DayShape(style="city", visits=12, seed=5))


@pytest.mark.parametrize("style", LANDS)
def test_a_day_of_each_style_can_be_written_and_read(style: Style) -> None:
    shape = DayShape(style=style, visits=30, seed=1, breaks=True, pairs=0.3, split=0.5, wait=2)
    problem = field_day(shape)
    assert problem_from_json(problem_to_json(problem)) == problem
    assert shape.name == f"{style}-30-breaks-pairs-split-wait-day1"


def test_shares_are_shares() -> None:
    problem = field_day(DayShape(style="region", visits=400, seed=2, narrow=0.5, skilled=0.25, pairs=0.1, split=1.0))
    narrow = sum(len(t.windows) == 1 for t in problem.tasks)
    assert [narrow, sum(bool(t.requires) for t in problem.tasks), sum(t.crews == 2 for t in problem.tasks)] == [
        pytest.approx(200, abs=40), pytest.approx(100, abs=35), pytest.approx(40, abs=20),
    ]  # fmt: skip
    assert {len(t.windows) for t in problem.tasks} == {1, 2}
    assert sum(bool(crew.offers) for crew in problem.crews) == len(problem.crews) / 2


def test_roads_differ_by_direction() -> None:
    seconds = field_day(DayShape(style="rural", visits=5, seed=1)).travel.matrices[0]
    assert seconds[0][1] != seconds[1][0]
