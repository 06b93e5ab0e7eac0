"""Contact blocks on the wire."""

from marshmallow import fields

from api.schemas.base import Drafted, In, Out, PageIn
from api.schemas.fields import Choice, Id, Instant, OuterId, Text
from api.schemas.words import Words
from fieldvisit.blocks import BlockDraft
from fieldvisit.compliance.facts import ConsentForm
from fieldvisit.vocabulary import BlockScope, BlockTrigger, Channel


class BlockIn(Drafted):
    """`case_id` left out means every case of the debtor; `external_id` makes filing repeatable."""

    makes = BlockDraft
    debtor_id = Id(required=True)
    trigger = Choice(BlockTrigger, required=True)
    scope = Choice(BlockScope, load_default=BlockScope.ALL)
    case_id = Id(allow_none=True)
    channel = Choice(Channel, allow_none=True)
    place_id = Id(allow_none=True)
    until_at = Instant(allow_none=True)
    note = Text(max=2_000, allow_none=True)
    external_id = OuterId(allow_none=True)
    form = Choice(ConsentForm, load_default=ConsentForm.ANY)
    evidence = Text(max=200, allow_none=True)


class LiftIn(In):
    """Why it ends."""

    reason = Text(required=True, max=2_000)


class BlocksQueryIn(PageIn):
    debtor_id = Id(required=True)


class BlockOut(Out):
    id = Id(required=True)
    debtor_id = Id(required=True)
    case_id = Id(required=True, allow_none=True)
    external_id = fields.String(required=True, allow_none=True)
    trigger = Choice(BlockTrigger, required=True)
    trigger_words = Words(required=True, of="trigger")
    scope = Choice(BlockScope, required=True)
    channel = Choice(Channel, required=True, allow_none=True)
    place_id = Id(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)
    filed_by_id = Id(required=True, allow_none=True)
    since_at = Instant(required=True)
    until_at = Instant(required=True, allow_none=True)
    form = Choice(ConsentForm, required=True)
    evidence = fields.String(required=True, allow_none=True)
    renewals = fields.Integer(required=True)
    lifted_at = Instant(required=True, allow_none=True)
    lifted_by_id = Id(required=True, allow_none=True)
    lift_reason = fields.String(required=True, allow_none=True)


class FiledOut(Out):
    """The block, and the ids of the visits that it cancelled."""

    block = fields.Nested(BlockOut, required=True)
    cancelled_visit_ids = fields.List(Id(), required=True)
