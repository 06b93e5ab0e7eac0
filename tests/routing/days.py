"""Random small days that mix every feature of the format, for properties that must hold on any day."""

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from routing.problem import (
    Band,
    Break,
    Crew,
    Matrix,
    Overtime,
    Pin,
    Prices,
    Problem,
    Quota,
    Task,
    Travel,
    Window,
)

SKILLS = ("mandarin", "night", "tall")
HORIZON = 10_000
QUOTAS = (Quota(id="east", most=1), Quota(id="west", most=2))


@st.composite
def windows(draw: DrawFn) -> tuple[Window, ...]:
    edges = sorted(draw(st.sets(st.integers(0, HORIZON), min_size=2, max_size=4)))
    pairs = zip(edges[::2], edges[1::2], strict=False)
    return tuple(Window(opens_s=opens, closes_s=closes) for opens, closes in pairs)


def matrices(size: int) -> SearchStrategy[Matrix]:
    cell = st.one_of(st.integers(0, 1500), st.integers(0, 1500), st.integers(0, 1500), st.none())
    grid = st.lists(st.lists(cell, min_size=size, max_size=size), min_size=size, max_size=size)
    return grid.map(
        lambda rows: tuple(tuple(0 if i == j else cell for j, cell in enumerate(row)) for i, row in enumerate(rows))
    )


@st.composite
def travels(draw: DrawFn, size: int, banded: bool) -> Travel:
    if not banded or draw(st.integers(0, 3)):
        return Travel(seconds=draw(matrices(size)))
    starts = sorted(draw(st.sets(st.integers(0, HORIZON), min_size=2, max_size=3)))
    return Travel(bands=tuple(Band(from_s=start, seconds=draw(matrices(size))) for start in starts))


def skills() -> SearchStrategy[frozenset[str]]:
    return st.one_of(st.just(frozenset[str]()), st.frozensets(st.sampled_from(SKILLS), max_size=2))


@st.composite
def breaks(draw: DrawFn) -> Break | None:
    if draw(st.booleans()):
        return None
    opens = draw(st.integers(0, HORIZON - 1))
    closes = draw(st.integers(opens + 1, HORIZON))
    return Break(window=Window(opens_s=opens, closes_s=closes), duration_s=draw(st.integers(0, 1500)))


def rarely[Value](values: SearchStrategy[Value]) -> SearchStrategy[Value | None]:
    return st.one_of(st.none(), st.none(), st.none(), values)


@st.composite
def crews(draw: DrawFn, index: int, places: int) -> Crew:
    place, begins = st.integers(0, places - 1), draw(st.integers(0, 3000))
    ends = draw(st.integers(begins, HORIZON))
    late = draw(rarely(st.integers(ends, HORIZON + 2000)))
    return Crew(
        id=f"c{index}",
        start=draw(place),
        end=draw(st.one_of(place, place, st.none())),
        shift=(begins, ends),
        offers=draw(st.one_of(st.just(frozenset(SKILLS)), skills())),
        size=draw(st.integers(1, 2)),
        capacity=draw(rarely(st.tuples(st.integers(0, 9)))),
        break_=draw(breaks()),
        max_tasks=draw(rarely(st.integers(0, 4))),
        max_travel_s=draw(rarely(st.integers(0, 5000))),
        max_work_s=draw(rarely(st.integers(0, 8000))),
        overtime=None if late is None else Overtime(until_s=late, price=draw(st.integers(0, 5))),
        work_before_s=draw(st.integers(0, 2000)),
    )


@st.composite
def tasks(draw: DrawFn, index: int, places: int, names: tuple[str, ...], paired: bool = False) -> Task:
    lawful_begin = st.tuples(st.integers(0, 5000), st.integers(5000, HORIZON))
    pinned_crew, pinned_begin = draw(rarely(st.sampled_from(names))), draw(rarely(lawful_begin))
    pinned = pinned_crew is not None or pinned_begin is not None
    return Task(
        id=f"t{index}",
        location=draw(st.integers(0, places - 1)),
        service_s=draw(st.integers(0, 1500)),
        windows=draw(st.one_of(st.just(()), windows())),
        value_s=draw(st.integers(0, 8000)),
        mandatory=draw(st.integers(0, 5)) == 0,
        requires=draw(skills()),
        visitors=draw(st.sampled_from((1, 1, 1, 2, 3))),
        crews=draw(st.sampled_from((2, 1) if paired else (1, 1, 1, 1, 2))),
        load=draw(st.one_of(st.just(()), st.tuples(st.integers(0, 5)))),
        group=draw(rarely(st.sampled_from(("g", "h")))),
        pin=Pin(crew=pinned_crew, begin=pinned_begin) if pinned else None,
        published_crew=draw(rarely(st.sampled_from(names))),
        quotas=draw(st.one_of(*[st.just(frozenset[str]())] * 4, st.frozensets(st.sampled_from(("east", "west"))))),
        risk=draw(st.integers(0, 3)),
        earning=draw(st.integers(0, 3)),
    )


@st.composite
def days(draw: DrawFn, most_tasks: int = 10, most_crews: int = 4, banded: bool = True, paired: bool = False) -> Problem:
    """`paired`: every other task is for two crews, of which there are at least two."""
    places = draw(st.integers(1, 6))
    team = tuple(draw(crews(index, places)) for index in range(draw(st.integers(1 + paired, most_crews))))
    names = tuple(crew.id for crew in team)
    price = st.sampled_from((0, 0, 1, 3))
    return Problem(
        travel=draw(travels(places, banded)),
        tasks=tuple(draw(tasks(index, places, names, paired)) for index in range(draw(st.integers(0, most_tasks)))),
        crews=team,
        prices=Prices(
            travel=draw(st.integers(0, 2)),
            wait=draw(price),
            crew_used=draw(st.sampled_from((0, 0, 700))),
            change=draw(st.sampled_from((0, 500))),
            balance=draw(st.sampled_from((0, 0, 0, 1))),
            balance_risk=draw(st.sampled_from((0, 0, 0, 400))),
            balance_earning=draw(st.sampled_from((0, 0, 0, 300))),
        ),
        quotas=QUOTAS,
    )
