"""Contact blocks on the wire."""

from typing import Any

from marshmallow import fields

from api.auth import actor
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


def _hears(block: Any) -> bool:
    """Whether the caller may know what was said, and to whom: whoever filed the block, and the lender. Another agency
    learns that somebody is to be left alone, and why."""
    return actor().org_id in (block.org_id, block.made_by_id)


class Heard(fields.String):
    def _serialize(self, value: Any, attr: str | None, obj: Any, **more: Any) -> str | None:
        return super()._serialize(value, attr, obj, **more) if _hears(obj) else None


class HeardBy(Id):
    def _serialize(self, value: Any, attr: str | None, obj: Any, **more: Any) -> str | None:
        return super()._serialize(value, attr, obj, **more) if _hears(obj) else None


class BlockOut(Out):
    """`external_id`, `note`, `evidence` and the accounts are told to whoever filed it and to the lender alone."""

    id = Id(required=True)
    debtor_id = Id(required=True)
    case_id = Id(required=True, allow_none=True)
    external_id = Heard(required=True, allow_none=True)
    trigger = Choice(BlockTrigger, required=True)
    trigger_words = Words(required=True, of="trigger")
    scope = Choice(BlockScope, required=True)
    channel = Choice(Channel, required=True, allow_none=True)
    place_id = Id(required=True, allow_none=True)
    note = Heard(required=True, allow_none=True)
    filed_by_id = HeardBy(required=True, allow_none=True)
    since_at = Instant(required=True)
    until_at = Instant(required=True, allow_none=True)
    form = Choice(ConsentForm, required=True)
    evidence = Heard(required=True, allow_none=True)
    renewals = fields.Integer(required=True)
    lifted_at = Instant(required=True, allow_none=True)
    lifted_by_id = HeardBy(required=True, allow_none=True)
    lift_reason = Heard(required=True, allow_none=True)


class FiledOut(Out):
    """The block, and the ids of the visits that it cancelled."""

    block = fields.Nested(BlockOut, required=True)
    cancelled_visit_ids = fields.List(Id(), required=True)
