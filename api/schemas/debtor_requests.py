"""What debtors ask about their own data, on the wire; and the proofs of purging."""

from marshmallow import fields

from api.schemas.base import Drafted, Out, PageIn
from api.schemas.fields import Choice, Flag, Id, Instant, Part, Text
from api.schemas.words import Words
from fieldvisit.debtor_requests import LONGEST_WORDS, AnswerDraft, Correction, RequestDraft
from fieldvisit.vocabulary import DebtorRequestKind, DebtorRequestState


class DebtorRequestIn(Drafted):
    """`received_at`: when the debtor asked. `words`: what was asked, as it was asked."""

    makes = RequestDraft
    debtor_id = Id(required=True)
    kind = Choice(DebtorRequestKind, required=True)
    received_at = Instant(required=True)
    words = Text(max=LONGEST_WORDS, allow_none=True)


class CorrectionIn(Drafted):
    """What is right instead; what is left out stays."""

    makes = Correction
    name = Text(allow_none=True)
    national_id = Text(max=100, allow_none=True)
    language = Text(max=35, allow_none=True)


class DebtorAnswerIn(Drafted):
    """`words`: what was done, or why not, with its clause. `correction`: of a correction that is granted."""

    makes = AnswerDraft
    granted = Flag(required=True)
    words = Text(required=True, max=LONGEST_WORDS)
    correction = Part(CorrectionIn, allow_none=True)


class DebtorRequestsQueryIn(PageIn):
    debtor_id = Id(load_default=None)
    state = Choice(DebtorRequestState, load_default=None)


class DebtorRequestOut(Out):
    id = Id(required=True)
    debtor_id = Id(required=True)
    kind = Choice(DebtorRequestKind, required=True)
    kind_words = Words(required=True, of="kind")
    state = Choice(DebtorRequestState, required=True)
    words = fields.String(required=True, allow_none=True)
    received_at = Instant(required=True)
    recorded_by_id = Id(required=True)
    answered_at = Instant(required=True, allow_none=True)
    answered_by_id = Id(required=True, allow_none=True)
    answer = fields.String(required=True, allow_none=True)


class DebtorExportOut(Out):
    """`content` names everything by the columns in which it is kept; `sha256` is of it in canonical JSON."""

    content = fields.Dict(required=True)
    sha256 = fields.String(required=True)


class PurgeOut(Out):
    """One run. `records` went, by kind; `rows`, by table; `left_as`: what was looked at and stayed, by why."""

    id = Id(required=True)
    made_by = fields.String(required=True)
    reason = fields.String(required=True)
    started_at = Instant(required=True)
    finished_at = Instant(required=True, allow_none=True, metadata={"description": "null: it runs, or was cut short"})
    policies = fields.List(fields.List(fields.Raw()), required=True, metadata={"examples": [[["house/northern", 1]]]})
    records = fields.Dict(required=True)
    rows = fields.Dict(required=True)
    left_as = fields.Dict(required=True)
    ids_sha256 = fields.String(required=True)
