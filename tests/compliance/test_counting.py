"""Caps: what counts, in which days, and when there is room again."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldvisit.compliance.counting import Counted, counted, crowded
from fieldvisit.compliance.facts import AttemptFact
from fieldvisit.compliance.parameters import CapPeriod, CapScope, Counts
from fieldvisit.compliance.rules import CapRule
from fieldvisit.languages import say
from fieldvisit.vocabulary import AttemptResult, Channel
from tests.compliance.worlds import (
    HELSINKI,
    HOUSE,
    NOW,
    UNREACHED,
    asked,
    attempt,
    decide,
    eligible,
    facts,
    in_the_way,
    reserved,
    words,
)

A = AttemptResult
ONE_IN_SEVEN = HOUSE.caps[0]


def cap(maximum: int = 1, period: CapPeriod = CapPeriod.ROLLING_DAYS, **changes: object) -> CapRule:
    days = 7 if period is CapPeriod.ROLLING_DAYS else None
    visits = replace(ONE_IN_SEVEN, max=maximum, period=period, days=days)
    return replace(visits, **changes)  # type: ignore[arg-type]


def on(*days: str) -> list[Counted]:
    return [Counted(date.fromisoformat(day), f"visit on {day}") for day in days]


def room(rule: CapRule, day: str, *events: str) -> bool:
    return crowded(rule, on(*events), date.fromisoformat(day)) == []


def visit(at: str, result: A = A.REACHED, **more: str) -> AttemptFact:
    return replace(attempt(at, result, channel=Channel.VISIT, number=None), **more)  # type: ignore[arg-type]


def ids(rule: CapRule, *attempts: AttemptFact, **known: object) -> list[str]:
    found = counted(rule, facts(attempts=attempts, **known), HELSINKI, now=NOW, visit_id="visit")
    return [event.id for event in found]


@pytest.mark.parametrize(
    ("rule", "day", "events", "fits"),
    [
        (cap(), "2026-03-10", ["2026-03-03"], True),
        (cap(), "2026-03-09", ["2026-03-03"], False),
        (cap(), "2026-03-03", ["2026-03-03"], False),
        (cap(), "2026-03-03", ["2026-03-09"], False),
        (cap(), "2026-03-03", ["2026-03-10"], True),
        (cap(2), "2026-03-05", ["2026-03-02", "2026-03-09"], True),
        (cap(2), "2026-03-05", ["2026-03-02", "2026-03-08"], False),
        (cap(2), "2026-03-05", ["2026-03-02", "2026-03-07"], False),
        (cap(2), "2026-03-09", ["2026-03-02", "2026-03-03"], True),
        (cap(2), "2026-03-08", ["2026-03-02", "2026-03-03"], False),
        (cap(days=1), "2026-03-03", ["2026-03-03"], False),
        (cap(days=1), "2026-03-03", ["2026-03-02", "2026-03-04"], True),
        (cap(days=30), "2026-03-31", ["2026-03-01"], True),
        (cap(days=30), "2026-03-30", ["2026-03-01"], False),
        (cap(period=CapPeriod.CALENDAR_DAY), "2026-03-03", ["2026-03-02", "2026-03-04"], True),
        (cap(period=CapPeriod.CALENDAR_DAY), "2026-03-03", ["2026-03-03"], False),
        (cap(period=CapPeriod.CALENDAR_WEEK), "2026-03-09", ["2026-03-08"], True),  # a Monday after a Sunday
        (cap(period=CapPeriod.CALENDAR_WEEK), "2026-03-02", ["2026-03-08"], False),
        (cap(period=CapPeriod.CALENDAR_MONTH), "2026-04-01", ["2026-03-31"], True),
        (cap(period=CapPeriod.CALENDAR_MONTH), "2026-03-01", ["2026-03-31"], False),
        (cap(period=CapPeriod.CALENDAR_MONTH), "2026-03-01", ["2025-03-31"], True),
        (cap(period=CapPeriod.CALENDAR_MONTH, min_gap_days=3), "2026-04-01", ["2026-03-30"], False),
        (cap(period=CapPeriod.CALENDAR_MONTH, min_gap_days=3), "2026-04-02", ["2026-03-30"], True),
        (cap(period=CapPeriod.CALENDAR_MONTH, min_gap_days=3), "2026-02-28", ["2026-03-03"], True),
    ],
)
def test_there_is_room_in_the_period(rule: CapRule, day: str, events: list[str], fits: bool) -> None:
    assert room(rule, day, *events) is fits


def test_two_in_seven_days_means_any_seven_days() -> None:
    # 2, 5 and 8 March lie within seven dates together, counted from the second.
    assert (date(2026, 3, 8) - date(2026, 3, 2)).days + 1 == 7
    assert not room(cap(2), "2026-03-08", "2026-03-02", "2026-03-05")
    assert room(cap(2), "2026-03-09", "2026-03-02", "2026-03-05")


def test_attempts_count_by_channel_and_result() -> None:
    met, nobody, call = visit("2026-03-02 10:00"), visit("2026-03-02 11:00", A.NOBODY_HOME), attempt("2026-03-02 12:00")
    assert ids(cap(), met, nobody, call) == [met.id, nobody.id]
    assert ids(cap(counts=Counts.CONTACT_MADE), met, nobody, call) == [met.id]
    assert ids(cap(channels=frozenset({Channel.CALL})), met, nobody, call) == [call.id]


@pytest.mark.parametrize(
    ("result", "made"),
    [(A.REACHED, True), (A.THIRD_PARTY, True), (A.REFUSED_CALL, True), (A.NOBODY_HOME, False), (A.WRONG_PERSON, False)],
)
def test_contact_is_made_where_somebody_of_the_household_was_met(result: A, made: bool) -> None:
    assert bool(ids(cap(counts=Counts.CONTACT_MADE), visit("2026-03-02 10:00", result))) is made


def test_a_cap_on_a_case_leaves_other_cases_out_and_what_names_none_in() -> None:
    own, other = visit("2026-03-01 10:00"), visit("2026-03-02 10:00", case_id="other case")
    unnamed = replace(visit("2026-03-02 11:00"), case_id=None)
    assert ids(cap(scope=CapScope.CASE), own, other, unnamed) == [own.id, unnamed.id]
    assert ids(cap(scope=CapScope.DEBTOR), own, other, unnamed) == [own.id, other.id, unnamed.id]


def test_live_reservations_count_and_void_ones_do_not() -> None:
    planned = (reserved("2026-03-02", "passed"), reserved("2026-03-03", "today"), reserved("2026-03-05", "to come"))
    assert ids(cap(), planned_visits=planned) == ["today", "to come"]


def test_a_reservation_counts_as_if_somebody_were_met() -> None:
    assert ids(cap(counts=Counts.CONTACT_MADE), planned_visits=(reserved("2026-03-05"),)) == ["other visit"]


def test_the_reservation_of_the_visit_itself_does_not_stand_in_its_way() -> None:
    assert ids(cap(), planned_visits=(reserved("2026-03-05", "visit"),)) == []


def test_a_reservation_fills_no_cap_on_calls() -> None:
    assert ids(cap(channels=frozenset({Channel.CALL})), planned_visits=(reserved("2026-03-05"),)) == []


def test_a_visit_counts_on_the_date_on_which_it_began_at_the_place() -> None:
    late = visit("2026-03-02 23:30")
    found = counted(cap(), facts(attempts=(late,)), HELSINKI, now=NOW, visit_id="visit")
    assert found == [Counted(date(2026, 3, 2), late.id)]


def test_a_full_cap_names_what_fills_it() -> None:
    before = visit("2026-03-01 10:00", A.NOBODY_HOME)
    decision = decide(asked("2026-03-04 10:00"), facts(attempts=(*UNREACHED, before)))
    assert [(clause.clause_id, clause.fact_ids) for clause in decision.deciding] == [("house/caps/1", (before.id,))]
    assert words(decision) == ["The cap on contacts has no room on 2026-03-04: 1 counted, on 2026-03-01."]
    assert say(decision.deciding[0].message, "zh_CN") == "2026-03-04 的联系次数已达上限：已计 1 次，日期为 2026-03-01。"


def test_a_visit_without_an_hour_is_counted_as_of_today() -> None:
    before = visit("2026-03-01 10:00", A.NOBODY_HOME)
    assert in_the_way(decide(eligible(), facts(attempts=(*UNREACHED, before)))) == ["house/caps/1"]


def test_there_is_room_again_when_the_period_is_over() -> None:
    before = visit("2026-03-01 10:00", A.NOBODY_HOME)
    decision = decide(asked("2026-03-04 10:00"), facts(attempts=(*UNREACHED, before)))
    # 8 March is a Sunday and closed; Monday opens at eight.
    assert decision.next_lawful_at == datetime.fromisoformat("2026-03-09T08:00+02:00")


days = st.lists(st.integers(0, 40), max_size=8)


@given(days, st.integers(0, 40), st.integers(1, 4), st.integers(1, 12))
def test_what_fits_leaves_no_period_over_full(events: list[int], asked_day: int, maximum: int, length: int) -> None:
    first = date(2026, 3, 1)
    known = sorted(Counted(first + timedelta(days=day), f"e{n}") for n, day in enumerate(events))
    rule = cap(maximum, days=length)
    fits = crowded(rule, known, first + timedelta(days=asked_day)) == []
    holding = [start for start in range(-12, 41) if start <= asked_day < start + length]
    fullest = max(sum(start <= day < start + length for day in events) for start in holding)
    assert fits is (fullest + 1 <= maximum)
