"""Public holidays and working days, from the library `holidays`. Which edition answered is kept with the decision."""

from datetime import date, timedelta
from functools import cache, lru_cache
from typing import Any

import holidays
from holidays.version import __version__ as EDITION

from fieldvisit.compliance.facts import PlaceFacts
from fieldvisit.compliance.parameters import HolidayEffect
from fieldvisit.compliance.policy import Policy
from fieldvisit.compliance.rules import HolidayRule
from fieldvisit.compliance.wallclock import Day, weekday

WEEKEND = frozenset({Day.SAT, Day.SUN})


def is_holiday(rule: HolidayRule, place: PlaceFacts, day: date) -> bool | None:
    """Whether the rule's calendar names the day; None where no calendar is known for the country or the year."""
    calendar = _calendar(*_asked(rule, place.country, place.region), rule.observed)
    if calendar is None or not calendar.start_year <= day.year <= calendar.end_year:
        return None
    return day in calendar


def kinds_of_day(policy: Policy, place: PlaceFacts, day: date) -> tuple[Day, ...]:
    """The policy's kinds of day that the date is: it is open when the windows of each of them are. None: it is closed.

    A holiday that nobody knows of is an ordinary day: the decision carries a warning then.
    """
    rule = policy.holidays
    if rule is None or not rule.binds or not is_holiday(rule, place, day):
        return (weekday(day),)
    return {
        HolidayEffect.NONE: (weekday(day),),
        HolidayEffect.OWN_WINDOW: (Day.HOLIDAY,),
        HolidayEffect.AS_WEEKEND: (Day.SAT, Day.SUN),
        HolidayEffect.AS_SUNDAY: (Day.SUN,),
        HolidayEffect.FORBIDDEN: (),
    }[rule.effect]


def is_business_day(place: PlaceFacts, day: date) -> bool:
    """Whether people work on the date at the place: make-up working Saturdays are days of work, holidays are none.

    Where no calendar is known, Monday to Friday.
    """
    calendar = _calendar(place.country, _part(place.region), True)
    if calendar is None or not calendar.start_year <= day.year <= calendar.end_year:
        return weekday(day) not in WEEKEND
    return bool(calendar.is_working_day(day))


@lru_cache(maxsize=16_384)
def business_days_after(place: PlaceFacts, day: date, count: int) -> date:
    """The `count`-th business day after the date; the date itself for none."""
    while count > 0:
        day += timedelta(days=1)
        count -= is_business_day(place, day)
    return day


def calendar_used(rule: HolidayRule, country: str, region: str | None) -> str:
    """The calendar and its edition, as it is kept with a decision: ``FI, holidays 0.109``."""
    name, part = _asked(rule, country, region)
    return f"{name}{'-' + part if part else ''}, holidays {EDITION}"


def _asked(rule: HolidayRule, country: str, region: str | None) -> tuple[str, str | None]:
    if rule.calendar != "place":
        return rule.calendar, None
    return country, _part(region)


def _part(region: str | None) -> str | None:
    return region.partition("-")[2] if region else None


@cache
def _calendar(country: str, region: str | None, observed: bool) -> Any:
    try:
        return holidays.country_holidays(country, subdiv=region, observed=observed)
    except NotImplementedError:
        # The library knows the country and not the region: the holidays of the country still hold there.
        return _calendar(country, None, observed) if region else None
