"""The roster of those who answer alarms, their contacts, and providers' receipts, on the wire."""

from typing import Any

from marshmallow import fields, post_load

from api.schemas.base import Drafted, Out
from api.schemas.fields import Choice, Id, Instant, Text
from fieldvisit.languages import LANGUAGES, tag
from fieldvisit.safety.receipts import Receipt, ReceiptKind
from fieldvisit.safety.roster import ContactDraft, DutyDraft
from fieldvisit.vocabulary import AlarmChannel, DutyRank

# As everywhere on the wire; what was taken before is taken still.
TAGS = {tag(language): language for language in LANGUAGES}


class DutyIn(Drafted):
    makes = DutyDraft

    account_id = Id(required=True)
    rank = Choice(DutyRank, required=True)
    starts_at = Instant(required=True)
    ends_at = Instant(required=True)


class DutyOut(Out):
    id = Id(required=True)
    account_id = Id(required=True)
    name = fields.String(required=True, allow_none=True, attribute="account.name")
    rank = Choice(DutyRank, required=True)
    starts_at = Instant(required=True)
    ends_at = Instant(required=True)
    offered_to_id = Id(required=True, allow_none=True, metadata={"description": "who has been asked to take it over"})
    taken_from_id = Id(required=True, allow_none=True)


class ContactIn(Drafted):
    makes = ContactDraft
    sample = {"channel": "sms", "address": "+358450001234"}

    account_id = Id(required=True)
    channel = Choice(AlarmChannel, required=True)
    address = Text(required=True, max=500)
    language = Text(load_default="en", max=20)

    @post_load
    def draft(self, data: dict[str, Any], **more: Any) -> Any:
        return super().draft(data | {"language": TAGS.get(data["language"], data["language"])}, **more)


class ContactOut(Out):
    """Where an officer is reached. `confirmed_at`: when a test was last answered there; null means never."""

    id = Id(required=True)
    account_id = Id(required=True)
    channel = Choice(AlarmChannel, required=True)
    address = fields.String(required=True)
    language = fields.Function(lambda row: tag(row.language), required=True, metadata={"type": "string"})
    tested_at = Instant(required=True, allow_none=True)
    confirmed_at = Instant(required=True, allow_none=True)


class ReceiptIn(Drafted):
    """What became of a message: `id` is the one it was handed over with."""

    makes = Receipt

    id = Id(required=True, attribute="message_id")
    kind = Choice(ReceiptKind, required=True)
    key = Text(max=1, allow_none=True, load_default=None, metadata={"description": "the digit that was pressed"})
