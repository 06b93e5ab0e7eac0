"""May this be done, then, there, by them? The engine's answer for rows, and its record for later."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.conduct_parameters import Recorded
from fieldvisit.compliance.decision import Decision, plain
from fieldvisit.compliance.evaluate import evaluate
from fieldvisit.compliance.facts import Facts, Question, StaffFact
from fieldvisit.compliance.intervals import Interval
from fieldvisit.compliance.policy import Policy
from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.facts import Subject, facts_of, known_by, subject_of
from fieldvisit.ids import new_id
from fieldvisit.models import Organisation, StoredDecision, Visit
from fieldvisit.policies import policies_of
from fieldvisit.staff_facts import staff_facts
from fieldvisit.together import together, write
from fieldvisit.vocabulary import CheckMoment, Verdict

NOT_YET_A_VISIT = "none"


class Forbidden(FieldVisitError):
    """The policy forbids it. The details carry the deciding clauses in words and what would be lawful instead: what a
    person needs to understand it."""

    code, kind = "forbidden_by_policy", Kind.CONFLICT
    says = "The policy does not permit this now: {clauses}"

    def __init__(self, decision: Decision) -> None:
        super().__init__(
            verdict=decision.verdict,
            clauses=[clause.message for clause in decision.deciding],
            clause_ids=[clause.clause_id for clause in decision.deciding],
            lawful=plain(decision.lawful),
            next_lawful_at=plain(decision.next_lawful_at),
        )
        self.decision = decision


def organisations_by_id(session: Session, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Organisation]:
    wanted, gathered = set(ids), together(session)
    if gathered is not None and wanted <= set(gathered.organisations):
        return {id_: gathered.organisations[id_] for id_ in wanted}
    return {row.id: row for row in session.scalars(sa.select(Organisation).where(Organisation.id.in_(wanted)))}


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


@dataclass(frozen=True, kw_only=True)
class AtTheDoor:
    """These people, at this visit, from then until then; `recording` is what runs, as far as somebody said."""

    visit: Visit
    span: Interval
    visitor_ids: Sequence[uuid.UUID]
    recording: frozenset[Recorded] | None = None


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A question about a visit, what is known of it, and the answer."""

    asked: AtTheDoor
    facts: Facts
    policies: tuple[Policy, ...]
    decision: Decision


def judge_all(session: Session, asked: Sequence[AtTheDoor], *, moment: CheckMoment, now: dt.datetime) -> list[Judged]:
    """Judge each, and store each answer with its visit. The number of queries does not grow with what is asked."""
    known = _facts(session, asked, now)
    staff = _staff(session, {visitor_id for one in asked for visitor_id in one.visitor_ids})
    organisations = organisations_by_id(
        session, {org_id for one in asked for org_id in (one.visit.org_id, one.visit.lender_id)}
    )
    found, rows = [], []
    for one, facts in zip(asked, known, strict=True):
        question = Question(
            visit_id=str(one.visit.id),
            moment=moment,
            begins_at=one.span.begins_at,
            ends_at=one.span.ends_at,
            staff=tuple(staff[visitor_id] for visitor_id in one.visitor_ids),
            recording=one.recording,
        )
        policies = policies_of((organisations[one.visit.org_id], organisations[one.visit.lender_id]))
        decision = evaluate(question, facts, policies, now)
        found.append(Judged(asked=one, facts=facts, policies=policies, decision=decision))
        rows.append(stored_decision(one.visit, decision, moment=moment, span=one.span, now=now))
    write(session, *rows)
    return found


def _facts(session: Session, asked: Sequence[AtTheDoor], now: dt.datetime) -> list[Facts]:
    gathered = together(session)
    if gathered is not None and all(one.visit.id in gathered.facts for one in asked):
        return [known_by(gathered.facts[one.visit.id], now) for one in asked]
    return facts_of(session, [subject_of(one.visit) for one in asked], now)


def _staff(session: Session, visitor_ids: set[uuid.UUID]) -> Mapping[uuid.UUID, StaffFact]:
    gathered = together(session)
    if gathered is not None and visitor_ids <= set(gathered.staff):
        return gathered.staff
    return staff_facts(session, visitor_ids)


def decide(session: Session, asked: AtTheDoor, *, moment: CheckMoment, now: dt.datetime) -> Decision:
    """Judge one visit at one time by these people, and store the answer with the visit."""
    (judged,) = judge_all(session, [asked], moment=moment, now=now)
    return judged.decision


def stored_decision(
    visit: Visit, decision: Decision, *, moment: CheckMoment, span: Interval | None, now: dt.datetime
) -> StoredDecision:
    """The record of a decision, for the session to keep."""
    return StoredDecision(**decision_values(visit, decision, moment=moment, span=span, now=now))


def decision_values(
    visit: Visit, decision: Decision, *, moment: CheckMoment, span: Interval | None, now: dt.datetime
) -> dict[str, Any]:
    """The same as the values of its row, for whoever writes many at once."""
    return {
        "id": new_id(),
        "org_id": visit.org_id,
        "lender_id": visit.lender_id,
        "visit_id": visit.id,
        "moment": moment,
        "verdict": decision.verdict,
        "begins_at": span.begins_at if span else None,
        "ends_at": span.ends_at if span else None,
        "clauses": plain(decision.clauses),
        "policies": plain(decision.policies),
        "lawful": plain(decision.lawful),
        "next_lawful_at": decision.next_lawful_at,
        "inputs_hash": decision.inputs_hash,
        "decided_at": now,
    }


def demand_allowed(decision: Decision) -> None:
    """Raise Forbidden unless the decision allows."""
    if decision.verdict is not Verdict.ALLOWED:
        raise Forbidden(decision)
