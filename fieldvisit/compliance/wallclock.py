"""What the clocks on the wall show: days of a zone, and the instants at which they show a given time.

An instant belongs to a local span if and only if the clock on the wall shows a time inside the span at that instant.
So a time skipped in spring belongs to nothing, a time repeated in autumn belongs twice, and no day is taken to have
24 hours.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fieldvisit.compliance.intervals import Interval, Intervals, united
from fieldvisit.errors import InvalidValue

DAY_S = 24 * 3600
ONE_DAY = timedelta(days=1)


class Day(StrEnum):
    """A kind of day in a rule. `HOLIDAY` is a day of the calendar that the rule names, whatever its weekday."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"
    HOLIDAY = "holiday"


WEEK = tuple(Day)[:7]


def weekday(day: date) -> Day:
    return WEEK[day.weekday()]


@dataclass(frozen=True, order=True)
class WallClock:
    """A time of day as seconds since midnight by the clock on the wall; 24:00 is the end of the day."""

    seconds: int

    def __post_init__(self) -> None:
        if not 0 <= self.seconds <= DAY_S:
            raise InvalidValue(path="time", reason="must lie between 00:00 and 24:00")

    @classmethod
    def parse(cls, text: str) -> "WallClock":
        """``08:00`` or ``24:00``; nothing else."""
        found = re.fullmatch(r"([0-2]\d):([0-5]\d)", text)
        if not found:
            raise InvalidValue(path="time", reason="must be written HH:MM")
        return cls(int(found.group(1)) * 3600 + int(found.group(2)) * 60)

    @classmethod
    def of(cls, at: time) -> "WallClock":
        return cls(at.hour * 3600 + at.minute * 60 + at.second)

    def __str__(self) -> str:
        return f"{self.seconds // 3600:02}:{self.seconds % 3600 // 60:02}"


MIDNIGHT, END_OF_DAY = WallClock(0), WallClock(DAY_S)


@dataclass(frozen=True)
class LocalSpan:
    """``[opens, closes)`` of one local day."""

    day: date
    opens: WallClock
    closes: WallClock

    def instants(self, zone: str) -> Intervals:
        """The UTC instants at which the clocks of `zone` show this span."""
        pieces = (_shown(self, stretch) for stretch in _stretches(zone, self.day))
        return united(piece for piece in pieces if piece)


def zone_named(name: str, path: str) -> ZoneInfo:
    """The zone, or a refusal that says under which field the unknown name stood."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        # OSError: "Europe" is a folder of the zone database, not a zone.
        raise InvalidValue(path=path, reason="is not a zone of the IANA time zone database") from unknown


def local_day(at: datetime, zone: str) -> date:
    """The date on the calendars of `zone`. Something at 23:30 belongs to the day it starts."""
    return _local_day(at.astimezone(UTC), zone)


def wall_clock(at: datetime, zone: str) -> WallClock:
    """What the clocks of `zone` show at that instant."""
    return WallClock.of(at.astimezone(ZoneInfo(zone)).time())


@lru_cache(maxsize=16_384)
def whole_day(day: date, zone: str) -> Intervals:
    """All instants of a local day: 23, 24 or 25 hours, and none where a zone skipped the day."""
    return LocalSpan(day, MIDNIGHT, END_OF_DAY).instants(zone)


def days_around(day: date, *, before: int, after: int) -> list[date]:
    return [day + timedelta(days=shift) for shift in range(-before, after + 1)]


@lru_cache(maxsize=65_536)
def _local_day(at: datetime, zone: str) -> date:
    # Of instants in UTC alone: two times of a repeated hour are equal on the wall, and would share an entry.
    return at.astimezone(ZoneInfo(zone)).date()


@dataclass(frozen=True)
class _Stretch:
    """A span of instants with one UTC offset."""

    span: Interval
    offset: timedelta


def _shown(span: LocalSpan, stretch: _Stretch) -> Interval | None:
    midnight = datetime.combine(span.day, time(), UTC) - stretch.offset
    begins_at = max(midnight + timedelta(seconds=span.opens.seconds), stretch.span.begins_at)
    ends_at = min(midnight + timedelta(seconds=span.closes.seconds), stretch.span.ends_at)
    return Interval(begins_at, ends_at) if begins_at < ends_at else None


@lru_cache(maxsize=4096)
def _stretches(zone: str, day: date) -> tuple[_Stretch, ...]:
    """The stretches of one offset that can hold any instant of the local day: offsets lie within a day of UTC."""
    first = datetime.combine(day, time(), UTC) - ONE_DAY
    return tuple(_constant(ZoneInfo(zone), Interval(first, first + 3 * ONE_DAY)))


def _constant(zone: ZoneInfo, span: Interval) -> Iterator[_Stretch]:
    begins_at = at = span.begins_at
    while at < span.ends_at:
        later = min(at + timedelta(hours=1), span.ends_at)
        if _offset(zone, later) != _offset(zone, at):
            change_at = _change(zone, at, later)
            yield _Stretch(Interval(begins_at, change_at), _offset(zone, at))
            begins_at = change_at
        at = later
    if begins_at < span.ends_at:
        yield _Stretch(Interval(begins_at, span.ends_at), _offset(zone, begins_at))


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first whole second with the later offset."""
    seconds = int((after - before).total_seconds())
    low, high = 0, seconds
    while high - low > 1:
        middle = (low + high) // 2
        changed = _offset(zone, before + timedelta(seconds=middle)) != _offset(zone, before)
        low, high = (low, middle) if changed else (middle, high)
    return before + timedelta(seconds=high)


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    offset = at.astimezone(zone).utcoffset()
    if offset is None:  # pragma: no cover - ZoneInfo answers for every aware instant
        raise InvalidValue(path="zone", reason="gives no UTC offset")
    return offset
