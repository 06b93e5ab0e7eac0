"""The places of one task over a standing plan, and what follows for the others if one of them is taken.

A task for one crew takes a place on one line, a task for two crews takes one on each of two, in the same second.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations, islice

from routing.lines import Line
from routing.meetings import Half, change_price, common, halves_on, may_go_together, meetings
from routing.openings import Spans
from routing.plan import Route
from routing.pricing import mandatory_left, plan_price, route_price
from routing.problem import Problem, Task
from routing.standing import Standing


@dataclass(frozen=True, kw_only=True)
class Shift:
    """A visit that begins at another time than before."""

    task: str
    before_s: int
    after_s: int


@dataclass(frozen=True, kw_only=True)
class Option:
    """One way to serve the task. `cost`: of the whole plan then; `displaces`: tasks that fall out of it.

    `place` counts the stops of `crew` that come before; a task for two crews has a `partner` too, and its place there.
    `routes` are those that change, with their clocks; a crew without a stop has none. `emptied` are crews that lose
    their last one. `shifts` are the other tasks that keep their crew and change their time.
    """

    task: str
    crew: str
    place: int
    begin_s: int
    cost: int
    mandatory_left: int
    displaces: tuple[str, ...]
    shifts: tuple[Shift, ...]
    routes: tuple[Route, ...]
    emptied: tuple[str, ...] = ()
    partner: str | None = None
    partner_place: int | None = None

    @property
    def rank(self) -> tuple[int, int]:
        return self.mandatory_left, self.cost


@dataclass(frozen=True)
class Place:
    """A place that might do: `extra` is how much dearer the routes get, and `displaces` what goes for it.

    One half for each crew; two of them begin at one of `begins`.
    """

    extra: int
    halves: tuple[Half, ...]
    displaces: tuple[str, ...] = ()
    begins: tuple[int, ...] = ()

    @property
    def crews(self) -> tuple[str, ...]:
        return tuple(half.crew.id for half in self.halves)


LOOKED_AT = 2
"""Where the clock has a price: how many times as many places are made, the shortest detours first."""


class Places:
    """The places of one task over a standing plan."""

    def __init__(self, standing: Standing, task: Task) -> None:
        self.standing, self.task = standing, task
        self.problem: Problem = standing.problem
        # The task itself is taken off, and so is a mate of its group, of which only one may be served.
        mate = standing.taken_groups.get(task.group) if task.group is not None else None
        self.gone: tuple[str, ...] = () if mate in (None, task.id) else (mate,)
        self.holding = standing.holding(task, self.gone)
        self.lines = dict(standing.lines)
        self.loosened = self._without((task.id, *self.gone))
        self.lines |= self.loosened

    def _without(self, names: Iterable[str]) -> dict[str, Line]:
        """The lines that these tasks are taken off."""
        found: dict[str, Line] = {}
        for name in names:
            for crew in self.standing.crews_of.get(name, ()):
                found[crew] = found.get(crew, self.lines[crew]).without(name)
        return found

    def options(self, most: int) -> tuple[Option, ...]:
        """The best of those in which nothing falls out and of those in which one task does.

        Where the clock has a price, a place costs what its road tells and its clock, so more are made than asked for.
        """
        enough = most * (LOOKED_AT if self.priced else 1)
        found = self._made(sorted([*self.direct(), *self.displacing()], key=_extra), enough)
        found = found or self._made(self.displacing_two(), enough)
        return tuple(sorted(found, key=lambda option: (option.rank, len(option.displaces)))[:most])

    def _made(self, places: Iterable[Place], enough: int) -> list[Option]:
        """At most one option for each crew, or each two, and what falls out."""
        found: list[Option] = []
        seen: set[tuple[tuple[str, ...], tuple[str, ...]]] = set()
        for place in places:
            key = place.crews, place.displaces
            if key in seen or not self.may(place):
                continue
            option = self.option(place)
            if option is not None:
                seen.add(key)
                found.append(option)
            if len(found) >= enough:
                break
        return found

    @property
    def priced(self) -> bool:
        """Whether what a place costs is known only once its clock is."""
        prices = self.problem.prices
        shared = prices.balance_risk > 0 or prices.balance_earning > 0
        return shared or any(line.table.priced for line in self.lines.values())

    def lawful(self) -> Iterator[Place]:
        """The places in which nothing falls out, cheapest first."""
        return (place for place in sorted(self.direct(), key=_extra) if self.may(place))

    def direct(self) -> Iterator[Place]:
        """The places that might do without anybody falling out but a mate of the group."""
        if self.holding is None and not any(self._outranks(name) for name in self.gone):
            yield from self._anywhere

    def displacing(self) -> Iterator[Place]:
        """The places that might do if one task that is served goes."""
        if self.gone:
            return
        for name in self.standing.crews_of if self.holding is None else self.holding:
            if name != self.task.id and not self._outranks(name):
                yield from self._instead_of(name)

    def displacing_two(self) -> Iterator[Place]:
        """The cheapest place of a task for two crews if a stop of each of their routes goes, for when less is not
        enough."""
        if self.task.crews == 1 or self.gone or self.holding is not None:
            return
        halves: list[Half] = []
        for name, shorter in self._shorter_by_one():
            spared = self._spared(name, shorter)
            for half in self._halves(next(iter(shorter.values()))):
                halves.append(replace(half, extra=half.extra - spared, displaces=(name,)))
        halves.sort(key=_extra)
        for met in meetings(self.task, halves, halves):
            one, other = met.halves
            yield Place(met.extra, met.halves, one.displaces + other.displaces, met.begins)

    def held_by_two(self) -> tuple[str, ...]:
        """The tasks that hold the place of a task for two crews where no single one does: each may go for it together
        with another one on the other crew's route. Empty where that is not known for certain: under a limit on work,
        and with hour bands."""
        if self.task.crews == 1 or self.gone or self.holding is not None:
            return ()
        if any(line.table.searched for line in self.lines.values()):
            return ()
        freed: dict[str, list[tuple[str, Spans]]] = {}
        for name, shorter in self._shorter_by_one():
            for crew, line in shorter.items():
                halves = (half for half in self._halves(line) if line.may(half.place, (self.task, half.begins)))
                freed.setdefault(crew, []).append((name, tuple(span for half in halves for span in half.begins)))
        anywhere = {crew: tuple(span for _, spans in each for span in spans) for crew, each in freed.items()}
        crews = self.problem.crew_by_id
        return tuple(
            name
            for crew, each in freed.items()
            for name, spans in each
            if any(
                common(spans, others)
                for other, others in anywhere.items()
                if may_go_together(self.task, crews[crew], crews[other])
            )
        )

    def _shorter_by_one(self) -> Iterator[tuple[str, dict[str, Line]]]:
        """Each task that one crew serves and that may go for this one, with the line of that crew without it."""
        for name, crews in self.standing.crews_of.items():
            if len(crews) == 1 and name != self.task.id and not self._outranks(name):
                yield name, self._without((name,))

    def _outranks(self, name: str) -> bool:
        return self.problem.task_by_id[name].mandatory and not self.task.mandatory

    def _instead_of(self, name: str) -> Iterator[Place]:
        """The places on the routes that the other task leaves; where it fills a quota, the best one elsewhere too."""
        shorter = self._without((name,))
        spared = self._spared(name, shorter)
        yield from self._on(shorter, (name,), spared)
        if self.holding is not None:
            elsewhere = (place for place in self._cheapest_anywhere if not shorter.keys() & set(place.crews))
            for place in islice(elsewhere, 1):
                yield Place(place.extra - spared, place.halves, (name,), place.begins)

    def _spared(self, name: str, shorter: Mapping[str, Line]) -> int:
        """What the plan costs less without it; less than nothing where it is worth more."""
        other, prices = self.problem.task_by_id[name], self.problem.prices
        driven = sum(self.lines[crew].travel_s - line.travel_s for crew, line in shorter.items())
        emptied = sum(1 for line in shorter.values() if not line.visits)
        lost = other.value_s + (prices.change if other.published_crew is not None else 0)
        return prices.travel * driven + prices.crew_used * emptied - lost

    def _on(self, lines: Mapping[str, Line], displaces: tuple[str, ...], spared: int) -> Iterator[Place]:
        """The places on these lines, which stand in for the present ones of their crews."""
        halves = {crew: self._halves(line) for crew, line in lines.items()}
        if self.task.crews == 1:
            for half in (half for each in halves.values() for half in each):
                extra = half.extra + change_price(self.task, (half,)) - spared
                yield Place(extra, (half,), displaces)
            return
        others = [half for half in self._all_halves if half.crew.id not in lines]
        for number, crew in enumerate(halves):
            later = [half for each in list(halves)[number + 1 :] for half in halves[each]]
            with_each_other = sorted([*others, *later], key=_extra) if later else others
            for met in meetings(self.task, halves[crew], with_each_other):
                extra = met.extra + change_price(self.task, met.halves) - spared
                yield Place(extra, met.halves, displaces, met.begins)

    @cached_property
    def _anywhere(self) -> list[Place]:
        """The places on the lines as they stand, cheapest first."""
        if self.task.crews == 1:
            return sorted((self._place(half.extra, (half,)) for half in self._all_halves), key=_extra)
        by_crew = [halves for line in self.lines.values() if (halves := self._halves(line))]
        met = [each for one, other in combinations(by_crew, 2) for each in meetings(self.task, one, other)]
        return sorted((self._place(each.extra, each.halves, each.begins) for each in met), key=_extra)

    @cached_property
    def _cheapest_anywhere(self) -> list[Place]:
        return [place for place in self._anywhere if self.may(place)]

    @cached_property
    def _all_halves(self) -> list[Half]:
        return sorted((half for line in self.lines.values() for half in self._halves(line)), key=_extra)

    def _halves(self, line: Line) -> list[Half]:
        return halves_on(line, self.task)

    def _place(self, extra: int, halves: tuple[Half, ...], begins: tuple[int, ...] = ()) -> Place:
        return Place(extra + change_price(self.task, halves), halves, begins=begins)

    def at(self, crew: str, place: int) -> Place:
        """The place of a task for one crew at this position of a line as it stands."""
        return self._place(0, (Half(0, self.lines[crew], place, self.task.begins),))

    def meeting(self, crew: str, partner: str | None) -> Iterator[Place]:
        """The places of a task for two crews, cheapest first: this one, and that one where it is named."""
        named = {crew} if partner is None else {crew, partner}
        return (place for place in self._anywhere if named <= set(place.crews) and partner != crew)

    def may(self, place: Place) -> bool:
        """Whether a clock serves the routes with the task at this place."""
        if len(place.halves) == 1:
            return place.halves[0].line.may(place.halves[0].place, (self.task, self.task.begins))
        return any(self._meets(place, begin_s) for begin_s in place.begins)

    def _meets(self, place: Place, begin_s: int) -> bool:
        visit = self.task, ((begin_s, begin_s),)
        return all(half.line.may(half.place, visit) for half in place.halves)

    def option(self, place: Place) -> Option | None:
        """The place with its clocks, or None where another route would lose its own."""
        changed = self._timed(place)
        lines = self.loosened | self._without(place.displaces)
        emptied = [crew for crew, line in lines.items() if not line.visits and crew not in place.crews]
        for crew, line in lines.items():
            if crew in place.crews or crew in emptied:
                continue
            route = line.table.best(line.visits)
            if route is None:
                return None
            changed[crew] = route
        return None if place.crews[0] not in changed else self._option(place, changed, sorted(emptied))

    def _timed(self, place: Place) -> dict[str, Route]:
        """The routes that take the task, at the begin that costs least; none where no clock serves them."""
        spans = [self.task.begins] if len(place.halves) == 1 else [((b, b),) for b in self._begins(place)]
        found: list[dict[str, Route]] = []
        for each in spans:
            routes = [half.line.table.best(half.line.with_task(half.place, (self.task, each))) for half in place.halves]
            if all(routes):
                found.append({route.crew: route for route in routes if route is not None})
        return min(found, key=self._price, default={})

    def _begins(self, place: Place) -> tuple[int, ...]:
        """The begins that are tried: of equal ones the earliest."""
        priced = any(half.line.table.priced for half in place.halves)
        return place.begins if priced else place.begins[:1]

    def _price(self, routes: Mapping[str, Route]) -> int:
        return sum(route_price(self.problem, route) for route in routes.values())

    def _option(self, place: Place, changed: dict[str, Route], emptied: Sequence[str]) -> Option:
        standing = self.standing
        routes = [route for name, route in (standing.routes | changed).items() if name not in emptied]
        before = {stop.task: (route.crew, stop.begin_s) for route in standing.plan.routes for stop in route.stops}
        shifts = [
            Shift(task=stop.task, before_s=before[stop.task][1], after_s=stop.begin_s)
            for route in changed.values()
            for stop in route.stops
            if stop.task != self.task.id and stop.begin_s != before[stop.task][1]
        ]
        first, *second = place.halves
        begin = next(stop.begin_s for stop in changed[first.crew.id].stops if stop.task == self.task.id)
        return Option(
            task=self.task.id,
            crew=first.crew.id,
            place=first.place,
            begin_s=begin,
            cost=plan_price(self.problem, routes),
            mandatory_left=mandatory_left(self.problem, routes),
            displaces=self.gone + place.displaces,
            shifts=tuple(shifts),
            routes=tuple(changed.values()),
            emptied=tuple(emptied),
            partner=second[0].crew.id if second else None,
            partner_place=second[0].place if second else None,
        )


def _extra(each: Half | Place) -> int:
    return each.extra
