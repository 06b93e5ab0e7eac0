"""The hours in which a visit is lawful, as UTC instants.

A visit is inside the hours if and only if the whole of it lies in one of the returned windows. The margin that must
stay free after a visit is already taken off their ends. Days, daylight saving and midnight are resolved: where hours
run on over midnight, the window does, and belongs to the day on which the visit begins.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache, reduce
from typing import NamedTuple

from fieldvisit.compliance.calendars import kinds_of_day
from fieldvisit.compliance.facts import Facts, PlaceFacts, Purpose
from fieldvisit.compliance.intervals import Interval, Intervals, common, shortened, united
from fieldvisit.compliance.merging import terms_for
from fieldvisit.compliance.policy import Policy
from fieldvisit.compliance.rules import WindowRule
from fieldvisit.compliance.terms import Terms
from fieldvisit.compliance.wallclock import ONE_DAY, Day, LocalSpan, WallClock, days_around, whole_day
from fieldvisit.compliance.widening import widened_hours, widens_anything
from fieldvisit.compliance.wishes import binding_wishes, wished_hours
from fieldvisit.compliance.zones import clocks_of
from fieldvisit.vocabulary import Channel, PlaceKind

ROOM = timedelta(microseconds=1)
"""The smallest step of an instant: a visit may begin up to so much before the hours end."""


class Where(NamedTuple):
    """Of a place all that permitted hours depend on, its clock apart."""

    kind: PlaceKind
    country: str
    region: str | None

    @classmethod
    def of(cls, place: PlaceFacts) -> "Where":
        return cls(place.kind, place.country, place.region)


def lawful_windows(
    facts: Facts,
    policies: Sequence[Policy],
    day: date,
    *,
    purpose: Purpose = Purpose.COLLECTION,
    length: timedelta | None = None,
) -> Intervals:
    """The hours for visits that begin on `day`, a local date of the place: policies, holidays, wishes and margin.

    Empty where nothing is permitted. Blocks, caps and people are not looked at: those are for `evaluate`.

    Where only the beginning must lie inside the hours, `length` of the visit makes room after their ends, and windows
    with a short gap between them then overlap; without it the whole visit must lie inside, as elsewhere.
    """
    terms = terms_for(policies, facts.place, day, purpose=purpose, scope=facts.scope)
    if terms is None or facts.place.zone is None:
        return ()
    hours = open_hours(terms, facts, day)
    if terms.whole_visit or length is None:
        return begun_on(day, facts.place.zone, shortened(hours, terms.margin))
    begun = begun_on(day, facts.place.zone, hours)
    return tuple(Interval(each.begins_at, each.ends_at + length - ROOM) for each in begun)


def open_hours(terms: Terms, facts: Facts, day: date) -> Intervals:
    """What binding hours and wishes leave around the day, before the margin."""
    zone = facts.place.zone
    if zone is None or not states_hours(terms):
        return ()
    left = _stated(terms, facts, day)
    wishes = binding_wishes(terms, facts)
    return common(left, wished_hours(wishes, zone, day)) if wishes else left


def states_hours(terms: Terms) -> bool:
    """Whether any policy states hours that bind: what only warns opens nothing."""
    return any(policy.windows[0].binds for policy in terms.hours)


def policy_hours(policy: Policy, facts: Facts, day: date, *, widened: bool = True) -> Intervals:
    """The hours of one policy around the day, on every clock that it names, with what widens them."""
    bare = bare_hours(policy, Where.of(facts.place), clocks_of(policy, facts), day)
    if not widened or not widens_anything(policy, facts):
        return bare
    each = [
        united((*_on_clock(policy, Where.of(facts.place), zone, day), *widened_hours(policy, facts, zone, near(day))))
        for zone in clocks_of(policy, facts)
    ]
    return reduce(common, each)


@lru_cache(maxsize=65_536)
def bare_hours(policy: Policy, where: Where, clocks: tuple[str, ...], day: date) -> Intervals:
    """The hours of one policy around the day, on every one of these clocks, before anything widens them."""
    return reduce(common, (_on_clock(policy, where, zone, day) for zone in clocks))


@lru_cache(maxsize=16_384)
def windows_on(policy: Policy, where: Where, day: date) -> tuple[WindowRule, ...]:
    """The window rules that open the date for a visit at such a place."""
    kinds = set(kinds_of_day(policy, _stand_in(where), day))
    return tuple(rule for rule in _windows_at(policy, where.kind) if rule.days & kinds)


def begins_inside(hours: Intervals, at: datetime) -> bool:
    return any(each.begins_at <= at < each.ends_at for each in hours)


def begun_on(day: date, zone: str, intervals: Sequence[Interval]) -> Intervals:
    """The windows of visits that begin on the local date; each ends with the next date at the latest."""
    today = whole_day(day, zone)
    if not today:
        return ()
    both = united((*today, *whole_day(day + ONE_DAY, zone)))
    return tuple(window for window in common(intervals, both) if window.begins_at < today[-1].ends_at)


def near(day: date) -> list[date]:
    """Two days more on either side than is asked for: the policy's dates need not be those of the place."""
    return days_around(day, before=3, after=4)


def _stated(terms: Terms, facts: Facts, day: date) -> Intervals:
    """What the policies that bind leave around the day."""
    binding = [policy for policy in terms.hours if policy.windows[0].binds]
    zone = facts.place.zone or "UTC"
    if any(widens_anything(policy, facts) for policy in binding):
        return reduce(common, (policy_hours(policy, facts, day) for policy in binding), _around(day, zone))
    clocks = tuple(clocks_of(policy, facts) for policy in binding)
    return _bare(terms, Where.of(facts.place), day, zone=zone, clocks=clocks)


# Five keys, all of them hashed quickly: terms are the same object for the same policies, place and date.
@lru_cache(maxsize=16_384)
def _bare(terms: Terms, where: Where, day: date, *, zone: str, clocks: tuple[tuple[str, ...], ...]) -> Intervals:
    binding = [policy for policy in terms.hours if policy.windows[0].binds]
    each = [bare_hours(policy, where, mine, day) for policy, mine in zip(binding, clocks, strict=True)]
    return reduce(common, each, _around(day, zone))


@lru_cache(maxsize=16_384)
def _around(day: date, zone: str) -> Intervals:
    return united(span for date_ in days_around(day, before=1, after=2) for span in whole_day(date_, zone))


def _on_clock(policy: Policy, where: Where, zone: str, day: date) -> Intervals:
    return united(
        span
        for date_ in near(day)
        for opens, closes in _open_times(policy, where, date_)
        for span in LocalSpan(date_, opens, closes).instants(zone)
    )


def _open_times(policy: Policy, where: Where, day: date) -> list[tuple[WallClock, WallClock]]:
    """From and until by the clock on the wall. Of several kinds of day at once, what all of them leave open."""
    kinds = kinds_of_day(policy, _stand_in(where), day)
    times = [_of_kind(policy, where.kind, kind) for kind in kinds]
    return reduce(_both, times) if times else []


def _of_kind(policy: Policy, place: PlaceKind, kind: Day) -> list[tuple[WallClock, WallClock]]:
    return [(rule.opens, rule.closes) for rule in _windows_at(policy, place) if kind in rule.days]


def _both(
    one: list[tuple[WallClock, WallClock]], other: list[tuple[WallClock, WallClock]]
) -> list[tuple[WallClock, WallClock]]:
    pairs = ((max(a[0], b[0]), min(a[1], b[1])) for a in one for b in other)
    return [(opens, closes) for opens, closes in pairs if opens < closes]


def _windows_at(policy: Policy, kind: PlaceKind) -> list[WindowRule]:
    return [rule for rule in policy.windows if Channel.VISIT in rule.channels and kind in rule.places]


@lru_cache(maxsize=4096)
def _stand_in(where: Where) -> PlaceFacts:
    return PlaceFacts(id="", kind=where.kind, zone=None, country=where.country, region=where.region)
