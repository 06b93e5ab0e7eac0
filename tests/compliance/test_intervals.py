"""Spans of instants: half-open, in UTC, and one where they touch."""

import itertools
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldvisit.compliance.intervals import Interval, common, inside, shortened, united, without
from fieldvisit.errors import InvalidValue

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)


def minutes(begins: int, ends: int) -> Interval:
    return Interval(NOON + timedelta(minutes=begins), NOON + timedelta(minutes=ends))


spans = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 20)).map(lambda pair: minutes(pair[0], pair[0] + pair[1])), max_size=6
)


def covered(intervals: object) -> set[int]:
    """The minutes of any of them."""
    return {
        minute
        for interval in intervals  # type: ignore[attr-defined]
        for minute in range(100)
        if interval.begins_at <= NOON + timedelta(minutes=minute) < interval.ends_at
    }


def test_a_span_is_kept_in_utc() -> None:
    helsinki = timezone(timedelta(hours=2))
    given_local = Interval(NOON.astimezone(helsinki), (NOON + timedelta(hours=1)).astimezone(helsinki))
    assert given_local == minutes(0, 60)
    assert given_local.begins_at.tzinfo is UTC


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidValue, match="begins_at: must name its UTC offset"):
        Interval(datetime(2026, 3, 3), NOON)  # noqa: DTZ001


def test_a_span_that_ends_where_it_begins_is_none() -> None:
    with pytest.raises(InvalidValue, match="ends_at: must be later"):
        minutes(5, 5)


def test_spans_that_touch_are_one() -> None:
    assert united([minutes(10, 20), minutes(0, 10), minutes(30, 40)]) == (minutes(0, 20), minutes(30, 40))


def test_a_span_that_only_touches_another_does_not_meet_it() -> None:
    assert [minutes(0, 10).meets(minutes(10, 20)), minutes(0, 11).meets(minutes(10, 20))] == [False, True]


def test_a_span_that_ends_with_the_window_is_inside() -> None:
    hours = (minutes(0, 10), minutes(20, 30))
    asked = [minutes(0, 10), minutes(20, 30), minutes(5, 11), minutes(9, 21), minutes(12, 15)]
    assert [inside(hours, span) for span in asked] == [True, True, False, False, False]


def test_what_the_margin_uses_up_is_gone() -> None:
    assert shortened([minutes(0, 10), minutes(20, 25)], timedelta(minutes=5)) == (minutes(0, 5),)


@given(spans, spans)
def test_the_arithmetic_is_that_of_sets(one: list[Interval], other: list[Interval]) -> None:
    assert covered(united([*one, *other])) == covered(one) | covered(other)
    assert covered(common(one, other)) == covered(one) & covered(other)
    assert covered(without(one, other)) == covered(one) - covered(other)


@given(spans)
def test_united_spans_are_sorted_and_apart(some: list[Interval]) -> None:
    whole = united(some)
    assert all(before.ends_at < after.begins_at for before, after in itertools.pairwise(whole))
