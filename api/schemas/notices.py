"""Notices and their templates on the wire."""

from typing import Any

from marshmallow import fields, post_load

from api.schemas.base import Drafted, In, Out, PageIn
from api.schemas.fields import Choice, Day, Id, Instant, OuterId, Part, Text
from api.schemas.forms_in_words import TEMPLATE
from api.schemas.words import Several, Words
from fieldvisit.compliance.parameters import NoticeAbout, NoticeContent, NoticeForm
from fieldvisit.languages import LANGUAGES, tag
from fieldvisit.notices.due import DueKind
from fieldvisit.notices.filing import GivenDraft, NoticeDraft
from fieldvisit.notices.receipts import Arrival, HandOver, Receipt
from fieldvisit.notices.templates import LONGEST_PASSAGE, LONGEST_SUBJECT, Passage, TemplateDraft
from fieldvisit.vocabulary import Channel, NoticeState

TAGS = {tag(language): language for language in LANGUAGES}
MOST_PASSAGES = 50


class PassageIn(In):
    """`names`: the thing of a policy's list that this passage names, where it is there for one."""

    text = Text(required=True, max=LONGEST_PASSAGE)
    names = Choice(NoticeContent, load_default=None, allow_none=True)

    @post_load
    def passage(self, data: dict[str, Any], **_: Any) -> Passage:
        return Passage(**data)


class NoticeTemplateIn(Drafted):
    """The next version of the template with this code. `policies` left out: it is for every policy of one's own."""

    makes = TemplateDraft
    sample = {
        "about": "visit",
        "channel": "sms",
        "code": "visit-sms",
        "passages": [{"text": "{organisation} {date} {from_time} {until_time}"}],
    }
    code = Text(required=True, max=60, form=TEMPLATE)
    about = Choice(NoticeAbout, required=True)
    channel = Choice(Channel, required=True)
    language = Text(required=True, max=5, form="|".join(TAGS))
    subject = Text(max=LONGEST_SUBJECT, allow_none=True)
    passages = Several(Part(PassageIn), required=True, min=1, max=MOST_PASSAGES)
    policies = Several(Text(max=100), max=50)

    @post_load
    def draft(self, data: dict[str, Any], **more: Any) -> Any:
        return super().draft(data | {"language": TAGS[data["language"]]}, **more)


class PassageOut(Out):
    text = fields.String(required=True)
    names = fields.String(required=True, allow_none=True)


class NoticeTemplateOut(Out):
    id = Id(required=True)
    code = fields.String(required=True)
    version = fields.Integer(required=True)
    about = Choice(NoticeAbout, required=True)
    channel = Choice(Channel, required=True)
    language = fields.Function(lambda row: tag(row.language), required=True, metadata={"type": "string"})
    subject = fields.String(required=True, allow_none=True)
    passages = fields.List(fields.Nested(PassageOut), required=True)
    contents = fields.List(fields.String(), required=True)
    policies = fields.List(fields.String(), required=True)
    created_at = Instant(required=True)
    withdrawn_at = Instant(required=True, allow_none=True)


class TemplatesQueryIn(PageIn):
    about = Choice(NoticeAbout)


class NoticeIn(Drafted):
    """A notice to be sent: of a visit (with the hours in which somebody will come), or of a case."""

    makes = NoticeDraft
    about = Choice(NoticeAbout, required=True)
    case_id = Id(allow_none=True)
    visit_id = Id(allow_none=True)
    announced_from = Instant(allow_none=True)
    announced_until = Instant(allow_none=True)
    template = Text(max=60, allow_none=True)
    channel = Choice(Channel, allow_none=True)
    agency = Text(max=40, allow_none=True)


class GivenNoticeIn(Drafted):
    """A notice that was given outside of the product. `contents`: what it named."""

    makes = GivenDraft
    about = Choice(NoticeAbout, required=True)
    channel = Choice(Channel, required=True)
    sent_at = Instant(required=True)
    case_id = Id(allow_none=True)
    visit_id = Id(allow_none=True)
    announced_from = Instant(allow_none=True)
    announced_until = Instant(allow_none=True)
    received_at = Instant(allow_none=True)
    contents = Several(Choice(NoticeContent), max=len(NoticeContent))
    agency = Text(max=40, allow_none=True)
    external_id = OuterId(allow_none=True)
    evidence = Text(max=500, allow_none=True)


class NoticeOut(Out):
    """`sent_at`: accepted by a provider, or handed over; `delivered_at`: by receipt. `attempts` above 1: it may have
    been received twice, always under the same id."""

    id = Id(required=True)
    about = Choice(NoticeAbout, required=True)
    about_words = Words(required=True, of="about")
    case_id = Id(required=True)
    visit_id = Id(required=True, allow_none=True)
    sender_id = Id(required=True)
    agency_id = Id(required=True, allow_none=True)
    channel = Choice(Channel, required=True)
    form = Choice(NoticeForm, required=True)
    language = fields.Function(lambda row: tag(row.language), required=True, metadata={"type": "string"})
    template_id = Id(required=True, allow_none=True)
    contents = fields.List(fields.String(), required=True)
    announced_from = Instant(required=True, allow_none=True)
    announced_until = Instant(required=True, allow_none=True)
    due_on = Day(required=True, allow_none=True)
    external_id = fields.String(required=True, allow_none=True)
    state = Choice(NoticeState, required=True)
    state_words = Words(required=True, of="state")
    reason = fields.String(required=True, allow_none=True)
    attempts = fields.Integer(required=True)
    created_at = Instant(required=True)
    next_try_at = Instant(required=True, allow_none=True)
    provider = fields.String(required=True, allow_none=True)
    provider_id = fields.String(required=True, allow_none=True)
    error = fields.String(required=True, allow_none=True)
    sent_at = Instant(required=True, allow_none=True)
    delivered_at = Instant(required=True, allow_none=True)
    called_off_at = Instant(required=True, allow_none=True)


class NoticeTryOut(Out):
    """One handing over. Without `ended_at` nobody knows what came of it: it may have been sent."""

    number = fields.Integer(required=True)
    begun_at = Instant(required=True)
    ended_at = Instant(required=True, allow_none=True)
    provider = fields.String(required=True, allow_none=True)
    provider_id = fields.String(required=True, allow_none=True)
    error = fields.String(required=True, allow_none=True)


class NoticeReceiptOut(Out):
    kind = Choice(NoticeState, required=True)
    at = Instant(required=True)
    provider = fields.String(required=True, allow_none=True)
    provider_id = fields.String(required=True, allow_none=True)
    recorded_by_id = Id(required=True, allow_none=True)
    evidence = fields.String(required=True, allow_none=True)


class NoticeFileOut(NoticeOut):
    """The notice with its very words and its proof: every try to send it, and all that was heard of it."""

    subject = fields.String(required=True, allow_none=True)
    body = fields.String(required=True, allow_none=True)
    evidence = fields.String(required=True, allow_none=True)
    tries = fields.List(fields.Nested(NoticeTryOut), required=True)
    receipts = fields.List(fields.Nested(NoticeReceiptOut), required=True)


class NoticesQueryIn(PageIn):
    case_id = Id()
    visit_id = Id()
    state = Choice(NoticeState)


class DueOut(Out):
    kind = Choice(DueKind, required=True)
    about = Choice(NoticeAbout, required=True)
    visit_id = Id(required=True, allow_none=True)
    reference = fields.String(required=True, allow_none=True)
    notice_id = Id(required=True, allow_none=True)
    begins_at = Instant(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)


class DueListOut(Out):
    """Everything that waits for a person; visits that were not announced first, by their hour."""

    items = fields.List(fields.Nested(DueOut), required=True)


class HandOverIn(Drafted):
    """`evidence`: what there is to show for it, the number of a registered letter say."""

    makes = HandOver
    at = Instant(required=True)
    evidence = Text(max=500, allow_none=True)


class NoticeArrivalIn(Drafted):
    """`kind`: delivered, or undeliverable for what came back."""

    makes = Arrival
    at = Instant(required=True)
    kind = Choice(NoticeState, load_default=NoticeState.DELIVERED)
    evidence = Text(max=500, allow_none=True)


class NoticeReceiptIn(In):
    """`provider_id`: which handing over it is about, where the provider tells."""

    sample = {"kind": "delivered", "provider_id": ...}

    id = Id(required=True)
    kind = Text(required=True, max=20, form="delivered|undeliverable")
    provider_id = Text(max=200, load_default=None, allow_none=True)

    @post_load
    def receipt(self, data: dict[str, Any], **_: Any) -> Receipt:
        return Receipt(notice_id=data["id"], kind=NoticeState(data["kind"]), provider_id=data["provider_id"])
