"""Spans of instants and their arithmetic. Every span is half-open: its end is the first instant outside it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fieldvisit.errors import InvalidValue


@dataclass(frozen=True, order=True)
class Interval:
    """``[begins_at, ends_at)``, aware; stored in UTC whatever the zone given."""

    begins_at: datetime
    ends_at: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "begins_at", utc(self.begins_at, "begins_at"))
        object.__setattr__(self, "ends_at", utc(self.ends_at, "ends_at"))
        if not self.begins_at < self.ends_at:
            raise InvalidValue(path="ends_at", reason="must be later than begins_at")

    def holds(self, other: "Interval") -> bool:
        return self.begins_at <= other.begins_at and other.ends_at <= self.ends_at

    def meets(self, other: "Interval") -> bool:
        """Whether the two share an instant."""
        return self.begins_at < other.ends_at and other.begins_at < self.ends_at

    def longer(self, by: timedelta) -> "Interval":
        return Interval(self.begins_at, self.ends_at + by)


Intervals = tuple[Interval, ...]
"""Sorted, and no two of them touch: what `united` returns."""


def utc(at: datetime, path: str) -> datetime:
    """The instant in UTC; a time without a zone is refused under the name `path`."""
    if at.tzinfo is None:
        raise InvalidValue(path=path, reason="must name its UTC offset")
    return at.astimezone(UTC)


def united(intervals: Iterable[Interval]) -> Intervals:
    """All instants of any of them. Spans that touch become one: a visit may run across the seam."""
    found: list[Interval] = []
    for interval in sorted(intervals):
        if found and interval.begins_at <= found[-1].ends_at:
            found[-1] = Interval(found[-1].begins_at, max(found[-1].ends_at, interval.ends_at))
        else:
            found.append(interval)
    return tuple(found)


def common(one: Sequence[Interval], other: Sequence[Interval]) -> Intervals:
    """All instants of both."""
    return united(
        Interval(max(a.begins_at, b.begins_at), min(a.ends_at, b.ends_at)) for a in one for b in other if a.meets(b)
    )


def without(one: Sequence[Interval], other: Sequence[Interval]) -> Intervals:
    """All instants of `one` that are not of `other`."""
    left = list(united(one))
    for hole in other:
        left = [piece for interval in left for piece in _cut(interval, hole)]
    return tuple(left)


def shortened(intervals: Sequence[Interval], by: timedelta) -> Intervals:
    """Each ends earlier; what would be empty is left out."""
    return tuple(Interval(i.begins_at, i.ends_at - by) for i in intervals if i.ends_at - by > i.begins_at)


def inside(intervals: Sequence[Interval], asked: Interval) -> bool:
    """Whether `asked` lies whole in one of them (they must be `Intervals`: where they touched, they are one)."""
    return any(interval.holds(asked) for interval in intervals)


def _cut(interval: Interval, hole: Interval) -> list[Interval]:
    if not interval.meets(hole):
        return [interval]
    ends = [(interval.begins_at, hole.begins_at), (hole.ends_at, interval.ends_at)]
    return [Interval(begins_at, ends_at) for begins_at, ends_at in ends if begins_at < ends_at]
