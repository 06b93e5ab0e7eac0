"""A lender's record of when it looked at each agency that works for it, and which agency is due."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.agency_reviews import latest
from fieldvisit.compliance.parameters import PolicyStatus
from fieldvisit.compliance.people_rules import AgencyReviewRule
from fieldvisit.compliance.policy import Policy, on_date
from fieldvisit.compliance.wallclock import local_day
from fieldvisit.drafts import acting_organisation, check_text
from fieldvisit.errors import FieldVisitError, InvalidValue, Kind, NotFound
from fieldvisit.models import AgencyReview, Organisation, Placement
from fieldvisit.placements import find_agency, in_force
from fieldvisit.policies import policies_of
from fieldvisit.review_facts import review_facts
from fieldvisit.vocabulary import AgencyReviewKind


class ReviewWithdrawn(FieldVisitError):
    code, kind = "review_withdrawn", Kind.CONFLICT
    says = "This review was withdrawn before."


@dataclass(frozen=True, kw_only=True)
class ReviewDraft:
    """The agency with this code was looked at on a day. `next_due_on`: the lender wants the next one by then, before
    the contract ends, say. `reference`: under what its report is kept."""

    agency: str
    kind: AgencyReviewKind
    reviewed_on: dt.date
    next_due_on: dt.date | None = None
    reference: str | None = None

    def __post_init__(self) -> None:
        if self.next_due_on is not None and self.next_due_on <= self.reviewed_on:
            raise InvalidValue(path="next_due_on", reason="must be later than reviewed_on")
        if self.reference is not None:
            check_text("reference", self.reference, longest=200)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How it stands with one agency under one rule. `reviewed_on` None: never, as far as is on record; `good_until` is
    the last day on which that review holds."""

    agency: Organisation
    kind: AgencyReviewKind
    clause_id: str
    reviewed_on: dt.date | None
    good_until: dt.date | None
    overdue: bool


def record_review(
    session: Session, draft: ReviewDraft, *, recorded_by_id: uuid.UUID | None, now: dt.datetime
) -> AgencyReview:
    """Write down that an agency was looked at. Raises InvalidValue for what is no agency, and for a day to come."""
    agency = find_agency(session, draft.agency)
    if draft.reviewed_on > local_day(now, acting_organisation(session).zone):
        raise InvalidValue(path="reviewed_on", reason="lies in the future")
    row = AgencyReview(
        org_id=session.info["org"],
        agency_id=agency.id,
        kind=draft.kind,
        reviewed_on=draft.reviewed_on,
        next_due_on=draft.next_due_on,
        reference=draft.reference,
        recorded_by_id=recorded_by_id,
    )
    session.add(row)
    session.flush()
    return row


def withdraw_review(session: Session, review_id: uuid.UUID, *, now: dt.datetime) -> AgencyReview:
    """Take a review back that was recorded by mistake. Raises NotFound and ReviewWithdrawn.

    The visits ahead are judged anew by a job that the caller asks for in the same transaction.
    """
    # The agency sees the row, and may not touch it.
    own = AgencyReview.id == review_id, AgencyReview.org_id == session.info["org"]
    row = session.scalars(sa.select(AgencyReview).where(*own).with_for_update()).one_or_none()
    if row is None:
        raise NotFound(what="agency review", id=review_id)
    if row.withdrawn_at is not None:
        raise ReviewWithdrawn()
    row.withdrawn_at = now
    session.flush()
    return row


def reviews_of(org_id: uuid.UUID) -> sa.Select[AgencyReview]:
    """Every review by or of the organisation, withdrawn ones too; the caller states the order."""
    return sa.select(AgencyReview).where(sa.or_(AgencyReview.org_id == org_id, AgencyReview.agency_id == org_id))


def standing(session: Session, now: dt.datetime) -> list[Standing]:
    """Each agency that has a case of this lender today, under each rule of the lender's policies; what is due soonest
    first, and what was never reviewed before all."""
    lender = acting_organisation(session)
    today = local_day(now, lender.zone)
    rules = _rules(policies_of((lender,)), today)
    agencies = _agencies(session, today) if rules else ()
    reviews = review_facts(session, {(lender.id, agency.id) for agency in agencies})
    found = []
    for agency in agencies:
        for rule in rules:
            last, until = latest(rule, reviews.get((lender.id, agency.id), ()), today) or (None, None)
            found.append(
                Standing(
                    agency=agency,
                    kind=rule.kind,
                    clause_id=rule.id,
                    reviewed_on=last.reviewed_on if last else None,
                    good_until=until,
                    overdue=until is None or until < today,
                )
            )
    return sorted(found, key=lambda each: (each.good_until or dt.date.min, each.agency.code, each.clause_id))


def _rules(policies: Sequence[Policy], today: dt.date) -> list[AgencyReviewRule]:
    """Those that are in force today, wherever; of several versions of a policy, the latest."""
    newest = {
        policy.id: policy
        for policy in sorted(policies, key=lambda policy: policy.version)
        if policy.status is PolicyStatus.IN_FORCE
        and policy.effective_from <= today <= (policy.effective_to or dt.date.max)
    }
    return [rule for policy in newest.values() for rule in on_date(policy, today).agency_reviews]


def _agencies(session: Session, today: dt.date) -> Sequence[Organisation]:
    has_a_case = sa.select(Placement.agency_id).where(Placement.org_id == session.info["org"], in_force(today))
    return session.scalars(sa.select(Organisation).where(Organisation.id.in_(has_a_case))).all()
