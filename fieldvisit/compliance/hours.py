"""Whether the visit keeps the hours: each policy's windows, the debtor's own times, and the margin after the visit."""

from dataclasses import replace
from datetime import date
from functools import lru_cache, reduce

from fieldvisit.compliance.calendars import is_holiday
from fieldvisit.compliance.decision import ClauseResult
from fieldvisit.compliance.facts import DebtorTime, WishKind
from fieldvisit.compliance.inquiry import Inquiry, judged, product_clause
from fieldvisit.compliance.intervals import Interval, Intervals, common, inside, shortened
from fieldvisit.compliance.parameters import HolidayEffect
from fieldvisit.compliance.policy import Policy
from fieldvisit.compliance.rules import FitRule, Rule
from fieldvisit.compliance.wallclock import ONE_DAY, local_day, wall_clock
from fieldvisit.compliance.widening import openings, widens_anything
from fieldvisit.compliance.windows import (
    Where,
    bare_hours,
    begins_inside,
    begun_on,
    open_hours,
    policy_hours,
    states_hours,
    windows_on,
)
from fieldvisit.compliance.wishes import binding_wishes, recurring, wished_hours
from fieldvisit.compliance.zones import clock_of, clocks_of
from fieldvisit.languages import Message
from fieldvisit.vocabulary import Channel


def hour_clauses(inquiry: Inquiry) -> list[ClauseResult]:
    """The windows of each policy that states hours; where none does, no hour is permitted."""
    if not states_hours(inquiry.terms):
        return [product_clause("windows", False, Message("No policy states the hours for visits."))]
    return [clause for policy in inquiry.terms.hours for clause in _of_policy(policy, inquiry)]


def wish_clauses(inquiry: Inquiry) -> list[ClauseResult]:
    """What the times stated by the debtor say. A policy that is silent about them lets them bind."""
    if not inquiry.facts.debtor_times:
        return []
    here = [wish for wish in inquiry.facts.debtor_times if wish.place_id in (None, inquiry.facts.place.id)]
    binding = binding_wishes(inquiry.terms, inquiry.facts)
    kept = _inside(wished_hours(here, inquiry.zone, inquiry.day), inquiry)
    # Where the debtor may close only so much of a week, what goes beyond that is told, and binds nobody.
    bound = binding and not _inside(wished_hours(binding, inquiry.zone, inquiry.day), inquiry)
    message, ids = _wish_message(inquiry, kept), [wish.id for wish in _wishes_met(inquiry)]
    rules = inquiry.terms.debtor_times
    found = [
        judged(rule, not bound, message, ids)
        if rule.binding and (kept or bound)
        else replace(judged(rule, True, message, ids), warning=not kept)
        for rule in rules
    ]
    if len(rules) < len(inquiry.terms.policies):
        found.append(product_clause("debtor_times", kept, message, ids))
    return found


def fit_clauses(inquiry: Inquiry) -> list[ClauseResult]:
    """The margin after the visit, inside the hours that the visit itself keeps: a breach of others is told by them."""
    if not inquiry.terms.fit or not inquiry.terms.whole_visit:
        return []
    hours = _kept_hours(inquiry)
    return [_fit(rule, hours, inquiry) for rule in inquiry.terms.fit] if hours else []


def _of_policy(policy: Policy, inquiry: Inquiry) -> list[ClauseResult]:
    facts = inquiry.facts
    zone = clock_of(policy, facts)
    day = local_day(inquiry.span.begins_at, zone)
    hours = policy_hours(policy, facts, inquiry.day)
    widened = widens_anything(policy, facts)
    where, clocks = Where.of(facts.place), clocks_of(policy, facts)
    shown = (
        _shown(begun_on(day, zone, hours), zone) if widened else _told(policy, where, clocks, inquiry.day, local=day)
    )
    values = {"day": day.isoformat(), "hours": shown}
    found = _calendar_unknown(policy, inquiry, day)
    if _inside(hours, inquiry):
        kept = Message("Inside the permitted hours: {hours}.", values)
        if widened:
            return [*found, *_kept(policy, inquiry, day, kept)]
        return [*found, judged(_window_rule(policy, inquiry, day), True, kept)]
    rule = _window_rule(policy, inquiry, day)
    if shown:
        return [*found, judged(rule, False, Message("Outside the permitted hours of {day}: {hours}.", values))]
    if _closed_by_holiday(policy, inquiry, day) and policy.holidays is not None:
        # The breach is that of the hours: a holiday only says which of them count on its date.
        message = Message("No visit is permitted on {day}: it is a public holiday.", values)
        return [*found, replace(judged(rule, False, message), clause_id=policy.holidays.id)]
    return [*found, judged(rule, False, Message("No visit is permitted on {day}.", values))]


def _kept(policy: Policy, inquiry: Inquiry, day: date, message: Message) -> list[ClauseResult]:
    if _inside(policy_hours(policy, inquiry.facts, inquiry.day, widened=False), inquiry):
        return [judged(_window_rule(policy, inquiry, day), True, message)]
    agreed = Message("The debtor agreed to these hours: {hours}.", message.values)
    older = Message("The age of the arrears opens these hours: {hours}.", message.values)
    return [
        judged(rule or _window_rule(policy, inquiry, day), True, agreed if times else older, [fact_id])
        for rule, times, fact_id in openings(policy, inquiry.facts)
    ]


def _inside(hours: Intervals, inquiry: Inquiry) -> bool:
    if inquiry.terms.whole_visit:
        return inside(hours, inquiry.span)
    return begins_inside(hours, inquiry.span.begins_at)


def _window_rule(policy: Policy, inquiry: Inquiry, day: date) -> Rule:
    """The rule that the clause is told by: one that opens the date, or else the first for visits."""
    on_day = windows_on(policy, Where.of(inquiry.facts.place), day)
    return on_day[0] if on_day else next(rule for rule in policy.windows if Channel.VISIT in rule.channels)


def _closed_by_holiday(policy: Policy, inquiry: Inquiry, day: date) -> bool:
    rule = policy.holidays
    if rule is None or rule.effect is HolidayEffect.NONE or not rule.binds:
        return False
    return is_holiday(rule, inquiry.facts.place, day) is True


def _calendar_unknown(policy: Policy, inquiry: Inquiry, day: date) -> list[ClauseResult]:
    rule = policy.holidays
    if rule is None or rule.effect is HolidayEffect.NONE or is_holiday(rule, inquiry.facts.place, day) is not None:
        return []
    values = {"day": day.isoformat(), "country": inquiry.facts.place.country}
    message = Message("No holiday calendar is known for {country} on {day}: holidays were not looked at.", values)
    return [replace(judged(rule, True, message), warning=True)]


def _kept_hours(inquiry: Inquiry) -> Intervals:
    """The common hours of all that binds and holds the visit; none where nothing does."""
    facts, day = inquiry.facts, inquiry.day
    whole = open_hours(inquiry.terms, facts, day)
    if inside(whole, inquiry.span):
        return whole
    stated = [policy_hours(policy, facts, day) for policy in inquiry.terms.hours if policy.windows[0].binds]
    if wishes := binding_wishes(inquiry.terms, facts):
        stated.append(wished_hours(wishes, inquiry.zone, day))
    kept = [hours for hours in stated if inside(hours, inquiry.span)]
    return reduce(common, kept) if kept else ()


def _fit(rule: FitRule, hours: Intervals, inquiry: Inquiry) -> ClauseResult:
    values = {"minutes": rule.margin_min}
    if any(
        each.begins_at <= inquiry.span.begins_at and inquiry.span.ends_at + rule.margin <= each.ends_at
        for each in hours
    ):
        return judged(rule, True, Message("The whole visit and {minutes} minutes after it fit.", values))
    return judged(rule, False, Message("Less than {minutes} minutes stay free after the visit.", values))


def _wish_message(inquiry: Inquiry, kept: bool) -> Message:
    if kept:
        return Message("The times that the debtor stated are kept.")
    values = {"day": inquiry.day.isoformat()}
    left = shortened(open_hours(inquiry.terms, inquiry.facts, inquiry.day), inquiry.terms.margin)
    if not begun_on(inquiry.day, inquiry.zone, left):
        # Nobody may quietly forget the wish because it leaves nothing: a person has to look.
        return Message("The times that the debtor stated leave no permitted hour on {day}.", values)
    return Message("The debtor stated another time for {day}.", values)


def _wishes_met(inquiry: Inquiry) -> list[DebtorTime]:
    """The wishes that speak of the time asked about: every ONLY in force, and each AVOID that the visit would meet."""
    return [wish for wish in inquiry.facts.debtor_times if _speaks_of(wish, inquiry.span, inquiry)]


def _speaks_of(wish: DebtorTime, span: Interval, inquiry: Inquiry) -> bool:
    if wish.place_id not in (None, inquiry.facts.place.id):
        return False
    if wish.kind is WishKind.ONLY:
        return wish.times.in_force(inquiry.day)
    around = [inquiry.day - ONE_DAY, inquiry.day, inquiry.day + ONE_DAY]
    return any(avoided.meets(span) for avoided in recurring(wish.times, around, inquiry.zone))


@lru_cache(maxsize=16_384)
def _told(policy: Policy, where: Where, clocks: tuple[str, ...], day: date, *, local: date) -> str:
    """The policy's own hours of its local date, in words: the same for everybody at such a place."""
    return _shown(begun_on(local, clocks[0], bare_hours(policy, where, clocks, day)), clocks[0])


def _shown(hours: Intervals, zone: str) -> str:
    return ", ".join(f"{wall_clock(window.begins_at, zone)}–{_end(window, zone)}" for window in hours)


def _end(window: Interval, zone: str) -> str:
    shown = str(wall_clock(window.ends_at, zone))
    return "24:00" if shown == "00:00" else shown
