"""Tasks that nobody could ever serve, each with its reason and, for each crew, why not that one.

Only what no other choice could mend: skills, size, pins, windows, shifts, limits and the road. Since travel need not
keep the triangle inequality, the road is judged by the quickest way over any places.
"""

from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

from routing.plan import Reason, Unserved
from routing.problem import Crew, Problem, Task, Travel

if TYPE_CHECKING:
    from routing.quickest import Quickest


def impossible(problem: Problem, ways: "Ways") -> dict[str, Unserved]:
    """The tasks that cannot be served by anyone, by id."""
    found = {}
    for task in problem.tasks:
        if task.crews == 1 and any(refusal(task, crew, ways) is None for crew in problem.crews):
            continue
        hopeless = hopelessness(problem, task, ways)
        if hopeless is not None:
            found[task.id] = hopeless
    return found


def hopelessness(problem: Problem, task: Task, ways: "Ways") -> Unserved | None:
    """Why nobody could serve this task whatever else the plan holds; None where somebody could."""
    refusals = {crew.id: reason for crew in problem.crews if (reason := refusal(task, crew, ways))}
    if len(problem.crews) - len(refusals) < task.crews:
        return _unserved(problem, task, refusals)
    if _too_small_together(problem, task, refusals):
        return _too_few(problem, task, refusals)
    if task.pin is not None and task.pin.crew in refusals:
        return Unserved(task=task.id, reason=Reason.PIN_CONTRADICTS, detail=_detail(refusals))
    return None


class Ways:
    """The quickest way between places in the best hour: direct, or over any other places."""

    def __init__(self, travel: Travel) -> None:
        self._travel = travel

    def direct(self, origin: int, target: int) -> int | None:
        lengths = [matrix[origin][target] for matrix in self._travel.matrices]
        return min((length for length in lengths if length is not None), default=None)

    def from_place(self, origin: int, target: int) -> int | None:
        """Ask with a crew's start: it is searched once for each."""
        return self._quickest.from_place(origin, target)

    def to_place(self, origin: int, target: int) -> int | None:
        """Ask with a crew's end: it is searched once for each."""
        return self._quickest.to_place(origin, target)

    @cached_property
    def _quickest(self) -> "Quickest":
        # Rarely needed, and a web process that asks for one task's reason should not load numpy for it.
        from routing.quickest import Quickest

        return Quickest(self._travel)


def refusal(task: Task, crew: Crew, ways: Ways) -> Reason | None:
    """Why this crew can never serve this task, or None if nothing speaks against it for certain."""
    if not task.requires <= crew.offers:
        return Reason.NO_CREW_OFFERS
    if task.crews == 1 and task.visitors > crew.size:
        return Reason.NO_CREW_LARGE_ENOUGH
    if task.windows and all(window.closes_s - window.opens_s < task.service_s for window in task.windows):
        return Reason.WINDOW_TOO_SHORT
    if not task.begins or (task.crews == 1 and task.pin is not None and task.pin.crew not in (None, crew.id)):
        return Reason.PIN_CONTRADICTS
    if crew.max_tasks == 0 or _over_capacity(task, crew):
        return Reason.OVER_LIMIT
    return _time_refusal(task, crew, ways)


def _over_capacity(task: Task, crew: Crew) -> bool:
    if crew.capacity is None:
        return False
    room = (*crew.capacity, *([0] * len(task.load)))
    return any(load > room[kind] for kind, load in enumerate(task.load))


def _time_refusal(task: Task, crew: Crew, ways: Ways) -> Reason | None:
    there = ways.direct(crew.start, task.location)
    back = 0 if crew.end is None else ways.direct(task.location, crew.end)
    if there is not None and back is not None and _refused(task, crew, there, back) is None:
        return None
    there = ways.from_place(crew.start, task.location)
    back = 0 if crew.end is None else ways.to_place(task.location, crew.end)
    if there is None or back is None:
        return Reason.UNREACHABLE
    return _refused(task, crew, there, back)


def _refused(task: Task, crew: Crew, there: int, back: int) -> Reason | None:
    """What speaks against this visit alone, with these drives."""
    if crew.max_travel_s is not None and there + back > crew.max_travel_s:
        return Reason.OVER_LIMIT
    if crew.max_work_s is not None and there + task.service_s + back > crew.max_work_s:
        return Reason.OVER_LIMIT
    arrive, leave = crew.shift[0] + there, crew.latest_return_s - back - task.service_s
    if any(max(opens, arrive) <= min(last, leave) for opens, last in task.begins):
        return None
    windows = [(w.opens_s, w.closes_s - task.service_s) for w in task.windows] or [(arrive, leave)]
    if task.pin is not None and any(max(opens, arrive) <= min(last, leave) for opens, last in windows):
        return Reason.PIN_CONTRADICTS
    return Reason.OUTSIDE_EVERY_SHIFT


def _too_small_together(problem: Problem, task: Task, refusals: dict[str, Reason]) -> bool:
    able = [crew for crew in problem.crews if crew.id not in refusals]
    return task.crews == 2 and all(a.size + b.size < task.visitors for a, b in combinations(able, 2))


CLOSEST = (
    Reason.OUTSIDE_EVERY_SHIFT,
    Reason.OVER_LIMIT,
    Reason.UNREACHABLE,
    Reason.WINDOW_TOO_SHORT,
    Reason.PIN_CONTRADICTS,
    Reason.NO_CREW_LARGE_ENOUGH,
    Reason.NO_CREW_OFFERS,
)
"""From the refusal of the crew that came closest to that of the crew that is furthest off."""


def _unserved(problem: Problem, task: Task, refusals: dict[str, Reason]) -> Unserved:
    """The reason of the crew that comes closest; with a pin to a crew, that crew's reason."""
    given = set(refusals.values())
    reason = next((reason for reason in CLOSEST if reason in given), Reason.NO_CREW_OFFERS)
    pinned = task.pin.crew if task.pin is not None else None
    if pinned is not None and pinned in refusals:
        reason = refusals[pinned]
    if reason in (Reason.NO_CREW_OFFERS, Reason.NO_CREW_LARGE_ENOUGH):
        return _too_few(problem, task, refusals)
    return Unserved(task=task.id, reason=reason, detail=_detail(refusals))


def _too_few(problem: Problem, task: Task, refusals: dict[str, Reason]) -> Unserved:
    """Nobody offers it, or nobody is large enough; if a crew is both, only the pin can stand against it."""
    able = [crew for crew in problem.crews if task.requires <= crew.offers]
    large = any(sum(crew.size for crew in team) >= task.visitors for team in combinations(able, task.crews))
    if len(able) < task.crews:
        reason = Reason.NO_CREW_OFFERS
    elif not large:
        reason = Reason.NO_CREW_LARGE_ENOUGH
    elif task.pin is not None:
        reason = Reason.PIN_CONTRADICTS
    else:
        reason = next(reason for reason in CLOSEST if reason in set(refusals.values()))
    return Unserved(task=task.id, reason=reason, detail=_detail(refusals))


def _detail(refusals: dict[str, Reason]) -> dict[str, str]:
    return {crew: reason.value for crew, reason in refusals.items()}
