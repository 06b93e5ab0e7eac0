"""One question with all that is needed to judge it, and how a rule's verdict is told."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cached_property

from fieldvisit.compliance.decision import ClauseResult
from fieldvisit.compliance.facts import Facts, Question
from fieldvisit.compliance.intervals import Interval
from fieldvisit.compliance.parameters import Breach
from fieldvisit.compliance.rules import Rule
from fieldvisit.compliance.terms import Terms
from fieldvisit.compliance.wallclock import local_day
from fieldvisit.compliance.zones import clock_of
from fieldvisit.languages import Message
from fieldvisit.vocabulary import Verdict

PRODUCT = "product"
"""The first part of the clause ids that no policy can switch off; no policy may bear this id."""

VERDICTS = {
    Breach.BLOCK: Verdict.BLOCKED,
    Breach.NEEDS_OVERRIDE: Verdict.NEEDS_OVERRIDE,
    Breach.WARN: Verdict.ALLOWED,
}


@dataclass(frozen=True, kw_only=True)
class Inquiry:
    """`zone` is that of the place; `now` is in UTC."""

    question: Question
    facts: Facts
    terms: Terms
    zone: str
    now: datetime

    @cached_property
    def span(self) -> Interval:
        """When the visit would be. Where no hour is known yet, the instant of asking stands for it."""
        return self.question.span or Interval(self.now, self.now + timedelta(seconds=1))

    @cached_property
    def day(self) -> date:
        """The local date on which the visit begins: it decides versions, hours and caps."""
        return local_day(self.span.begins_at, self.zone)

    def clock_of(self, rule: Rule) -> str:
        """The zone on whose clock the policy of this rule counts days."""
        name = rule.id.partition("/")[0]
        return clock_of(next(policy for policy in self.terms.policies if policy.id == name), self.facts)


def judged(rule: Rule, kept: bool, message: Message, fact_ids: Iterable[str] = ()) -> ClauseResult:
    """What the rule says: kept, or broken with the verdict that its `on_breach` names."""
    return ClauseResult(
        clause_id=rule.id,
        verdict=Verdict.ALLOWED if kept else VERDICTS[rule.on_breach],
        message=message,
        fact_ids=tuple(fact_ids),
        source=rule.source,
        override_role=None if kept else rule.override_role,
        second_person=not kept and rule.second_person,
        warning=not kept and not rule.binds,
    )


def product_clause(name: str, kept: bool, message: Message, fact_ids: Iterable[str] = ()) -> ClauseResult:
    """What the product itself demands under every policy."""
    return ClauseResult(
        clause_id=f"{PRODUCT}/{name}",
        verdict=Verdict.ALLOWED if kept else Verdict.BLOCKED,
        message=message,
        fact_ids=tuple(fact_ids),
    )


def joined(parts: Sequence[Message | StrEnum], between: str) -> Message:
    """Several messages or labels as one, each of them translated on its own."""
    names = [f"part_{place}" for place in range(1, len(parts) + 1)]
    return Message(between.join("{" + name + "}" for name in names), dict(zip(names, parts, strict=True)))
