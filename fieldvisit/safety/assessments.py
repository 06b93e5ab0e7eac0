"""The risk assessment before a visit: answered for one visitor, good for as long as the house says, and asked for where
its rules demand it."""

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.clock import database_now
from fieldvisit.errors import AlreadyExists, FieldVisitError, InvalidValue, Kind, NotFound
from fieldvisit.languages import Message
from fieldvisit.models import SafetyAssessment, SafetySession, Visit, Visitor
from fieldvisit.safety.drafts import OLDEST_S
from fieldvisit.safety.markers import Reader, own_visit
from fieldvisit.safety.questionnaire import newest, questionnaire
from fieldvisit.safety.rules import Rules, demanded, rules_in_force
from fieldvisit.safety.timers import seconds
from fieldvisit.vocabulary import RiskLevel


class AssessmentNeeded(FieldVisitError):
    """The house asks for it at this level."""

    code, kind = "assessment_needed", Kind.CONFLICT
    says = "Answer the questions before the visit first: your answers are missing, or older than {valid_min} minutes."


@dataclass(frozen=True, kw_only=True)
class AssessmentDraft:
    """For whom and which visit, what was answered by which version of the questionnaire, under an id of the teller's;
    `age_s` seconds ago."""

    id: uuid.UUID
    visit_id: uuid.UUID
    visitor_id: uuid.UUID
    questionnaire: int
    answers: Mapping[str, str]
    age_s: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.age_s <= OLDEST_S:
            raise InvalidValue(path="age_s", reason=Message("0 seconds to 7 days"))


@dataclass(frozen=True)
class Answered:
    """What was answered, and until when it is good by the rules of the house that hold now."""

    row: SafetyAssessment
    valid_until: dt.datetime


def answer_assessment(session: Session, draft: AssessmentDraft, by: Reader) -> Answered:
    """Keep what was answered. Told twice, kept once. Raises NotFound for a visit that is not theirs, a visitor who is
    not there or a version that never was, InvalidValue for answers that do not fit, AlreadyExists for an id in use."""
    visit = own_visit(session, draft.visit_id, by)
    visitor = session.get(Visitor, draft.visitor_id)
    if visitor is None or visitor.org_id != session.info["org"]:
        raise NotFound(what="visitor", id=draft.visitor_id)
    level = questionnaire(draft.questionnaire).level(draft.answers)
    kept = session.get(SafetyAssessment, draft.id)
    if kept is not None:
        if (kept.visit_id, kept.visitor_id) != (visit.id, visitor.id):
            raise AlreadyExists(what="risk assessment", key="id")
        return _answered(session, kept)
    now: dt.datetime = session.scalars(sa.select(database_now())).one()
    row = SafetyAssessment(
        id=draft.id,
        org_id=session.info["org"],
        visit_id=visit.id,
        visitor_id=visitor.id,
        account_id=by.account_id,
        questionnaire=draft.questionnaire,
        answers=json.dumps(dict(draft.answers), sort_keys=True),
        level=level,
        answered_at=now - seconds(draft.age_s),
    )
    session.add(row)
    session.flush()
    return _answered(session, row)


def _answered(session: Session, row: SafetyAssessment) -> Answered:
    return Answered(row, row.answered_at + seconds(rules_in_force(session).rules.assessment_valid_s))


def valid_assessment(session: Session, rules: Rules, visit: Visit, visitor_id: uuid.UUID) -> SafetyAssessment | None:
    """The newest that was answered for this visitor and visit and is younger than its validity."""
    return session.scalar(
        sa.select(SafetyAssessment)
        .where(
            SafetyAssessment.visit_id == visit.id,
            SafetyAssessment.visitor_id == visitor_id,
            SafetyAssessment.answered_at > database_now() - seconds(rules.assessment_valid_s),
        )
        .order_by(SafetyAssessment.answered_at.desc(), SafetyAssessment.id.desc())
        .limit(1)
    )


def demand_assessed(rules: Rules, level: RiskLevel, assessment: SafetyAssessment | None) -> None:
    """Raise AssessmentNeeded, with the version to be answered, where the house demands one at this level."""
    if assessment is None and demanded(level, rules.assessed_from):
        raise AssessmentNeeded(valid_min=rules.assessment_valid_s // 60, questionnaire=newest().version)


def let_rest(row: SafetySession, assessment: SafetyAssessment | None) -> None:
    """This session rests on it: it is kept as long."""
    if assessment is not None:
        assessment.session_id = row.id


def said_of(assessment: SafetyAssessment | None) -> dict[str, Any]:
    """What a session's record says of it: who reads that later can tell whether the answers that are shown are those
    that were given."""
    if assessment is None:
        return {}
    digest = hashlib.sha256(assessment.answers.encode()).hexdigest()
    return {
        "assessment_id": str(assessment.id),
        "questionnaire": assessment.questionnaire,
        "assessed": assessment.level.value if assessment.level else None,
        "answers_sha256": digest,
    }


def assessments_of(session: Session, visit_id: uuid.UUID) -> sa.Select[SafetyAssessment]:
    """What was answered for a visit. Raises NotFound."""
    visit = session.get(Visit, visit_id)
    if visit is None or visit.org_id != session.info["org"]:
        raise NotFound(what="visit", id=visit_id)
    return sa.select(SafetyAssessment).where(SafetyAssessment.visit_id == visit_id)
