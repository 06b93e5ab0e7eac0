"""The judge of days chosen: deadlines, caps, gaps, and whether a day can hold what it is given.

It shares nothing with the choice but the values; whether a day's crews can share its work out is found by a flow.
"""

from collections import defaultdict, deque
from itertools import combinations, pairwise

from routing.checking.fault import Fault
from routing.horizon.errands import Cap, Choice, Errand, Horizon, LaterReason, Room

MINUTE = 60


def horizon_faults(horizon: Horizon, choice: Choice) -> list[Fault]:
    """Every broken rule; empty for days that may be planned."""
    found = _everyone_once(horizon, choice)
    for name, day in sorted(choice.days.items()):
        errand = horizon.errand_by_id.get(name)
        if errand is not None:
            found += _day_faults(errand, day)
    for index, cap in enumerate(horizon.caps):
        found += _cap_faults(cap, choice, f"caps[{index}]")
    for day in range(len(horizon.rooms)):
        found += _room_faults(horizon, choice, day)
    return found + _reasons(horizon, choice)


def _everyone_once(horizon: Horizon, choice: Choice) -> list[Fault]:
    later = [one.errand for one in choice.later]
    found = []
    for name in sorted({*choice.days, *later}):
        if name not in horizon.errand_by_id:
            found.append(_fault("unknown_errand", "days", f"there is no errand {name!r}", name))
        elif (name in choice.days) + later.count(name) > 1:
            found.append(_fault("twice", "later", f"{name} is there more than once", name))
    lost = set(horizon.errand_by_id) - set(choice.days) - set(later)
    return found + [_fault("missing", "later", f"{name} has neither a day nor a reason", name) for name in sorted(lost)]


def _day_faults(errand: Errand, day: int) -> list[Fault]:
    found = []
    if day not in errand.days:
        found.append(_fault("day", f"days[{errand.id}]", f"may not be made on day {day}", errand.id))
    if errand.due_on is not None and day > errand.due_on:
        found.append(_fault("late", f"days[{errand.id}]", f"day {day} lies after {errand.due_on}", errand.id))
    return found


def _cap_faults(cap: Cap, choice: Choice, path: str) -> list[Fault]:
    made = [choice.days[name] for name in cap.errands if name in choice.days]
    found = []
    for first, last in cap.windows:
        here = sum(first <= day <= last for day in made)
        count = here + sum(first <= day <= last for day in cap.past)
        if here and count > cap.most:
            found.append(_fault("cap", path, f"{count} from day {first} to {last}, at most {cap.most}"))
    for one, other in [*combinations(made, 2), *((day, past) for day in made for past in cap.past)]:
        if abs(one - other) < cap.gap:
            found.append(_fault("gap", path, f"days {one} and {other} are less than {cap.gap} apart"))
    return found


def _room_faults(horizon: Horizon, choice: Choice, day: int) -> list[Fault]:
    named = [name for name, on in choice.days.items() if on == day and name in horizon.errand_by_id]
    errands = [horizon.errand_by_id[name] for name in named]
    rooms, path = horizon.rooms[day], f"rooms[{day}]"
    found = [
        _fault("nobody", path, f"no crew of day {day} may do it", one.id)
        for one in errands
        if not any(one.fits(room) and room.work_s for room in rooms)
    ]
    work = sum(one.work_s for one in errands) + horizon.approach(one.place for one in errands)
    if work > sum(room.work_s for room in rooms):
        found.append(_fault("full", path, f"{work} s of work and {sum(room.work_s for room in rooms)} s of crews"))
    if not found and _flow(errands, rooms) < sum(one.work_s for one in errands):
        found.append(_fault("full", path, f"the crews of day {day} cannot share its work out"))
    return found


def _flow(errands: list[Errand], rooms: tuple[Room, ...]) -> int:
    """The most seconds of these errands that the crews can take on."""
    kinds: dict[tuple[int, ...], int] = defaultdict(int)
    for one in errands:
        kinds[tuple(index for index, room in enumerate(rooms) if one.fits(room))] += one.work_s
    open_s, left = [room.work_s for room in rooms], dict(kinds)
    given: dict[tuple[tuple[int, ...], int], int] = defaultdict(int)
    for kind in sorted(left):
        while left[kind] and (path := _path(kind, kinds, given, open_s)):
            # Along the path work is handed on from kind to kind, until a room takes it.
            amount = min([left[kind], open_s[path[-1][1]], *(given[back, room] for back, room in _handed(path))])
            left[kind] -= amount
            open_s[path[-1][1]] -= amount
            for back, room in _handed(path):
                given[back, room] -= amount
            for step in path:
                given[step] += amount
    return sum(kinds.values()) - sum(left.values())


type _Step = tuple[tuple[int, ...], int]


def _path(
    kind: tuple[int, ...], kinds: dict[tuple[int, ...], int], given: dict[_Step, int], open_s: list[int]
) -> list[_Step]:
    """The shortest way from this kind to a room with something left, over kinds that give up a room for another."""
    seen, waiting = {kind}, deque([(kind, [])])  # type: tuple[set[tuple[int, ...]], deque[tuple[tuple[int, ...], list[_Step]]]]
    while waiting:
        here, path = waiting.popleft()
        for room in here:
            step = [*path, (here, room)]
            if open_s[room]:
                return step
            for other in sorted(kinds):
                if other not in seen and given[other, room]:
                    seen.add(other)
                    waiting.append((other, step))
    return []


def _handed(path: list[_Step]) -> list[_Step]:
    """Which kind gives up which room along the path: the next one, the room that the one before takes."""
    return [(after[0], before[1]) for before, after in pairwise(path)]


def _reasons(horizon: Horizon, choice: Choice) -> list[Fault]:
    """A reason is a fault where it can be seen to be untrue."""
    found = []
    for index, later in enumerate(choice.later):
        errand = horizon.errand_by_id.get(later.errand)
        if errand is None:
            continue
        able = [day for day in errand.open_days if _staffed(horizon, errand, day)]
        untrue = {
            LaterReason.NO_DAY: bool(errand.open_days),
            LaterReason.NOBODY: bool(able) or not errand.open_days,
            LaterReason.CAPPED: any(_alone(horizon, errand, day) for day in able) or not able,
            LaterReason.NO_ROOM: not able,
        }
        if untrue[later.reason]:
            found.append(_fault("reason", f"later[{index}]", f"{errand.id} is not {later.reason}", errand.id))
    return found


def _staffed(horizon: Horizon, errand: Errand, day: int) -> bool:
    return any(errand.fits(room) and room.work_s for room in horizon.rooms[day])


def _alone(horizon: Horizon, errand: Errand, day: int) -> bool:
    """Whether it could be made on this day if no other of these errands were."""
    alone = Choice(days={errand.id: day})
    return not any(_cap_faults(cap, alone, "") for cap in horizon.caps if errand.id in cap.errands)


def _fault(code: str, path: str, says: str, errand: str | None = None) -> Fault:
    return Fault(code=code, path=path, says=says, task=errand)
