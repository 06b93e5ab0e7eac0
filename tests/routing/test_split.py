"""A day in parts: everybody and everything in exactly one, the whole lawful, and the borders mended."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.checking import faults
from routing.errors import InvalidProblem
from routing.limits import Limits
from routing.problem import Crew, Pin, Prices, Task, Travel, Window
from routing.split import Part, Solved, Spread, borders_of, joined, parts_of, split_faults
from routing.split.borders import orders_in
from routing.split.solving import AskedPart, solve_part, solve_spread
from routing.travel import Point, SpeedProfile, geodesic

HOUR = 3_600


def between(points: list[Point] | tuple[Point, ...]) -> Travel:
    return geodesic(points, profile=SpeedProfile()).travel()


def spread_of(tasks: int, crews: int, *, seed: int = 1, **prices: int) -> Spread:
    dice = Random(seed)
    points = [Point(lat=60 + dice.uniform(0, 0.2), lon=25 + dice.uniform(0, 0.4)) for _ in range(tasks + crews)]
    return Spread(
        points=tuple(points),
        tasks=tuple(
            Task(
                id=f"t{n}",
                location=n,
                service_s=1_200,
                value_s=7_200,
                requires=frozenset({"x"}) if dice.random() < 0.3 else frozenset(),
                windows=(Window(opens_s=9 * HOUR, closes_s=13 * HOUR),) if dice.random() < 0.5 else (),
                group=f"g{n // 2}" if dice.random() < 0.1 else None,
            )
            for n in range(tasks)
        ),
        crews=tuple(
            Crew(
                id=f"c{n}",
                start=tasks + n,
                end=tasks + n,
                shift=(8 * HOUR, 16 * HOUR),
                offers=frozenset({"x"}) if n % 2 else frozenset(),
            )
            for n in range(crews)
        ),
        prices=Prices(**prices),
    )


def solved(spread: Spread, part: Part, limits: Limits) -> Solved:
    return solve_part(AskedPart(spread=spread, part=part, between=between, limits=limits))


def everybody_once(spread: Spread, parts: list[Part]) -> None:
    assert sorted(name for part in parts for name in part.tasks) == sorted(spread.task_by_id)
    assert sorted(name for part in parts for name in part.crews) == sorted(spread.crew_by_id)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    tasks=st.integers(0, 60), crews=st.integers(0, 12), seed=st.integers(0, 99), most=st.integers(1, 30), data=st.data()
)
def test_everybody_and_everything_is_in_one_part_and_what_belongs_together_stays(
    tasks: int, crews: int, seed: int, most: int, data: st.DataObject
) -> None:
    spread = spread_of(tasks, crews, seed=seed)
    if tasks and crews:
        bound = [
            replace(
                task,
                pin=Pin(crew=data.draw(st.sampled_from(sorted(spread.crew_by_id)))) if n % 7 == 0 else None,
                published_crew=f"c{n % crews}" if n % 5 == 0 else None,
            )
            for n, task in enumerate(spread.tasks)
        ]
        spread = replace(spread, tasks=tuple(bound))
    parts = parts_of(spread, most_tasks=most)
    if tasks or crews:
        everybody_once(spread, parts)
    for part in parts:
        for task in (spread.task_by_id[name] for name in part.tasks):
            if task.pin and task.pin.crew and task.group is None:
                assert task.pin.crew in part.crews
            if task.group:
                assert {mate.id for mate in spread.tasks if mate.group == task.group} <= set(part.tasks)


def test_each_part_has_the_crews_that_its_work_needs() -> None:
    spread = spread_of(200, 20)
    parts = parts_of(spread, most_tasks=50)
    assert [len(part.tasks) for part in parts] == pytest.approx([50] * 4, abs=6)
    assert all(3 <= len(part.crews) <= 7 for part in parts)
    assert all(any(int(name[1:]) % 2 for name in part.crews) for part in parts)


def test_the_second_cut_has_other_borders_and_keeps_routes_whole() -> None:
    spread = spread_of(60, 8)
    parts = parts_of(spread, most_tasks=20)
    limits = Limits(iterations=20, threads=1)
    plans = [solved(spread, part, limits).plan for part in parts]
    cut = borders_of(spread, plans, most_tasks=20)
    everybody_once(spread, cut)
    assert {part.crews for part in cut} != {part.crews for part in parts}
    for part in cut:
        for stops in orders_in(part, plans).values():
            assert set(stops) <= set(part.tasks)


@pytest.mark.long
def test_the_whole_has_no_fault_and_balance_counts_over_all() -> None:
    spread = spread_of(60, 8, balance=1)
    found = solve_spread(spread, between, Limits(iterations=60, threads=1), workers=2, most_tasks=20)
    assert split_faults(spread, found.parts) == []


@pytest.mark.long
def test_the_second_pass_never_makes_it_worse_and_the_plan_does_not_depend_on_how_many_work_at_it() -> None:
    spread, limits = spread_of(60, 8), Limits(iterations=60, threads=1)
    alone, together = (solve_spread(spread, between, limits, workers=n, most_tasks=20) for n in (1, 2))
    assert alone.plan.cost <= alone.cost_before
    assert together.plan.routes == alone.plan.routes


def test_the_plan_of_the_parts_is_a_plan_of_the_whole_at_the_same_cost() -> None:
    """The judge of undivided days, with every travel time there is, has nothing to say."""
    spread = spread_of(50, 6, crew_used=300, wait=1)
    found = solve_spread(spread, between, Limits(iterations=40, threads=1), workers=1, most_tasks=15)
    whole = spread.problem([task.id for task in spread.tasks], [crew.id for crew in spread.crews], between)
    assert faults(whole, found.plan) == []


def test_the_judge_of_the_whole_finds_who_is_in_two_parts_or_in_none() -> None:
    spread = spread_of(6, 2)
    limits = Limits(iterations=5, threads=1)
    names = tuple(spread.task_by_id)
    halves = [
        solved(spread, Part(tasks=names[:3], crews=("c0",)), limits),
        solved(spread, Part(tasks=names[2:5], crews=("c0",)), limits),
    ]
    says = [fault.says for fault in split_faults(spread, halves) if fault.path == "parts"]
    assert says == ["c0 is in 2 parts", "c1 is in 0 parts", "t2 is in 2 parts", "t5 is in 0 parts"]


def test_what_balance_costs_is_counted_over_all_parts() -> None:
    spread = replace(spread_of(8, 2, balance=3), tasks=tuple(replace(t, group=None) for t in spread_of(8, 2).tasks))
    names = tuple(spread.task_by_id)
    limits = Limits(iterations=20, threads=1)
    halves: list[Solved] = [
        solved(spread, Part(tasks=names[:4], crews=("c1",)), limits),
        solved(spread, Part(tasks=names[4:], crews=("c0",)), limits),
    ]
    plan = joined(spread, halves)
    whole = spread.problem(names, list(spread.crew_by_id), between)
    assert [fault for fault in faults(whole, plan) if fault.code == "cost"] == []


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"points": ()}, r"tasks\[0\].location"),
        ({"tasks": ()}, ""),
        ({"crews": (Crew(id="c", start=99, shift=(0, 1)),)}, r"crews\[0\]"),
    ],
)
def test_a_place_that_is_not_there_is_named(wrong: dict[str, object], path: str) -> None:
    if not path:
        assert parts_of(replace(spread_of(2, 1), **wrong)) == [Part(tasks=(), crews=("c0",))]  # type: ignore[arg-type]
        return
    with pytest.raises(InvalidProblem, match=path):
        replace(spread_of(2, 1), **wrong)  # type: ignore[arg-type]
