"""Whether the lender looked at the agency that visits for it, as often as the policies want."""

from collections.abc import Iterable
from datetime import date, timedelta

from fieldvisit.compliance.decision import ClauseResult
from fieldvisit.compliance.durations import Duration
from fieldvisit.compliance.facts import AgencyReviewFact
from fieldvisit.compliance.inquiry import Inquiry, judged
from fieldvisit.compliance.parameters import CollectorRole
from fieldvisit.compliance.people_rules import AgencyReviewRule
from fieldvisit.languages import Message


def review_clauses(inquiry: Inquiry) -> list[ClauseResult]:
    """What each rule says on the date of the visit, of an agency alone: nobody reviews a lender that goes itself."""
    if inquiry.facts.scope.role is not CollectorRole.THIRD_PARTY:
        return []
    return [_clause(rule, inquiry) for rule in inquiry.terms.agency_reviews]


def latest(
    rule: AgencyReviewRule, reviews: Iterable[AgencyReviewFact], day: date
) -> tuple[AgencyReviewFact, date] | None:
    """The last review of the kind that the rule asks for, made by that date, and the last date on which it holds."""
    made = [each for each in reviews if each.kind is rule.kind and each.reviewed_on <= day]
    if not made:
        return None
    last = max(made, key=lambda each: (each.reviewed_on, each.id))
    by_rule = Duration(months=rule.every_months).after(last.reviewed_on) - timedelta(days=1)
    return last, min(by_rule, last.next_due_on or by_rule)


def _clause(rule: AgencyReviewRule, inquiry: Inquiry) -> ClauseResult:
    found = latest(rule, inquiry.facts.agency_reviews, inquiry.day)
    if found is None:
        return judged(rule, False, Message("No review of the agency is on record: {kind}.", {"kind": rule.kind}))
    last, until = found
    values = {"kind": rule.kind, "on": last.reviewed_on.isoformat(), "until": until.isoformat()}
    message = Message("The agency was last reviewed on {on}; that holds until {until}: {kind}.", values)
    return judged(rule, inquiry.day <= until, message, [last.id])
