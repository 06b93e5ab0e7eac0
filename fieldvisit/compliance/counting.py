"""Caps: how many visits there were and are to be, in the local dates of the policy's clock.

Counted are the attempts that happened, the notices that were sent and the live reservations, nothing twice: a visit is
an attempt and no reservation any more once its crew is at the door, and a reservation whose date has passed is void. A
reservation counts as if somebody were met, because it may yet be so. The visit asked about is the one that must still
fit, whether or not it is reserved already.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from fieldvisit.compliance.decision import ClauseResult
from fieldvisit.compliance.facts import AttemptFact, Facts, PlannedVisitFact
from fieldvisit.compliance.inquiry import Inquiry, judged
from fieldvisit.compliance.parameters import Breach, CapPeriod, CapScope, Counts
from fieldvisit.compliance.permission import consents_to_this
from fieldvisit.compliance.rules import CapRule
from fieldvisit.compliance.terms import Terms
from fieldvisit.compliance.wallclock import WEEK, local_day
from fieldvisit.compliance.widening import strong
from fieldvisit.compliance.zones import clock_of
from fieldvisit.languages import Message
from fieldvisit.vocabulary import AttemptResult, Channel

CONTACT_MADE = frozenset({AttemptResult.REACHED, AttemptResult.REFUSED_CALL, AttemptResult.THIRD_PARTY})
"""Somebody was met or spoken to, were it another person of the household."""

CONNECTED = CONTACT_MADE | {
    AttemptResult.VOICEMAIL,
    AttemptResult.WRONG_PERSON,
    AttemptResult.DELIVERED,
    AttemptResult.READ,
}
"""Something answered, or the message arrived."""


@dataclass(frozen=True, order=True)
class Counted:
    """An attempt or a reservation on its local date."""

    day: date
    id: str


def cap_clauses(inquiry: Inquiry) -> list[ClauseResult]:
    """Every cap on visits, counted as of the local date on which the visit begins."""
    return [_cap_clause(inquiry, rule) for rule in inquiry.terms.caps if Channel.VISIT in rule.channels]


def full_for_notices(
    terms: Terms, facts: Facts, channel: Channel, *, now: datetime, visit_id: str | None
) -> CapRule | None:
    """The cap under which no notice may go out by this channel today; None where there is room. The visit that it is
    about is left out."""
    for rule in terms.caps:
        if channel in rule.channels and rule.notices and rule.on_breach is Breach.BLOCK:
            name = rule.id.partition("/")[0]
            zone = clock_of(next(policy for policy in terms.policies if policy.id == name), facts)
            events = counted(rule, facts, zone, now=now, visit_id=visit_id or "")
            if crowded(rule, events, local_day(now, zone)):
                return rule
    return None


def counted(rule: CapRule, facts: Facts, zone: str, *, now: datetime, visit_id: str) -> list[Counted]:
    """What the cap counts, oldest first; the visit asked about is left out."""
    tried = [Counted(day_of(attempt, zone), attempt.id) for attempt in facts.attempts if _counts(rule, attempt, facts)]
    if not facts.planned_visits or Channel.VISIT not in rule.channels:
        return sorted(tried)
    today = local_day(now, zone)
    reserved = [
        Counted(planned.planned_on, planned.visit_id)
        for planned in facts.planned_visits
        if planned.planned_on >= today and planned.visit_id != visit_id and reserves(rule.scope, planned, facts)
    ]
    return sorted(tried + reserved)


def counting_results(rule: CapRule) -> frozenset[AttemptResult]:
    """The results of attempts that the cap counts."""
    return _counting(rule.counts, rule.excludes)


@lru_cache(maxsize=256)
def _counting(counts: Counts, excludes: frozenset[AttemptResult]) -> frozenset[AttemptResult]:
    counted = frozenset(AttemptResult) if counts is Counts.ATTEMPT else _RESULTS[counts]
    return counted - excludes


def day_of(attempt: AttemptFact, zone: str) -> date:
    """The date of an attempt: by the calendar of its own place where that is known, else by that of the policy."""
    return local_day(attempt.at, attempt.zone or zone)


def crowded(rule: CapRule, events: Sequence[Counted], day: date) -> list[Counted]:
    """The events that fill the cap, so that none may be added on `day`; none where there is room.

    A rolling period is judged by the fullest of all periods that hold the day, those that end after it included: a
    visit put before one that is planned must leave that one lawful.
    """
    if not events:
        return []
    fullest = _rolling(rule, events, day) if rule.period is CapPeriod.ROLLING_DAYS else _calendar(rule, events, day)
    near = [event for event in events if abs((event.day - day).days) < rule.min_gap_days]
    return sorted({*(fullest if len(fullest) >= rule.max else []), *near})


def in_scope(scope: CapScope, attempt: AttemptFact, facts: Facts) -> bool:
    """Whether the attempt is about what the rule counts. What names nothing may be about this: leaving it out could let
    one contact too many through."""
    if scope is CapScope.DEBTOR:
        return True
    if scope is CapScope.CASE:
        return attempt.case_id in (None, facts.case_id)
    if scope is CapScope.CREDITOR:
        return None in (attempt.creditor_id, facts.creditor_id) or attempt.creditor_id == facts.creditor_id
    return attempt.channel is Channel.VISIT and attempt.contact_point_id in (None, facts.place.id)


def reserves(scope: CapScope, planned: PlannedVisitFact, facts: Facts) -> bool:
    """The same of a visit that is planned."""
    if scope is CapScope.DEBTOR:
        return True
    if scope is CapScope.CASE:
        return planned.case_id in (None, facts.case_id)
    if scope is CapScope.CREDITOR:
        return None in (planned.creditor_id, facts.creditor_id) or planned.creditor_id == facts.creditor_id
    return planned.place_id in (None, facts.place.id)


def _cap_clause(inquiry: Inquiry, rule: CapRule) -> ClauseResult:
    zone = inquiry.clock_of(rule)
    events = counted(rule, inquiry.facts, zone, now=inquiry.now, visit_id=inquiry.question.visit_id)
    day = local_day(inquiry.span.begins_at, zone)
    full = crowded(rule, events, day)
    if not full:
        return judged(rule, True, Message("The cap on contacts has room on {day}.", {"day": day.isoformat()}))
    if rule.lifted_by is not None:
        form = rule.lifted_by
        agreed = [consent.id for consent in consents_to_this(inquiry) if strong(consent.form, form)]
        if agreed:
            return judged(rule, True, Message("The debtor agreed to this visit beyond the cap."), agreed)
    values = {"day": day.isoformat(), "found": len(full), "days": ", ".join(sorted({e.day.isoformat() for e in full}))}
    message = Message("The cap on contacts has no room on {day}: {found} counted, on {days}.", values)
    return judged(rule, False, message, [event.id for event in full])


def _counts(rule: CapRule, attempt: AttemptFact, facts: Facts) -> bool:
    return (
        attempt.channel in rule.channels
        and attempt.result in counting_results(rule)
        and (rule.notices or not attempt.notice)
        and in_scope(rule.scope, attempt, facts)
    )


_RESULTS = {Counts.CONNECTED: CONNECTED, Counts.CONTACT_MADE: CONTACT_MADE}


def _rolling(rule: CapRule, events: Sequence[Counted], day: date) -> Sequence[Counted]:
    """The events, sorted, of the fullest period of `days` local dates that holds the day."""
    length = rule.days or 1
    days = [event.day for event in events]
    earliest = day - timedelta(days=length - 1)
    # Moved later, a period loses nothing until it passes its first event: the fullest begins on one, or on the day.
    firsts = {day, *(each for each in days if earliest <= each <= day)}
    spans = [(bisect_left(days, first), bisect_left(days, first + timedelta(days=length))) for first in sorted(firsts)]
    low, high = max(spans, key=lambda span: span[1] - span[0])
    return events[low:high]


def _calendar(rule: CapRule, events: Sequence[Counted], day: date) -> list[Counted]:
    within = _period(rule, day)
    return [event for event in events if within(event.day)]


def _period(rule: CapRule, day: date) -> Callable[[date], bool]:
    """The calendar period that holds the day, as the test whether another date lies in it too."""
    if rule.period is CapPeriod.CALENDAR_WEEK:
        first = day - timedelta(days=(day.weekday() - WEEK.index(rule.week_starts)) % 7)
        return lambda other: first <= other < first + timedelta(days=7)
    if rule.period is CapPeriod.CALENDAR_MONTH:
        return lambda other: (other.year, other.month) == (day.year, day.month)
    return lambda other: other == day
