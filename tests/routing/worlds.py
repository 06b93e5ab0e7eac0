"""Small named days that a person can solve by hand."""

from dataclasses import replace
from typing import Any

from routing.problem import Band, Break, Crew, Matrix, Overtime, Pin, Prices, Problem, Quota, Task, Travel, Window

HOUR = 3600


def line(places: int, apart_s: int = 600) -> Matrix:
    """Places on a street, each `apart_s` from the next."""
    return tuple(tuple(abs(i - j) * apart_s for j in range(places)) for i in range(places))


def task(name: str, location: int, **fields: Any) -> Task:
    return Task(id=name, location=location, **{"service_s": 600, "value_s": 10_000} | fields)


def crew(name: str = "north", **fields: Any) -> Crew:
    return Crew(id=name, **{"start": 0, "end": 0, "shift": (8 * HOUR, 17 * HOUR)} | fields)


def street(*tasks: Task, crews: tuple[Crew, ...] = (crew(),), **fields: Any) -> Problem:
    """A street of ten places, ten minutes apart, with the office at place 0."""
    return Problem(**{"travel": Travel(seconds=line(10)), "tasks": tasks, "crews": crews} | fields)


def lunch(opens_s: int = 12 * HOUR, closes_s: int = 13 * HOUR, duration_s: int = 1800) -> Break:
    return Break(window=Window(opens_s=opens_s, closes_s=closes_s), duration_s=duration_s)


def between(opens_s: int, closes_s: int) -> Window:
    return Window(opens_s=opens_s, closes_s=closes_s)


def everything() -> Problem:
    """A day in which every key of the format has a value."""
    pair = task("pair", 2, crews=2, visitors=3, windows=(between(9 * HOUR, 11 * HOUR), between(14 * HOUR, 15 * HOUR)))
    full = {"requires": frozenset({"mandarin"}), "load": (1, 2), "group": "household", "mandatory": True}
    full |= {"quotas": frozenset({"east"}), "risk": 2, "earning": 3}
    pinned = task("pinned", 3, published_crew="north", **full)
    pinned = replace(pinned, pin=Pin(crew="north", begin=(9 * HOUR, 12 * HOUR)))
    north = crew(
        offers=frozenset({"mandarin"}), size=2, capacity=(3, 4), break_=lunch(), max_tasks=9, max_travel_s=9000,
        max_work_s=30_000, overtime=Overtime(until_s=18 * HOUR, price=2), work_before_s=100,
        risk_before=7, earning_before=8,
    )  # fmt: skip
    bands = (Band(from_s=0, seconds=line(10)), Band(from_s=10 * HOUR, seconds=line(10, 700)))
    return street(
        pair, pinned, task("plain", 4),
        crews=(north, crew("south", end=None, size=2)),
        travel=Travel(bands=bands, metres=line(10, 5000)),
        prices=Prices(travel=1, wait=1, crew_used=50, change=300, balance=1, balance_risk=60, balance_earning=70),
        quotas=(Quota(id="east", most=5),),
    )  # fmt: skip
