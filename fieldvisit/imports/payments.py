"""Money received on cases."""

from datetime import datetime

from sqlalchemy.orm import Session

from fieldvisit.cases import PaymentDraft, minor_units, record_payment
from fieldvisit.drafts import Change
from fieldvisit.imports.columns import Column, Origin, date, decimal, identifier, text
from fieldvisit.imports.readers import Reader, Values, one_by_one

COLUMNS = (
    Column(name="payment_id", read=identifier, aliases=("还款编号", "流水号")),
    Column(name="case_id", read=identifier, aliases=("案件编号", "案件号")),
    Column(name="amount", read=decimal, aliases=("金额", "还款金额")),
    Column(name="currency", read=text, aliases=("币种", "货币")),
    Column(name="paid_on", read=date, aliases=("还款日期",)),
)


def draft(values: Values, origin: Origin) -> PaymentDraft:
    currency = values["currency"].upper()
    return PaymentDraft(
        external_id=values["payment_id"],
        case_id=values["case_id"],
        amount_minor=minor_units(values["amount"], currency),
        currency=currency,
        paid_on=values["paid_on"],
    )


def _store(session: Session, draft: PaymentDraft, now: datetime) -> Change:
    return record_payment(session, draft, now=now)[1]


READER = Reader(
    kind="payments",
    summary="Money received on cases.",
    columns=COLUMNS,
    draft=draft,
    store=one_by_one(_store),
    key=("payment_id",),
)
