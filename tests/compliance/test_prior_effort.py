"""Has the phone demonstrably failed? Histories in words, and what the gate says of them."""

import random
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldvisit.compliance.facts import AttemptFact
from fieldvisit.compliance.prior_effort import ENDS_THE_SERIES, EffortResult, failed_contact
from fieldvisit.compliance.rules import PriorEffortRule
from fieldvisit.languages import say
from fieldvisit.vocabulary import AttemptResult, Channel, ReachedDetail
from tests.compliance.worlds import CHINA, HELSINKI, HOUSE, NOW, UNREACHED, attempt, local

A = AttemptResult
MOBILE, BOTH = ("mobile",), ("mobile", "office")

assert HOUSE.prior_effort is not None
assert CHINA.prior_effort is not None
RULE: PriorEffortRule = HOUSE.prior_effort
"""Three failures in 30 days, on two days and in two parts of the day, every known number tried."""


def gate(*history: AttemptFact, numbers: tuple[str, ...] = MOBILE, rule: PriorEffortRule = RULE) -> EffortResult:
    return failed_contact(history, rule, NOW, HELSINKI, number_ids=numbers)


def missing(result: EffortResult) -> list[str]:
    return [say(message, "en") for message in result.missing]


def reached(at: str, detail: ReachedDetail = ReachedDetail.TALKED, channel: Channel = Channel.CALL) -> AttemptFact:
    return attempt(at, A.REACHED, detail=detail, channel=channel)


FIRST, SECOND, THIRD = UNREACHED

HISTORIES = [
    # what happened, the attempts, the known numbers, whether the gate opens
    ("three unanswered calls on three days, morning to evening", UNREACHED, MOBILE, True),
    ("nothing was ever tried", (), MOBILE, False),
    ("nothing was ever tried and no number is known", (), (), False),
    ("only two calls", UNREACHED[:2], MOBILE, False),
    (
        "three calls on one day",
        (attempt("2026-03-02 09:00"), attempt("2026-03-02 13:00"), attempt("2026-03-02 18:00")),
        MOBILE,
        False,
    ),
    (
        "three calls on three days, every time in the morning",
        (attempt("2026-02-23 09:00"), attempt("2026-02-24 10:00"), attempt("2026-02-25 11:59")),
        MOBILE,
        False,
    ),
    (
        "noon is afternoon: the third call is in another part of the day",
        (attempt("2026-02-23 09:00"), attempt("2026-02-24 10:00"), attempt("2026-02-25 12:00")),
        MOBILE,
        True,
    ),
    (
        "a call after midnight is still the evening before",
        (attempt("2026-02-23 18:00"), attempt("2026-02-24 20:00"), attempt("2026-02-26 02:00")),
        MOBILE,
        False,
    ),
    (
        "busy, voicemail and switched off count as unanswered",
        (
            attempt("2026-02-23 10:00", A.BUSY),
            attempt("2026-02-24 13:00", A.VOICEMAIL),
            attempt("2026-02-25 18:00", A.SWITCHED_OFF),
        ),
        MOBILE,
        True,
    ),
    (
        "somebody else's number counts as failed",
        (*UNREACHED[:2], attempt("2026-02-25 18:00", A.WRONG_PERSON)),
        MOBILE,
        True,
    ),
    (
        "a third person on the line counts nothing",
        (*UNREACHED[:2], attempt("2026-02-25 18:00", A.THIRD_PARTY)),
        MOBILE,
        False,
    ),
    (
        "a third person on the line ends nothing either",
        (*UNREACHED, attempt("2026-02-26 10:00", A.THIRD_PARTY)),
        MOBILE,
        True,
    ),
    ("the oldest call is 29 days back", (attempt("2026-02-02 10:00"), SECOND, THIRD), MOBILE, True),
    ("the oldest call is 30 days back and too old", (attempt("2026-02-01 23:59"), SECOND, THIRD), MOBILE, False),
    ("reached before all of it", (reached("2026-02-22 10:00"), *UNREACHED), MOBILE, True),
    ("reached after all of it", (*UNREACHED, reached("2026-02-26 10:00")), MOBILE, False),
    ("reached in the midst of it", (*UNREACHED, reached("2026-02-24 15:00")), MOBILE, False),
    ("reached with a promise", (*UNREACHED, reached("2026-02-26 10:00", ReachedDetail.PROMISED)), MOBILE, False),
    (
        "reached, and the debt is disputed",
        (*UNREACHED, reached("2026-02-26 10:00", ReachedDetail.DISPUTED)),
        MOBILE,
        False,
    ),
    (
        "reached, and asked to stop",
        (*UNREACHED, reached("2026-02-26 10:00", ReachedDetail.ASKED_TO_STOP)),
        MOBILE,
        False,
    ),
    ("reached at the door", (*UNREACHED, reached("2026-02-26 10:00", channel=Channel.VISIT)), MOBILE, False),
    ("answered and rung off", (*UNREACHED, attempt("2026-02-26 10:00", A.REFUSED_CALL)), MOBILE, False),
    (
        "answered and rung off three times: a wish, no failure",
        tuple(attempt(f"2026-02-2{day} 1{day}:00", A.REFUSED_CALL) for day in (3, 4, 7)),
        MOBILE,
        False,
    ),
    (
        "three failures again after a talk",
        (
            *UNREACHED,
            reached("2026-02-26 10:00"),
            attempt("2026-02-27 10:00"),
            attempt("2026-02-28 13:00"),
            attempt("2026-03-01 18:00"),
        ),
        MOBILE,
        True,
    ),
    (
        "messages that bounced are no calls",
        tuple(replace(call, channel=Channel.SMS, result=A.BOUNCED) for call in UNREACHED),
        MOBILE,
        False,
    ),
    (
        "a message was read, nobody talked",
        (*UNREACHED, attempt("2026-02-26 10:00", A.READ, channel=Channel.SMS)),
        MOBILE,
        True,
    ),
    (
        "nobody was at home counts no call",
        (*UNREACHED[:2], attempt("2026-02-25 18:00", A.NOBODY_HOME, channel=Channel.VISIT)),
        MOBILE,
        False,
    ),
    ("the only number is invalid", (attempt("2026-03-02 10:00", A.NUMBER_INVALID),), MOBILE, True),
    ("one of two numbers is invalid", (attempt("2026-03-02 10:00", A.NUMBER_INVALID),), BOTH, False),
    (
        "both numbers are invalid",
        (
            attempt("2026-03-02 10:00", A.NUMBER_INVALID),
            attempt("2026-03-02 10:01", A.NUMBER_INVALID, number="office"),
        ),
        BOTH,
        True,
    ),
    (
        "one number is invalid, the other tried three times",
        (attempt("2026-03-02 10:00", A.NUMBER_INVALID), *(replace(c, contact_point_id="office") for c in UNREACHED)),
        BOTH,
        True,
    ),
    (
        "an invalid number rang again later: it may work",
        (attempt("2026-03-01 10:00", A.NUMBER_INVALID), attempt("2026-03-02 10:00")),
        MOBILE,
        False,
    ),
    (
        "a number that rang before is invalid now",
        (attempt("2026-03-01 10:00"), attempt("2026-03-02 10:00", A.NUMBER_INVALID)),
        MOBILE,
        True,
    ),
    (
        "the number is invalid, but the debtor called back since",
        (attempt("2026-03-01 10:00", A.NUMBER_INVALID), reached("2026-03-02 10:00")),
        MOBILE,
        False,
    ),
    ("a second number was never tried", UNREACHED, BOTH, False),
    (
        "both numbers were tried, three times in all",
        (FIRST, SECOND, replace(THIRD, contact_point_id="office")),
        BOTH,
        True,
    ),
    (
        "a new number is known, the calls went to one no longer known",
        tuple(replace(call, contact_point_id="old") for call in UNREACHED),
        MOBILE,
        False,
    ),
    ("no number is on file, those that were called stand for it", UNREACHED, (), True),
    ("an attempt in the future is not looked at", (*UNREACHED[:2], attempt("2026-03-03 18:00")), MOBILE, False),
    ("an attempt of this very instant counts", (*UNREACHED[:2], attempt("2026-03-03 09:00")), MOBILE, True),
]


@pytest.mark.parametrize(("history", "numbers", "opens"), [h[1:] for h in HISTORIES], ids=[h[0] for h in HISTORIES])
def test_the_gate_opens(history: tuple[AttemptFact, ...], numbers: tuple[str, ...], opens: bool) -> None:
    assert gate(*history, numbers=numbers).met is opens


def test_the_evidence_is_every_failure_that_counts_oldest_first() -> None:
    older, talk = attempt("2026-02-10 10:00"), reached("2026-02-20 10:00")
    result = gate(THIRD, older, FIRST, talk, SECOND)
    assert result == EffortResult(met=True, evidence=(FIRST.id, SECOND.id, THIRD.id), missing=())


def test_a_failure_at_the_very_instant_of_a_talk_is_older() -> None:
    assert gate(FIRST, reached("2026-02-24 13:00"), SECOND, THIRD).evidence == (THIRD.id,)


def test_an_invalid_number_is_its_own_evidence() -> None:
    invalid = attempt("2026-03-02 10:00", A.NUMBER_INVALID)
    assert gate(invalid) == EffortResult(met=True, evidence=(invalid.id,), missing=())


def test_what_is_missing_is_named() -> None:
    result = gate(FIRST, numbers=BOTH)
    assert result.evidence == (FIRST.id,)
    assert missing(result) == [
        "1 of 3 failed attempts within 30 days.",
        "Tried on 1 of 2 different days.",
        "Tried in 1 of 2 different parts of the day.",
        "Known telephone numbers not yet tried without success: 1.",
    ]


def test_a_talk_is_named_as_the_reason_why_failures_do_not_count() -> None:
    assert missing(gate(*UNREACHED, reached("2026-03-01 10:00")))[-1] == (
        "The debtor was reached on 2026-03-01: what failed before no longer counts."
    )


def test_an_old_talk_is_not_named() -> None:
    assert missing(gate(reached("2026-01-01 10:00"), *UNREACHED[:2])) == ["2 of 3 failed attempts within 30 days."]


def test_days_are_those_of_the_place() -> None:
    # 23:30 and 00:30 in Helsinki are one date in UTC, and two at the place.
    late, early = attempt("2026-02-24 23:30"), attempt("2026-02-25 00:30")
    one_part = replace(RULE, min_failed=2, min_day_parts=1)
    assert gate(late, early, rule=one_part).met
    assert not failed_contact([late, early], one_part, NOW, "UTC", number_ids=MOBILE).met


def test_the_chinese_rule_asks_for_three_in_a_row() -> None:
    same_day = [attempt(f"2026-03-02 1{hour}:00") for hour in (0, 1, 2)]
    assert gate(*same_day, rule=CHINA.prior_effort or RULE).met
    assert not gate(*same_day, reached("2026-03-02 11:30"), rule=CHINA.prior_effort or RULE).met


results = st.sampled_from([*AttemptResult])
attempts = st.lists(
    st.builds(
        lambda minute, result, number, serial: replace(
            attempt(local("2026-01-25 00:00") + timedelta(minutes=minute), result, number=number), id=f"a{serial}"
        ),
        st.integers(0, 37 * 24 * 60),
        results,
        st.sampled_from(["mobile", "office", None]),
        st.integers(0, 10**6),
    ),
    max_size=12,
    unique_by=lambda a: a.id,
)


@given(attempts, st.integers(0, 2**16))
def test_the_order_in_which_attempts_came_in_does_not_matter(history: list[AttemptFact], seed: int) -> None:
    shuffled = random.Random(seed).sample(history, len(history))
    assert gate(*shuffled, numbers=BOTH) == gate(*history, numbers=BOTH)


@given(attempts)
def test_something_is_missing_exactly_when_the_gate_is_closed(history: list[AttemptFact]) -> None:
    result = gate(*history, numbers=BOTH)
    assert result.met is (result.missing == ())
    assert not result.met or result.evidence


@given(attempts)
def test_a_talk_just_now_closes_the_gate(history: list[AttemptFact]) -> None:
    talked = replace(attempt(NOW, A.REACHED), id="talk")
    assert gate(*history, talked, numbers=BOTH).evidence == ()


@given(attempts)
def test_a_wish_or_a_talk_is_never_evidence(history: list[AttemptFact]) -> None:
    wishes = {item.id for item in history if item.result in ENDS_THE_SERIES}
    assert wishes.isdisjoint(gate(*history, numbers=BOTH).evidence)


def test_the_window_of_days_moves_with_today() -> None:
    later = local("2026-03-26 09:00")
    assert later.date() - timedelta(days=29) == date(2026, 2, 25)
    result = failed_contact(UNREACHED, RULE, later, HELSINKI, number_ids=MOBILE)
    assert result.evidence == (THIRD.id,)
