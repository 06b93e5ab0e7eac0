"""What opens hours beyond the windows of a policy, where that policy names it: consent, age of the arrears, the only
times that work."""

from collections.abc import Iterator, Sequence
from datetime import date

from fieldvisit.compliance.facts import ConsentAbout, ConsentFact, ConsentForm, DebtorTime, Facts, LocalTimes, WishKind
from fieldvisit.compliance.intervals import Interval, common
from fieldvisit.compliance.parameters import WidenBy
from fieldvisit.compliance.policy import Policy
from fieldvisit.compliance.rules import WidenRule
from fieldvisit.compliance.wallclock import LocalSpan, weekday
from fieldvisit.compliance.wishes import recurring

FORMS = tuple(ConsentForm)


def widens_anything(policy: Policy, facts: Facts) -> bool:
    """Whether anything known may open more hours in this policy."""
    rules = policy.widen_by
    if not rules and not _wishes_widen(policy):
        return False
    stated = facts.debtor_times and (_wishes_widen(policy) or any(rule.by is WidenBy.ONLY_WORKABLE for rule in rules))
    consented = facts.consents and any(rule.by is WidenBy.CONSENT for rule in rules)
    return bool(stated or consented) or any(rule.by is WidenBy.OVERDUE_DAYS for rule in rules)


def widened_hours(policy: Policy, facts: Facts, zone: str, days: Sequence[date]) -> list[Interval]:
    """The instants on these dates that are open beyond the windows, on the clock of the zone."""
    found: list[Interval] = []
    for rule, times, _ in openings(policy, facts):
        new = [span for day in days for span in _new_window(rule, facts, day, zone)] if rule else None
        stated = recurring(times, days, zone) if times else None
        found += stated or [] if new is None else new if stated is None else common(stated, new)
    return found


def openings(policy: Policy, facts: Facts) -> Iterator[tuple[WidenRule | None, LocalTimes | None, str]]:
    """What opens hours: the rule, the times it opens (None: the rule's own window), and the fact behind it."""
    for rule in policy.widen_by:
        if rule.by is WidenBy.OVERDUE_DAYS:
            yield rule, None, facts.case_id
        elif rule.by is WidenBy.CONSENT:
            yield from ((rule, each.times, each.id) for each in facts.consents if widens(rule, each, facts))
        else:
            yield from ((rule, each.times, each.id) for each in _only(facts) if each.workable)
    if _wishes_widen(policy):
        yield from ((None, each.times, each.id) for each in _only(facts))


def widens(rule: WidenRule, consent: ConsentFact, facts: Facts) -> bool:
    """Whether the consent may open hours under this rule: not revoked, strong enough in form, for here, with hours.

    A consent to one visit alone opens none: it names its date in its times instead.
    """
    times = consent.times
    names_hours = times is not None and times.from_time is not None and times.until_time is not None
    here = consent.visit_id is None and consent.place_id in (None, facts.place.id)
    meant = consent.about is ConsentAbout.VISITS and consent.revoked_at is None
    return meant and strong(consent.form, rule.form) and names_hours and here


def strong(given: ConsentForm, asked: ConsentForm) -> bool:
    """Whether a statement in the form given satisfies the demand for the form asked."""
    return FORMS.index(given) >= FORMS.index(asked)


def _new_window(rule: WidenRule, facts: Facts, day: date, zone: str) -> Sequence[Interval]:
    if weekday(day) not in rule.days:
        return ()
    if rule.min_overdue_days is not None:
        overdue = facts.overdue_on(day)
        if overdue is None or overdue <= rule.min_overdue_days:
            return ()
    return LocalSpan(day, rule.opens, rule.closes).instants(zone)


def _only(facts: Facts) -> list[DebtorTime]:
    return [
        wish for wish in facts.debtor_times if wish.kind is WishKind.ONLY and wish.place_id in (None, facts.place.id)
    ]


def _wishes_widen(policy: Policy) -> bool:
    return policy.debtor_times is not None and policy.debtor_times.may_widen
