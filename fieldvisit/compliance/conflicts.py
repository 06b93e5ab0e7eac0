"""What the policies of one visit demand and cannot have together: told with both clauses, for a person to settle."""

from collections.abc import Iterable
from functools import lru_cache

from fieldvisit.compliance.conduct_parameters import RecordingNeed, RecordType
from fieldvisit.compliance.decision import ClauseResult
from fieldvisit.compliance.durations import Duration
from fieldvisit.compliance.inquiry import product_clause
from fieldvisit.compliance.recording import demanded
from fieldvisit.compliance.rules import Rule
from fieldvisit.compliance.terms import Terms
from fieldvisit.languages import Message
from fieldvisit.vocabulary import Channel


@lru_cache(maxsize=4096)
def conflicts(terms: Terms) -> tuple[ClauseResult, ...]:
    """A clause for each contradiction; none where the policies go together."""
    return (*_of_people(terms), *_of_recording(terms), *_of_retention(terms))


def kept_for(terms: Terms, record_type: RecordType) -> tuple[Duration | None, Duration | None]:
    """The longest minimum and the shortest maximum that bind for records of the type."""
    rules = [rule for rule in terms.retention if rule.record_type is record_type and rule.binds]
    least = [rule.min for rule in rules if rule.min is not None]
    most = [rule.max for rule in rules if rule.max is not None]
    longest = max(least, key=lambda length: length.about_days, default=None)
    return longest, min(most, key=lambda length: length.about_days, default=None)


def _of_people(terms: Terms) -> list[ClauseResult]:
    if terms.staff_max is None or terms.staff_min <= terms.staff_max:
        return []
    rules: list[Rule] = [rule for rule in terms.staff_min_rules if rule.people > terms.staff_max]
    return [_told([*rules, *(rule for rule in terms.staff_max_rules if rule.people < terms.staff_min)])]


def _of_recording(terms: Terms) -> list[ClauseResult]:
    rules = [rule for rule in terms.recording if Channel.VISIT in rule.channels and rule.binds]
    must = [rule for rule in rules if demanded(rule)]
    mustnt = [rule for rule in rules if rule.need is RecordingNeed.FORBIDDEN]
    return [_told([*must, *mustnt])] if must and mustnt else []


def _of_retention(terms: Terms) -> list[ClauseResult]:
    found = []
    for record_type in RecordType:
        least, most = kept_for(terms, record_type)
        if least is not None and most is not None and least.about_days > most.about_days:
            named = [rule for rule in terms.retention if rule.record_type is record_type and rule.binds]
            found.append(_told([rule for rule in named if least == rule.min or most == rule.max]))
    return found


def _told(rules: Iterable[Rule]) -> ClauseResult:
    values = {"clauses": ", ".join(rule.id for rule in rules)}
    return product_clause("conflict", False, Message("The policies contradict each other: {clauses}.", values))
