"""Reports on the wire, as the phone sends them and as the office reads them."""

from marshmallow import fields

from api.schemas.base import Drafted, Out
from api.schemas.fields import Choice, Currency, Day, Flag, Id, Instant, Part, Text, Whole
from api.schemas.words import Several, Words
from fieldvisit.cases import LARGEST_MINOR
from fieldvisit.report_drafts import LONGEST_NOTE, Met, PromiseDraft, ReportDraft
from fieldvisit.vocabulary import AbortReason, NextStep, PaymentMethod, PromiseState, VisitOutcome

MOST_PROMISES = 24


class PromiseIn(Drafted):
    """In the currency of the case, due after the day of the visit."""

    makes = PromiseDraft
    amount_minor = Whole(required=True, min=1, max=LARGEST_MINOR)
    currency = Currency(required=True)
    due_on = Day(required=True)
    method = Choice(PaymentMethod, required=True)


class ReportIn(Drafted):
    """`id` is the phone's: the same report again gets the same answer.

    `met_debtor` needs `willing` and `next_step`; `refused` needs `next_step`; `moved`, `unsafe` and `not_reached` need
    `note`; `aborted` needs `abort_reason`. `aborted` and `unsafe` may say whom one `met`. `disclosed`, and promises,
    need a confirmed identity check.
    """

    makes = ReportDraft
    event_id = Id(required=True, data_key="id")
    device_at = Instant(allow_none=True)
    sent_at = Instant(allow_none=True)
    battery_percent = Whole(max=100, allow_none=True)
    outcome = Choice(VisitOutcome, required=True)
    left_at = Instant(required=True)
    disclosed = Flag(load_default=False)
    willing = Flag(allow_none=True)
    able = Flag(allow_none=True)
    reason_for_arrears = Text(max=LONGEST_NOTE, allow_none=True)
    hardship = Flag(load_default=False)
    vulnerable = Flag(load_default=False)
    disputed = Flag(load_default=False)
    note = Text(max=LONGEST_NOTE, allow_none=True)
    next_step = Choice(NextStep, allow_none=True)
    abort_reason = Choice(AbortReason, allow_none=True)
    met = Choice(Met, allow_none=True)
    promises = Several(Part(PromiseIn), max=MOST_PROMISES, load_default=())


class PromiseOut(Out):
    id = Id(required=True)
    amount_minor = fields.Integer(required=True)
    currency = fields.String(required=True)
    due_on = Day(required=True)
    method = Choice(PaymentMethod, required=True)
    state = Choice(PromiseState, required=True)


class AdditionOut(Out):
    id = Id(required=True)
    visitor_id = Id(required=True, allow_none=True)
    text = fields.String(required=True)
    recorded_at = Instant(required=True)


class ReportOut(Out):
    id = Id(required=True)
    visit_id = Id(required=True)
    visitor_id = Id(required=True)
    outcome = Choice(VisitOutcome, required=True)
    outcome_words = Words(required=True, of="outcome")
    left_at = Instant(required=True)
    disclosed = Flag(required=True)
    willing = Flag(required=True, allow_none=True)
    able = Flag(required=True, allow_none=True)
    reason_for_arrears = fields.String(required=True, allow_none=True)
    hardship = Flag(required=True)
    vulnerable = Flag(required=True)
    disputed = Flag(required=True)
    abort_reason = Choice(AbortReason, required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)
    next_step = Choice(NextStep, required=True, allow_none=True)
    after_cancellation = Flag(required=True, metadata={"description": "the visit was cancelled before this was told"})
    promises = fields.List(fields.Nested(PromiseOut), required=True)
    additions = fields.List(fields.Nested(AdditionOut), required=True)
    recorded_at = Instant(required=True)
