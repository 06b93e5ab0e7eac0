"""Caps: how many visits there were and are to be, in the local dates of the policy's clock.

Counted are the attempts that happened and the live reservations, nothing twice: a reported visit is an attempt and no
reservation any more, and a reservation whose date has passed is void. A reservation counts as if somebody were met,
because it may yet be so. The visit asked about is the one that must still fit, whether or not it is reserved already.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from fieldvisit.compliance.decision import ClauseResult
from fieldvisit.compliance.facts import AttemptFact, Facts
from fieldvisit.compliance.inquiry import Inquiry, judged
from fieldvisit.compliance.parameters import CapPeriod, CapScope, Counts
from fieldvisit.compliance.rules import CapRule
from fieldvisit.compliance.wallclock import local_day
from fieldvisit.languages import Message
from fieldvisit.vocabulary import AttemptResult, Channel

CONTACT_MADE = frozenset({AttemptResult.REACHED, AttemptResult.REFUSED_CALL, AttemptResult.THIRD_PARTY})
"""Somebody was met or spoken to, were it another person of the household."""


@dataclass(frozen=True, order=True)
class Counted:
    """An attempt or a reservation on its local date."""

    day: date
    id: str


def cap_clauses(inquiry: Inquiry) -> list[ClauseResult]:
    """Every cap on visits, counted as of the local date on which the visit begins."""
    return [_cap_clause(inquiry, rule) for rule in inquiry.terms.caps if Channel.VISIT in rule.channels]


def counted(rule: CapRule, facts: Facts, zone: str, *, now: datetime, visit_id: str) -> list[Counted]:
    """What the cap counts, oldest first; the visit asked about is left out."""
    today = local_day(now, zone)
    tried = [
        Counted(local_day(attempt.at, zone), attempt.id) for attempt in facts.attempts if _counts(rule, attempt, facts)
    ]
    reserved = [
        Counted(planned.planned_on, planned.visit_id)
        for planned in facts.planned_visits
        if planned.planned_on >= today and planned.visit_id != visit_id and _in_scope(rule, planned.case_id, facts)
    ]
    return sorted(tried + (reserved if Channel.VISIT in rule.channels else []))


def crowded(rule: CapRule, events: Sequence[Counted], day: date) -> list[Counted]:
    """The events that fill the cap, so that none may be added on `day`; none where there is room.

    A rolling period is judged by the fullest of all periods that hold the day, those that end after it included: a
    visit put before one that is planned must leave that one lawful.
    """
    fullest = max(([e for e in events if within(e.day)] for within in _periods(rule, day)), key=len)
    near = [event for event in events if abs((event.day - day).days) < rule.min_gap_days]
    return sorted({*(fullest if len(fullest) >= rule.max else []), *near})


def _cap_clause(inquiry: Inquiry, rule: CapRule) -> ClauseResult:
    zone = inquiry.clock_of(rule)
    events = counted(rule, inquiry.facts, zone, now=inquiry.now, visit_id=inquiry.question.visit_id)
    day = local_day(inquiry.span.begins_at, zone)
    full = crowded(rule, events, day)
    if not full:
        return judged(rule, True, Message("The cap on contacts has room on {day}.", {"day": day.isoformat()}))
    values = {"day": day.isoformat(), "found": len(full), "days": ", ".join(sorted({e.day.isoformat() for e in full}))}
    message = Message("The cap on contacts has no room on {day}: {found} counted, on {days}.", values)
    return judged(rule, False, message, [event.id for event in full])


def _counts(rule: CapRule, attempt: AttemptFact, facts: Facts) -> bool:
    made = rule.counts is Counts.ATTEMPT or attempt.result in CONTACT_MADE
    return made and attempt.channel in rule.channels and _in_scope(rule, attempt.case_id, facts)


def _in_scope(rule: CapRule, case_id: str | None, facts: Facts) -> bool:
    # What names no case may belong to this one: leaving it out could let one contact too many through.
    return rule.scope is CapScope.DEBTOR or case_id in (None, facts.case_id)


def _periods(rule: CapRule, day: date) -> list[Callable[[date], bool]]:
    """The periods that hold the day, each as the test whether another date lies in it too."""
    if rule.period is CapPeriod.ROLLING_DAYS:
        length = rule.days or 1
        firsts = [day - timedelta(days=back) for back in range(length)]
        return [_between(first, first + timedelta(days=length - 1)) for first in firsts]
    if rule.period is CapPeriod.CALENDAR_WEEK:
        monday = day - timedelta(days=day.weekday())
        return [_between(monday, monday + timedelta(days=6))]
    if rule.period is CapPeriod.CALENDAR_MONTH:
        return [lambda other: (other.year, other.month) == (day.year, day.month)]
    return [_between(day, day)]


def _between(first: date, last: date) -> Callable[[date], bool]:
    return lambda other: first <= other <= last
