"""Lengths of time as policies write them: ``P3Y``, ``P6M``, ``P14D``."""

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta

from fieldvisit.errors import InvalidValue


@dataclass(frozen=True)
class Duration:
    """Calendar years, months and days; months end where the month does, so that P1M after 31 January is in February."""

    years: int = 0
    months: int = 0
    days: int = 0

    def __post_init__(self) -> None:
        if min(self.years, self.months, self.days) < 0 or not (self.years or self.months or self.days):
            raise InvalidValue(path="duration", reason="must be longer than nothing")

    @classmethod
    def parse(cls, text: str) -> "Duration":
        found = re.fullmatch(r"P(?:(\d{1,3})Y)?(?:(\d{1,3})M)?(?:(\d{1,4})D)?", text)
        if not found or text == "P":
            raise InvalidValue(path="duration", reason="must be written like P3Y, P6M or P14D")
        years, months, days = (int(part or 0) for part in found.groups())
        return cls(years, months, days)

    def after(self, day: date) -> date:
        """The date that lies this much later."""
        months = day.year * 12 + day.month - 1 + self.years * 12 + self.months
        year, month = months // 12, months % 12 + 1
        last = calendar.monthrange(year, month)[1]
        return date(year, month, min(day.day, last)) + timedelta(days=self.days)

    @property
    def about_days(self) -> float:
        """For comparing two of them."""
        return self.years * 365.2425 + self.months * 30.436875 + self.days

    def __str__(self) -> str:
        parts = ((self.years, "Y"), (self.months, "M"), (self.days, "D"))
        return "P" + "".join(f"{amount}{unit}" for amount, unit in parts if amount)
