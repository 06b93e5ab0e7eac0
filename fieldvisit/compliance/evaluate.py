"""May this be done, then, there, by them? The one question of the policy engine, answered by a pure function.

The order is that of the design: policies and zone; blocks; visits as such, prior effort and consent; the place and the
debtor's wishes; the hours; caps; staff and papers. Every step is judged even where an earlier one forbids, so that a
person sees at once all that stands in the way. At the moment ELIGIBLE no hour and no crew are judged.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from fieldvisit.compliance.calendars import calendar_used
from fieldvisit.compliance.counting import cap_clauses
from fieldvisit.compliance.decision import ClauseResult, Decision, hashed, strictest
from fieldvisit.compliance.facts import Facts, Question
from fieldvisit.compliance.hours import fit_clauses, hour_clauses, wish_clauses
from fieldvisit.compliance.inquiry import Inquiry, product_clause
from fieldvisit.compliance.intervals import Interval, utc
from fieldvisit.compliance.merging import Terms, terms_for
from fieldvisit.compliance.permission import effort_clauses, place_clauses, visit_clauses
from fieldvisit.compliance.policy import Policy
from fieldvisit.compliance.staffing import staff_clauses
from fieldvisit.compliance.stops import stop_clauses
from fieldvisit.compliance.wallclock import days_around, local_day
from fieldvisit.compliance.windows import lawful_windows
from fieldvisit.languages import Message
from fieldvisit.vocabulary import CheckMoment, Verdict

LOOK_AHEAD_DAYS = 31

PASSING = frozenset({"stops", "blocks", "windows", "holidays", "widen_by", "fit", "debtor_times", "caps"})
"""The parameters whose verdict can change by waiting alone."""


def evaluate(question: Question, facts: Facts, policies: Sequence[Policy], now: datetime) -> Decision:
    """The decision, by the policies in force at the place on the local date on which the visit begins.

    Nothing is permitted where the place has no known zone or no policy applies. Not one of the arguments is changed,
    and the same arguments always give the same decision.
    """
    now = utc(now, "now")
    zone = facts.place.zone
    if zone is None:
        refusal = product_clause("place", False, Message("The time zone of the place is not known."))
        return _decided(question, facts, None, now=now, clauses=[refusal])
    day = local_day(question.begins_at or now, zone)
    terms = terms_for(policies, facts.place, day, purpose=question.purpose)
    if terms is None:
        values = {"country": facts.place.country, "day": day.isoformat()}
        message = Message("No policy applies in {country} on {day}: nothing is permitted.", values)
        return _decided(question, facts, None, now=now, clauses=[product_clause("policy", False, message)])
    inquiry = Inquiry(question=question, facts=facts, terms=terms, zone=zone, now=now)
    clauses = judge(inquiry)
    return replace(
        _decided(question, facts, terms, now=now, clauses=clauses),
        lawful=lawful_windows(facts, policies, day, purpose=question.purpose),
        next_lawful_at=_next_lawful_at(inquiry, policies, clauses),
    )


def judge(inquiry: Inquiry) -> list[ClauseResult]:
    """Every clause that speaks of the question, in the order of the steps."""
    if inquiry.question.moment is CheckMoment.ELIGIBLE:
        return [*stop_clauses(inquiry), *_permission(inquiry), *cap_clauses(inquiry)]
    hours = [*wish_clauses(inquiry), *hour_clauses(inquiry), *fit_clauses(inquiry)]
    staff = [*_conflicts(inquiry.terms), *staff_clauses(inquiry)]
    return [*stop_clauses(inquiry), *_permission(inquiry), *hours, *cap_clauses(inquiry), *staff]


def _permission(inquiry: Inquiry) -> list[ClauseResult]:
    return [*visit_clauses(inquiry), *effort_clauses(inquiry), *place_clauses(inquiry)]


def _conflicts(terms: Terms) -> list[ClauseResult]:
    """What no crew can satisfy is told as what it is, so that a person settles it between the policies."""
    if terms.staff_max is None or terms.staff_min <= terms.staff_max:
        return []
    rules = [rule for rule in terms.staff_min_rules if rule.people > terms.staff_max]
    rules += [rule for rule in terms.staff_max_rules if rule.people < terms.staff_min]
    message = Message("The policies contradict each other: {clauses}.", {"clauses": ", ".join(r.id for r in rules)})
    return [product_clause("conflict", False, message)]


def _next_lawful_at(inquiry: Inquiry, policies: Sequence[Policy], clauses: list[ClauseResult]) -> datetime | None:
    """The first beginning from the asked one on at which everything would hold; see `Decision.next_lawful_at`."""
    if strictest([clause.verdict for clause in clauses]) is Verdict.ALLOWED or not _waiting_helps(inquiry, clauses):
        return None
    length = inquiry.span.ends_at - inquiry.span.begins_at
    earliest = max(inquiry.now, inquiry.span.begins_at)
    ends = sorted(block.until for block in inquiry.facts.blocks if block.until is not None)
    for day in days_around(local_day(earliest, inquiry.zone), before=0, after=LOOK_AHEAD_DAYS):
        for window in lawful_windows(inquiry.facts, policies, day, purpose=inquiry.question.purpose):
            for begins_at in (max(earliest, window.begins_at), *ends):
                trial = Interval(begins_at, begins_at + length)
                if begins_at >= earliest and window.holds(trial) and _would_hold(inquiry, policies, trial):
                    return begins_at
    return None


def _waiting_helps(inquiry: Inquiry, clauses: list[ClauseResult]) -> bool:
    """Whether only hours, wishes, caps or blocks with an end stand in the way."""
    open_blocks = {block.id for block in inquiry.facts.blocks if block.until is None}
    return not any(
        clause.verdict is not Verdict.ALLOWED
        and (_parameter(clause) not in PASSING or open_blocks.intersection(clause.fact_ids))
        for clause in clauses
    )


def _would_hold(inquiry: Inquiry, policies: Sequence[Policy], trial: Interval) -> bool:
    question = replace(inquiry.question, begins_at=trial.begins_at, ends_at=trial.ends_at)
    day = local_day(trial.begins_at, inquiry.zone)
    terms = terms_for(policies, inquiry.facts.place, day, purpose=question.purpose)
    if terms is None:
        return False
    clauses = judge(replace(inquiry, question=question, terms=terms))
    return strictest([clause.verdict for clause in clauses]) is Verdict.ALLOWED


def _parameter(clause: ClauseResult) -> str:
    return clause.clause_id.split("/")[1]


def _decided(
    question: Question, facts: Facts, terms: Terms | None, *, now: datetime, clauses: list[ClauseResult]
) -> Decision:
    policies = terms.policies if terms else ()
    calendars = sorted({calendar_used(p.holidays, facts.place) for p in policies if p.holidays is not None})
    return Decision(
        verdict=strictest([clause.verdict for clause in clauses]),
        clauses=tuple(clauses),
        lawful=(),
        next_lawful_at=None,
        policies=tuple((policy.id, policy.version) for policy in policies),
        calendars=tuple(calendars),
        inputs_hash=hashed(
            question=question, facts=facts, policies=[_digest(p) for p in policies], calendars=calendars, now=now
        ),
    )


@lru_cache(maxsize=256)
def _digest(policy: Policy) -> str:
    return hashed(policy=policy)
