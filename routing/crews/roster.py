"""The people of a day and what it asks of them; and the crews that answer it. Frozen, and checked when made.

Times are whole seconds from the day's origin, prices whole seconds, as in `routing.problem`.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from routing.demands import (
    Matrix,
    demand,
    demand_distinct,
    demand_flag,
    demand_matrix,
    demand_span,
    demand_text,
    demand_texts,
    demand_whole,
    demand_whole_or_none,
)

DAY_S = 86_400
REST_S = 11 * 3_600
LEAST_S = 3_600


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who works today.

    `knows`: words that hold for a crew as soon as one member has them (skills, languages). `holds`: words that hold
    for a crew only if every member has them (papers). `worked_until_s`: when they last came home, before today's
    origin as a rule. `most_work_s`: the hours that are left to them. `work_before_s`: the work of the weeks behind,
    for fairness.
    """

    id: str
    shift: tuple[int, int]
    knows: frozenset[str] = frozenset()
    holds: frozenset[str] = frozenset()
    worked_until_s: int | None = None
    most_work_s: int | None = None
    work_before_s: int = 0
    may_lead: bool = True
    may_ride_alone: bool = True

    def __post_init__(self) -> None:
        demand_text(self.id, "id")
        demand_span(self.shift, "shift")
        demand_texts(sorted(self.knows, key=str), "knows")
        demand_texts(sorted(self.holds, key=str), "holds")
        demand_whole_or_none(self.worked_until_s, "worked_until_s")
        demand_whole_or_none(self.most_work_s, "most_work_s", least=0)
        demand_whole(self.work_before_s, "work_before_s", least=0)
        demand_flag(self.may_lead, "may_lead")
        demand_flag(self.may_ride_alone, "may_ride_alone")


@dataclass(frozen=True, kw_only=True)
class Demand:
    """Work of one kind: the visits that need the same words and the same number of people.

    `work_s`: services and drives together, as estimated. `most_visitors`: more people may not stand at the door.
    """

    id: str
    work_s: int
    requires: frozenset[str] = frozenset()
    visitors: int = 1
    most_visitors: int | None = None
    price: int = 1
    """What each second left undone costs, before `Rules.left`."""

    def __post_init__(self) -> None:
        demand_text(self.id, "id")
        demand_whole(self.work_s, "work_s", least=0)
        demand_texts(sorted(self.requires, key=str), "requires")
        demand_whole(self.visitors, "visitors", least=1)
        demand_whole_or_none(self.most_visitors, "most_visitors", least=1)
        demand_whole(self.price, "price", least=0, most=1_000)

    def met_by(self, offers: frozenset[str], size: int) -> bool:
        """Whether a crew of this size with these words may do it."""
        most = self.most_visitors
        return self.requires <= offers and self.visitors <= size and (most is None or size <= most)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What holds for every crew, and what is wished, each at its price in seconds.

    `rest_s` lies between coming home and setting out again. A crew works together `least_s` at least. `left`: each
    second of demand left undone. `idle`: somebody who stays at home though they could ride. `together`: each member
    beyond the first. `balance`: each second between the one with most work and the one with least, carried in.
    `apart`: each second of the way from a member's start to the lead's.
    """

    rest_s: int = REST_S
    largest: int = 3
    least_s: int = LEAST_S
    left: int = 10
    idle: int = 3_600
    together: int = 1_800
    balance: int = 1
    apart: int = 1

    def __post_init__(self) -> None:
        demand_whole(self.rest_s, "rest_s", least=0)
        demand_whole(self.largest, "largest", least=1, most=3)
        demand_whole(self.least_s, "least_s", least=1, most=DAY_S)
        for name in ("left", "idle", "together", "balance", "apart"):
            demand_whole(getattr(self, name), name, least=0, most=1_000_000)


@dataclass(frozen=True, kw_only=True)
class Staff:
    """The whole question. `kept`: crews that stand as they are, the lead first. `never`: pairs who do not ride
    together. `apart_s`: seconds between the starts of people, in their order."""

    people: tuple[Person, ...]
    demands: tuple[Demand, ...] = ()
    kept: tuple[tuple[str, ...], ...] = ()
    never: tuple[tuple[str, str], ...] = ()
    apart_s: Matrix | None = None
    rules: Rules = field(default_factory=Rules)

    def __post_init__(self) -> None:
        demand_distinct((person.id for person in self.people), "people")
        demand_distinct((one.id for one in self.demands), "demands")
        if self.apart_s is not None:
            demand_matrix(self.apart_s, "apart_s", size=len(self.people))
        for index, pair in enumerate(self.never):
            self._demand_known(pair, f"never[{index}]")
            demand(len(set(pair)) == 2, f"never[{index}]", "must name two people")
        seen: set[str] = set()
        for index, members in enumerate(self.kept):
            self._demand_kept(members, f"kept[{index}]", seen)
            seen |= set(members)

    @cached_property
    def person_by_id(self) -> dict[str, Person]:
        return {person.id: person for person in self.people}

    def hours(self, person: Person) -> tuple[int, int]:
        """When they may work: within the shift, and rested. Empty where the end does not lie after the beginning."""
        begin, end = person.shift
        if person.worked_until_s is not None:
            begin = max(begin, person.worked_until_s + self.rules.rest_s)
        return begin, end

    def shared(self, members: tuple[str, ...]) -> tuple[int, int]:
        """When all of them may work, cut at the end to the hours that are left to each."""
        people = [self.person_by_id[name] for name in members]
        begin = max(self.hours(person)[0] for person in people)
        end = min(self.hours(person)[1] for person in people)
        left = [person.most_work_s for person in people if person.most_work_s is not None]
        return begin, min([end, *(begin + most for most in left)])

    def offers(self, members: tuple[str, ...]) -> frozenset[str]:
        """What any of them knows, and what all of them hold."""
        people = [self.person_by_id[name] for name in members]
        known = frozenset().union(*(one.knows for one in people))
        return known | frozenset.intersection(*(one.holds for one in people))

    def _demand_known(self, names: tuple[str, ...], path: str) -> None:
        for place, name in enumerate(names):
            demand(name in self.person_by_id, f"{path}[{place}]", f"there is no person {name!r}")

    def _demand_kept(self, members: tuple[str, ...], path: str, seen: set[str]) -> None:
        self._demand_known(members, path)
        demand(len(set(members)) == len(members), path, "names somebody twice")
        demand(1 <= len(members) <= self.rules.largest, path, f"must have 1 to {self.rules.largest} members")
        demand(not set(members) & seen, path, "names somebody who rides in another crew that is kept")
        begin, end = self.shared(members)
        demand(end - begin >= self.rules.least_s, path, "the members share too few hours")
        apart = any(set(pair) <= set(members) for pair in self.never)
        demand(not apart, path, "holds a pair that never rides together")


class HomeReason(StrEnum):
    """Why somebody stays at home."""

    RESTING = "resting"
    """The rest after the last day leaves too little of today."""
    NO_HOURS_LEFT = "no_hours_left"
    NOT_ALONE = "not_alone"
    """May not ride alone, and nobody to ride with."""
    CANNOT_LEAD = "cannot_lead"
    NOT_NEEDED = "not_needed"


class LeftReason(StrEnum):
    """Why work is left that no crew takes on."""

    NOBODY_OFFERS = "nobody_offers"
    """A word that nobody who may work today has."""
    TOO_FEW_PEOPLE = "too_few_people"
    NOT_TOGETHER = "not_together"
    """People have the words, but no crew of them that may ride has them all."""
    NO_HOURS = "no_hours"
    """All who could are busy with other work."""


@dataclass(frozen=True, kw_only=True)
class Duty:
    """Work of one kind that a crew takes on."""

    demand: str
    work_s: int


@dataclass(frozen=True, kw_only=True)
class FormedCrew:
    """The lead first."""

    members: tuple[str, ...]
    hours: tuple[int, int]
    offers: frozenset[str]
    duties: tuple[Duty, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StayingHome:
    person: str
    reason: HomeReason


@dataclass(frozen=True, kw_only=True)
class LeftDemand:
    """Work that nobody takes on. `lacks`: the words that nobody has, where that is why."""

    demand: str
    work_s: int
    reason: LeftReason
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Forming:
    """Crews in a fixed order, and a reason for everybody and everything left. `best`: nothing better exists."""

    crews: tuple[FormedCrew, ...] = ()
    home: tuple[StayingHome, ...] = ()
    left: tuple[LeftDemand, ...] = ()
    best: bool = False
