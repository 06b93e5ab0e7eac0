"""May this be done, then, there, by them? The one question of the policy engine, answered by a pure function.

The order is that of the design: policies and zone; blocks; visits as such, prior effort, notice and consent; the place
and the debtor's wishes; the hours; caps and rests; staff and papers; recording. Every step is judged even where an
earlier one forbids, so that a person sees at once all that stands in the way. At the moment ELIGIBLE no hour and no
crew are judged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from fieldvisit.compliance.agency_reviews import review_clauses
from fieldvisit.compliance.calendars import calendar_used
from fieldvisit.compliance.conflicts import conflicts
from fieldvisit.compliance.cooldowns import cooldown_clauses
from fieldvisit.compliance.counting import cap_clauses
from fieldvisit.compliance.decision import ClauseResult, Decision, hashed, strictest
from fieldvisit.compliance.facts import Facts, Question
from fieldvisit.compliance.hours import fit_clauses, hour_clauses, wish_clauses
from fieldvisit.compliance.inquiry import Inquiry, product_clause
from fieldvisit.compliance.intervals import Interval, Intervals, utc
from fieldvisit.compliance.lengths import length_clauses
from fieldvisit.compliance.merging import terms_for
from fieldvisit.compliance.notices import notice_clauses
from fieldvisit.compliance.permission import effort_clauses, place_clauses, visit_clauses
from fieldvisit.compliance.policy import Policy
from fieldvisit.compliance.recording import recording_clauses
from fieldvisit.compliance.staffing import staff_clauses
from fieldvisit.compliance.stops import stop_clauses
from fieldvisit.compliance.terms import Terms
from fieldvisit.compliance.wallclock import days_around, local_day
from fieldvisit.compliance.windows import lawful_windows
from fieldvisit.languages import Message
from fieldvisit.vocabulary import CheckMoment, Verdict

LOOK_AHEAD_DAYS = 31

PASSING = frozenset(
    {
        *("stops", "blocks", "blackouts", "complaint", "windows", "holidays", "widen_by", "fit", "debtor_times"),
        *("caps", "cooldowns", "notices"),
    }
)
"""The parameters whose verdict can change by waiting alone."""


def evaluate(question: Question, facts: Facts, policies: Sequence[Policy], now: datetime) -> Decision:
    """The decision, by the policies in force at the place on the local date on which the visit begins.

    Nothing is permitted where the place has no known zone or no policy applies. Not one of the arguments is changed,
    and the same arguments always give the same decision.
    """
    asked = _Asked(question, facts, tuple(policies), utc(now, "now"))
    zone = facts.place.zone
    if zone is None:
        refusal = product_clause("place", False, Message("The time zone of the place is not known."))
        return _decided(asked, None, [refusal])
    day = local_day(question.begins_at or asked.now, zone)
    terms = terms_for(asked.policies, facts.place, day, purpose=question.purpose, scope=facts.scope)
    if terms is None:
        values = {"country": facts.place.country, "day": day.isoformat()}
        message = Message("No policy applies in {country} on {day}: nothing is permitted.", values)
        return _decided(asked, None, [product_clause("policy", False, message)])
    inquiry = Inquiry(question=question, facts=facts, terms=terms, zone=zone, now=asked.now)
    return _decided(asked, inquiry, judge(inquiry))


def judge(inquiry: Inquiry) -> list[ClauseResult]:
    """Every clause that speaks of the question, in the order of the steps; what was overridden lets the visit pass."""
    found = _judge(inquiry)
    granted = {each.clause_id: each.id for each in inquiry.facts.overrides if each.on_day == inquiry.day}
    if not granted:
        return found
    return [_overridden(clause, granted) for clause in found]


def _overridden(clause: ClauseResult, granted: Mapping[str, str]) -> ClauseResult:
    # What is blocked stays so, whatever anybody granted.
    if clause.verdict is not Verdict.NEEDS_OVERRIDE or clause.clause_id not in granted:
        return clause
    return replace(clause, verdict=Verdict.ALLOWED, overridden_by=granted[clause.clause_id])


def _judge(inquiry: Inquiry) -> list[ClauseResult]:
    found = [
        *stop_clauses(inquiry),
        *visit_clauses(inquiry),
        *effort_clauses(inquiry),
        *notice_clauses(inquiry),
        *place_clauses(inquiry),
        *review_clauses(inquiry),
    ]
    if inquiry.question.moment is CheckMoment.ELIGIBLE:
        return [*found, *cap_clauses(inquiry), *cooldown_clauses(inquiry), *conflicts(inquiry.terms)]
    return [
        *found,
        *wish_clauses(inquiry),
        *hour_clauses(inquiry),
        *fit_clauses(inquiry),
        *length_clauses(inquiry),
        *cap_clauses(inquiry),
        *cooldown_clauses(inquiry),
        *conflicts(inquiry.terms),
        *staff_clauses(inquiry),
        *recording_clauses(inquiry),
    ]


@dataclass(frozen=True)
class _Asked:
    """Everything that a decision is made of."""

    question: Question
    facts: Facts
    policies: tuple[Policy, ...]
    now: datetime


@dataclass(frozen=True)
class _Later:
    """What of the decision is worked out only where it is asked for. No inquiry: no policy was found to apply."""

    asked: _Asked
    inquiry: Inquiry | None
    clauses: tuple[ClauseResult, ...]
    calendars: tuple[str, ...]

    def lawful(self) -> Intervals:
        if self.inquiry is None:
            return ()
        facts, question, span = self.asked.facts, self.asked.question, self.inquiry.span
        length = span.ends_at - span.begins_at
        return lawful_windows(facts, self.asked.policies, self.inquiry.day, purpose=question.purpose, length=length)

    def inputs_hash(self) -> str:
        applied = self.inquiry.terms.policies if self.inquiry else ()
        return hashed(
            question=self.asked.question,
            facts=self.asked.facts,
            policies=[_digest(policy) for policy in applied],
            calendars=self.calendars,
            now=self.asked.now,
        )

    def next_lawful_at(self) -> datetime | None:
        inquiry = self.inquiry
        if inquiry is None or _verdict(self.clauses) is Verdict.ALLOWED or not _waiting_helps(inquiry, self.clauses):
            return None
        length = inquiry.span.ends_at - inquiry.span.begins_at
        earliest = max(inquiry.now, inquiry.span.begins_at)
        ends = sorted(block.until for block in inquiry.facts.blocks if block.until is not None)
        for day in days_around(local_day(earliest, inquiry.zone), before=0, after=LOOK_AHEAD_DAYS):
            windows = lawful_windows(
                inquiry.facts, self.asked.policies, day, purpose=inquiry.question.purpose, length=length
            )
            for window in windows:
                for begins_at in (max(earliest, window.begins_at), *ends):
                    trial = Interval(begins_at, begins_at + length)
                    if begins_at >= earliest and window.holds(trial) and self._would_hold(inquiry, trial):
                        return begins_at
        return None

    def _would_hold(self, inquiry: Inquiry, trial: Interval) -> bool:
        question = replace(inquiry.question, begins_at=trial.begins_at, ends_at=trial.ends_at)
        day = local_day(trial.begins_at, inquiry.zone)
        facts = inquiry.facts
        terms = terms_for(self.asked.policies, facts.place, day, purpose=question.purpose, scope=facts.scope)
        if terms is None:
            return False
        asked = Inquiry(question=question, facts=facts, terms=terms, zone=inquiry.zone, now=inquiry.now)
        return _verdict(judge(asked)) is Verdict.ALLOWED


def _waiting_helps(inquiry: Inquiry, clauses: Sequence[ClauseResult]) -> bool:
    """Whether only hours, wishes, caps, rests, notices or blocks with an end stand in the way."""
    open_blocks = {block.id for block in inquiry.facts.blocks if block.until is None}
    return not any(
        clause.verdict is not Verdict.ALLOWED
        and (_parameter(clause) not in PASSING or open_blocks.intersection(clause.fact_ids))
        for clause in clauses
    )


def _parameter(clause: ClauseResult) -> str:
    return clause.clause_id.split("/")[1]


def _verdict(clauses: Sequence[ClauseResult]) -> Verdict:
    return strictest([clause.verdict for clause in clauses])


def _decided(asked: _Asked, inquiry: Inquiry | None, clauses: list[ClauseResult]) -> Decision:
    terms = inquiry.terms if inquiry else None
    named = _named(terms, asked.facts.place.country, asked.facts.place.region) if terms else ((), ())
    told = tuple(clauses)
    return Decision(
        verdict=_verdict(told),
        clauses=told,
        policies=named[0],
        calendars=named[1],
        later=_Later(asked, inquiry, told, named[1]),
    )


@lru_cache(maxsize=4096)
def _named(terms: Terms, country: str, region: str | None) -> tuple[tuple[tuple[str, int], ...], tuple[str, ...]]:
    """The policies with their versions, and the calendars that were looked at."""
    rules = [policy.holidays for policy in terms.policies if policy.holidays is not None]
    calendars = sorted({calendar_used(rule, country, region) for rule in rules})
    return tuple((policy.id, policy.version) for policy in terms.policies), tuple(calendars)


@lru_cache(maxsize=256)
def _digest(policy: Policy) -> str:
    return hashed(policy=policy)
