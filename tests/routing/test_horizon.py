"""Which errand on which day: deadlines, spacing and caps hold, and whatever has no day says truly why."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.errors import InvalidProblem
from routing.horizon import Cap, Choice, Errand, Horizon, Later, LaterReason, Prices, Room, horizon_faults
from routing.horizon.choosing import choose_days

HOUR = 3_600
WEEK = tuple(range(5))


def errand(name: str, **given: object) -> Errand:
    return Errand(**({"id": name, "days": WEEK, "work_s": HOUR, "value_s": 2 * HOUR} | given))  # type: ignore[arg-type]


def week(*errands: Errand, hours: int = 8, caps: tuple[Cap, ...] = (), **given: object) -> Horizon:
    rooms = ((Room(work_s=hours * HOUR),),) * 5
    return Horizon(rooms=rooms, errands=errands, caps=caps, **given)  # type: ignore[arg-type]


def chosen(horizon: Horizon) -> Choice:
    choice = choose_days(horizon)
    assert horizon_faults(horizon, choice) == []
    return choice


def test_what_has_room_is_done_at_once() -> None:
    choice = chosen(week(errand("a"), errand("b")))
    assert (choice.days, choice.later, choice.best) == ({"a": 0, "b": 0}, (), True)


def test_a_deadline_goes_before_what_can_wait() -> None:
    errands = [errand(f"late-{n}", value_s=9 * HOUR) for n in range(3)]
    choice = chosen(week(*errands, errand("due", due_on=0), hours=1))
    assert choice.days["due"] == 0
    assert sorted(choice.days.values()) == [0, 1, 2, 3]


def test_of_what_misses_its_deadline_either_way_the_more_valuable_is_done() -> None:
    choice = chosen(week(errand("much", due_on=0), errand("little", due_on=0, value_s=HOUR), hours=1))
    assert (choice.days, choice.later) == ({"much": 0}, (Later(errand="little", reason=LaterReason.NO_ROOM),))


def test_visits_to_one_debtor_keep_their_distance_from_each_other_and_from_the_last_one() -> None:
    cap = Cap(errands=("a", "b"), most=9, gap=3, past=(-2,))
    choice = chosen(week(errand("a"), errand("b"), caps=(cap,)))
    assert sorted(choice.days.values()) == [1, 4]


def test_a_window_of_days_takes_no_more_than_its_cap_what_was_before_and_comes_after_counted() -> None:
    rolling = tuple((day - 6, day) for day in range(11))
    cap = Cap(errands=("a", "b", "c"), most=2, windows=rolling, past=(-3, 8))
    choice = chosen(week(*map(errand, "abc"), caps=(cap,)))
    # Days 0 to 3 lie within a week of the first, days 2 to 4 of the last: one before day 4 and one more on it.
    assert len(choice.days) == 1 or sorted(choice.days.values())[-1] >= 2
    assert {one.reason for one in choice.later} == {LaterReason.NO_ROOM}


def test_neighbours_go_on_one_day() -> None:
    errands = [errand(f"{place}{n}", place=place, work_s=2 * HOUR) for n in range(2) for place in range(2)]
    choice = chosen(week(*errands, hours=5, approach_s=(HOUR, HOUR), prices=Prices(delay=0)))
    for place in range(2):
        assert choice.days[f"{place}0"] == choice.days[f"{place}1"]


def test_who_may_do_it_counts_and_not_only_how_many_hours_there_are() -> None:
    rooms = ((Room(work_s=8 * HOUR),), (Room(work_s=8 * HOUR, offers=frozenset({"sami"})),), (), (), ())
    choice = chosen(Horizon(rooms=rooms, errands=(errand("a", requires=frozenset({"sami"})), errand("b", visitors=2))))
    assert choice.days == {"a": 1}
    assert choice.later == (Later(errand="b", reason=LaterReason.NOBODY),)


def test_crews_share_the_work_out_so_that_the_able_do_what_only_they_can() -> None:
    rooms = ((Room(work_s=2 * HOUR), Room(work_s=HOUR, offers=frozenset({"x"}))),)
    errands = [errand(name, days=(0,)) for name in "ab"] + [errand("c", days=(0,), requires=frozenset({"x"}))]
    assert chosen(Horizon(rooms=rooms, errands=tuple(errands))).days == {"a": 0, "b": 0, "c": 0}


@pytest.mark.parametrize(
    ("one", "caps", "reason"),
    [
        (errand("a", days=()), (), LaterReason.NO_DAY),
        (errand("a", days=(3,), due_on=2), (), LaterReason.NO_DAY),
        (errand("a", visitors=2), (), LaterReason.NOBODY),
        (errand("a", requires=frozenset({"x"})), (), LaterReason.NOBODY),
        (errand("a", days=(1,)), (Cap(errands=("a",), gap=3, past=(3,)),), LaterReason.CAPPED),
        (errand("a"), (Cap(errands=("a",), windows=((-9, 9),), past=(-1,)),), LaterReason.CAPPED),
        (errand("a", work_s=9 * HOUR), (), LaterReason.NO_ROOM),
    ],
)
def test_what_has_no_day_says_why(one: Errand, caps: tuple[Cap, ...], reason: LaterReason) -> None:
    assert chosen(week(one, caps=caps)).later == (Later(errand="a", reason=reason),)


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        (lambda: errand(""), "id"),
        (lambda: errand("a", days=(1, 1)), r"days\[1\]"),
        (lambda: errand("a", days=(-1,)), r"days\[0\]"),
        (lambda: errand("a", work_s=1.0), "work_s"),
        (lambda: errand("a", value_s=10**10), "value_s"),
        (lambda: errand("a", visitors=0), "visitors"),
        (lambda: Cap(errands=("a",), windows=((2, 1),)), r"windows\[0\]"),
        (lambda: Cap(errands=("a",), gap=-1), "gap"),
        (lambda: Cap(errands=("a",), past=(0.5,)), r"past\[0\]"),  # type: ignore[arg-type]
        (lambda: Room(work_s=-1), "work_s"),
        (lambda: Prices(late_share=101), "late_share"),
        (lambda: Horizon(rooms=()), "rooms"),
        (lambda: week(errand("a"), errand("a")), r"errands\[1\].id"),
        (lambda: week(errand("a", days=(5,))), r"errands\[0\].days"),
        (lambda: week(errand("a"), caps=(Cap(errands=("a", "x")),)), r"caps\[0\].errands\[1\]"),
        (lambda: week(approach_s=(-1,)), r"approach_s\[0\]"),
    ],
)
def test_what_is_wrong_is_named_with_its_path(wrong: object, path: str) -> None:
    with pytest.raises(InvalidProblem, match=path):
        wrong()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("days", "later", "codes"),
    [
        ({"a": 0, "b": 3}, (), []),
        ({"a": 0, "b": 1}, (), ["gap"]),
        ({"a": 3, "b": 0}, (), ["late"]),
        ({"a": 0, "b": 4}, (), ["day", "cap"]),
        ({"a": 0}, (), ["missing"]),
        ({"a": 0, "b": 3, "x": 1}, (), ["unknown_errand"]),
        ({"a": 0, "b": 3}, ("b",), ["twice"]),
        ({"a": 0}, ("b",), []),
    ],
)
def test_the_judge_finds_every_broken_rule(days: dict[str, int], later: tuple[str, ...], codes: list[str]) -> None:
    errands = (errand("a", due_on=2), errand("b", days=(0, 1, 2, 3)))
    caps = (Cap(errands=("a", "b"), most=9, gap=2), Cap(errands=("b",), windows=((4, 4),), past=(4,)))
    choice = Choice(days=days, later=tuple(Later(errand=name, reason=LaterReason.NO_ROOM) for name in later))
    assert [fault.code for fault in horizon_faults(week(*errands, caps=caps), choice)] == codes


def test_the_judge_finds_a_day_that_cannot_hold_its_work() -> None:
    horizon = Horizon(
        rooms=((Room(work_s=HOUR, offers=frozenset({"x"})), Room(work_s=9 * HOUR)),),
        errands=tuple(errand(name, days=(0,), requires=frozenset({"x"})) for name in "ab"),
    )
    (fault,) = horizon_faults(horizon, Choice(days={"a": 0, "b": 0}))
    assert (fault.code, fault.says) == ("full", "the crews of day 0 cannot share its work out")
    crowded = replace(horizon, rooms=((Room(work_s=HOUR, offers=frozenset({"x"})),),))
    assert horizon_faults(crowded, Choice(days={"a": 0, "b": 0}))[0].says.startswith("7200 s of work")


WORDS = st.frozensets(st.sampled_from("xy"), max_size=1)


@st.composite
def horizons(draw: st.DrawFn) -> Horizon:
    days = draw(st.integers(1, 4))
    rooms = tuple(
        tuple(
            Room(work_s=draw(st.integers(0, 6 * HOUR)), offers=draw(WORDS), size=draw(st.integers(1, 2)))
            for _ in range(draw(st.integers(0, 3)))
        )
        for _ in range(days)
    )
    errands = tuple(
        Errand(
            id=f"e{number}",
            days=tuple(sorted(draw(st.sets(st.integers(0, days - 1))))),
            work_s=draw(st.integers(0, 3 * HOUR)),
            value_s=draw(st.integers(0, 4 * HOUR)),
            due_on=draw(st.none() | st.integers(-1, days)),
            requires=draw(WORDS),
            visitors=draw(st.integers(1, 2)),
            most_visitors=draw(st.none() | st.integers(1, 2)),
            place=draw(st.integers(0, 2)),
        )
        for number in range(draw(st.integers(0, 7)))
    )
    names = [one.id for one in errands]
    caps = tuple(
        Cap(
            errands=tuple(sorted(draw(st.sets(st.sampled_from(names), min_size=1)))),
            most=draw(st.integers(0, 3)),
            windows=tuple((first, first + draw(st.integers(0, 5))) for first in draw(st.sets(st.integers(-4, 3)))),
            gap=draw(st.integers(0, 3)),
            past=tuple(draw(st.lists(st.integers(-4, 5), max_size=2))),
        )
        for _ in range(draw(st.integers(0, 2)) if names else 0)
    )
    return Horizon(rooms=rooms, errands=errands, caps=caps, approach_s=(600, 1_200))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(horizons())
def test_whatever_is_asked_no_rule_is_broken_and_it_is_the_same_every_time(horizon: Horizon) -> None:
    choice = chosen(horizon)
    assert choose_days(horizon) == choice
    assert choice.best


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(horizons())
def test_nothing_is_left_that_has_room_as_the_days_stand_and_is_worth_it(horizon: Horizon) -> None:
    choice = chosen(horizon)
    for later in choice.later:
        one = horizon.errand_by_id[later.errand]
        if one.value_s < 2 * 1_200:
            continue
        for day in one.days:
            rest = tuple(other for other in choice.later if other is not later)
            more = Choice(days={**choice.days, one.id: day}, later=rest)
            assert horizon_faults(horizon, more) != []
