"""How long records are kept: at least so long, at most so long, by clocks of the case and not of the single record."""

from dataclasses import dataclass
from datetime import date

from fieldvisit.compliance.conduct_parameters import RecordType, RetentionClock
from fieldvisit.compliance.conduct_rules import RetentionRule
from fieldvisit.compliance.terms import Terms


@dataclass(frozen=True, kw_only=True)
class CaseClocks:
    """The dates that retention counts from. `last_activity_on` moves with every contact; None: it has not happened yet.
    `visit_on` is the day of the visit that the record tells of, or of the last one where it tells of a case.

    `held`: somebody ordered that nothing of the case may go. `of_no_visit`: the record tells of something else, such as
    a call, and what counts from a visit says nothing of it.
    """

    created_on: date
    last_activity_on: date
    closed_on: date | None = None
    visit_on: date | None = None
    contract_end_on: date | None = None
    held: bool = False
    of_no_visit: bool = False
    product: str | None = None


@dataclass(frozen=True)
class Kept:
    """`not_before`: from this date on the record may be purged, None: never as things stand.

    `not_after`: by this date it has to be, None: nobody says.
    """

    not_before: date | None
    not_after: date | None

    def may_go(self, day: date) -> bool:
        return self.not_before is not None and self.not_before <= day


def kept(terms: Terms, record_type: RecordType, clocks: CaseClocks) -> Kept:
    """When a record of the case may and must go, by the longest minimum and the shortest maximum that bind.

    A clock that has not begun, such as the closing of an open case, lets nothing go. A hold stops both.
    """
    rules = [rule for rule in terms.retention if rule.binds and _speaks_of(rule, record_type, clocks)]
    if clocks.held:
        return Kept(None, None)
    least = [rule.min.after(on) if (on := _from(rule, clocks)) else None for rule in rules if rule.min]
    most = [rule.max.after(on) for rule in rules if rule.max and (on := _from(rule, clocks))]
    not_before = None if None in least else max((on for on in least if on is not None), default=clocks.created_on)
    return Kept(not_before, min(most, default=None))


def _speaks_of(rule: RetentionRule, record_type: RecordType, clocks: CaseClocks) -> bool:
    product = not rule.products or clocks.product is None or clocks.product in rule.products
    never = clocks.of_no_visit and rule.counts_from is RetentionClock.VISIT
    return rule.record_type is record_type and product and not never


def _from(rule: RetentionRule, clocks: CaseClocks) -> date | None:
    return {
        RetentionClock.CREATED: clocks.created_on,
        RetentionClock.LAST_ACTIVITY: clocks.last_activity_on,
        RetentionClock.CLOSED: clocks.closed_on,
        RetentionClock.VISIT: clocks.visit_on,
        RetentionClock.CONTRACT_END: clocks.contract_end_on,
    }[rule.counts_from]
