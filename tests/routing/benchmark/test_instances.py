"""Public instances mean what their convention says."""

import pytest

from routing.benchmark.instances import read_instance
from routing.errors import InvalidProblem
from routing.problem import Crew, Task, Window
from tests.routing.benchmark.files import DEPOTS, PRIZES, SITES, SOLOMON


def test_a_solomon_file_is_read_in_tenths_cut_off() -> None:
    problem = read_instance(SOLOMON.replace("6          8", "6          9"), "solomon")
    # From (0, 0) to (6, 9) it is 10.8166...: 108 tenths.
    assert problem.travel.matrices[0] == ((0, 50, 108), (50, 0, 58), (108, 58, 0))
    assert problem.crews[1] == Crew(id="k2", start=0, end=0, shift=(0, 1000), capacity=(10,))
    window = Window(opens_s=100, closes_s=450)
    assert problem.tasks[0] == Task(id="n1", location=1, service_s=50, windows=(window,), mandatory=True, load=(6,))


def test_the_due_date_is_the_last_begin() -> None:
    (task, _) = read_instance(SOLOMON, "homberger").tasks
    assert task.begins == ((100, 400),)


def test_a_client_with_a_prize_is_optional_and_its_prize_is_worth_ten_times_a_tenth() -> None:
    problem = read_instance(PRIZES, "pcvrptw")
    assert [(task.value_s, task.mandatory, task.service_s) for task in problem.tasks] == [
        (90, False, 50),
        (210, False, 50),
    ]
    assert [crew.id for crew in problem.crews] == ["k1", "k2"]


def test_site_dependence_becomes_a_skill_of_the_vehicles_that_may_serve() -> None:
    problem = read_instance(SITES, "sdvrptw")
    anyone, special = problem.tasks
    assert (anyone.requires, special.service_s) == (frozenset(), 7000)
    assert [special.requires <= crew.offers for crew in problem.crews] == [False, True]
    assert [(crew.capacity, crew.max_work_s) for crew in problem.crews] == [((10,), 60_000), ((20,), 60_000)]
    assert problem.travel.matrices[0][0] == (0, 1414, 10_000)


def test_each_vehicle_leaves_from_its_depot_and_depots_are_no_clients() -> None:
    problem = read_instance(DEPOTS, "mdvrptw")
    assert [(crew.start, crew.end, crew.shift) for crew in problem.crews] == [(0, 0, (0, 100_000)), (1, 1, (0, 80_000))]
    assert [task.location for task in problem.tasks] == [2, 3]


@pytest.mark.parametrize(
    ("text", "family", "path"),
    [
        (SOLOMON, "cvrp", "family"),
        ("TINY\n", "solomon", "VEHICLE"),
        (PRIZES.replace("TIME_WINDOW_SECTION", "OTHER_SECTION"), "pcvrptw", "TIME_WINDOW_SECTION"),
        (PRIZES.replace("3 21\n", ""), "pcvrptw", "PRIZE_SECTION"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_section(text: str, family: str, path: str) -> None:
    with pytest.raises(InvalidProblem) as refused:
        read_instance(text, family)
    assert refused.value.path == path
