"""A lender's record of when it looked at each agency that works for it."""

import uuid
from typing import Any

import sqlalchemy as sa

from api.auth import actor
from api.context import now
from api.db import session
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.paging import Keyset
from api.roles import Permission
from api.schemas.agency_reviews import AgencyReviewedOut, AgencyReviewIn, AgencyReviewOut, AgencyStandingsOut
from fieldvisit import agency_reviews
from fieldvisit.models import AgencyReview, Rejudging
from fieldvisit.rejudgings import ask_rejudging

bp = Blueprint("agency_reviews", __name__, description=__doc__)


@bp.post("/agency-reviews")
@endpoint(may=Permission.REVIEW_AGENCIES, body=AgencyReviewIn(), returns=AgencyReviewedOut(), status=201)
def record_agency_review(body: agency_reviews.ReviewDraft) -> dict[str, Any]:
    """Write down that an agency was looked at; its visits ahead are judged anew in the background."""
    review = agency_reviews.record_review(session(), body, recorded_by_id=actor().account_id, now=now())
    return {"agency_review": review, "rejudging": _rejudge("agency_reviewed", review)}


@bp.get("/agency-reviews")
@endpoint(
    may=Permission.READ_POLICIES,
    returns=AgencyReviewOut(),
    order=Keyset(AgencyReview.reviewed_on, AgencyReview.id, descending=True),
)
def list_agency_reviews() -> sa.Select[AgencyReview]:
    """The reviews that one made, or that were made of one, withdrawn ones too, the newest first."""
    return agency_reviews.reviews_of(actor().org_id)


@bp.get("/agency-reviews/standing")
@endpoint(may=Permission.READ_POLICIES, returns=AgencyStandingsOut())
def show_agency_standing() -> dict[str, Any]:
    """Each agency that has one's cases, under each rule of one's policies: when it was looked at, until when that
    holds, and whether it is overdue. What is due soonest comes first."""
    return {"standing": agency_reviews.standing(session(), now())}


@bp.post("/agency-reviews/<uuid:review_id>/withdrawal")
@endpoint(may=Permission.REVIEW_AGENCIES, returns=AgencyReviewedOut())
def withdraw_agency_review(review_id: uuid.UUID) -> dict[str, Any]:
    """Take a review back that was recorded by mistake; the agency's visits ahead are judged anew."""
    review = agency_reviews.withdraw_review(session(), review_id, now=now())
    return {"agency_review": review, "rejudging": _rejudge("agency_review_withdrawn", review)}


def _rejudge(reason: str, review: AgencyReview) -> Rejudging:
    return ask_rejudging(session(), actor().org_id, reason=reason, subject=str(review.id))
