"""What clocks on the wall show, through nights that are an hour shorter or longer."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldvisit.compliance.intervals import Interval
from fieldvisit.compliance.wallclock import (
    Day,
    LocalSpan,
    WallClock,
    local_day,
    wall_clock,
    weekday,
    whole_day,
    zone_named,
)
from fieldvisit.errors import InvalidValue

SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
"""When the clocks of Europe change."""

ZONES = (
    "Europe/Helsinki",
    "Asia/Shanghai",
    "America/New_York",
    "America/Phoenix",
    "Australia/Sydney",
    "Australia/Brisbane",
    "Australia/Darwin",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "Africa/Casablanca",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Pacific/Apia",
)


def of(opens: str, closes: str, day: date) -> LocalSpan:
    return LocalSpan(day, WallClock.parse(opens), WallClock.parse(closes))


def at(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize("text", ["8:00", "08:60", "24:01", "25:00", "08:00:00", "", "08.00", "noon"])
def test_a_time_that_is_not_written_as_one_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        WallClock.parse(text)


def test_a_time_reads_as_it_was_written() -> None:
    assert [str(WallClock.parse(text)) for text in ("00:00", "08:30", "24:00")] == ["00:00", "08:30", "24:00"]


@pytest.mark.parametrize("name", ["Europe", "Mars/Olympus", "", "/etc/passwd", "../UTC"])
def test_a_zone_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(InvalidValue, match="zone: is not a zone"):
        zone_named(name, "zone")


def test_an_ordinary_day_opens_by_its_offset() -> None:
    assert of("08:00", "20:00", date(2026, 3, 3)).instants("Europe/Helsinki") == (Interval(at(3, 6), at(3, 18)),)


def test_the_offset_of_the_day_is_that_after_the_change() -> None:
    assert of("08:00", "20:00", SPRING).instants("Europe/Helsinki") == (Interval(at(29, 5), at(29, 17)),)


@pytest.mark.parametrize(
    ("opens", "closes", "minutes"),
    [("03:00", "04:00", 0), ("02:30", "04:30", 60), ("03:30", "04:30", 30), ("00:00", "24:00", 23 * 60)],
)
def test_a_skipped_hour_belongs_to_nothing(opens: str, closes: str, minutes: int) -> None:
    found = of(opens, closes, SPRING).instants("Europe/Helsinki")
    assert sum((i.ends_at - i.begins_at for i in found), timedelta()) == timedelta(minutes=minutes)


def test_clocks_that_change_at_half_past_by_utc_are_followed_to_the_second() -> None:
    # Lord Howe goes from 02:00 to 02:30, at 15:30 UTC of the day before.
    found = of("01:45", "02:45", date(2026, 10, 4)).instants("Australia/Lord_Howe")
    assert found == (Interval(at(3, 15, 15, 10), at(3, 15, 45, 10)),)


def test_a_repeated_hour_belongs_twice() -> None:
    assert of("03:30", "04:15", AUTUMN).instants("Europe/Helsinki") == (
        Interval(at(25, 0, 30, 10), at(25, 1, 0, 10)),
        Interval(at(25, 1, 30, 10), at(25, 2, 15, 10)),
    )


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (AUTUMN, 25), (date(2026, 6, 1), 24)])
def test_a_day_has_the_hours_it_has(day: date, hours: int) -> None:
    (whole,) = whole_day(day, "Europe/Helsinki")
    assert whole.ends_at - whole.begins_at == timedelta(hours=hours)


def test_a_day_that_a_zone_skipped_has_no_instant() -> None:
    assert whole_day(date(2011, 12, 30), "Pacific/Apia") == ()


def test_a_visit_before_midnight_belongs_to_the_day_it_starts() -> None:
    assert local_day(at(3, 21, 30), "Europe/Helsinki") == date(2026, 3, 3)
    assert local_day(at(3, 22, 30), "Europe/Helsinki") == date(2026, 3, 4)


def test_weekdays_are_named() -> None:
    assert [weekday(date(2026, 3, day)) for day in range(2, 9)] == list(Day)[:7]


@given(
    zone=st.sampled_from(ZONES),
    day=st.dates(date(2025, 1, 1), date(2027, 12, 31)),
    opens=st.integers(0, 95),
    quarters=st.integers(1, 96),
    moment=st.integers(-24 * 60, 48 * 60),
)
def test_an_instant_is_in_a_span_when_the_clock_on_the_wall_shows_it(
    zone: str, day: date, opens: int, quarters: int, moment: int
) -> None:
    local = LocalSpan(day, WallClock(opens * 900), WallClock(min(opens + quarters, 96) * 900))
    instant = datetime.combine(day, time(), UTC) + timedelta(minutes=moment)
    shown = instant.astimezone(ZoneInfo(zone))
    by_the_wall = shown.date() == day and local.opens <= wall_clock(instant, zone) < local.closes
    held = any(found.begins_at <= instant < found.ends_at for found in local.instants(zone))
    assert held == by_the_wall


@pytest.mark.parametrize("zone", ZONES)
def test_the_days_of_a_year_follow_each_other_without_gap_or_overlap(zone: str) -> None:
    days = [date(2026, 1, 1) + timedelta(days=shift) for shift in range(366)]
    wholes = [whole_day(day, zone) for day in days]
    assert all(len(whole) == 1 for whole in wholes)
    assert all(before[0].ends_at == after[0].begins_at for before, after in itertools.pairwise(wholes))
