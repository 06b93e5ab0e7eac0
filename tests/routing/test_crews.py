"""Who rides with whom: what is asked for is covered, no rule is broken, and everything left has a true reason."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.crews import (
    Demand,
    Duty,
    FormedCrew,
    Forming,
    HomeReason,
    LeftReason,
    Person,
    Rules,
    Staff,
    StayingHome,
    crew_faults,
)
from routing.crews.forming import form_crews
from routing.errors import InvalidProblem

HOUR = 3_600
WORKDAY = (8 * HOUR, 16 * HOUR)


def person(name: str, **given: object) -> Person:
    return Person(**({"id": name, "shift": WORKDAY} | given))  # type: ignore[arg-type]


def work(hours: int, *words: str, name: str = "", **given: object) -> Demand:
    known = {"id": name or "+".join(words) or "any", "work_s": hours * HOUR, "requires": frozenset(words)}
    return Demand(**(known | given))  # type: ignore[arg-type]


def members(forming: Forming) -> list[tuple[str, ...]]:
    return [crew.members for crew in forming.crews]


def formed(staff: Staff) -> Forming:
    forming = form_crews(staff)
    assert crew_faults(staff, forming) == []
    return forming


def test_where_one_is_enough_everybody_rides_alone() -> None:
    staff = Staff(people=tuple(map(person, "abc")), demands=(work(20),))
    assert members(formed(staff)) == [("a",), ("b",), ("c",)]


def test_two_go_where_two_are_needed_and_no_more_pairs_are_made_than_that_takes() -> None:
    staff = Staff(people=tuple(map(person, "abcd")), demands=(work(6, name="risk", visitors=2), work(15)))
    forming = formed(staff)
    assert sorted(len(crew.members) for crew in forming.crews) == [1, 1, 2]
    assert forming.left == ()


def test_what_one_knows_the_crew_knows_and_papers_everybody_needs() -> None:
    papers = frozenset({"papers"})
    people = (
        person("speaks", knows=frozenset({"sami"})),
        person("papers", holds=papers),
        person("both", knows=frozenset({"sami"}), holds=papers),
        person("strong", holds=papers),
    )
    staff = Staff(people=people, demands=(work(5, "sami", "papers", visitors=2),))
    forming = formed(staff)
    (pair,) = [crew for crew in forming.crews if len(crew.members) == 2]
    assert "both" in pair.members
    assert "speaks" not in pair.members
    assert forming.left == ()


def test_a_crew_that_is_kept_stands_as_it_is() -> None:
    staff = Staff(people=tuple(map(person, "abcd")), demands=(work(30),), kept=(("c", "a"),))
    assert members(formed(staff)) == [("c", "a"), ("b",), ("d",)]


def test_those_who_never_ride_together_do_not() -> None:
    staff = Staff(
        people=tuple(map(person, "abc")), demands=(work(6, name="risk", visitors=2),), never=(("a", "b"), ("b", "c"))
    )
    assert ("a", "c") in members(formed(staff))


def test_whoever_came_home_late_sets_out_late_and_after_a_night_not_at_all() -> None:
    people = (
        person("late", worked_until_s=-1 * HOUR),
        person("night", worked_until_s=5 * HOUR),
        person("early", worked_until_s=-6 * HOUR),
    )
    forming = formed(Staff(people=people, demands=(work(20),)))
    assert {crew.members: crew.hours[0] // HOUR for crew in forming.crews} == {("late",): 10, ("early",): 8}
    assert forming.home == (StayingHome(person="night", reason=HomeReason.RESTING),)


def test_the_hours_that_are_left_end_the_day() -> None:
    people = (person("a", most_work_s=3 * HOUR), person("b", most_work_s=60))
    forming = formed(Staff(people=people, demands=(work(20),)))
    assert [(crew.members, crew.hours) for crew in forming.crews] == [(("a",), (8 * HOUR, 11 * HOUR))]
    assert forming.home == (StayingHome(person="b", reason=HomeReason.NO_HOURS_LEFT),)


def test_whoever_may_not_ride_alone_rides_with_somebody_or_says_why_not() -> None:
    learner = person("learner", may_ride_alone=False, may_lead=False)
    assert members(formed(Staff(people=(learner, person("old")), demands=(work(5),)))) == [("old", "learner")]
    alone = formed(Staff(people=(learner,), demands=(work(5),)))
    assert alone.home == (StayingHome(person="learner", reason=HomeReason.CANNOT_LEAD),)


def test_the_work_goes_to_those_who_had_least() -> None:
    people = (person("much", work_before_s=40 * HOUR), person("little", work_before_s=10 * HOUR))
    forming = formed(Staff(people=people, demands=(work(6),)))
    busy = {crew.members[0]: sum(duty.work_s for duty in crew.duties) for crew in forming.crews}
    assert busy == {"much": 0, "little": 6 * HOUR}


def test_those_who_live_near_each_other_ride_together() -> None:
    far, near = 5_000, 60
    apart = ((0, far, near, far), (far, 0, far, near), (near, far, 0, far), (far, near, far, 0))
    staff = Staff(people=tuple(map(person, "abcd")), demands=(work(16, name="risk", visitors=2),), apart_s=apart)
    assert members(formed(staff)) == [("a", "c"), ("b", "d")]


@pytest.mark.parametrize(
    ("people", "asked", "reason", "lacks"),
    [
        ((person("a"),), work(5, "sami"), LeftReason.NOBODY_OFFERS, ("sami",)),
        (
            (person("a", knows=frozenset({"sami"}), most_work_s=60), person("b")),
            work(5, "sami"),
            LeftReason.NOBODY_OFFERS,
            ("sami",),
        ),
        ((person("a"),), work(5, visitors=2), LeftReason.TOO_FEW_PEOPLE, ()),
        (
            (person("a", knows=frozenset({"x"})), person("b", shift=(20 * HOUR, 23 * HOUR), knows=frozenset({"y"}))),
            work(5, "x", "y"),
            LeftReason.NOT_TOGETHER,
            (),
        ),
        ((person("a"),), work(50), LeftReason.NO_HOURS, ()),
    ],
)
def test_work_that_is_left_says_why(
    people: tuple[Person, ...], asked: Demand, reason: LeftReason, lacks: tuple[str, ...]
) -> None:
    (left,) = formed(Staff(people=people, demands=(asked,))).left
    assert (left.reason, left.lacks) == (reason, lacks)


def test_nobody_at_all_leaves_everything_with_its_reason() -> None:
    forming = formed(Staff(people=(), demands=(work(2, "x"), work(3, visitors=2, name="risk"))))
    assert [one.reason for one in forming.left] == [LeftReason.NOBODY_OFFERS, LeftReason.TOO_FEW_PEOPLE]
    assert formed(Staff(people=())) == Forming(best=True)


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        (lambda: person("a", shift=(5, 4)), "shift"),
        (lambda: person("", shift=(4, 5)), "id"),
        (lambda: person("a", work_before_s=-1), "work_before_s"),
        (lambda: person("a", most_work_s=1.5), "most_work_s"),
        (lambda: person("a", may_lead=1), "may_lead"),
        (lambda: work(1, visitors=0), "visitors"),
        (lambda: Demand(id="x", work_s=-1), "work_s"),
        (lambda: Rules(largest=4), "largest"),
        (lambda: Rules(left=-1), "left"),
        (lambda: Staff(people=(person("a"), person("a"))), r"people\[1\].id"),
        (lambda: Staff(people=(person("a"),), demands=(work(1), work(2))), r"demands\[1\].id"),
        (lambda: Staff(people=(person("a"),), kept=(("b",),)), r"kept\[0\]\[0\]"),
        (lambda: Staff(people=(person("a"),), kept=(("a", "a"),)), r"kept\[0\]"),
        (lambda: Staff(people=(person("a"), person("b")), kept=(("a",), ("b", "a"))), r"kept\[1\]"),
        (lambda: Staff(people=(person("a"), person("b", shift=(0, 60))), kept=(("a", "b"),)), r"kept\[0\]"),
        (lambda: Staff(people=(person("a"), person("b")), kept=(("a", "b"),), never=(("b", "a"),)), r"kept\[0\]"),
        (lambda: Staff(people=(person("a"),), never=(("a", "a"),)), r"never\[0\]"),
        (lambda: Staff(people=(person("a"),), apart_s=((0, 1), (1, 0))), "apart_s"),
    ],
)
def test_what_is_wrong_is_named_with_its_path(wrong: object, path: str) -> None:
    with pytest.raises(InvalidProblem, match=path):
        wrong()  # type: ignore[operator]


GOOD = FormedCrew(members=("a",), hours=WORKDAY, offers=frozenset(), duties=(Duty(demand="any", work_s=HOUR),))


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, []),
        ({"members": ("x",)}, ["unknown_person", "missing"]),
        ({"members": ("a", "a")}, ["twice"]),
        ({"members": ()}, ["empty", "missing", "duty"]),
        ({"members": ("a", "b")}, ["never", "twice"]),
        ({"hours": (7 * HOUR, 16 * HOUR)}, ["shift", "rest"]),
        ({"hours": (8 * HOUR, 8 * HOUR + 60)}, ["short", "overworked"]),
        ({"offers": frozenset({"sami"})}, ["offers"]),
        ({"duties": (Duty(demand="risk", work_s=HOUR),)}, ["duty", "work", "work"]),
        ({"duties": (Duty(demand="any", work_s=9 * HOUR),)}, ["overworked", "work"]),
        ({"duties": ()}, ["work"]),
    ],
)
def test_the_judge_finds_every_broken_rule(changes: dict[str, object], codes: list[str]) -> None:
    rested = person("a", worked_until_s=-3 * HOUR)
    staff = Staff(
        people=(rested, person("b")), demands=(work(1), work(0, name="risk", visitors=2)), never=(("a", "b"),)
    )
    crew = replace(GOOD, **changes)  # type: ignore[arg-type]
    forming = Forming(crews=(crew,), home=(StayingHome(person="b", reason=HomeReason.NOT_NEEDED),))
    assert [fault.code for fault in crew_faults(staff, forming)] == codes


WORDS = st.frozensets(st.sampled_from("xyz"), max_size=2)


@st.composite
def staffs(draw: st.DrawFn) -> Staff:
    people = []
    for number in range(draw(st.integers(0, 6))):
        begin = draw(st.integers(6, 14)) * HOUR
        people.append(
            Person(
                id=f"p{number}",
                shift=(begin, begin + draw(st.integers(0, 9)) * HOUR),
                knows=draw(WORDS),
                holds=draw(WORDS),
                worked_until_s=draw(st.none() | st.integers(-20 * HOUR, 3 * HOUR)),
                most_work_s=draw(st.none() | st.integers(0, 10 * HOUR)),
                work_before_s=draw(st.integers(0, 100 * HOUR)),
                may_lead=draw(st.booleans()),
                may_ride_alone=draw(st.booleans()),
            )
        )
    demands = [
        Demand(
            id=f"d{number}",
            work_s=draw(st.integers(0, 20 * HOUR)),
            requires=draw(WORDS),
            visitors=draw(st.integers(1, 3)),
            most_visitors=draw(st.none() | st.integers(1, 3)),
            price=draw(st.integers(0, 3)),
        )
        for number in range(draw(st.integers(0, 4)))
    ]
    names = [one.id for one in people]
    pairs = st.tuples(st.sampled_from(names), st.sampled_from(names)).filter(lambda pair: pair[0] != pair[1])
    never = draw(st.lists(pairs, max_size=2)) if len(names) > 1 else []
    return Staff(people=tuple(people), demands=tuple(demands), never=tuple(never))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(staffs())
def test_whatever_the_day_asks_no_rule_is_broken_and_it_is_the_same_every_time(staff: Staff) -> None:
    forming = formed(staff)
    assert form_crews(staff) == forming
    assert forming.best


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(staffs())
def test_one_more_who_can_do_everything_never_leaves_more_undone(staff: Staff) -> None:
    spare = Person(id="spare", shift=(0, 24 * HOUR), knows=frozenset("xyz"), holds=frozenset("xyz"))
    more = replace(staff, people=(*staff.people, spare))
    # What is undone is the dearest of all prices here; the others may then shift against it.
    assert _undone(more) <= _undone(staff) + 2 * HOUR


def _undone(staff: Staff) -> int:
    prices = {one.id: one.price for one in staff.demands}
    return sum(one.work_s * prices[one.demand] for one in form_crews(staff).left)
