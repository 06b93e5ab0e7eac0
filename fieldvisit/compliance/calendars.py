"""Public holidays, from the library `holidays`. Which version answered is kept with the decision."""

from datetime import date
from functools import cache
from typing import Any

import holidays
from holidays.version import __version__ as EDITION

from fieldvisit.compliance.facts import PlaceFacts
from fieldvisit.compliance.parameters import HolidayEffect
from fieldvisit.compliance.policy import Policy
from fieldvisit.compliance.rules import HolidayRule
from fieldvisit.compliance.wallclock import Day, weekday


def is_holiday(rule: HolidayRule, place: PlaceFacts, day: date) -> bool | None:
    """Whether the rule's calendar names the day; None where no calendar is known for the country or the year."""
    calendar = _calendar(*_asked(rule, place))
    if calendar is None or not calendar.start_year <= day.year <= calendar.end_year:
        return None
    return day in calendar


def kinds_of_day(policy: Policy, place: PlaceFacts, day: date) -> frozenset[Day]:
    """Which of the policy's kinds of day the date is; none where the policy closes it.

    A holiday that nobody knows of is an ordinary day: the decision carries a warning then.
    """
    rule = policy.holidays
    if rule is None or not rule.binds or not is_holiday(rule, place, day):
        return frozenset({weekday(day)})
    return {
        HolidayEffect.NONE: frozenset({weekday(day)}),
        HolidayEffect.OWN_WINDOW: frozenset({Day.HOLIDAY}),
        HolidayEffect.AS_SUNDAY: frozenset({Day.SUN}),
        HolidayEffect.FORBIDDEN: frozenset[Day](),
    }[rule.effect]


def calendar_used(rule: HolidayRule, place: PlaceFacts) -> str:
    """The calendar and its edition, as it is kept with a decision: ``FI, holidays 0.109``."""
    country, region = _asked(rule, place)
    return f"{country}{'-' + region if region else ''}, holidays {EDITION}"


def _asked(rule: HolidayRule, place: PlaceFacts) -> tuple[str, str | None]:
    if rule.calendar != "place":
        return rule.calendar, None
    return place.country, place.region.partition("-")[2] if place.region else None


@cache
def _calendar(country: str, region: str | None) -> Any:
    try:
        return holidays.country_holidays(country, subdiv=region)
    except NotImplementedError:
        # The library knows the country and not the region: the holidays of the country still hold there.
        return _calendar(country, None) if region else None
