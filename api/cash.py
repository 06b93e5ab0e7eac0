"""Money at the door: receipt numbers, cash in hand, what was handed in, and the close of the day."""

import uuid
from typing import Any

import sqlalchemy as sa

from api.auth import actor, visitor_id
from api.context import now
from api.db import session
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.paging import Keyset
from api.roles import Permission
from api.schemas.cash import (
    CashClosingIn,
    CashClosingOut,
    CashDayOut,
    CashDayQueryIn,
    CountIn,
    DepositIn,
    DepositOut,
    DepositsQueryIn,
    MoneyReceiptOut,
    MyCashOut,
    ReasonIn,
    ReceiptBlockOut,
    ReceiptsQueryIn,
    VoidIn,
)
from api.showing import Shows
from fieldvisit import cash_days, receipts
from fieldvisit.cash_days import CashDay, DepositDraft
from fieldvisit.field_rules import field_rules
from fieldvisit.models import CashClosing, CashDeposit, Receipt, ReceiptBlock
from fieldvisit.receipts import VoidDraft

bp = Blueprint("cash", __name__, description=__doc__)


@bp.get("/phone/cash")
@endpoint(may=Permission.USE_PHONE, returns=MyCashOut())
def read_my_cash() -> dict[str, Any]:
    """What one has in hand, and the numbers that one may give out."""
    mine = [each for each in cash_days.in_hand_now(session(), now=now()) if each.visitor_id == visitor_id()]
    blocks = receipts.blocks_held(session(), visitor_id())
    return {"may_take_money": field_rules(session()).may_take_money, "people": mine, "blocks": blocks}


@bp.post("/phone/receipt-blocks")
@endpoint(may=Permission.USE_PHONE, returns=ReceiptBlockOut(), status=201)
def hand_receipt_block() -> ReceiptBlock:
    """The block of numbers that this phone gives receipts from, with or without signal; the next one once half of the
    numbers are used."""
    return receipts.hand_block(session(), visitor_id(), actor().device_id, now=now())


@bp.post("/phone/receipts/void")
@endpoint(may=Permission.USE_PHONE, body=VoidIn(), returns=MoneyReceiptOut(), status=201)
def void_receipt(body: VoidDraft) -> Receipt:
    """Say that a number was spoilt, so that none is missing."""
    return receipts.void_number(session(), body, visitor_id=visitor_id(), now=now())


@bp.post("/phone/cash-deposits")
@endpoint(may=Permission.USE_PHONE, body=DepositIn(), returns=DepositOut(), status=201)
def state_cash_deposit(body: DepositDraft) -> CashDeposit:
    """Say that money was handed in. It stays in one's hand until somebody else has counted it."""
    return cash_days.state_deposit(session(), body, visitor_id=visitor_id(), now=now())


@bp.get("/receipts")
@endpoint(
    may=Permission.READ_CASH,
    query=ReceiptsQueryIn(),
    returns=MoneyReceiptOut(),
    order=Keyset(Receipt.taken_at, Receipt.id, descending=True),
    shows=Shows.WORK,
)
def list_receipts(query: dict[str, Any]) -> sa.Select[Receipt]:
    """Receipts and spoilt numbers, the newest first."""
    return receipts.receipts_where(**query)


@bp.post("/receipt-blocks/<uuid:receipt_block_id>/closing")
@endpoint(may=Permission.RECONCILE_CASH, body=ReasonIn(), returns=ReceiptBlockOut())
def close_receipt_block(receipt_block_id: uuid.UUID, body: dict[str, str]) -> ReceiptBlock:
    """Take the rest of a block out of use: a phone was lost, or a visitor leaves."""
    return receipts.close_block(session(), receipt_block_id, reason=body["reason"], by=actor().account_id, now=now())


@bp.get("/cash-deposits")
@endpoint(
    may=Permission.READ_CASH,
    query=DepositsQueryIn(),
    returns=DepositOut(),
    order=Keyset(CashDeposit.deposited_at, CashDeposit.id, descending=True),
)
def list_cash_deposits(query: dict[str, Any]) -> sa.Select[CashDeposit]:
    """What visitors say to have handed in, the newest first."""
    return cash_days.deposits_where(**query)


@bp.post("/cash-deposits/<uuid:deposit_id>/confirmation")
@endpoint(may=Permission.COUNT_CASH, body=CountIn(), returns=DepositOut())
def confirm_cash_deposit(deposit_id: uuid.UUID, body: dict[str, int]) -> CashDeposit:
    """Say what was counted: so much leaves the visitor's hand."""
    return cash_days.confirm_deposit(
        session(), deposit_id, counted_minor=body["counted_minor"], by=actor().account_id, now=now()
    )


@bp.post("/cash-deposits/<uuid:deposit_id>/refusal")
@endpoint(may=Permission.COUNT_CASH, body=ReasonIn(), returns=DepositOut())
def refuse_cash_deposit(deposit_id: uuid.UUID, body: dict[str, str]) -> CashDeposit:
    """Say that it did not come, and why one thinks so."""
    return cash_days.refuse_deposit(session(), deposit_id, reason=body["reason"], by=actor().account_id, now=now())


@bp.get("/cash-days")
@endpoint(may=Permission.READ_CASH, query=CashDayQueryIn(), returns=CashDayOut())
def read_cash_day(query: dict[str, Any]) -> CashDay:
    """The money and the receipt numbers of a day, and what is open of them."""
    return cash_days.cash_day(session(), query["on"], now=now())


@bp.post("/cash-days/closing")
@endpoint(may=Permission.RECONCILE_CASH, body=CashClosingIn(), returns=CashClosingOut(), status=201)
def close_cash_day(body: dict[str, Any]) -> CashClosing:
    """Reconcile a day: it is kept as it stands, and what is heard of it later counts for the day it is heard on."""
    return cash_days.close_day(session(), body["on"], reason=body["reason"], by=actor().account_id, now=now())
