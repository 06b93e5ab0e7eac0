"""What may be said of a visit, and which contact each outcome is."""

import datetime as dt
from typing import Any

import pytest

from fieldvisit.errors import InvalidValue
from fieldvisit.report_drafts import (
    OUTCOMES,
    Contact,
    ContactChange,
    Met,
    PromiseDraft,
    ReportContradicts,
    ReportIncomplete,
)
from fieldvisit.vocabulary import (
    AbortReason,
    AttemptResult,
    ContactPointKind,
    PaymentMethod,
    ReachedDetail,
    VisitOutcome,
)
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
        (V.NOT_REACHED, R.NOBODY_HOME, None),
    ],
)
def test_each_outcome_is_one_kind_of_contact(
    outcome: VisitOutcome, result: AttemptResult, detail: ReachedDetail | None
) -> None:
    contact = report(outcome).contact(seen=Met.OTHER)
    assert (contact.result, contact.detail) == (result, detail)


A = AbortReason
NOBODY_HOME, THIRD_PARTY, REACHED = (R.NOBODY_HOME, None), (R.THIRD_PARTY, None), (R.REACHED, D.OTHER)
ASKED_TO_STOP, WRONG_PERSON = (R.REACHED, D.ASKED_TO_STOP), (R.WRONG_PERSON, None)
DISPUTED = (R.REACHED, D.DISPUTED)
# Why one left early → as which contact it counts, whether one met nobody, another, or the debtor.
LEFT_EARLY = {
    A.SAFETY: (NOBODY_HOME, THIRD_PARTY, REACHED),
    A.OTHER: (NOBODY_HOME, THIRD_PARTY, REACHED),
    None: (NOBODY_HOME, THIRD_PARTY, REACHED),
    A.ASKED_TO_LEAVE: (ASKED_TO_STOP, THIRD_PARTY, ASKED_TO_STOP),
    A.DISTRESS: (REACHED, THIRD_PARTY, REACHED),
    A.WRONG_PERSON: (WRONG_PERSON, WRONG_PERSON, WRONG_PERSON),
    A.MINOR_ALONE: (THIRD_PARTY, THIRD_PARTY, THIRD_PARTY),
    A.DISPUTE: (DISPUTED, THIRD_PARTY, DISPUTED),
    A.VULNERABLE: (REACHED, THIRD_PARTY, REACHED),
}


@pytest.mark.parametrize("reason", LEFT_EARLY)
def test_who_left_early_was_what_it_was(reason: AbortReason | None) -> None:
    """Without a reason the place was unsafe."""
    outcome = V.ABORTED if reason else V.UNSAFE
    for met, expected in zip(Met, LEFT_EARLY[reason], strict=True):
        # What the visitor says goes before what the phone told earlier.
        contact = report(outcome, abort_reason=reason, met=met).contact(seen=Met.DEBTOR)
        assert (contact.result, contact.detail) == expected


@pytest.mark.parametrize("reason", [A.SAFETY, A.OTHER, None])
def test_where_it_is_not_said_whom_one_met_what_the_phone_told_before_is_believed(reason: AbortReason | None) -> None:
    outcome = V.ABORTED if reason else V.UNSAFE
    found = [report(outcome, abort_reason=reason).contact(seen=seen) for seen in Met]
    assert [(contact.result, contact.detail) for contact in found] == list(LEFT_EARLY[reason])


@pytest.mark.parametrize("reason", [A.SAFETY, A.OTHER, None])
def test_who_turned_back_before_the_door_has_contacted_nobody(reason: AbortReason | None) -> None:
    outcome = V.ABORTED if reason else V.UNSAFE
    for met in (None, Met.NOBODY):
        assert report(outcome, abort_reason=reason, met=met).contact(seen=None) is None
    assert report(V.NOT_REACHED).contact(seen=None) is None
    assert report(outcome, abort_reason=reason, met=Met.OTHER).contact(seen=None) == Contact(R.THIRD_PARTY)


def test_every_reason_to_leave_is_told() -> None:
    assert set(LEFT_EARLY) == {*AbortReason, None}


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
        (V.NOBODY, "met", Met.OTHER),
    ],
)
def test_what_cannot_have_happened_is_refused(outcome: VisitOutcome, field: str, value: Any) -> None:
    with pytest.raises(ReportContradicts) as refused:
        report(outcome, **{field: value})
    assert refused.value.details == {"outcome": outcome, "fields": field}


def test_a_telephone_number_has_one_spelling() -> None:
    with pytest.raises(InvalidValue, match="telephone number"):
        ContactChange(kind=ContactPointKind.PHONE, value="+35840٢٣٤٥٦٧٨")


def test_a_promise_of_nothing_is_none() -> None:
    with pytest.raises(InvalidValue, match="amount_minor"):
        promise(amount_minor=0)
