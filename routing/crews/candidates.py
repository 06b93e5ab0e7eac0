"""The crews that could ride: every lawful one of the size that the day's work asks for."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from routing.crews.roster import Person, Staff

PARTNERS = 24
"""With how many others each person may pair where there are more: those who bring most, then those who live nearest."""


@dataclass(frozen=True)
class Candidate:
    """A crew that could ride, the lead first, and the seconds between its members' starts and the lead's."""

    members: tuple[str, ...]
    hours: tuple[int, int]
    offers: frozenset[str]
    apart_s: int
    kept: bool = False

    @property
    def length_s(self) -> int:
        return self.hours[1] - self.hours[0]


def candidates(staff: Staff) -> list[Candidate]:
    """Kept crews first, then all others in the order of people; nobody of a kept crew is in another."""
    kept = [candidate(staff, members, kept=True) for members in staff.kept]
    taken = {name for members in staff.kept for name in members}
    free = [person for person in staff.people if person.id not in taken and works(staff, person)]
    return [*kept, *(one for people in _groups(staff, free) if (one := _lawful(staff, people)) is not None)]


def works(staff: Staff, person: Person) -> bool:
    """Whether enough of today is left to them, rested and within their hours."""
    begin, end = staff.shared((person.id,))
    return end - begin >= staff.rules.least_s


def candidate(staff: Staff, members: tuple[str, ...], *, kept: bool = False) -> Candidate:
    return Candidate(
        members=members,
        hours=staff.shared(members),
        offers=staff.offers(members),
        apart_s=_apart(staff, members),
        kept=kept,
    )


def _groups(staff: Staff, free: list[Person]) -> Iterator[tuple[Person, ...]]:
    yield from ((person,) for person in free)
    if staff.rules.largest < 2:
        return
    partners = _partners(staff, free)
    pairs = [pair for pair in combinations(free, 2) if pair[1].id in partners[pair[0].id]]
    yield from pairs
    if staff.rules.largest == 3 and any(one.visitors == 3 for one in staff.demands):
        for first, second in pairs:
            both = partners[first.id] & partners[second.id]
            yield from ((first, second, third) for third in free[free.index(second) + 1 :] if third.id in both)


def _partners(staff: Staff, free: list[Person]) -> dict[str, set[str]]:
    """With whom each may pair; if either wants the other it holds for both."""
    wanted = frozenset().union(*(one.requires for one in staff.demands))
    found: dict[str, set[str]] = {person.id: set() for person in free}
    for person in free:
        mine = person.knows | person.holds

        def rank(other: Person, person: Person = person, mine: frozenset[str] = mine) -> tuple[int, int, str]:
            return -len((other.knows - mine) & wanted), _apart(staff, (person.id, other.id)), other.id

        for other in sorted((one for one in free if one is not person), key=rank)[:PARTNERS]:
            found[person.id].add(other.id)
            found[other.id].add(person.id)
    return found


def _lawful(staff: Staff, people: tuple[Person, ...]) -> Candidate | None:
    names = {person.id for person in people}
    lead = next((person for person in people if person.may_lead), None)
    if lead is None or (len(people) == 1 and not lead.may_ride_alone):
        return None
    if any(set(pair) <= names for pair in staff.never):
        return None
    found = candidate(staff, (lead.id, *(person.id for person in people if person is not lead)))
    return found if found.length_s >= staff.rules.least_s else None


def _apart(staff: Staff, members: tuple[str, ...]) -> int:
    if staff.apart_s is None:
        return 0
    place = {person.id: index for index, person in enumerate(staff.people)}
    lead = place[members[0]]
    ways = (staff.apart_s[place[name]][lead] for name in members[1:])
    return sum(7_200 if way is None else way for way in ways)
