"""Promises, repayment plans, and money taken at the door."""

from enum import StrEnum


class PromiseState(StrEnum):
    OPEN = "open"
    KEPT = "kept"
    PARTLY_KEPT = "partly_kept"
    BROKEN = "broken"


class RepaymentState(StrEnum):
    """Where a repayment plan stands. Once somebody else has approved it, it runs, and what is paid settles it."""

    PROPOSED = "proposed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    RUNNING = "running"
    KEPT = "kept"
    PARTLY_KEPT = "partly_kept"
    BROKEN = "broken"


class PaymentMethod(StrEnum):
    TRANSFER = "transfer"
    DIRECT_DEBIT = "direct_debit"
    CARD = "card"
    MOBILE = "mobile"
    BRANCH = "branch"


class ReceiptState(StrEnum):
    """Of a receipt's number: given out for money, or spoilt."""

    ISSUED = "issued"
    VOID = "void"


class ReceiptFlaw(StrEnum):
    """What is wrong with money that was taken at a door. It was taken all the same, and counts."""

    NOT_ALLOWED = "not_allowed"
    NO_NUMBER = "no_number"
    NOT_YOURS = "not_yours"
    USED_BEFORE = "used_before"
    OTHER_CURRENCY = "other_currency"
    BLOCK_CLOSED = "block_closed"


class DepositWay(StrEnum):
    OFFICE = "office"
    BANK = "bank"


class DepositState(StrEnum):
    """Of money that a visitor says to have handed in: somebody else counts it."""

    STATED = "stated"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


class CashFault(StrEnum):
    """What keeps a day from being closed without a reason."""

    NUMBER_SKIPPED = "number_skipped"
    DEPOSIT_UNCOUNTED = "deposit_uncounted"
    CASH_IN_HAND = "cash_in_hand"
    RECEIPT_FLAWED = "receipt_flawed"
    MONEY_HELD = "money_held"
