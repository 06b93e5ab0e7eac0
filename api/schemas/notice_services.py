"""How an organisation tells things, and by which services of its own, on the wire. What is secret only goes in."""

from typing import Any

from marshmallow import fields, post_load

from api.schemas.base import Drafted, Out
from api.schemas.fields import Choice, Id, Instant, Many, Text, Whole
from api.schemas.forms_in_words import SERVICE
from fieldvisit.languages import LANGUAGES, tag
from fieldvisit.notice_rules import LONGEST_ADDRESS, WAYS, NoticeRulesDraft
from fieldvisit.notice_services import LAST_PLACE, LONGEST_SECRET, LONGEST_URL, NoticeServiceDraft, reached_at
from fieldvisit.vocabulary import Channel

YES_OR_NO = {"type": "boolean", "examples": [True]}
TAGS = {tag(language): language for language in LANGUAGES}


class NoticeRulesIn(Drafted):
    """`channels`: by which debtors are told things. `office_email`: where the office is reminded; null: nowhere."""

    makes = NoticeRulesDraft
    sample = {"channels": ["sms", "letter"]}
    channels = Many(Choice(Channel), required=True, min=1, max=len(WAYS))
    office_email = Text(required=True, max=LONGEST_ADDRESS, allow_none=True)
    office_language = Text(required=True, max=5, form="|".join(TAGS))

    @post_load
    def draft(self, data: dict[str, Any], **more: Any) -> Any:
        channels = tuple(data["channels"])
        spoken = data | {"channels": channels, "office_language": TAGS[data["office_language"]]}
        return super().draft(spoken, **more)


class NoticeRulesOut(Out):
    channels = fields.List(Choice(Channel), required=True)
    office_email = fields.String(required=True, allow_none=True)
    office_language = fields.Function(
        lambda rules: tag(rules.office_language), required=True, metadata={"type": "string"}
    )


class NoticeServiceIn(Drafted):
    """`name` names it: the same again replaces it whole, and a token or key that is left out goes. `url`: a gateway
    over HTTP, or `mailto(s)://` with `{to}` where the reader's address belongs. Of several the lowest `place` is asked
    first."""

    makes = NoticeServiceDraft
    sample = {"name": "texts", "channel": "sms", "url": "https://messages.example.org/", "token": ..., "secret": ...}
    name = Text(required=True, max=60, form=SERVICE)
    channel = Choice(Channel, required=True)
    url = Text(required=True, max=LONGEST_URL)
    place = Whole(min=1, max=LAST_PLACE)
    token = Text(data_key="bearer_token", max=LONGEST_SECRET, allow_none=True)
    secret = Text(max=LONGEST_SECRET, allow_none=True)


class NoticeServiceOut(Out):
    """`reached_at`: the scheme and the host. The address, the token and the key are never told again."""

    id = Id(required=True)
    name = fields.String(required=True)
    channel = Choice(Channel, required=True)
    place = fields.Integer(required=True)
    reached_at = fields.Function(
        reached_at, required=True, metadata={"type": "string", "examples": ["https://messages.example.org"]}
    )
    has_token = fields.Function(lambda row: row.token is not None, required=True, metadata=YES_OR_NO)
    sends_receipts = fields.Function(lambda row: row.secret is not None, required=True, metadata=YES_OR_NO)
    made_by_id = Id(required=True, allow_none=True)
    created_at = Instant(required=True)
