"""The changes that might help a visit that is left out: for each kind of change the crew and the place it suits best.

A trial is cheap to find and hopeful; `explain` makes it, prices it and has it judged before anybody hears of it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from routing.changes import Change, Kind, changed_crew, freed, joined_skills
from routing.lines import Line
from routing.meetings import Half, change_price, halves_on, meetings
from routing.problem import Crew, Problem, Task, Window
from routing.screening import Ways, refusal
from routing.standing import Standing
from routing.timetable import FAR, Timetable

NEAREST = 8
"""How many crews, those with the shortest detour first, are asked."""
HOUR = 3_600
QUARTER = 900


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What may be changed, as whoever asks knows it.

    `hours`: task → when it might be made too, if its own hours were no obstacle; a task that is not named keeps its
    hours. None: at any time. `skills`: those that a crew could be given; None: any.
    """

    hours: Mapping[str, Sequence[Window]] | None = None
    skills: frozenset[str] | None = None


@dataclass(frozen=True)
class Trial:
    """A change, the crew and the place it opens, and how much dearer the crew's route gets.

    Of a task for two crews the other crew and when they would meet are told too.
    """

    change: Change
    crew: str
    place: int
    extra: int
    partner: str | None = None
    begin_s: int | None = None


class Remedies:
    """The trials for one task over a standing plan."""

    def __init__(self, standing: Standing, task: Task, wishes: Wishes) -> None:
        self.standing, self.task, self.wishes = standing, task, wishes
        self.problem: Problem = standing.problem
        self.detours = {
            name: min(line.extra_travel(place, task) for place in range(len(line.visits) + 1))
            for name, line in standing.lines.items()
        }
        self.near = sorted(standing.lines.values(), key=lambda line: self.detours[line.crew.id])
        self._halves: dict[tuple[tuple[int, int], ...], list[Half]] = {}

    def trials(self) -> list[Trial]:
        """The best trial of each kind, the least detour first; another crew only where nothing else helps."""
        kinds = (self._freed(), self._other_hours(), self._offers(), self._people(), self._longer(), self._limits())
        found = [best for kind in kinds if (best := min(kind, key=lambda trial: trial.extra, default=None))]
        if not found:
            found += [best for best in [min(self._extra_crews(), key=lambda trial: trial.extra, default=None)] if best]
        return sorted(found, key=lambda trial: trial.extra)

    def _fits(self, line: Line, task: Task, change: Change) -> Iterator[Trial]:
        """The cheapest lawful place of the (changed) task on the (changed) line."""
        halves = halves_on(line, task)
        if task.crews == 2:
            yield from self._meets(halves, task, change)
            return
        for half in halves:
            if line.may(half.place, (task, task.begins)):
                yield Trial(change, line.crew.id, half.place, half.extra + change_price(task, (half,)))
                return

    def _meets(self, halves: Sequence[Half], task: Task, change: Change) -> Iterator[Trial]:
        """The cheapest meeting with any other crew as it stands."""
        for met in meetings(task, halves, self._standing_halves(task)):
            one, other = met.halves
            for begin_s in met.begins:
                if all(half.line.may(half.place, (task, ((begin_s, begin_s),))) for half in met.halves):
                    extra = met.extra + change_price(task, met.halves)
                    yield Trial(change, one.crew.id, one.place, extra, other.crew.id, begin_s)
                    return

    def _standing_halves(self, task: Task) -> list[Half]:
        known = self._halves.get(task.begins)
        if known is None:
            found = [half for line in self.standing.lines.values() for half in halves_on(line, task)]
            known = self._halves[task.begins] = sorted(found, key=lambda half: half.extra)
        return known

    def _able(self, task: Task) -> Iterable[Line]:
        """The nearest lines that could take the task but for the clock."""
        return [line for line in self.near if line.takes(task)][:NEAREST]

    def _freed(self) -> Iterator[Trial]:
        pin = self.task.pin
        if pin is None:
            return
        parts = [part for part, held in (("crew", pin.crew), ("begin", pin.begin)) if held is not None]
        for part in parts if len(parts) == 1 else [*parts, "all"]:
            loose = replace(self.task, pin=freed(self.task, part))
            for line in self._able(loose):
                yield from self._fits(line, loose, Change.of(Kind.FREE_PIN, part=part))

    def _other_hours(self) -> Iterator[Trial]:
        """Whole hours around the begin that suits the crew best, inside the hours that might be asked for."""
        hours = self.wishes.hours
        windows = () if hours is None else tuple(hours.get(self.task.id, ()))
        if not self.task.windows or (hours is not None and not windows):
            return
        loose = replace(self.task, windows=windows, pin=freed(self.task, "begin"))
        for line in self._able(loose):
            for trial in self._fits(line, loose, Change.of(Kind.PUT_IN)):
                begin_s = self._begin_of(trial, line, loose)
                if begin_s is not None:
                    opens, closes = _around(begin_s, begin_s + loose.service_s, windows)
                    yield replace(trial, change=Change.of(Kind.OTHER_HOURS, from_s=opens, until_s=closes))

    def _begin_of(self, trial: Trial, line: Line, task: Task) -> int | None:
        """When the task would begin; None where no clock tells it."""
        if trial.begin_s is not None:
            return trial.begin_s
        route = line.table.best(line.with_task(trial.place, (task, task.begins)))
        return None if route is None else route.stops[trial.place].begin_s

    def _offers(self) -> Iterator[Trial]:
        for line in self.near[: 2 * NEAREST]:
            lacking = self.task.requires - line.crew.offers
            if lacking and (self.wishes.skills is None or lacking <= self.wishes.skills):
                yield from self._with_crew(line, Kind.OFFER, skills=joined_skills(lacking))

    def _people(self) -> Iterator[Trial]:
        """As many as are needed; of two crews the other one brings somebody too."""
        people = self.task.visitors - (self.task.crews - 1)
        for line in self.near[: 2 * NEAREST]:
            if line.crew.size < people:
                yield from self._with_crew(line, Kind.MORE_PEOPLE, people=people)

    def _longer(self) -> Iterator[Trial]:
        """An hour more at the end, or at the beginning."""
        for line in self._able(self.task):
            begins, ends = line.crew.shift[0], line.crew.latest_return_s
            yield from self._with_crew(line, Kind.LONGER_SHIFT, from_s=begins, until_s=ends + HOUR)
            yield from self._with_crew(line, Kind.LONGER_SHIFT, from_s=begins - HOUR, until_s=ends)

    def _limits(self) -> Iterator[Trial]:
        for line in self.near[: 2 * NEAREST]:
            crew, detour = line.crew, self.detours[line.crew.id]
            driven = line.table.travels(line.visits)
            if detour >= FAR // 2 or driven >= FAR // 2:
                # No way at all, or none in the first hour band: no limit would be high enough.
                continue
            if crew.max_tasks is not None and crew.max_tasks <= len(line.visits):
                yield from self._with_crew(line, Kind.HIGHER_LIMIT, max_tasks=len(line.visits) + 1)
            if crew.max_travel_s is not None:
                most = _up(max(crew.max_travel_s, driven + detour), QUARTER)
                yield from self._with_crew(line, Kind.HIGHER_LIMIT, max_travel_s=most)
            if crew.max_work_s is not None:
                most = _up(crew.max_work_s + detour + self.task.service_s, QUARTER)
                yield from self._with_crew(line, Kind.HIGHER_LIMIT, max_work_s=most)

    def _extra_crews(self) -> Iterator[Trial]:
        ways = Ways(self.problem.travel)
        for line in self.near:
            if refusal(self.task, line.crew, ways) is None:
                name = _unused(f"{line.crew.id}+", self.problem)
                spare = Line(Timetable(self.problem, replace(line.crew, id=name)), ())
                change = Change.of(Kind.EXTRA_CREW, crew=name, like=line.crew.id)
                yield from self._fits(spare, self.task, change)

    def _with_crew(self, line: Line, kind: Kind, **facts: str | int) -> Iterator[Trial]:
        change = Change.of(kind, crew=line.crew.id, **facts)
        crew: Crew = changed_crew(line.crew, change)
        yield from self._fits(Line(Timetable(self.problem, crew), line.visits), self.task, change)


def _around(begin_s: int, end_s: int, windows: tuple[Window, ...]) -> tuple[int, int]:
    opens, closes = begin_s - begin_s % HOUR, _up(end_s, HOUR)
    for window in windows:
        if window.opens_s <= begin_s and end_s <= window.closes_s:
            return max(opens, window.opens_s), min(closes, window.closes_s)
    return opens, max(closes, opens + 1)


def _up(seconds: int, step: int) -> int:
    return -(-seconds // step) * step


def _unused(name: str, problem: Problem) -> str:
    while name in problem.crew_by_id:
        name += "+"
    return name
