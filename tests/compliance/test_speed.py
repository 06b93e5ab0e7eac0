"""The engine's own bars. Long: they are times, and no quick test is judged by a clock."""

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from fieldvisit.compliance.evaluate import evaluate
from fieldvisit.compliance.loading import load_preset
from fieldvisit.compliance.windows import lawful_windows
from fieldvisit.vocabulary import AttemptResult, Channel, Verdict
from tests.compliance.preset_worlds import place_in
from tests.compliance.worlds import NOW, asked, attempt, facts, visitor

NEW_YORK = "America/New_York"
POLICIES = (load_preset("house"), load_preset("us"), load_preset("us-ma"))


def median_us(act: Callable[[int], object], times: int) -> float:
    """The median of the CPU time of one call, in microseconds."""
    spent = []
    for number in range(times):
        began = time.process_time_ns()
        act(number)
        spent.append(time.process_time_ns() - began)
    return statistics.median(spent) / 1_000


@pytest.mark.long
def test_a_question_under_three_merged_policies_takes_less_than_200_microseconds() -> None:
    place = place_in("US-MA", NEW_YORK)
    before = attempt("2026-01-10 12:00", AttemptResult.NOBODY_HOME, channel=Channel.VISIT, number=None)
    tried = tuple(attempt(f"2026-02-{day} {hour}:00", zone=NEW_YORK) for day, hour in ((23, 10), (24, 13), (25, 18)))
    known = facts(place=place, attempts=(*tried, before))
    # Another hour of another day each time: nothing is answered from memory but what policies and days have in common.
    questions = [
        replace(asked("2026-03-04 09:00", zone=NEW_YORK, staff=(visitor(),)), visit_id=f"v{number}")
        for number in range(400)
    ]
    questions = [
        replace(q, begins_at=q.begins_at + timedelta(minutes=n), ends_at=q.ends_at + timedelta(minutes=n))
        for n, q in enumerate(questions)
        if q.begins_at and q.ends_at
    ]
    assert evaluate(questions[0], known, POLICIES, NOW).verdict is Verdict.ALLOWED
    taken = median_us(lambda number: evaluate(questions[number], known, POLICIES, NOW), len(questions))
    print(f"evaluate: {taken:.0f} µs")
    assert taken <= 200


@pytest.mark.long
def test_the_windows_of_a_thousand_visits_take_less_than_300_milliseconds() -> None:
    known = [facts(place=replace(place_in("US-MA", NEW_YORK), id=f"home {number}")) for number in range(1_000)]
    days = [date(2026, 3, 4) + timedelta(days=shift) for shift in range(5)]
    assert lawful_windows(known[0], POLICIES, days[0])[0].begins_at.astimezone(ZoneInfo(NEW_YORK)).hour == 8
    spent = []
    for day in days:
        began = time.process_time_ns()
        for each in known:
            lawful_windows(each, POLICIES, day)
        spent.append((time.process_time_ns() - began) / 1e6)
    print(f"a thousand visits: {statistics.median(spent):.0f} ms")
    assert statistics.median(spent) <= 300
