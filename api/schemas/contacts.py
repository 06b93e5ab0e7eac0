"""Contact attempts on the wire."""

from typing import Any

from marshmallow import fields, post_load

from api.schemas.base import In, Out
from api.schemas.debtors import ContactPointNamedIn
from api.schemas.fields import Choice, Flag, Id, Instant, Many, OuterId, Part, Text
from fieldvisit.drafts import Change
from fieldvisit.vocabulary import AttemptResult, Channel, ReachedDetail

MOST_AT_ONCE = 1_000


class AttemptIn(In):
    """One try. `source` is the sending system; its `external_id` makes sending it again harmless."""

    external_id = OuterId(required=True)
    source = Text(required=True, max=100)
    case_id = OuterId(required=True, data_key="case_external_id")
    channel = Choice(Channel, required=True)
    at = Instant(required=True)
    result = Choice(AttemptResult, required=True)
    detail = Choice(ReachedDetail, allow_none=True, metadata={"description": "for the result reached alone"})
    contact_point = Part(ContactPointNamedIn, allow_none=True)


class AttemptsIn(In):
    attempts = Many(Part(AttemptIn), required=True, min=1, max=MOST_AT_ONCE)

    @post_load
    def rows(self, data: dict[str, Any], **_: Any) -> list[dict[str, Any]]:
        return list(data["attempts"])


class AttemptOutcomeOut(Out):
    external_id = fields.String(required=True)
    change = Choice(Change, required=True, allow_none=True, metadata={"description": "null: refused"})
    path = fields.String(required=True, allow_none=True, metadata={"description": "the field to blame"})
    reason = fields.String(required=True, allow_none=True)


class AttemptsRecordedOut(Out):
    added = fields.Integer(required=True)
    unchanged = fields.Integer(required=True)
    refused = fields.Integer(required=True)
    results = fields.List(Part(AttemptOutcomeOut), required=True, metadata={"description": "in the order sent"})


class AttemptOut(Out):
    id = Id(required=True)
    at = Instant(required=True)
    case_id = Id(required=True)
    contact_point_id = Id(required=True, allow_none=True)
    made_by_id = Id(required=True, metadata={"description": "the organisation that tried"})
    channel = Choice(Channel, required=True)
    result = Choice(AttemptResult, required=True)
    detail = Choice(ReachedDetail, required=True, allow_none=True)
    withdrawn = Flag(required=True, metadata={"description": "a visit that was told late to be none, or another one"})
