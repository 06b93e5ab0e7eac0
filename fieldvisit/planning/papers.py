"""The record of a credential check: for each person at each door, which papers held and what was wrong."""

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from fieldvisit.compliance.decision import ClauseResult, plain
from fieldvisit.compliance.facts import Facts, StaffFact
from fieldvisit.compliance.merging import terms_for
from fieldvisit.compliance.parameters import HeldBy
from fieldvisit.compliance.people_rules import CredentialRule, TrainingRule
from fieldvisit.compliance.policy import Policy
from fieldvisit.compliance.staffing import credential_clauses, training_clauses
from fieldvisit.compliance.wallclock import local_day
from fieldvisit.decisions import AtTheDoor, organisations_by_id
from fieldvisit.facts import place_facts
from fieldvisit.models import CredentialCheck
from fieldvisit.policies import policies_of
from fieldvisit.staff_facts import staff_facts
from fieldvisit.vocabulary import CheckMoment, Verdict


def check_papers(
    session: Session,
    asked: Sequence[AtTheDoor],
    *,
    moment: CheckMoment,
    now: dt.datetime,
    only: Collection[uuid.UUID] | None = None,
) -> list[CredentialCheck]:
    """Store one check a person and visit: passed with the papers relied on, or failed with this person's own faults.

    `only` these people's are stored, where not everybody's are asked for.
    """
    checks: list[CredentialCheck] = []
    staff = staff_facts(session, {visitor_id for one in asked for visitor_id in one.visitor_ids})
    organisations = organisations_by_id(
        session, {org_id for one in asked for org_id in (one.visit.org_id, one.visit.lender_id)}
    )
    for one in asked:
        visit = one.visit
        policies = policies_of((organisations[visit.org_id], organisations[visit.lender_id]))
        crew = tuple(staff[visitor_id] for visitor_id in one.visitor_ids)
        checked = _checked(one, crew, policies)
        checks += [
            CredentialCheck(
                org_id=visit.org_id,
                visitor_id=visitor_id,
                visit_id=visit.id,
                moment=moment,
                at=now,
                passed=not wrong,
                credential_ids=relied_on,
                faults={"clauses": plain(wrong)} if wrong else {},
            )
            for visitor_id, (relied_on, wrong) in checked.by_person().items()
            if only is None or visitor_id in only
        ]
    session.add_all(checks)
    session.flush()
    return checks


def _checked(one: AtTheDoor, crew: tuple[StaffFact, ...], policies: Sequence[Policy]) -> "_Checked":
    visit, place = one.visit, place_facts(one.visit.place)
    first = local_day(one.span.begins_at, visit.place.zone)
    terms = terms_for(policies, place, first)
    return _Checked(
        rules=terms.credentials if terms else (),
        training=terms.training if terms else (),
        facts=Facts(place=place, case_id=str(visit.case_id), creditor_id=str(visit.lender_id)),
        crew=crew,
        first=first,
        last=local_day(one.span.ends_at - dt.timedelta(microseconds=1), visit.place.zone),
    )


@dataclass(frozen=True, kw_only=True)
class _Checked:
    """One door: who would stand there, under which rules, on which local dates."""

    rules: tuple[CredentialRule, ...]
    training: tuple[TrainingRule, ...]
    facts: Facts
    crew: tuple[StaffFact, ...]
    first: dt.date
    last: dt.date

    def by_person(self) -> dict[uuid.UUID, tuple[list[uuid.UUID], list[ClauseResult]]]:
        """Visitor → the papers relied on, and what is wrong with theirs."""
        found: dict[uuid.UUID, tuple[list[uuid.UUID], list[ClauseResult]]] = {
            uuid.UUID(person.visitor_id): ([], []) for person in self.crew
        }
        for rule in self.rules:
            whole = self._clauses(rule, self.crew)
            enough = rule.held_by is HeldBy.ONE and all(clause.verdict is Verdict.ALLOWED for clause in whole)
            for person in self.crew:
                relied_on, wrong = found[uuid.UUID(person.visitor_id)]
                for clause in self._clauses(rule, [person]):
                    if clause.verdict is not Verdict.ALLOWED and not enough:
                        wrong.append(clause)
                    relied_on += _papers(clause, person)
        for training in self.training:
            for person in self.crew:
                relied_on, wrong = found[uuid.UUID(person.visitor_id)]
                for clause in training_clauses(training, [person], self.last):
                    if clause.verdict is not Verdict.ALLOWED:
                        wrong.append(clause)
                    relied_on += _papers(clause, person)
        return found

    def _clauses(self, rule: CredentialRule, people: Sequence[StaffFact]) -> list[ClauseResult]:
        return credential_clauses(rule, people, self.facts, first=self.first, last=self.last)


def _papers(clause: ClauseResult, person: StaffFact) -> list[uuid.UUID]:
    """The papers that the clause found good; a clause for somebody without one names the person first."""
    if person.visitor_id in clause.fact_ids:
        return []
    return [uuid.UUID(fact_id) for fact_id in clause.fact_ids]
