"""The judge of formed crews: it shares nothing with the search but the values, and believes no claim."""

from collections import Counter

from routing.checking.fault import Fault
from routing.crews.roster import FormedCrew, Forming, HomeReason, LeftReason, Person, Staff


def crew_faults(staff: Staff, forming: Forming) -> list[Fault]:
    """Every broken rule; empty for crews that may ride."""
    found: list[Fault] = []
    for index, crew in enumerate(forming.crews):
        path = f"crews[{index}]"
        unknown = [name for name in crew.members if name not in staff.person_by_id]
        found += [_fault("unknown_person", path, f"there is no person {name!r}") for name in unknown]
        if not unknown:
            found += _crew_faults(staff, crew, path)
    for rule in (_everybody_once, _kept, _work, _reasons):
        found += rule(staff, forming)
    return found


def _crew_faults(staff: Staff, crew: FormedCrew, path: str) -> list[Fault]:
    people = [staff.person_by_id[name] for name in crew.members]
    rules, kept = staff.rules, crew.members in staff.kept
    if not people:
        return [_fault("empty", path, "a crew has a member")]
    begin, end = crew.hours
    wrong = [
        (len(people) > rules.largest, "too_large", f"{len(people)} members, at most {rules.largest}"),
        (not kept and not people[0].may_lead, "lead", f"{people[0].id} may not lead"),
        (not kept and len(people) == 1 and not people[0].may_ride_alone, "alone", f"{people[0].id} may not ride alone"),
        (end - begin < rules.least_s, "short", f"{end - begin} s together, at least {rules.least_s}"),
        (crew.offers != _offers(people), "offers", "claims other words than its members have"),
    ]
    for pair in staff.never:
        wrong.append((set(pair) <= set(crew.members), "never", f"{pair[0]} and {pair[1]} never ride together"))
    for person in people:
        wrong += _hours_faults(staff, person, begin, end)
    return [_fault(code, path, says) for broken, code, says in wrong if broken]


def _hours_faults(staff: Staff, person: Person, begin: int, end: int) -> list[tuple[bool, str, str]]:
    rested = person.worked_until_s is None or begin - person.worked_until_s >= staff.rules.rest_s
    left = person.most_work_s is None or end - begin <= person.most_work_s
    return [
        (begin < person.shift[0] or end > person.shift[1], "shift", f"{person.id} does not work then"),
        (not rested, "rest", f"{person.id} has not rested"),
        (not left, "hours_left", f"{person.id} has fewer hours left"),
    ]


def _offers(people: list[Person]) -> frozenset[str]:
    words = set().union(*(person.knows for person in people))
    words |= {word for word in people[0].holds if all(word in person.holds for person in people)}
    return frozenset(words)


def _everybody_once(staff: Staff, forming: Forming) -> list[Fault]:
    places = Counter(name for crew in forming.crews for name in crew.members)
    places.update(one.person for one in forming.home)
    found = [_fault("twice", "crews", f"{name} is there {count} times") for name, count in places.items() if count > 1]
    lost = [person.id for person in staff.people if person.id not in places]
    return found + [_fault("missing", "home", f"{name} neither rides nor has a reason") for name in lost]


def _kept(staff: Staff, forming: Forming) -> list[Fault]:
    formed = {crew.members for crew in forming.crews}
    lost = [members for members in staff.kept if members not in formed]
    return [_fault("kept", "crews", f"the crew {', '.join(members)} was to be kept") for members in lost]


def _work(staff: Staff, forming: Forming) -> list[Fault]:
    """No crew takes on what it may not do, or more than its hours; and all work is taken on or left."""
    found, demands = [], {one.id: one for one in staff.demands}
    done: Counter[str] = Counter()
    for index, crew in enumerate(forming.crews):
        for place, duty in enumerate(crew.duties):
            path, asked = f"crews[{index}].duties[{place}]", demands.get(duty.demand)
            if asked is None or not asked.met_by(crew.offers, len(crew.members)):
                found.append(_fault("duty", path, f"this crew may not take on {duty.demand}"))
            if duty.work_s <= 0:
                found.append(_fault("duty", path, "no work"))
            done[duty.demand] += duty.work_s
        if sum(duty.work_s for duty in crew.duties) > crew.hours[1] - crew.hours[0]:
            found.append(_fault("overworked", f"crews[{index}]", "more work than hours"))
    left = Counter({one.demand: one.work_s for one in forming.left})
    for name, asked in demands.items():
        if done[name] + left[name] != asked.work_s:
            told = f"{name}: {done[name]} s taken on and {left[name]} s left of {asked.work_s}"
            found.append(_fault("work", "left", told))
    return found


def _reasons(staff: Staff, forming: Forming) -> list[Fault]:
    """A reason is a fault where it can be seen to be untrue."""
    found = []
    for index, one in enumerate(forming.home):
        person = staff.person_by_id.get(one.person)
        if person is None:
            found.append(_fault("unknown_person", f"home[{index}]", f"there is no person {one.person!r}"))
        elif one.reason is HomeReason.RESTING and person.worked_until_s is None:
            found.append(_fault("reason", f"home[{index}]", f"{person.id} has nothing to rest from"))
        elif one.reason is HomeReason.NOT_ALONE and person.may_ride_alone and person.may_lead:
            found.append(_fault("reason", f"home[{index}]", f"{person.id} may ride alone"))
    words = frozenset().union(*(person.knows | person.holds for person in staff.people))
    for index, left in enumerate(forming.left):
        asked = next((one for one in staff.demands if one.id == left.demand), None)
        if asked is None:
            found.append(_fault("unknown_demand", f"left[{index}]", f"there is no demand {left.demand!r}"))
        elif left.reason is LeftReason.NOBODY_OFFERS and not set(left.lacks) - words:
            # Somebody has them all: then that somebody may at least not work today.
            able = [p for p in staff.people if set(left.lacks) <= p.knows | p.holds and _may_work(staff, p)]
            if able:
                found.append(_fault("reason", f"left[{index}]", f"{able[0].id} offers what nobody is said to"))
    return found


def _may_work(staff: Staff, person: Person) -> bool:
    begin, end = person.shift
    if person.worked_until_s is not None:
        begin = max(begin, person.worked_until_s + staff.rules.rest_s)
    if person.most_work_s is not None:
        end = min(end, begin + person.most_work_s)
    return end - begin >= staff.rules.least_s


def _fault(code: str, path: str, says: str) -> Fault:
    return Fault(code=code, path=path, says=says)
