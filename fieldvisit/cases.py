"""Cases and the payments made on them: upserts by the sender's own ids."""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from babel.numbers import get_currency_precision, list_currencies
from sqlalchemy.orm import Session

from fieldvisit.debtors import get_debtor
from fieldvisit.drafts import (
    LONGEST_ID,
    Change,
    assign,
    check_text,
    combined,
    relation,
    told,
)
from fieldvisit.errors import InvalidValue, NotFound
from fieldvisit.models import Case, Payment
from fieldvisit.placements import PlacementDraft, call_off_visits, place_case
from fieldvisit.promises import settle_promises
from fieldvisit.vocabulary import CaseStage

CURRENCIES = frozenset(list_currencies())
LARGEST_MINOR = 10**15
LONGEST_OVERDUE = 36_500
AHEAD_OF_UTC = dt.timedelta(hours=14)
"""No calendar on earth is further ahead."""
AMBIGUOUS = "is the id of cases of several lenders"


def minor_units(amount: Decimal, currency: str, path: str = "amount") -> int:
    """``Decimal("12.50")`` EUR → 1250: whole minor units by the currency's own exponent, none lost."""
    if currency not in CURRENCIES:
        raise InvalidValue(path="currency", reason="is not a currency code such as EUR or CNY")
    minor = amount.scaleb(get_currency_precision(currency))
    if minor != minor.to_integral_value():
        raise InvalidValue(path=path, reason="has more decimals than the currency")
    if abs(minor) > LARGEST_MINOR:
        raise InvalidValue(path=path, reason="is too large")
    return int(minor)


@dataclass(frozen=True, kw_only=True)
class CaseDraft:
    """One overdue account as of a day. `debtor_id` is the sender's own id of a debtor already stored."""

    external_id: str
    debtor_id: str
    product: str
    currency: str
    principal_minor: int
    interest_minor: int
    fees_minor: int
    total_minor: int
    as_of_on: dt.date
    due_on: dt.date
    days_past_due: int
    stage: CaseStage
    reason_for_arrears: str | None = None
    placement: PlacementDraft | None = None

    def __post_init__(self) -> None:
        check_text("external_id", self.external_id, longest=LONGEST_ID)
        check_text("product", self.product, longest=LONGEST_ID)
        if self.reason_for_arrears is not None:
            check_text("reason_for_arrears", self.reason_for_arrears)
        if self.currency not in CURRENCIES:
            raise InvalidValue(path="currency", reason="is not a currency code such as EUR or CNY")
        for name in ("principal", "interest", "fees"):
            if getattr(self, f"{name}_minor") < 0:
                raise InvalidValue(path=name, reason="must not be negative")
        if self.total_minor != self.principal_minor + self.interest_minor + self.fees_minor:
            raise InvalidValue(path="total", reason="is not principal, interest and fees together")
        if self.days_past_due < 0:
            raise InvalidValue(path="days_past_due", reason="must not be negative")
        if self.days_past_due > LONGEST_OVERDUE:
            raise InvalidValue(path="days_past_due", reason="is too large")


@dataclass(frozen=True, kw_only=True)
class PaymentDraft:
    external_id: str
    case_id: str
    amount_minor: int
    currency: str
    paid_on: dt.date

    def __post_init__(self) -> None:
        check_text("external_id", self.external_id, longest=LONGEST_ID)
        if self.amount_minor <= 0:
            raise InvalidValue(path="amount", reason="must be more than nothing")


def upsert_case(session: Session, draft: CaseDraft, *, now: dt.datetime) -> tuple[Case, Change]:
    """Store the case as the draft has it, and its placement. A case that is closed by it is visited no more. Where
    nothing is owed any more, or something is again, its promises are settled.

    A draft as of an earlier day than what is stored is refused: a late file must not bring old amounts back. So is one
    as of a day to come, which would keep every true one out until then.
    """
    if draft.as_of_on > (now + AHEAD_OF_UTC).date():
        raise InvalidValue(path="as_of", reason="lies in the future")
    debtor = get_debtor(session, draft.debtor_id)
    values = _values(draft) | {"debtor_id": debtor.id}
    case = _lock_own_case(session, draft.external_id)
    owed_before = case is not None and case.total_minor > 0
    if case is None:
        case = Case(org_id=debtor.org_id, external_id=draft.external_id, **values)
        session.add(case)
        change = Change.ADDED
    else:
        _refuse_contradictions(case, draft, values)
        change = Change.CHANGED if assign(case, **values) else Change.UNCHANGED
    session.flush()
    if change is Change.CHANGED:
        if owed_before != (case.total_minor > 0):
            settle_promises(session, {case.id}, now=now)
        call_off_visits(session, now, {case.id})
    if draft.placement is None:
        return case, change
    return case, combined(change, place_case(session, case, draft.placement, now=now))


def record_payment(session: Session, draft: PaymentDraft, *, now: dt.datetime) -> tuple[Payment, Change]:
    """Store a payment on a case one may see, and settle the promises that it keeps. What is recorded never changes. One
    of a day to come is refused: it is no money yet, and would keep what was promised. An id is the sender's own: under
    the same one, another who has the case may tell of other money."""
    if draft.paid_on > (now + AHEAD_OF_UTC).date():
        raise InvalidValue(path="paid_on", reason="lies in the future")
    case = get_case(session, draft.case_id)
    if draft.currency != case.currency:
        raise InvalidValue(path="currency", reason="is not the currency of the case")
    values = {
        "case_id": case.id,
        "amount_minor": draft.amount_minor,
        "currency": draft.currency,
        "paid_on": draft.paid_on,
    }
    sender_id = session.info["org"]
    payment = _find_payment(session, case, draft.external_id, sender_id)
    if payment is None:
        payment = Payment(org_id=case.org_id, made_by_id=sender_id, external_id=draft.external_id, **values)
        session.add(payment)
        session.flush()
        settle_promises(session, [case.id], now=now)
        return payment, Change.ADDED
    if any(getattr(payment, name) != value for name, value in values.items()):
        raise InvalidValue(path="payment_id", reason="is recorded already, with different values")
    return payment, Change.UNCHANGED


def _lock_own_case(session: Session, external_id: str) -> Case | None:
    """Under lock, as it is stored now: of two who tell of it at once the second is held against what the first told."""
    return session.scalar(
        sa.select(Case)
        .where(Case.org_id == session.info["org"], Case.external_id == external_id)
        # Whoever only refers to the case, a visit or a payment, need not wait.
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )


def _find_payment(session: Session, case: Case, external_id: str, sender_id: uuid.UUID) -> Payment | None:
    """What this sender told of under the id. Where nobody knows any more who did, it was they if it is of this case. To
    the lender no such id is free: all of them were ids of its books."""
    theirs = sa.true() if sender_id == case.org_id else Payment.case_id == case.id
    whose = sa.or_(Payment.made_by_id == sender_id, sa.and_(Payment.made_by_id.is_(None), theirs))
    rows = sa.select(Payment).where(Payment.org_id == case.org_id, Payment.external_id == external_id, whose)
    return session.scalars(rows.order_by(Payment.made_by_id.nulls_last()).limit(1)).first()


def get_case(session: Session, external_id: str) -> Case:
    """The case with this id that may be seen: one's own, or one placed with the acting organisation."""
    found = find_cases(session, [external_id])[external_id]
    if not found:
        raise NotFound(what="case", id=external_id)
    if len(found) > 1:
        raise InvalidValue(path="case_id", reason=AMBIGUOUS)
    return found[0]


def find_cases(session: Session, external_ids: Iterable[str]) -> dict[str, list[Case]]:
    """For each id the cases that may be seen: one's own alone where there is one, else each lender's that placed it."""
    org_id = session.info["org"]
    found: dict[str, list[Case]] = {external_id: [] for external_id in external_ids}
    asked = relation([(external_id,) for external_id in found], [Case.external_id])
    rows = session.scalars(
        sa.select(Case)
        .join(asked, Case.external_id == asked.c.external_id)
        .order_by((Case.org_id == org_id).desc(), Case.id)
    )
    for case in rows:
        known = found[case.external_id]
        if not known or known[0].org_id != org_id:
            known.append(case)
    return found


def _values(draft: CaseDraft) -> dict[str, object]:
    return {
        "product": draft.product,
        "currency": draft.currency,
        "principal_minor": draft.principal_minor,
        "interest_minor": draft.interest_minor,
        "fees_minor": draft.fees_minor,
        "total_minor": draft.total_minor,
        "as_of_on": draft.as_of_on,
        "due_on": draft.due_on,
        "days_past_due": draft.days_past_due,
        "stage": draft.stage,
    } | told(reason_for_arrears=draft.reason_for_arrears)


def _refuse_contradictions(case: Case, draft: CaseDraft, values: dict[str, object]) -> None:
    if draft.as_of_on < case.as_of_on:
        raise InvalidValue(path="as_of", reason="is earlier than what is stored of this case")
    # Visits, attempts and placements name case and debtor together.
    if values["debtor_id"] != case.debtor_id:
        raise InvalidValue(path="debtor_id", reason="is not the debtor this case is stored with")
