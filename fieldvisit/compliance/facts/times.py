"""Recurring local times, and those that the debtor stated."""

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from fieldvisit.compliance.wallclock import WEEK, Day
from fieldvisit.errors import InvalidValue


class WishKind(StrEnum):
    """`AVOID`: never then. `ONLY`: at no other time."""

    AVOID = "avoid"
    ONLY = "only"


@dataclass(frozen=True, kw_only=True)
class LocalTimes:
    """Recurring local times: these weekdays, from and until by the clock on the wall, on dates from and until.

    `until_time` None is the end of the day; one that is not after `from_time` means the next morning. `until_on` is the
    last date. A bound that is None does not bind.
    """

    weekdays: frozenset[Day] = frozenset(WEEK)
    from_time: time | None = None
    until_time: time | None = None
    from_on: date | None = None
    until_on: date | None = None

    def __post_init__(self) -> None:
        if not self.weekdays or Day.HOLIDAY in self.weekdays:
            raise InvalidValue(path="weekdays", reason="must name at least one day of the week, and no holidays")
        if self.from_on and self.until_on and self.until_on < self.from_on:
            raise InvalidValue(path="until_on", reason="must not be earlier than from_on")

    def in_force(self, day: date) -> bool:
        return (self.from_on is None or self.from_on <= day) and (self.until_on is None or day <= self.until_on)


@dataclass(frozen=True, kw_only=True)
class DebtorTime:
    """A time the debtor stated. `place_id` None: wherever they may be met."""

    id: str
    kind: WishKind
    times: LocalTimes
    place_id: str | None = None
    stated_at: datetime | None = None
    workable: bool = False
    """Of ONLY: they said that no other time works at all, which is more than a preference."""
