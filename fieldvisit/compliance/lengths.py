"""How long a visit may take, where a text or a house gives a number."""

import math

from fieldvisit.compliance.conduct_rules import VisitLengthRule
from fieldvisit.compliance.decision import ClauseResult
from fieldvisit.compliance.inquiry import Inquiry, judged
from fieldvisit.languages import Message


def length_clauses(inquiry: Inquiry) -> list[ClauseResult]:
    """What each rule that names a number says of the time that the visit is to take."""
    return [_clause(rule, rule.minutes, inquiry) for rule in inquiry.terms.visit_length if rule.minutes is not None]


def _clause(rule: VisitLengthRule, most: int, inquiry: Inquiry) -> ClauseResult:
    span = inquiry.span
    taken = math.ceil((span.ends_at - span.begins_at).total_seconds() / 60)
    values = {"taken": taken, "most": most}
    return judged(rule, taken <= most, Message("Minutes that the visit takes: {taken}; at most {most}.", values))
