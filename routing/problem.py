"""A day to be planned: tasks, crews, travel and prices. Frozen, and checked when made.

All times are whole seconds from the problem's origin, all prices whole seconds; the meaning of each field is fixed in
`docs/planning.md`.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import pairwise

from routing.demands import (
    LARGEST,
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
    demand_wholes,
)
from routing.errors import InvalidProblem

__all__ = [
    "Band",
    "Break",
    "Crew",
    "InvalidProblem",
    "Matrix",
    "Overtime",
    "Pin",
    "Prices",
    "Problem",
    "Quota",
    "Task",
    "Travel",
    "Window",
]


@dataclass(frozen=True, kw_only=True)
class Window:
    """From `opens_s` to `closes_s`. A task's window includes both ends, a break's window excludes its close."""

    opens_s: int
    closes_s: int

    def __post_init__(self) -> None:
        demand_whole(self.opens_s, "[0]")
        demand_whole(self.closes_s, "[1]")
        demand(self.opens_s < self.closes_s, "", "must not be empty: it closes when it opens, or before")


@dataclass(frozen=True, kw_only=True)
class Break:
    """A rest that begins inside its window and lasts `duration_s`."""

    window: Window
    duration_s: int

    def __post_init__(self) -> None:
        demand_whole(self.duration_s, "duration_s", least=0)


@dataclass(frozen=True, kw_only=True)
class Overtime:
    """The shift's end may be passed up to `until_s`, each second at `price`."""

    until_s: int
    price: int

    def __post_init__(self) -> None:
        demand_whole(self.until_s, "until_s")
        demand_whole(self.price, "price", least=0)


@dataclass(frozen=True, kw_only=True)
class Pin:
    """A restriction: this crew, or a begin from `begin[0]` to `begin[1]` (both included), or both."""

    crew: str | None = None
    begin: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        demand(self.crew is not None or self.begin is not None, "", "must name a crew, a begin, or both")
        if self.crew is not None:
            demand_text(self.crew, "crew")
        if self.begin is not None:
            demand_span(self.begin, "begin")


@dataclass(frozen=True, kw_only=True)
class Task:
    """One visit. `windows=()` means any time; the whole service lies inside one window."""

    id: str
    location: int
    service_s: int
    windows: tuple[Window, ...] = ()
    value_s: int = 0
    mandatory: bool = False
    requires: frozenset[str] = frozenset()
    visitors: int = 1
    crews: int = 1
    load: tuple[int, ...] = ()
    group: str | None = None
    pin: Pin | None = None
    published_crew: str | None = None
    quotas: frozenset[str] = frozenset()
    risk: int = 0
    earning: int = 0

    def __post_init__(self) -> None:
        demand_text(self.id, "id")
        demand_whole(self.location, "location", least=0)
        demand_whole(self.service_s, "service_s", least=0)
        demand_whole(self.value_s, "value_s", least=0)
        demand_flag(self.mandatory, "mandatory")
        demand_texts(sorted(self.requires, key=str), "requires")
        demand_whole(self.visitors, "visitors", least=1)
        demand_whole(self.crews, "crews", least=1, most=2)
        demand_wholes(self.load, "load", least=0)
        demand_texts(sorted(self.quotas, key=str), "quotas")
        demand_whole(self.risk, "risk", least=0)
        demand_whole(self.earning, "earning", least=0)
        for name in ("group", "published_crew"):
            if getattr(self, name) is not None:
                demand_text(getattr(self, name), name)
        for index, (earlier, later) in enumerate(pairwise(self.windows), start=1):
            demand(earlier.closes_s < later.opens_s, f"windows[{index}]", "must open after the one before has closed")

    @cached_property
    def begins(self) -> tuple[tuple[int, int], ...]:
        """The spans in which the service may begin, both ends included; empty when no window is long enough."""
        spans = [(w.opens_s, w.closes_s - self.service_s) for w in self.windows] or [(-2 * LARGEST, 2 * LARGEST)]
        low, high = self.pin.begin if self.pin and self.pin.begin else (-2 * LARGEST, 2 * LARGEST)
        cut = [(max(opens, low), min(last, high)) for opens, last in spans]
        return tuple((opens, last) for opens, last in cut if opens <= last)


@dataclass(frozen=True, kw_only=True)
class Crew:
    """Who travels together for the day. `end=None`: the route ends with its last service."""

    id: str
    start: int
    shift: tuple[int, int]
    end: int | None = None
    offers: frozenset[str] = frozenset()
    size: int = 1
    capacity: tuple[int, ...] | None = None
    break_: Break | None = None
    max_tasks: int | None = None
    max_travel_s: int | None = None
    max_work_s: int | None = None
    overtime: Overtime | None = None
    work_before_s: int = 0
    risk_before: int = 0
    earning_before: int = 0

    def __post_init__(self) -> None:
        demand_text(self.id, "id")
        demand_whole(self.start, "start", least=0)
        demand_whole_or_none(self.end, "end", least=0)
        demand_span(self.shift, "shift")
        demand_texts(sorted(self.offers, key=str), "offers")
        demand_whole(self.size, "size", least=1)
        demand_wholes(self.capacity or (), "capacity", least=0)
        for name in ("max_tasks", "max_travel_s", "max_work_s"):
            demand_whole_or_none(getattr(self, name), name, least=0)
        for name in ("work_before_s", "risk_before", "earning_before"):
            demand_whole(getattr(self, name), name, least=0)
        if self.overtime is not None:
            demand(self.overtime.until_s >= self.shift[1], "overtime.until_s", "must not lie before the shift's end")

    @property
    def latest_return_s(self) -> int:
        return self.shift[1] if self.overtime is None else self.overtime.until_s


@dataclass(frozen=True, kw_only=True)
class Prices:
    """What each unit costs, in seconds of travel."""

    travel: int = 1
    wait: int = 0
    crew_used: int = 0
    change: int = 0
    balance: int = 0
    balance_risk: int = 0
    balance_earning: int = 0

    def __post_init__(self) -> None:
        for name in ("travel", "wait", "crew_used", "change", "balance", "balance_risk", "balance_earning"):
            demand_whole(getattr(self, name), name, least=0)


@dataclass(frozen=True, kw_only=True)
class Quota:
    """Of the tasks that name it at most so many are served."""

    id: str
    most: int

    def __post_init__(self) -> None:
        demand_text(self.id, "id")
        demand_whole(self.most, "most", least=0)


@dataclass(frozen=True, kw_only=True)
class Band:
    """The travel seconds of drives that start at `from_s` or later, until the next band."""

    from_s: int
    seconds: Matrix

    def __post_init__(self) -> None:
        demand_whole(self.from_s, "from_s")
        demand_matrix(self.seconds, "seconds")


@dataclass(frozen=True, kw_only=True)
class Travel:
    """Seconds from place to place, one matrix or one for each hour band; None where there is no way.

    A drive before the first band's `from_s` takes the first band.
    """

    seconds: Matrix | None = None
    bands: tuple[Band, ...] = ()
    metres: Matrix | None = None

    def __post_init__(self) -> None:
        demand((self.seconds is None) != (not self.bands), "", "must hold either seconds or bands")
        if self.seconds is not None:
            demand_matrix(self.seconds, "seconds")
        for index, band in enumerate(self.bands):
            path = f"bands[{index}]"
            later = index == 0 or self.bands[index - 1].from_s < band.from_s
            demand(later, f"{path}.from_s", "must be later than the band before")
            demand(len(band.seconds) == self.size, f"{path}.seconds", f"must have {self.size} rows")
        if self.metres is not None:
            demand_matrix(self.metres, "metres", size=self.size)

    @property
    def size(self) -> int:
        """How many places there are."""
        return len(self.matrices[0])

    @cached_property
    def matrices(self) -> tuple[Matrix, ...]:
        return (self.seconds,) if self.seconds is not None else tuple(band.seconds for band in self.bands)

    @cached_property
    def starts_s(self) -> tuple[int, ...]:
        """From when each matrix holds; the first one holds for all earlier drives too."""
        return (0,) if self.seconds is not None else tuple(band.from_s for band in self.bands)

    def band_at(self, at_s: int) -> int:
        return max(0, bisect_right(self.starts_s, at_s) - 1)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """The whole day. Ids are unique, and every index and id that is named exists."""

    travel: Travel
    tasks: tuple[Task, ...] = ()
    crews: tuple[Crew, ...] = ()
    prices: Prices = field(default_factory=Prices)
    quotas: tuple[Quota, ...] = ()
    origin: datetime | None = None

    def __post_init__(self) -> None:
        demand_distinct((task.id for task in self.tasks), "tasks")
        demand_distinct((crew.id for crew in self.crews), "crews")
        demand_distinct((quota.id for quota in self.quotas), "quotas")
        if self.origin is not None:
            demand(self.origin.tzinfo is not None, "origin", "must be an instant: it needs an offset from UTC")
        if self._all_known():
            return
        for index, crew in enumerate(self.crews):
            self._demand_place(crew.start, f"crews[{index}].start")
            if crew.end is not None:
                self._demand_place(crew.end, f"crews[{index}].end")
        for index, task in enumerate(self.tasks):
            self._demand_place(task.location, f"tasks[{index}].location")
            self._demand_crew(task.pin.crew if task.pin else None, f"tasks[{index}].pin.crew")
            self._demand_crew(task.published_crew, f"tasks[{index}].published_crew")
            unknown = sorted(task.quotas - self.most_of.keys())
            demand(not unknown, f"tasks[{index}].quotas", f"there is no quota {unknown[:1]}")

    def _all_known(self) -> bool:
        """Whether every place, crew and quota that is named is there: looked at as a whole, since days are changed by
        the hundred and nearly always right."""
        places = {crew.start for crew in self.crews} | {crew.end for crew in self.crews if crew.end is not None}
        places |= {task.location for task in self.tasks}
        crews = {task.pin.crew for task in self.tasks if task.pin is not None}
        crews |= {task.published_crew for task in self.tasks}
        known = crews - {None} <= self.crew_by_id.keys()
        named = {name for task in self.tasks for name in task.quotas}
        return known and max(places, default=-1) < self.travel.size and named <= self.most_of.keys()

    def _demand_place(self, index: int, path: str) -> None:
        demand(index < self.travel.size, path, f"there is no place {index}: travel has {self.travel.size}")

    def _demand_crew(self, name: str | None, path: str) -> None:
        demand(name is None or name in self.crew_by_id, path, f"there is no crew {name!r}")

    @cached_property
    def task_by_id(self) -> dict[str, Task]:
        return {task.id: task for task in self.tasks}

    @cached_property
    def crew_by_id(self) -> dict[str, Crew]:
        return {crew.id: crew for crew in self.crews}

    @cached_property
    def most_of(self) -> dict[str, int]:
        """Quota → how many of its tasks may be served."""
        return {quota.id: quota.most for quota in self.quotas}
