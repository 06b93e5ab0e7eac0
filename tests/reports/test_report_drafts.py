"""What may be said of a visit, and which contact each outcome is."""

import datetime as dt
from typing import Any

import pytest

from fieldvisit.errors import InvalidValue
from fieldvisit.report_drafts import OUTCOMES, PromiseDraft, ReportContradicts, ReportIncomplete
from fieldvisit.vocabulary import AbortReason, AttemptResult, PaymentMethod, ReachedDetail, VisitOutcome
from tests.phone.worlds import report
from tests.worlds import TODAY

V, R, D = VisitOutcome, AttemptResult, ReachedDetail


def promise(**given: Any) -> PromiseDraft:
    due_on = TODAY + dt.timedelta(days=7)
    values = {"amount_minor": 5_000, "currency": "EUR", "due_on": due_on, "method": PaymentMethod.TRANSFER}
    return PromiseDraft(**(values | given))


@pytest.mark.parametrize(
    ("outcome", "result", "detail"),
    [
        (V.MET_DEBTOR, R.REACHED, D.TALKED),
        (V.REFUSED, R.REACHED, D.OTHER),
        (V.ASKED_TO_LEAVE, R.REACHED, D.ASKED_TO_STOP),
        (V.MET_OTHER, R.THIRD_PARTY, None),
        (V.NOBODY, R.NOBODY_HOME, None),
        (V.MOVED, R.WRONG_PERSON, None),
        (V.UNSAFE, R.NOBODY_HOME, None),
        (V.NOT_REACHED, R.NOBODY_HOME, None),
    ],
)
def test_each_outcome_is_one_kind_of_contact(
    outcome: VisitOutcome, result: AttemptResult, detail: ReachedDetail | None
) -> None:
    contact = report(outcome).contact
    assert (contact.result, contact.detail) == (result, detail)


@pytest.mark.parametrize(
    ("reason", "result", "detail"),
    [
        (AbortReason.SAFETY, R.NOBODY_HOME, None),
        (AbortReason.OTHER, R.NOBODY_HOME, None),
        (AbortReason.ASKED_TO_LEAVE, R.REACHED, D.ASKED_TO_STOP),
        (AbortReason.DISTRESS, R.REACHED, D.OTHER),
        (AbortReason.WRONG_PERSON, R.WRONG_PERSON, None),
        (AbortReason.MINOR_ALONE, R.THIRD_PARTY, None),
    ],
)
def test_each_reason_to_abort_is_one_kind_of_contact(
    reason: AbortReason, result: AttemptResult, detail: ReachedDetail | None
) -> None:
    contact = report(V.ABORTED, abort_reason=reason).contact
    assert (contact.result, contact.detail) == (result, detail)


def test_every_outcome_has_its_terms() -> None:
    assert set(OUTCOMES) == set(VisitOutcome)


@pytest.mark.parametrize(
    ("outcome", "left_out"),
    [
        (V.MET_DEBTOR, "willing"),
        (V.MET_DEBTOR, "next_step"),
        (V.REFUSED, "next_step"),
        (V.MOVED, "note"),
        (V.UNSAFE, "note"),
        (V.NOT_REACHED, "note"),
        (V.ABORTED, "abort_reason"),
    ],
)
def test_what_an_outcome_needs_must_be_said(outcome: VisitOutcome, left_out: str) -> None:
    with pytest.raises(ReportIncomplete) as refused:
        report(outcome, **{left_out: None})
    assert refused.value.details == {"outcome": outcome, "missing": left_out}


@pytest.mark.parametrize(
    ("outcome", "field", "value"),
    [
        (V.NOBODY, "disclosed", True),
        (V.MET_OTHER, "disclosed", True),
        (V.MOVED, "willing", True),
        (V.NOBODY, "disputed", True),
        (V.MET_OTHER, "reason_for_arrears", "ill"),
        (V.REFUSED, "promises", (promise(),)),
        (V.NOBODY, "abort_reason", AbortReason.SAFETY),
    ],
)
def test_what_cannot_have_happened_is_refused(outcome: VisitOutcome, field: str, value: Any) -> None:
    with pytest.raises(ReportContradicts) as refused:
        report(outcome, **{field: value})
    assert refused.value.details == {"outcome": outcome, "fields": field}


def test_a_promise_of_nothing_is_none() -> None:
    with pytest.raises(InvalidValue, match="amount_minor"):
        promise(amount_minor=0)
