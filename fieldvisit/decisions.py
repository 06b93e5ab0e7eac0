"""May this be done, then, there, by them? The engine's answer for rows, and its record for later."""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.decision import Decision, plain
from fieldvisit.compliance.evaluate import evaluate
from fieldvisit.compliance.facts import Facts, Question
from fieldvisit.compliance.intervals import Interval
from fieldvisit.compliance.policy import Policy
from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.facts import Subject, facts_of, staff_facts, subject_of
from fieldvisit.models import Organisation, StoredDecision, Visit
from fieldvisit.policies import policies_of
from fieldvisit.vocabulary import CheckMoment, Verdict

NOT_YET_A_VISIT = "none"


class Forbidden(FieldVisitError):
    """The policy forbids it. The details carry the deciding clauses in words and what would be lawful instead."""

    code, kind = "forbidden_by_policy", Kind.CONFLICT
    says = "The policy does not permit this now: {clauses}"


def organisations_by_id(session: Session, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Organisation]:
    rows = session.scalars(sa.select(Organisation).where(Organisation.id.in_(set(ids))))
    return {row.id: row for row in rows}


def policies_between(session: Session, org_id: uuid.UUID, lender_id: uuid.UUID) -> tuple[Policy, ...]:
    """The policies of who goes and of whom they go for."""
    return policies_of(organisations_by_id(session, (org_id, lender_id)).values())


def judge_eligible(
    session: Session, org_id: uuid.UUID, subjects: Sequence[Subject], now: dt.datetime
) -> list[tuple[Facts, Decision]]:
    """What holds before an hour and a crew are known, for each subject in the order given."""
    organisations = organisations_by_id(session, {org_id, *(subject.case.org_id for subject in subjects)})
    answers = []
    for subject, facts in zip(subjects, facts_of(session, subjects, now), strict=True):
        policies = policies_of((organisations[org_id], organisations[subject.case.org_id]))
        name = str(subject.visit_id) if subject.visit_id else NOT_YET_A_VISIT
        answers.append((facts, evaluate(Question(visit_id=name, moment=CheckMoment.ELIGIBLE), facts, policies, now)))
    return answers


def decide(
    session: Session,
    visit: Visit,
    *,
    moment: CheckMoment,
    span: Interval,
    visitor_ids: Sequence[uuid.UUID],
    now: dt.datetime,
) -> Decision:
    """Judge one visit at one time by these people, and store the answer with the visit."""
    (facts,) = facts_of(session, [subject_of(visit)], now)
    staff = staff_facts(session, visitor_ids)
    question = Question(
        visit_id=str(visit.id),
        moment=moment,
        begins_at=span.begins_at,
        ends_at=span.ends_at,
        staff=tuple(staff.values()),
    )
    decision = evaluate(question, facts, policies_between(session, visit.org_id, visit.lender_id), now)
    store_decision(session, visit, decision, moment=moment, span=span, now=now)
    return decision


def store_decision(
    session: Session, visit: Visit, decision: Decision, *, moment: CheckMoment, span: Interval | None, now: dt.datetime
) -> StoredDecision:
    stored = StoredDecision(
        org_id=visit.org_id,
        lender_id=visit.lender_id,
        visit_id=visit.id,
        moment=moment,
        verdict=decision.verdict,
        begins_at=span.begins_at if span else None,
        ends_at=span.ends_at if span else None,
        clauses=plain(decision.clauses),
        policies=plain(decision.policies),
        lawful=plain(decision.lawful),
        next_lawful_at=decision.next_lawful_at,
        inputs_hash=decision.inputs_hash,
        decided_at=now,
    )
    session.add(stored)
    session.flush()
    return stored


def demand_allowed(decision: Decision) -> None:
    """Raise Forbidden unless the decision allows; its details are what a person needs to understand it."""
    if decision.verdict is not Verdict.ALLOWED:
        raise Forbidden(
            verdict=decision.verdict,
            clauses=[clause.message for clause in decision.deciding],
            clause_ids=[clause.clause_id for clause in decision.deciding],
            lawful=[(span.begins_at, span.ends_at) for span in decision.lawful],
            next_lawful_at=decision.next_lawful_at,
        )
