"""The made-up visitors: crews, hours and papers."""

import csv
from collections import Counter, defaultdict
from datetime import date, timedelta
from pathlib import Path

import pytest

from fieldvisit.demo.generator import TODAY, Counts, generate

Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Counts]:
    folder = tmp_path_factory.mktemp("world")
    return folder, generate(folder)


def rows(world: tuple[Path, Counts], name: str) -> Rows:
    with (world[0] / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def shifts(world: tuple[Path, Counts]) -> Rows:
    return rows(world, "shifts")


@pytest.fixture(scope="module")
def papers(world: tuple[Path, Counts]) -> Rows:
    return rows(world, "credentials")


def test_the_week_is_today_and_the_next_four_working_days(shifts: Rows) -> None:
    days = {shift["date"] for shift in shifts}
    assert days == {"2026-03-03", "2026-03-04", "2026-03-05", "2026-03-06", "2026-03-09"}


def test_eight_crews_ride_each_day_four_of_them_pairs_with_one_lead_each(shifts: Rows) -> None:
    members: dict[tuple[str, str], list[str]] = defaultdict(list)
    for shift in shifts:
        members[shift["date"], shift["crew"]].append(shift["lead"])
    assert Counter(tuple(sorted(leads)) for leads in members.values()) == {("no", "yes"): 20, ("yes",): 20}


def test_every_visitor_works_once_a_day(world: tuple[Path, Counts], shifts: Rows) -> None:
    staff = {visitor["visitor_id"] for visitor in rows(world, "visitors")}
    worked = Counter((shift["visitor_id"], shift["date"]) for shift in shifts)
    assert {visitor for visitor, _ in worked} == staff
    assert set(worked.values()) == {1}


def test_two_crews_work_in_the_evening_and_breaks_lie_in_the_shift(shifts: Rows) -> None:
    today = [shift for shift in shifts if shift["date"] == TODAY.isoformat()]
    hours = {shift["crew"]: (shift["start"], shift["end"]) for shift in today}
    assert Counter(hours.values()) == {("08:30", "16:30"): 6, ("11:00", "19:00"): 2}
    assert all(shift["start"] < shift["break_from"] < shift["break_until"] < shift["end"] for shift in today)
    assert {shift["break_minutes"] for shift in today} == {"30"}
    assert {shift["start_from"] for shift in today} == {"home", "office"}


def test_members_of_a_crew_share_their_day(shifts: Rows) -> None:
    columns = ("start", "end", "start_from", "break_from", "break_until", "break_minutes")
    days = {(shift["date"], shift["crew"], *(shift[column] for column in columns)) for shift in shifts}
    assert len(days) == 5 * 8


def test_every_visitor_has_a_card_a_letter_of_the_lender_and_a_certificate(papers: Rows) -> None:
    kinds: dict[str, dict[str, str]] = defaultdict(dict)
    for paper in papers:
        kinds[paper["visitor_id"]][paper["kind"]] = paper["for_organisation"]
    expected = {"id_card": "", "authorisation_letter": "aurora-lend", "certificate": ""}
    assert (len(kinds), all(each == expected for each in kinds.values())) == (12, True)


def test_one_letter_has_run_out_and_three_papers_run_out_within_the_month(
    world: tuple[Path, Counts], papers: Rows
) -> None:
    ends = {(paper["visitor_id"], paper["kind"]): date.fromisoformat(paper["valid_until"]) for paper in papers}
    over = {key for key, until in ends.items() if until < TODAY}
    soon = {key for key, until in ends.items() if TODAY <= until <= TODAY + timedelta(days=30)}
    assert over == {("V-11", "authorisation_letter")}
    assert {visitor for visitor, _ in over} == world[1].truth.barred
    assert len({visitor for visitor, _ in soon}) == len(soon) == 3


def test_papers_begin_before_today_and_before_they_end(papers: Rows) -> None:
    assert all(paper["valid_from"] < min(paper["valid_until"], TODAY.isoformat()) for paper in papers)


def test_whoever_may_be_planned_speaks_every_language_between_them(world: tuple[Path, Counts]) -> None:
    able = [visitor for visitor in rows(world, "visitors") if visitor["visitor_id"] not in world[1].truth.barred]
    assert {tongue for visitor in able for tongue in visitor["languages"].split(";")} == {"fi", "sv", "en", "zh"}
    assert {skill for visitor in able for skill in visitor["skills"].split(";")} == {
        "",
        "hardship",
        "young_adults",
        "business",
    }
