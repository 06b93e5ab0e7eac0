"""Who would stand at the door: how many, and with which papers good on the dates of the visit."""

from collections.abc import Sequence
from datetime import date, timedelta

from fieldvisit.compliance.decision import ClauseResult
from fieldvisit.compliance.durations import Duration
from fieldvisit.compliance.facts import CredentialFact, Facts, StaffFact
from fieldvisit.compliance.inquiry import Inquiry, joined, judged, product_clause
from fieldvisit.compliance.parameters import HeldBy
from fieldvisit.compliance.people_rules import CredentialRule, SafetyRule, StaffMixRule, TrainingRule
from fieldvisit.compliance.terms import Terms
from fieldvisit.compliance.wallclock import local_day, wall_clock
from fieldvisit.languages import Message


def staff_clauses(inquiry: Inquiry) -> list[ClauseResult]:
    """The number of people, whether they still go out, and their papers, on the local dates from beginning to end of
    the visit."""
    span, staff = inquiry.span, inquiry.question.staff
    if staff is None:
        return [product_clause("staff", True, Message("Not judged: nobody is named yet who would make the visit."))]
    first = local_day(span.begins_at, inquiry.zone)
    last = local_day(span.ends_at - timedelta(microseconds=1), inquiry.zone)
    papers = [
        clause
        for rule in inquiry.terms.credentials
        for clause in credential_clauses(rule, staff, inquiry.facts, first=first, last=last)
    ]
    trained = [clause for rule in inquiry.terms.training for clause in training_clauses(rule, staff, last)]
    mixed = [mix_clause(rule, staff) for rule in inquiry.terms.staff_mix]
    safe = [clause for rule in inquiry.terms.safety for clause in _alone(rule, inquiry)]
    return [*_numbers(inquiry.terms, staff), *_gone(staff), *mixed, *papers, *trained, *safe]


def credential_clauses(
    rule: CredentialRule, staff: Sequence[StaffFact], facts: Facts, *, first: date, last: date
) -> list[ClauseResult]:
    """What one rule says of these people on the local dates `first` to `last`: a clause for each who lacks the paper.

    Where nobody lacks it, one clause that names the papers. Under `held_by = one`, one paper among them all is enough.
    """
    dates = (first, last if rule.through_visit else first)
    held = [(member, _good(rule, member, facts, dates)) for member in staff]
    good = [paper.id for _, papers in held for paper in papers[:1]]
    lacking = [member for member, papers in held if not papers]
    if not lacking or (rule.held_by is HeldBy.ONE and good):
        return [judged(rule, True, Message("The needed paper is held: {kinds}.", {"kinds": _kinds(rule)}), good)]
    return [_lacks(rule, member, dates) for member in lacking]


def _numbers(terms: Terms, staff: Sequence[StaffFact]) -> list[ClauseResult]:
    count, ids = len(staff), [member.visitor_id for member in staff]
    found = []
    for rule in terms.staff_min_rules:
        values = {"needed": rule.people, "count": count}
        message = Message("People at the door: {count}; at least {needed} are needed.", values)
        found.append(judged(rule, count >= rule.people, message, ids))
    for rule in terms.staff_max_rules:
        values = {"most": rule.people, "count": count}
        message = Message("People at the door: {count}; at most {most} are allowed.", values)
        found.append(judged(rule, count <= rule.people, message, ids))
    if not count:
        found.append(product_clause("staff", False, Message("Nobody is named who would make the visit.")))
    return found


def _gone(staff: Sequence[StaffFact]) -> list[ClauseResult]:
    """Who has left is nobody to send, and no second person beside another."""
    says = "Visitor {visitor} has left, or is away for long, and makes no visit."
    return [
        product_clause("staff", False, Message(says, {"visitor": member.visitor_id}), [member.visitor_id])
        for member in staff
        if not member.active
    ]


def _lacks(rule: CredentialRule, member: StaffFact, dates: tuple[date, date]) -> ClauseResult:
    """The clause for somebody without the paper, with the fault of the one that comes nearest."""
    papers = [paper for paper in member.credentials if paper.kind in rule.any_of]
    # The paper that runs longest is the one that its holder believes in; among several faults, its own is the news.
    nearest = max(papers, key=lambda paper: (not paper.revoked, paper.valid_until, paper.id), default=None)
    values = {"visitor": member.visitor_id, "kinds": _kinds(rule)}
    ids = (member.visitor_id, *([nearest.id] if nearest else []))
    if nearest is None:
        return judged(rule, False, Message("Visitor {visitor} has no such paper: {kinds}.", values), ids)
    return judged(rule, False, _fault(nearest, values, dates), ids)


def _fault(paper: CredentialFact, values: dict[str, object], dates: tuple[date, date]) -> Message:
    first, last = dates
    values = {**values, "kind": paper.kind}
    if paper.revoked:
        return Message("The paper of visitor {visitor} was revoked: {kind}.", values)
    if paper.valid_until < last:
        values = {**values, "until": paper.valid_until.isoformat()}
        return Message("The paper of visitor {visitor} is valid only until {until}: {kind}.", values)
    if paper.valid_from > first:
        values = {**values, "from": paper.valid_from.isoformat()}
        return Message("The paper of visitor {visitor} is valid only from {from}: {kind}.", values)
    return Message("The paper of visitor {visitor} is for another organisation or case: {kind}.", values)


def _good(rule: CredentialRule, member: StaffFact, facts: Facts, dates: tuple[date, date]) -> list[CredentialFact]:
    first, last = dates
    return [
        paper
        for paper in member.credentials
        if paper.kind in rule.any_of
        and not paper.revoked
        and paper.valid_from <= first
        and last <= paper.valid_until
        and paper.for_organisation_id in (None, facts.creditor_id)
        and paper.for_case_id in (None, facts.case_id)
        and rule.issuer in (None, paper.issuer)
    ]


def training_clauses(rule: TrainingRule, staff: Sequence[StaffFact], last: date) -> list[ClauseResult]:
    """What the rule says of each of these people, and of those who may not go out at all."""
    return [_trained(rule, member, last) for member in staff] + [
        judged(rule, False, Message("Visitor {visitor} may not go out at all.", {"visitor": member.visitor_id}))
        for member in staff
        if member.disqualifiers & rule.disqualifiers
    ]


def _trained(rule: TrainingRule, member: StaffFact, last: date) -> ClauseResult:
    values = {"visitor": member.visitor_id}
    held = [
        paper
        for paper in member.credentials
        if paper.kind is rule.certificate and not paper.revoked and paper.valid_from <= last <= paper.valid_until
    ]
    if not held:
        return judged(rule, False, Message("Visitor {visitor} holds no valid certificate of training.", values))
    newest = max(held, key=lambda paper: (paper.valid_from, paper.id))
    if rule.repeat_months is not None and last >= Duration(months=rule.repeat_months).after(newest.valid_from):
        values = {**values, "since": newest.valid_from.isoformat()}
        message = Message("The training of visitor {visitor} is of {since} and has to be repeated.", values)
        return judged(rule, False, message, [newest.id])
    return judged(rule, True, Message("Visitor {visitor} is trained.", values), [newest.id])


def mix_clause(rule: StaffMixRule, staff: Sequence[StaffFact]) -> ClauseResult:
    """Whether enough of these people have the skill."""
    have = [member.visitor_id for member in staff if rule.skill in member.skills]
    values = {"skill": rule.skill, "needed": rule.at_least, "count": len(have)}
    message = Message("Of the crew {count} have the skill {skill}; at least {needed} are needed.", values)
    return judged(rule, len(have) >= rule.at_least, message, have)


def _alone(rule: SafetyRule, inquiry: Inquiry) -> list[ClauseResult]:
    """The house's rule for its own people at such a place and hour."""
    shown = wall_clock(inquiry.span.begins_at, inquiry.zone)
    if inquiry.facts.place.kind not in rule.places or not rule.opens <= shown < rule.closes:
        return []
    alone = len(inquiry.question.staff or ()) == 1
    message = Message("Nobody goes alone to such a place at such an hour: {level}.", {"level": rule.level})
    return [judged(rule, rule.lone_allowed or not alone, message)] if alone else []


def _kinds(rule: CredentialRule) -> Message:
    return joined(sorted(rule.any_of), " / ")
