"""Errands over several days, what ties them together, and what each day holds. Frozen, and checked when made.

Days are whole numbers from 0; those before it and after the last one count for caps only. Work is whole seconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import pairwise

from routing.demands import demand, demand_distinct, demand_text, demand_texts, demand_whole, demand_whole_or_none

LONGEST = 366


@dataclass(frozen=True, kw_only=True)
class Errand:
    """One visit to be made on one of its `days`, by `due_on` at the latest.

    `days`: those on which it may be made at all. `due_on` None: no deadline within sight. `place`: the neighbourhood.
    """

    id: str
    days: tuple[int, ...]
    work_s: int
    value_s: int = 0
    due_on: int | None = None
    requires: frozenset[str] = frozenset()
    visitors: int = 1
    most_visitors: int | None = None
    place: int = 0

    def __post_init__(self) -> None:
        demand_text(self.id, "id")
        for index, day in enumerate(self.days):
            demand_whole(day, f"days[{index}]", least=0, most=LONGEST)
        for index, (before, after) in enumerate(pairwise(self.days), start=1):
            demand(before < after, f"days[{index}]", "must be later than the one before")
        demand_whole(self.work_s, "work_s", least=0)
        demand_whole(self.value_s, "value_s", least=0)
        demand_whole_or_none(self.due_on, "due_on")
        demand_texts(sorted(self.requires, key=str), "requires")
        demand_whole(self.visitors, "visitors", least=1)
        demand_whole_or_none(self.most_visitors, "most_visitors", least=1)
        demand_whole(self.place, "place", least=0)

    @cached_property
    def open_days(self) -> tuple[int, ...]:
        """The days on which it may be made and is not late."""
        return tuple(day for day in self.days if self.due_on is None or day <= self.due_on)

    def fits(self, room: "Room") -> bool:
        """Whether a crew of this kind may do it."""
        most = self.most_visitors
        able = self.requires <= room.offers and self.visitors <= room.size
        return able and (most is None or room.size <= most)


@dataclass(frozen=True, kw_only=True)
class Cap:
    """At most `most` of `errands` in each window of days, the `past` ones counted, and `gap` days between any two.

    `windows` are (first, last), both included, and may reach over the days that are planned. `gap` 3: made on day 0,
    the next one is on day 3 at the earliest. `past`: days of what happened before, or stands firm.
    """

    errands: tuple[str, ...]
    most: int = 1
    windows: tuple[tuple[int, int], ...] = ()
    gap: int = 0
    past: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        demand_texts(self.errands, "errands")
        demand_whole(self.most, "most", least=0)
        for index, (first, last) in enumerate(self.windows):
            demand_whole(first, f"windows[{index}][0]")
            demand_whole(last, f"windows[{index}][1]")
            demand(first <= last, f"windows[{index}]", "must not end before it begins")
        demand_whole(self.gap, "gap", least=0, most=LONGEST)
        for index, day in enumerate(self.past):
            demand_whole(day, f"past[{index}]")


@dataclass(frozen=True, kw_only=True)
class Room:
    """What crews of one kind can do on a day: the seconds that they have for services and drives between them."""

    work_s: int
    offers: frozenset[str] = frozenset()
    size: int = 1

    def __post_init__(self) -> None:
        demand_whole(self.work_s, "work_s", least=0)
        demand_texts(sorted(self.offers, key=str), "offers")
        demand_whole(self.size, "size", least=1)


@dataclass(frozen=True, kw_only=True)
class Prices:
    """In seconds. `late_share`: what an errand left out costs where its deadline lies beyond, as a share of its value
    in per cent; one that misses its deadline costs the whole. `delay`: each day that an errand waits."""

    late_share: int = 50
    delay: int = 60

    def __post_init__(self) -> None:
        demand_whole(self.late_share, "late_share", least=0, most=100)
        demand_whole(self.delay, "delay", least=0, most=1_000_000)


@dataclass(frozen=True, kw_only=True)
class Horizon:
    """The whole question. `rooms`: for each day what its crews can do. `approach_s`: what going to a neighbourhood
    costs on a day, once, however many errands are made there; by number of the place."""

    rooms: tuple[tuple[Room, ...], ...]
    errands: tuple[Errand, ...] = ()
    caps: tuple[Cap, ...] = ()
    approach_s: tuple[int, ...] = ()
    prices: Prices = field(default_factory=Prices)

    def __post_init__(self) -> None:
        demand(1 <= len(self.rooms) <= 60, "rooms", "must hold 1 to 60 days")
        demand_distinct((one.id for one in self.errands), "errands")
        for index, one in enumerate(self.errands):
            demand(not one.days or one.days[-1] < len(self.rooms), f"errands[{index}].days", "must lie in the horizon")
        for index, seconds in enumerate(self.approach_s):
            demand_whole(seconds, f"approach_s[{index}]", least=0)
        for index, cap in enumerate(self.caps):
            for place, name in enumerate(cap.errands):
                demand(name in self.errand_by_id, f"caps[{index}].errands[{place}]", f"there is no errand {name!r}")

    @cached_property
    def errand_by_id(self) -> dict[str, Errand]:
        return {one.id: one for one in self.errands}

    def approach(self, places: Iterable[int]) -> int:
        """The seconds that going to these neighbourhoods costs."""
        return sum(self.approach_s[place] for place in set(places) if place < len(self.approach_s))


class LaterReason(StrEnum):
    """Why an errand has no day."""

    NO_DAY = "no_day"
    """It may be made on none of the days, or they all lie after its deadline."""
    NOBODY = "nobody"
    """On none of its days a crew works that may do it."""
    CAPPED = "capped"
    """What was made before, or stands firm, leaves none of its days."""
    NO_ROOM = "no_room"
    """Its days are full, or one of its party goes first."""


@dataclass(frozen=True, kw_only=True)
class Later:
    """An errand without a day. It comes back with its deadline."""

    errand: str
    reason: LaterReason


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Errand → day, and a reason for every other. `best`: nothing better exists by these estimates."""

    days: dict[str, int]
    later: tuple[Later, ...] = ()
    best: bool = False
