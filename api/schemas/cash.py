"""Money at the door, on the wire."""

from typing import Any

from marshmallow import fields

from api.schemas.base import Drafted, In, Out, PageIn
from api.schemas.fields import Choice, Currency, Day, Flag, FlagInQuery, Id, Instant, Text, Whole
from api.schemas.words import Words
from fieldvisit.cases import LARGEST_MINOR
from fieldvisit.cash_days import DepositDraft
from fieldvisit.receipts import STATED, VoidDraft, written
from fieldvisit.vocabulary import CashFault, DepositState, DepositWay, ReceiptFlaw, ReceiptState


def _number(example: str) -> dict[str, Any]:
    return {"type": "string", "examples": [example]}


class ReceiptBlockOut(Out):
    """The numbers from `first` to `last`, as they stand on the receipt."""

    sample = {"closed_at": None, "close_reason": None}

    id = Id(required=True)
    visitor_id = Id(required=True)
    device_id = Id(required=True, allow_none=True)
    first = fields.Function(lambda block: written(block.first_number), required=True, metadata=_number("R-000041"))
    last = fields.Function(lambda block: written(block.last_number), required=True, metadata=_number("R-000090"))
    first_number = fields.Integer(required=True)
    last_number = fields.Integer(required=True)
    issued_at = Instant(required=True)
    closed_at = Instant(required=True, allow_none=True)
    close_reason = fields.String(required=True, allow_none=True)


class ReceiptsQueryIn(PageIn):
    visitor_id = Id()
    booked_on = Day()
    flawed = FlagInQuery()


class MoneyReceiptOut(Out):
    """`number` null: what was `stated` is no number that the visitor could give out.
    `booked_on`: the day it counts for."""

    id = Id(required=True)
    number = fields.Integer(required=True, allow_none=True)
    stated = fields.String(required=True, allow_none=True)
    state = Choice(ReceiptState, required=True)
    state_words = Words(required=True, of="state")
    visitor_id = Id(required=True)
    visit_id = Id(required=True, allow_none=True)
    amount_minor = fields.Integer(required=True)
    currency = fields.String(required=True, allow_none=True)
    taken_at = Instant(required=True)
    booked_on = Day(required=True)
    flaws = fields.List(Choice(ReceiptFlaw), required=True)
    reason = fields.String(required=True, allow_none=True)
    recorded_at = Instant(required=True)


class VoidIn(Drafted):
    """A number that was spoilt. `event_id` is the phone's: told again it changes nothing."""

    makes = VoidDraft
    event_id = Id(required=True)
    number = Text(required=True, form=STATED.pattern, metadata={"examples": ["R-000042"]})
    reason = Text(required=True)


class DepositIn(Drafted):
    """Money that was handed in. `event_id` is the phone's: told again it changes nothing."""

    makes = DepositDraft
    event_id = Id(required=True)
    amount_minor = Whole(required=True, min=1, max=LARGEST_MINOR)
    currency = Currency(required=True)
    way = Choice(DepositWay, required=True)
    deposited_at = Instant(required=True)
    reference = Text(max=100, allow_none=True)


class DepositsQueryIn(PageIn):
    state = Choice(DepositState)
    visitor_id = Id()


class DepositOut(Out):
    """`counted_minor`: what was found; the rest stays in the visitor's hand."""

    id = Id(required=True)
    visitor_id = Id(required=True)
    amount_minor = fields.Integer(required=True)
    currency = fields.String(required=True)
    way = Choice(DepositWay, required=True)
    way_words = Words(required=True, of="way")
    reference = fields.String(required=True, allow_none=True)
    deposited_at = Instant(required=True)
    state = Choice(DepositState, required=True)
    state_words = Words(required=True, of="state")
    counted_minor = fields.Integer(required=True, allow_none=True)
    booked_on = Day(required=True, allow_none=True)
    decided_by_id = Id(required=True, allow_none=True)
    decided_at = Instant(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)


class CountIn(In):
    counted_minor = Whole(required=True, max=LARGEST_MINOR)


class ReasonIn(In):
    reason = Text(required=True)


class CashDayQueryIn(In):
    on = Day(load_default=None, metadata={"description": "today where it is left out"})


class InHandOut(Out):
    """`stated_minor`: said to be handed in, not counted yet. `in_hand_minor`: at the end of the day."""

    visitor_id = Id(required=True)
    currency = fields.String(required=True)
    brought_minor = fields.Integer(required=True)
    taken_minor = fields.Integer(required=True)
    counted_minor = fields.Integer(required=True)
    stated_minor = fields.Integer(required=True)
    in_hand_minor = fields.Integer(required=True)
    over_limit = Flag(required=True)


class BlockStandingOut(Out):
    """`skipped`: numbers that were neither given out nor spoilt, though a later one was."""

    block_id = Id(required=True)
    visitor_id = Id(required=True)
    first_number = fields.Integer(required=True)
    last_number = fields.Integer(required=True)
    issued = fields.Integer(required=True)
    void = fields.Integer(required=True)
    left = fields.Integer(required=True)
    skipped = fields.List(fields.Integer(), required=True)
    closed = Flag(required=True)


class CashDayOut(Out):
    """`faults`: what stands in the way of closing the day without a reason. `flawed`: receipts of the day with which
    something is wrong. `held`: held events of the day, or of one before, that tell of money; it counts once they are
    taken."""

    on = Day(required=True)
    closed = Flag(required=True)
    people = fields.List(fields.Nested(InHandOut), required=True)
    blocks = fields.List(fields.Nested(BlockStandingOut), required=True)
    flawed = fields.List(Id(), required=True)
    held = fields.List(Id(), required=True)
    faults = fields.List(Choice(CashFault), required=True)


class CashClosingIn(In):
    """`reason`: needed where the day has faults."""

    on = Day(required=True)
    reason = Text(allow_none=True, load_default=None)


class CashClosingOut(Out):
    closed_on = Day(required=True)
    faults = fields.List(Choice(CashFault), required=True)
    reason = fields.String(required=True, allow_none=True)
    closed_by_id = Id(required=True)
    closed_at = Instant(required=True)
    content = fields.Dict(required=True)


class MyCashOut(Out):
    """What a visitor has in hand, and the blocks of numbers that their phones give receipts from."""

    may_take_money = Flag(required=True)
    people = fields.List(fields.Nested(InHandOut), required=True, data_key="in_hand")
    blocks = fields.List(fields.Nested(ReceiptBlockOut), required=True)
