"""The day in the words of `routing`, but for the travel times, which are looked up where the plan is found.

The only place that knows both a visit and a task. Ids of tasks are ids of visits, ids of crews are the codes of the
shift file; second 0 is local midnight, and elapsed seconds from there hold over a change of the clocks.
"""

import datetime as dt
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fieldvisit.compliance.intervals import Interval
from fieldvisit.planning.crews import CrewToPlan
from fieldvisit.planning.day import Day, VisitToPlan
from fieldvisit.planning.meeting import of_each

CHANGE_PRICE_S = 1_800
"""What taking a published visit from its crew costs: half an hour of travel."""


VALUE_S = 60
"""A chance to earn is counted in minutes of what a visit is worth."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A problem document without its `travel`, and the points, as (lat, lon), that its locations index.

    `askable`: visit → the hours in which it might be made as well, were the debtor asked and agreed.
    """

    document: dict[str, Any]
    points: tuple[tuple[float, float], ...]
    askable: dict[str, list[list[int]]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class FairShares:
    """`price`: what a second of unequal work costs, a point of unequal risk, a minute of unequal chances. The others:
    crew → what it carries in."""

    price: int = 0
    before: Mapping[str, int] = field(default_factory=dict)
    risk_price: int = 0
    risk_before: Mapping[str, int] = field(default_factory=dict)
    earning_price: int = 0
    earning_before: Mapping[str, int] = field(default_factory=dict)


def problem_of(
    day: Day,
    published_crews: Mapping[str, str],
    shares: FairShares | None = None,
    quotas: Mapping[str, int] | None = None,
) -> Draft:
    """The planning problem of the day. `published_crews`: visit id → crew of those already published. `quotas`: names
    and how many visits there may still be; each visit counts towards all of them."""
    points: dict[tuple[float, float], int] = {}
    shares, quotas = shares or FairShares(), quotas or {}
    crews = [_crew(day, crew, _place(points, (crew.lat, crew.lon))) | _carried(shares, crew.code) for crew in day.crews]
    limits = {"quotas": [{"id": name, "most": most} for name, most in sorted(quotas.items())]} if quotas else {}
    debtors = Counter(one.visit.debtor_id for one in day.visits)
    codes = {crew.code for crew in day.crews}
    tasks = []
    for one in day.visits:
        task = task_of(day.origin, one, _place(points, (one.visit.place.lat or 0.0, one.visit.place.lon or 0.0)))
        if debtors[one.visit.debtor_id] > 1:
            task["group"] = str(one.visit.debtor_id)
        if published_crews.get(task["id"]) in codes:
            task["published_crew"] = published_crews[task["id"]]
        if quotas:
            task["quotas"] = sorted(quotas)
        tasks.append(task)
    return Draft(
        document={
            "format": "fieldvisit-problem/1",
            "origin": day.origin.isoformat(),
            "tasks": tasks,
            "crews": crews,
            "prices": _prices(shares),
            **limits,
        },
        points=tuple(points),
        askable={
            str(one.visit.id): [list(_span(day.origin, hours)) for hours in one.askable]
            for one in day.visits
            if one.askable
        },
    )


def _prices(shares: FairShares) -> dict[str, int]:
    prices = {"travel": 1, "change": CHANGE_PRICE_S}
    if shares.price:
        # Waiting costs as much: nobody is to stand about so that the day looks equal.
        prices |= {"balance": shares.price, "wait": shares.price}
    if shares.risk_price:
        prices["balance_risk"] = shares.risk_price
    if shares.earning_price:
        prices["balance_earning"] = shares.earning_price
    return prices


def _carried(shares: FairShares, crew: str) -> dict[str, int]:
    """What the crew carries in of each share that has a price."""
    kinds = (
        ("work_before_s", shares.price, shares.before),
        ("risk_before", shares.risk_price, shares.risk_before),
        ("earning_before", shares.earning_price, shares.earning_before),
    )
    return {name: before.get(crew, 0) for name, price, before in kinds if price}


def instant(origin: dt.datetime, seconds: int) -> dt.datetime:
    """The instant of a second of the planning format, in UTC."""
    return origin.astimezone(dt.UTC) + dt.timedelta(seconds=seconds)


def seconds_from(origin: dt.datetime, at: dt.datetime) -> int:
    """The second of the planning format, the other way round; a part of one is dropped."""
    return math.floor((at - origin).total_seconds())


def task_of(origin: dt.datetime, one: VisitToPlan, location: int) -> dict[str, Any]:
    """The visit as a task of the planning format."""
    pair = {"crews": 2, "requires": sorted(of_each(one.requires))} if one.crews == 2 else {}
    return {
        "id": str(one.visit.id),
        "location": location,
        "service_s": one.visit.service_s,
        "windows": [list(_span(origin, hours)) for hours in one.hours],
        "value_s": one.visit.value_s,
        "requires": sorted(one.requires),
        "visitors": one.visitors,
        "risk": one.risk,
        "earning": one.visit.value_s // VALUE_S,
        **pair,
    }


def _crew(day: Day, crew: CrewToPlan, location: int) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": crew.code,
        "start": location,
        "end": location,
        "shift": list(_span(day.origin, crew.hours)),
        "offers": sorted(crew.offers),
        "size": len(crew.members),
    }
    lead = crew.lead
    if lead.break_s is not None and lead.break_from_at is not None and lead.break_until_at is not None:
        window = _span(day.origin, Interval(lead.break_from_at, lead.break_until_at))
        document["break"] = {"window": list(window), "duration_s": lead.break_s}
    return document


def _span(origin: dt.datetime, hours: Interval) -> tuple[int, int]:
    """Whole seconds that lie inside the hours."""
    origin = origin.astimezone(dt.UTC)
    begins_s, ends_s = ((at - origin).total_seconds() for at in (hours.begins_at, hours.ends_at))
    return math.ceil(begins_s), math.floor(ends_s)


def _place(points: dict[tuple[float, float], int], point: tuple[float, float]) -> int:
    """The index of the point; neighbours in one house share it."""
    return points.setdefault(point, len(points))
