"""The days of an area as the question of which visit on which day.

What the policy allows on each day is asked of the policy. What ties visits of one debtor together, spacing and caps,
goes into the question, since two of them may be chosen at once.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from fieldvisit.compliance.counting import counted
from fieldvisit.compliance.parameters import CapPeriod, CapScope
from fieldvisit.compliance.rules import CapRule
from fieldvisit.compliance.wallclock import WEEK
from fieldvisit.models import Area
from fieldvisit.planning.crews import CrewToPlan
from fieldvisit.planning.day import Day, VisitToPlan, read_day
from fieldvisit.planning.meeting import of_each
from fieldvisit.vocabulary import Channel

FILL = 0.9
"""How much of its hours a crew is taken to be able to use: windows never fit without gaps."""


@dataclass(frozen=True, kw_only=True)
class WeekQuestion:
    """`dates` are those that the document counts from 0."""

    dates: tuple[dt.date, ...]
    document: Mapping[str, Any]


def week_question(session: Session, area: Area, dates: Sequence[dt.date], now: dt.datetime) -> WeekQuestion:
    """The question for these days."""
    days = [read_day(session, area, on, now) for on in dates]
    visits: dict[str, VisitToPlan] = {}
    open_on: dict[str, list[int]] = defaultdict(list)
    for number, day in enumerate(days):
        for one in day.visits:
            visits.setdefault(str(one.visit.id), one)
            open_on[str(one.visit.id)].append(number)
    starts = sorted({(crew.lat, crew.lon) for day in days for crew in day.crews})
    document = {
        "visits": [_visit(name, one, open_on[name], dates) for name, one in visits.items()],
        "rooms": [_rooms(day) for day in days],
        "caps": _caps(visits, dates, now),
        "starts": [list(start) for start in starts],
        "seed": 1,
    }
    return WeekQuestion(dates=tuple(dates), document=document)


def _visit(name: str, one: VisitToPlan, days: Sequence[int], dates: Sequence[dt.date]) -> dict[str, Any]:
    return {
        "id": name,
        "days": list(days),
        "due_on": (one.visit.last_on - dates[0]).days,
        "service_s": one.visit.service_s,
        "crews": one.crews,
        "value_s": one.visit.value_s,
        "requires": sorted(one.requires if one.crews == 1 else of_each(one.requires)),
        "visitors": -(-one.visitors // one.crews),
        "point": [one.visit.place.lat, one.visit.place.lon],
    }


def _rooms(day: Day) -> list[dict[str, Any]]:
    """The hours of the crews by what they offer; their breaks and some slack taken off."""
    together: dict[tuple[frozenset[str], int], int] = defaultdict(int)
    for crew in day.crews:
        together[crew.offers, len(crew.members)] += _hours_s(crew)
    ordered = sorted(together.items(), key=lambda item: (sorted(item[0][0]), item[0][1]))
    return [{"offers": sorted(offers), "size": size, "work_s": seconds} for (offers, size), seconds in ordered]


def _hours_s(crew: CrewToPlan) -> int:
    seconds = (crew.hours.ends_at - crew.hours.begins_at).total_seconds() - (crew.lead.break_s or 0)
    return max(0, int(seconds * FILL))


def _caps(visits: Mapping[str, VisitToPlan], dates: Sequence[dt.date], now: dt.datetime) -> list[dict[str, Any]]:
    """One visit to a debtor a day, and each cap and spacing of the policies, where two of the visits share it."""
    found = []
    for scope in CapScope:
        for mates in _sharing(visits, scope).values():
            if scope is CapScope.DEBTOR:
                found.append({"visits": mates, "most": 9, "windows": [], "gap": 1, "past": []})
            rules = {
                rule.id: (rule, name)
                for name in mates
                for rule in visits[name].terms.caps
                if rule.scope is scope and rule.binds and Channel.VISIT in rule.channels
            }
            found += [
                _cap(rule, mates, visits[name], dates=dates, now=now) for _, (rule, name) in sorted(rules.items())
            ]
    return found


def _sharing(visits: Mapping[str, VisitToPlan], scope: CapScope) -> dict[Any, list[str]]:
    groups: dict[Any, list[str]] = defaultdict(list)
    for name, one in visits.items():
        groups[one.visit.debtor_id if scope is CapScope.DEBTOR else one.visit.case_id].append(name)
    return {key: mates for key, mates in groups.items() if len(mates) > 1}


def _cap(
    rule: CapRule, mates: Sequence[str], one: VisitToPlan, *, dates: Sequence[dt.date], now: dt.datetime
) -> dict[str, Any]:
    events = counted(rule, one.facts, one.visit.place.zone, now=now, visit_id=str(one.visit.id))
    return {
        "visits": list(mates),
        "most": rule.max,
        "windows": [list(window) for window in _windows(rule, dates)],
        "gap": max(1, rule.min_gap_days),
        "past": [(event.day - dates[0]).days for event in events if event.id not in mates],
    }


def _windows(rule: CapRule, dates: Sequence[dt.date]) -> Iterable[tuple[int, int]]:
    """The periods of the cap that hold one of the days, as first and last day."""
    first, count = dates[0], len(dates)
    if rule.period is CapPeriod.ROLLING_DAYS:
        length = rule.days or 1
        return [(last - length + 1, last) for last in range(count + length - 1)]
    return sorted({_period(rule, first, number) for number in range(count)})


def _period(rule: CapRule, first: dt.date, number: int) -> tuple[int, int]:
    day = first + dt.timedelta(days=number)
    if rule.period is CapPeriod.CALENDAR_DAY:
        return number, number
    if rule.period is CapPeriod.CALENDAR_WEEK:
        begin = number - (day.weekday() - WEEK.index(rule.week_starts)) % 7
        return begin, begin + 6
    month = day.replace(day=1)
    after = (month + dt.timedelta(days=32)).replace(day=1)
    return (month - first).days, (after - first).days - 1
