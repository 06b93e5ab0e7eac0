"""The working days and the hours of the made-up call centre, in Helsinki."""

from datetime import date, datetime, time, timedelta
from enum import Enum
from functools import cache
from random import Random
from zoneinfo import ZoneInfo

import holidays

ZONE = ZoneInfo("Europe/Helsinki")


class DayPart(Enum):
    """When calls are made: (first, last) minute of the day. Well inside any sensible idea of a part of the day."""

    MORNING = (8 * 60 + 30, 11 * 60 + 15)
    AFTERNOON = (13 * 60, 16 * 60 + 15)
    EVENING = (18 * 60 + 10, 19 * 60 + 45)


def is_working_day(day: date) -> bool:
    """Monday to Friday, no Finnish holiday."""
    return day.weekday() < 5 and day not in _holidays(day.year)


def working_days_from(first: date, count: int) -> list[date]:
    """The first `count` working days, `first` included if it is one."""
    found: list[date] = []
    day = first
    while len(found) < count:
        if is_working_day(day):
            found.append(day)
        day += timedelta(days=1)
    return found


def working_days_ago(today: date, oldest: int, newest: int) -> list[date]:
    """The working days that lie `oldest` to `newest` days (both included) before today, the oldest first."""
    days = (today - timedelta(days=ago) for ago in range(oldest, newest - 1, -1))
    return [day for day in days if is_working_day(day)]


def moment(chance: Random, day: date, part: DayPart) -> datetime:
    """Some second within the part of the day, aware."""
    first, last = part.value
    minute = chance.randint(first, last)
    return datetime.combine(day, time(minute // 60, minute % 60, chance.randrange(60)), tzinfo=ZONE)


@cache
def _holidays(year: int) -> holidays.HolidayBase:
    return holidays.country_holidays("FI", years=year)
