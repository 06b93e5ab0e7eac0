"""The times that the debtor stated: which of them bind, and what they leave."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache

from fieldvisit.compliance.facts import DebtorTime, Facts, LocalTimes, WishKind
from fieldvisit.compliance.intervals import Interval, Intervals, common, united, without
from fieldvisit.compliance.terms import Terms
from fieldvisit.compliance.wallclock import (
    DAY_S,
    END_OF_DAY,
    MIDNIGHT,
    ONE_DAY,
    LocalSpan,
    WallClock,
    days_around,
    weekday,
    whole_day,
)

WEEK_HOURS = 7 * 24


def binding_wishes(terms: Terms, facts: Facts) -> tuple[DebtorTime, ...]:
    """The wishes that bind at the place under these terms.

    Where every policy that lets them bind allows the debtor only so many hours of the week, those stated first bind
    until the hours are used up; the rest is told, and does not bind.
    """
    if not facts.debtor_times or not terms.wishes_bind:
        return ()
    here = [wish for wish in facts.debtor_times if wish.place_id in (None, facts.place.id)]
    rules = [policy.debtor_times for policy in terms.policies]
    limits = [rule.max_hours_per_week if rule else None for rule in rules if rule is None or rule.narrows]
    if any(limit is None for limit in limits):
        return tuple(here)
    return _within(here, max(limit for limit in limits if limit is not None))


def wished_hours(wishes: Sequence[DebtorTime], zone: str, day: date) -> Intervals:
    """What these times leave around the day."""
    near = days_around(day, before=2, after=3)
    only = [wish.times for wish in wishes if wish.kind is WishKind.ONLY]
    named = united(span for times in only for span in recurring(times, near, zone))
    left: list[Interval] = []
    for date_ in near:
        bound = any(times.in_force(date_) for times in only)
        left += common(whole_day(date_, zone), named) if bound else whole_day(date_, zone)
    avoided = [wish.times for wish in wishes if wish.kind is WishKind.AVOID]
    return without(left, united(span for times in avoided for span in recurring(times, near, zone)))


def recurring(times: LocalTimes, days: Iterable[date], zone: str) -> list[Interval]:
    """The instants of recurring local times on these dates; times over midnight run into the next morning."""
    return [span for day in days for span in _on(times, day, zone)]


@lru_cache(maxsize=65_536)
def _on(times: LocalTimes, day: date, zone: str) -> Intervals:
    if not times.in_force(day) or weekday(day) not in times.weekdays:
        return ()
    opens, closes = _bounds(times)
    if opens < closes:
        return LocalSpan(day, opens, closes).instants(zone)
    # Until midnight exactly: nothing is left of the next morning.
    morning = LocalSpan(day + ONE_DAY, MIDNIGHT, closes).instants(zone)
    return (*LocalSpan(day, opens, END_OF_DAY).instants(zone), *morning)


def _bounds(times: LocalTimes) -> tuple[WallClock, WallClock]:
    opens = WallClock.of(times.from_time) if times.from_time else MIDNIGHT
    return opens, WallClock.of(times.until_time) if times.until_time else END_OF_DAY


def _within(wishes: Sequence[DebtorTime], hours: int) -> tuple[DebtorTime, ...]:
    kept, used = [], 0.0
    first = datetime.min.replace(tzinfo=UTC)
    for wish in sorted(wishes, key=lambda wish: (wish.stated_at or first, wish.id)):
        closed = closed_hours(wish)
        if used + closed <= hours:
            kept.append(wish)
            used += closed
    return tuple(kept)


def closed_hours(wish: DebtorTime) -> float:
    """How many hours of a week of its own the wish closes."""
    opens, closes = _bounds(wish.times)
    length = closes.seconds - opens.seconds
    if length <= 0:
        length += DAY_S
    named = len(wish.times.weekdays) * length / 3_600
    return named if wish.kind is WishKind.AVOID else WEEK_HOURS - named
