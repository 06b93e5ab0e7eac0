"""The hours of every preset that states some, in the words of its source, on both sides of each boundary to the second;
and on the nights on which the clocks of its zones change."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from fieldvisit.compliance.intervals import Interval, inside
from fieldvisit.compliance.loading import load_preset, preset_names
from fieldvisit.compliance.merging import merge
from fieldvisit.compliance.windows import lawful_windows, states_hours
from fieldvisit.vocabulary import PlaceKind
from tests.compliance.preset_worlds import ZONES, facts_in

WEDNESDAY, SATURDAY, SUNDAY = date(2026, 3, 4), date(2026, 3, 7), date(2026, 3, 8)
SECOND = timedelta(seconds=1)

# Preset: Wednesday, Saturday, Sunday, and a public holiday that is a weekday with its date.
STATED: dict[str, tuple[str, str, str, tuple[str, str]]] = {
    "au": ("09:00-21:00", "09:00-21:00", "09:00-21:00", ("2026-01-26", "")),
    "br": ("08:00-20:00", "08:00-20:00", "", ("2026-04-21", "08:00-20:00")),
    "br-al": ("08:00-20:00", "08:00-14:00", "", ("2026-04-21", "")),
    "br-am": ("08:00-19:00", "", "", ("2026-04-21", "08:00-19:00")),
    "br-es": ("08:00-19:00", "", "", ("2026-04-21", "08:00-19:00")),
    "br-rj": ("09:00-19:00", "", "", ("2026-04-21", "09:00-19:00")),
    "br-sp": ("08:00-20:00", "08:00-14:00", "", ("2026-04-21", "")),
    "cl": ("08:00-20:00", "08:00-20:00", "", ("2026-05-21", "")),
    "cn": ("08:00-22:00", "08:00-22:00", "08:00-22:00", ("2026-10-01", "08:00-22:00")),
    "co": ("07:00-19:00", "08:00-15:00", "", ("2026-05-01", "")),
    "id": ("08:00-20:00", "08:00-20:00", "", ("2026-08-17", "")),
    "ie": ("09:00-21:00", "09:00-21:00", "", ("2026-03-17", "")),
    "ie-doorstep": ("10:00-21:00", "10:00-21:00", "", ("2026-03-17", "")),
    "in": ("08:00-19:00", "08:00-19:00", "08:00-19:00", ("2026-01-26", "08:00-19:00")),
    "in-microfinance": ("09:00-18:00", "09:00-18:00", "09:00-18:00", ("2026-01-26", "09:00-18:00")),
    "ph": ("06:00-22:00", "06:00-22:00", "06:00-22:00", ("2026-06-12", "06:00-22:00")),
    "ph-card": ("06:00-22:00", "06:00-22:00", "06:00-22:00", ("2026-06-12", "06:00-22:00")),
    "ru": ("08:00-22:00", "09:00-20:00", "09:00-20:00", ("2026-06-12", "09:00-20:00")),
    "th": ("08:00-20:00", "08:00-18:00", "08:00-18:00", ("2026-04-13", "08:00-18:00")),
    "tw": ("07:00-22:00", "07:00-22:00", "07:00-22:00", ("2026-10-09", "07:00-22:00")),
    "us": ("08:00-21:00", "08:00-21:00", "08:00-21:00", ("2026-05-25", "08:00-21:00")),
    "us-ma": ("08:00-21:00", "08:00-21:00", "08:00-21:00", ("2026-05-25", "08:00-21:00")),
    "vn": ("07:00-21:00", "07:00-21:00", "07:00-21:00", ("2026-04-30", "07:00-21:00")),
    "za": ("06:00-21:00", "06:00-21:00", "", ("2026-04-27", "06:00-21:00")),
}
SILENT = {"be", "gb", "hk", "my", "sg"}
"""Whose texts name no clock hours."""
ONLY_WARN = {"jp", "kr"}
"""Whose hours were only remembered."""

DAYS = [
    pytest.param(name, day, hours, id=f"{name} {day}")
    for name, (wednesday, saturday, sunday, (holiday, on_holiday)) in STATED.items()
    for day, hours in (
        (WEDNESDAY, wednesday),
        (SATURDAY, saturday),
        (SUNDAY, sunday),
        (date.fromisoformat(holiday), on_holiday),
    )
]


def clock(day: date, text: str, zone: str) -> datetime:
    return datetime.fromisoformat(f"{day} {text}").replace(tzinfo=ZoneInfo(zone))


def open_on(name: str, day: date, zone: str | None = None, kind: PlaceKind = PlaceKind.HOME) -> tuple[Interval, ...]:
    policy = load_preset(name)
    return lawful_windows(facts_in(policy.jurisdiction, zone, kind), [policy], day)


def test_every_preset_is_here() -> None:
    apart = {"house", "in-draft"}
    assert set(STATED) | SILENT | ONLY_WARN | apart == set(preset_names())


@pytest.mark.parametrize(("name", "day", "hours"), DAYS)
def test_the_hours_are_those_of_the_source_to_the_second(name: str, day: date, hours: str) -> None:
    zone = ZONES[load_preset(name).jurisdiction.partition("-")[0]][0]
    windows = open_on(name, day)
    noon = Interval(clock(day, "12:00", zone), clock(day, "12:20", zone))
    assert inside(windows, noon) is bool(hours)
    if not hours:
        assert windows == ()
        return
    opens, closes = (clock(day, text, zone) for text in hours.split("-"))
    assert inside(windows, Interval(opens, opens + SECOND))
    assert not inside(windows, Interval(opens - SECOND, opens + SECOND))
    assert inside(windows, Interval(closes - SECOND, closes))
    assert not inside(windows, Interval(closes - SECOND, closes + SECOND))


def test_australia_at_work_nine_to_five_on_weekdays() -> None:
    zone = ZONES["AU"][0]
    assert open_on("au", WEDNESDAY, kind=PlaceKind.WORK) == (
        Interval(clock(WEDNESDAY, "09:00", zone), clock(WEDNESDAY, "17:00", zone)),
    )
    assert open_on("au", SATURDAY, kind=PlaceKind.WORK) == ()


@pytest.mark.parametrize("name", sorted(SILENT | ONLY_WARN))
def test_a_text_without_hours_that_bind_permits_none_alone(name: str) -> None:
    assert not states_hours(merge([load_preset(name)]))
    assert open_on(name, WEDNESDAY) == ()


def jumps(zone: str) -> list[date]:
    """The local dates of 2026 on which the clocks of the zone change, and those beside them."""
    days = [date(2026, 1, 1) + timedelta(days=shift) for shift in range(365)]
    changed = [day for day in days if _offset(day, zone) != _offset(day + timedelta(days=1), zone)]
    return [day + timedelta(days=shift) for day in changed for shift in (-1, 0, 1)]


def _offset(day: date, zone: str) -> timedelta | None:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).utcoffset()


@pytest.mark.parametrize("name", sorted(STATED))
def test_the_clock_on_the_wall_decides_in_every_zone_of_the_preset_on_both_nights(name: str) -> None:
    policy = load_preset(name)
    weekday_hours = STATED[name][0].split("-")
    for zone in ZONES[policy.jurisdiction.partition("-")[0]]:
        counted_by = policy.zone.zone if policy.zone and policy.zone.zone else zone
        for day in jumps(zone) or [WEDNESDAY]:
            windows = open_on(name, day, zone)
            if windows and day.weekday() < 5 and STATED[name][3][0] != day.isoformat():
                shown = [
                    [f"{at.astimezone(ZoneInfo(counted_by)):%H:%M}" for at in (each.begins_at, each.ends_at)]
                    for each in windows
                ]
                assert weekday_hours in shown, (zone, day)
            for each in windows:
                # Half an hour from either end inwards and outwards, in instants: never a skipped or a doubled hour.
                assert each.ends_at - each.begins_at <= timedelta(hours=25)
                assert {at.astimezone(ZoneInfo(zone)).date() for at in (each.begins_at,)} == {day}
