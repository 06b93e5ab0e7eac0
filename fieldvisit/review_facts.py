"""When lenders looked at agencies, as the engine is to know it: rows in, `fieldvisit.compliance` values out."""

import uuid
from collections import defaultdict
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.facts import AgencyReviewFact
from fieldvisit.models import AgencyReview

type Pair = tuple[uuid.UUID, uuid.UUID]
"""A lender, and who goes for it."""


def review_facts(session: Session, pairs: Iterable[Pair]) -> dict[Pair, tuple[AgencyReviewFact, ...]]:
    """The reviews that stand, for each pair that is two. One query, and none where nobody goes for another."""
    wanted = {pair for pair in pairs if pair[0] != pair[1]}
    if not wanted:
        return {}
    rows = session.scalars(
        sa.select(AgencyReview)
        .where(
            AgencyReview.org_id.in_({lender_id for lender_id, _ in wanted}),
            AgencyReview.agency_id.in_({agency_id for _, agency_id in wanted}),
            AgencyReview.withdrawn_at.is_(None),
        )
        .order_by(AgencyReview.id)
    )
    found: dict[Pair, list[AgencyReviewFact]] = defaultdict(list)
    for row in rows:
        found[row.org_id, row.agency_id].append(review_fact(row))
    return {pair: tuple(found[pair]) for pair in wanted}


def review_fact(row: AgencyReview) -> AgencyReviewFact:
    return AgencyReviewFact(id=str(row.id), kind=row.kind, reviewed_on=row.reviewed_on, next_due_on=row.next_due_on)
