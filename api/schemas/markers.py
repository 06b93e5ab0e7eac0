"""Incidents and markers on the wire."""

from marshmallow import fields

from api.schemas.base import Drafted, In, Out
from api.schemas.fields import Choice, Day, Flag, Id, Instant, Many, Part, Text
from fieldvisit.safety.drafts import LONGEST_NOTE
from fieldvisit.safety.incidents import IncidentDraft
from fieldvisit.safety.marker_reviews import MarkerReview
from fieldvisit.safety.markers import MarkerDraft
from fieldvisit.vocabulary import IncidentKind, MarkerKind, RiskLevel

MOST = 1_000


class IncidentIn(Drafted):
    """What happened. The place is the visit's, or that of the alert's visit, where none is named."""

    makes = IncidentDraft

    kind = Choice(IncidentKind, required=True)
    happened_at = Instant(required=True)
    account = Text(required=True, max=LONGEST_NOTE)
    place_id = Id(allow_none=True, load_default=None)
    visit_id = Id(allow_none=True, load_default=None)
    alert_id = Id(allow_none=True, load_default=None)


class IncidentOut(Out):
    """Until it is reviewed nobody goes to its place."""

    id = Id(required=True)
    kind = Choice(IncidentKind, required=True)
    happened_at = Instant(required=True)
    account = fields.String(required=True)
    place_id = Id(required=True, allow_none=True)
    debtor_id = Id(required=True, allow_none=True)
    visit_id = Id(required=True, allow_none=True)
    alert_id = Id(required=True, allow_none=True)
    reported_by_id = Id(required=True)
    reported_at = Instant(required=True)
    reviewed_by_id = Id(required=True, allow_none=True)
    reviewed_at = Instant(required=True, allow_none=True)
    review = fields.String(required=True, allow_none=True)


class ReviewIn(In):
    text = Text(required=True, max=LONGEST_NOTE)


class MarkerIn(Drafted):
    """A fact about danger at a place, in a person, or both. Either `told_on` or `untold_reason` is given."""

    makes = MarkerDraft

    incident_id = Id(required=True)
    kind = Choice(MarkerKind, required=True)
    level = Choice(RiskLevel, required=True, metadata={"description": "raised or high"})
    facts = Text(required=True, max=LONGEST_NOTE)
    review_on = Day(required=True, metadata={"description": "within six months"})
    expires_on = Day(required=True, metadata={"description": "within twelve months"})
    place_id = Id(allow_none=True, load_default=None)
    debtor_id = Id(allow_none=True, load_default=None)
    told_on = Day(allow_none=True, load_default=None)
    untold_reason = Text(max=LONGEST_NOTE, allow_none=True, load_default=None)


class MarkerReviewIn(Drafted):
    """What the review found, and the day of the next one; without a day the marker counts no more."""

    makes = MarkerReview

    text = Text(required=True, max=LONGEST_NOTE)
    review_on = Day(
        required=True,
        allow_none=True,
        metadata={"description": "within six months, and not after it expires; null: it counts no more"},
    )


class MarkerOut(Out):
    """A marker without its facts: those are read one by one, and that they were read is kept."""

    id = Id(required=True)
    incident_id = Id(required=True)
    kind = Choice(MarkerKind, required=True)
    level = Choice(RiskLevel, required=True)
    place_id = Id(required=True, allow_none=True)
    debtor_id = Id(required=True, allow_none=True)
    placed_by_id = Id(required=True)
    placed_at = Instant(required=True)
    approved_by_id = Id(required=True, allow_none=True)
    approved_at = Instant(required=True, allow_none=True)
    told_on = Day(required=True, allow_none=True)
    review_on = Day(required=True)
    review_due = Flag(
        required=True, metadata={"description": "it stands, and the day of its review has passed: it goes on counting"}
    )
    reviewed_by_id = Id(required=True, allow_none=True)
    reviewed_at = Instant(required=True, allow_none=True)
    expires_on = Day(required=True)
    withdrawn_at = Instant(required=True, allow_none=True)


class MarkerFileOut(MarkerOut):
    facts = fields.String(required=True)
    untold_reason = fields.String(required=True, allow_none=True)
    review = fields.String(required=True, allow_none=True, metadata={"description": "what the last review found"})


class WarningOut(Out):
    """What a visitor has to know before the door."""

    id = Id(required=True, attribute="marker.id")
    kind = Choice(MarkerKind, required=True, attribute="marker.kind")
    level = Choice(RiskLevel, required=True, attribute="marker.level")
    facts = fields.String(required=True, attribute="marker.facts")
    expires_on = Day(required=True, attribute="marker.expires_on")
    expired = Flag(required=True, metadata={"description": "to be reviewed: it gates nothing any more"})


class WarningsOut(Out):
    items = Many(Part(WarningOut), required=True, max=MOST)
