"""The hours in which a visit is lawful, as UTC instants.

A visit is inside the hours if and only if the whole of it lies in one of the returned windows. The margin that must
stay free after a visit is already taken off their ends. Days, daylight saving and midnight are resolved: where hours
run on over midnight, the window does, and belongs to the day on which the visit begins.
"""

from collections.abc import Iterable, Sequence
from datetime import date

from fieldvisit.compliance.calendars import kinds_of_day
from fieldvisit.compliance.facts import ConsentFact, ConsentForm, Facts, LocalTimes, Purpose, WishKind
from fieldvisit.compliance.intervals import Interval, Intervals, common, shortened, united, without
from fieldvisit.compliance.merging import Terms, terms_for
from fieldvisit.compliance.policy import Policy
from fieldvisit.compliance.rules import WidenRule, WindowRule
from fieldvisit.compliance.wallclock import (
    END_OF_DAY,
    MIDNIGHT,
    ONE_DAY,
    LocalSpan,
    WallClock,
    days_around,
    weekday,
    whole_day,
)
from fieldvisit.vocabulary import Channel

FORMS = tuple(ConsentForm)


def lawful_windows(
    facts: Facts, policies: Sequence[Policy], day: date, *, purpose: Purpose = Purpose.COLLECTION
) -> Intervals:
    """The hours for visits that begin on `day`, a local date of the place: policies, holidays, wishes and margin.

    Empty where nothing is permitted. Blocks, caps and people are not looked at: those are for `evaluate`.
    """
    terms = terms_for(policies, facts.place, day, purpose=purpose)
    if terms is None or facts.place.zone is None:
        return ()
    return begun_on(day, facts.place.zone, shortened(open_hours(terms, facts, day), terms.margin))


def open_hours(terms: Terms, facts: Facts, day: date) -> Intervals:
    """What binding hours and wishes leave around the day, before the margin."""
    zone = facts.place.zone
    if zone is None or not terms.hours:
        return ()
    left = united(span for near in days_around(day, before=1, after=2) for span in whole_day(near, zone))
    for policy in terms.hours:
        if policy.windows[0].binds:
            left = common(left, policy_hours(policy, facts, day))
    return common(left, wished_hours(facts, day)) if terms.wishes_bind else left


def policy_hours(policy: Policy, facts: Facts, day: date) -> Intervals:
    """The hours of one policy around the day, on its own clock, with what consent adds to them."""
    zone = clock_of(policy, facts)
    # Two days more on either side than is asked for: the policy's dates need not be those of the place.
    near = days_around(day, before=3, after=4)
    spans = [span for date_ in near for rule in windows_on(policy, facts, date_) for span in _span(rule, date_, zone)]
    for consent in facts.consents:
        if any(widens(rule, consent, facts) for rule in policy.widen_by) and consent.times:
            spans += recurring(consent.times, near, zone)
    return united(spans)


def windows_on(policy: Policy, facts: Facts, day: date) -> list[WindowRule]:
    """The window rules that open the date for a visit at the place."""
    kinds = kinds_of_day(policy, facts.place, day)
    return [
        rule
        for rule in policy.windows
        if Channel.VISIT in rule.channels and facts.place.kind in rule.places and rule.days & kinds
    ]


def wished_hours(facts: Facts, day: date) -> Intervals:
    """What the debtor's own times leave around the day."""
    zone = facts.place.zone or "UTC"
    near = days_around(day, before=2, after=3)
    here = [wish for wish in facts.debtor_times if wish.place_id in (None, facts.place.id)]
    only = [wish.times for wish in here if wish.kind is WishKind.ONLY]
    named = united(span for times in only for span in recurring(times, near, zone))
    left: list[Interval] = []
    for date_ in near:
        bound = any(times.in_force(date_) for times in only)
        left += common(whole_day(date_, zone), named) if bound else whole_day(date_, zone)
    avoided = [wish.times for wish in here if wish.kind is WishKind.AVOID]
    return without(left, united(span for times in avoided for span in recurring(times, near, zone)))


def recurring(times: LocalTimes, days: Iterable[date], zone: str) -> list[Interval]:
    """The instants of recurring local times on these dates; times over midnight run into the next morning."""
    opens = WallClock.of(times.from_time) if times.from_time else MIDNIGHT
    closes = WallClock.of(times.until_time) if times.until_time else END_OF_DAY
    found: list[Interval] = []
    for day in days:
        if not times.in_force(day) or weekday(day) not in times.weekdays:
            continue
        if opens < closes:
            found += LocalSpan(day, opens, closes).instants(zone)
        else:
            found += LocalSpan(day, opens, END_OF_DAY).instants(zone)
            found += LocalSpan(day + ONE_DAY, MIDNIGHT, closes).instants(zone)
    return found


def widens(rule: WidenRule, consent: ConsentFact, facts: Facts) -> bool:
    """Whether the consent may open hours under this rule: not revoked, strong enough in form, for here, with hours.

    A consent to one visit alone opens none: it names its date in its times instead.
    """
    times = consent.times
    names_hours = times is not None and times.from_time is not None and times.until_time is not None
    strong = FORMS.index(consent.form) >= FORMS.index(rule.form)
    here = consent.visit_id is None and consent.place_id in (None, facts.place.id)
    return consent.revoked_at is None and strong and names_hours and here


def clock_of(policy: Policy, facts: Facts) -> str:
    """The zone whose clock the policy means: a fixed one, or that of the place."""
    if policy.zone is not None and policy.zone.zone is not None:
        return policy.zone.zone
    return facts.place.zone or "UTC"


def begun_on(day: date, zone: str, intervals: Sequence[Interval]) -> Intervals:
    """The windows of visits that begin on the local date; each ends with the next date at the latest."""
    today = whole_day(day, zone)
    if not today:
        return ()
    both = united((*today, *whole_day(day + ONE_DAY, zone)))
    return tuple(window for window in common(intervals, both) if window.begins_at < today[-1].ends_at)


def _span(rule: WindowRule, day: date, zone: str) -> Intervals:
    return LocalSpan(day, rule.opens, rule.closes).instants(zone)
