"""Reviews of agencies on the wire."""

from marshmallow import fields

from api.schemas.base import Drafted, Out
from api.schemas.compliance import RejudgingOut
from api.schemas.fields import Choice, Day, Flag, Id, Instant, Text
from api.schemas.words import Words
from fieldvisit.agency_reviews import ReviewDraft
from fieldvisit.organisations import CODE
from fieldvisit.vocabulary import AgencyReviewKind


class AgencyReviewIn(Drafted):
    """`agency` is the code of one. `next_due_on`: by when the next one is wanted, before the contract ends, say, where
    that is sooner than the policies want it."""

    makes = ReviewDraft
    agency = Text(required=True, form=CODE.pattern)
    kind = Choice(AgencyReviewKind, required=True)
    reviewed_on = Day(required=True)
    next_due_on = Day(allow_none=True, metadata={"examples": ["2027-01-31"]})
    reference = Text(
        max=200, allow_none=True, metadata={"description": "under what you keep its report", "examples": ["2026/7"]}
    )


class AgencyReviewOut(Out):
    id = Id(required=True)
    lender_id = Id(required=True, attribute="org_id")
    agency_id = Id(required=True)
    kind = Choice(AgencyReviewKind, required=True)
    kind_words = Words(required=True, of="kind")
    reviewed_on = Day(required=True)
    next_due_on = Day(required=True, allow_none=True, metadata={"examples": ["2027-01-31"]})
    reference = fields.String(required=True, allow_none=True, metadata={"examples": ["2026/7"]})
    recorded_at = Instant(required=True)
    withdrawn_at = Instant(required=True, allow_none=True)


class AgencyReviewedOut(Out):
    """The review, and the run that judges the visits ahead anew because of it."""

    agency_review = fields.Nested(AgencyReviewOut, required=True)
    rejudging = fields.Nested(RejudgingOut, required=True)


class AgencyStandingOut(Out):
    """`good_until` is the last day on which the last review holds; null, like `reviewed_on`, where there is none."""

    agency = fields.String(required=True, attribute="agency.code")
    agency_name = fields.String(required=True, attribute="agency.name", metadata={"examples": ["Länsi Field"]})
    kind = Choice(AgencyReviewKind, required=True)
    kind_words = Words(required=True, of="kind")
    clause_id = fields.String(required=True, metadata={"examples": ["cn/agency_reviews/1"]})
    reviewed_on = Day(required=True, allow_none=True)
    good_until = Day(required=True, allow_none=True, metadata={"examples": ["2027-03-02"]})
    overdue = Flag(required=True)


class AgencyStandingsOut(Out):
    standing = fields.List(fields.Nested(AgencyStandingOut), required=True)
