"""The demo's world: the same seed gives the same files, and they hold what they promise."""

import csv
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import phonenumbers
import pytest

from fieldvisit.demo.gazetteer import Gazetteer
from fieldvisit.demo.generator import EXTRACT, TODAY, Counts, generate
from fieldvisit.demo.generator_people import CHECK_CHARACTERS
from fieldvisit.maps import MapMissing, addresses
from fieldvisit.vocabulary import CaseStage, Channel, CredentialKind, Datum, PlaceKind

Rows = list[dict[str, str]]
FILES = {"cases", "contacts", "credentials", "payments", "shifts", "visitors", "wishes"}


def rows(folder: Path, name: str) -> Rows:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Counts]:
    folder = tmp_path_factory.mktemp("world")
    return folder, generate(folder)


@pytest.fixture(scope="module")
def folder(world: tuple[Path, Counts]) -> Path:
    return world[0]


@pytest.fixture(scope="module")
def counts(world: tuple[Path, Counts]) -> Counts:
    return world[1]


@pytest.fixture(scope="module")
def cases(folder: Path) -> Rows:
    return rows(folder, "cases")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.stem: path.read_bytes() for path in folder.iterdir()}


def test_the_same_seed_gives_the_same_bytes(folder: Path, counts: Counts, tmp_path: Path) -> None:
    assert generate(tmp_path / "again") == counts
    assert contents(tmp_path / "again") == contents(folder)


def test_another_seed_gives_other_people_and_histories(folder: Path, tmp_path: Path) -> None:
    generate(tmp_path, seed=1)
    same = {name for name, content in contents(tmp_path).items() if content == contents(folder)[name]}
    assert same == {"shifts"}  # these follow from the date alone


def test_every_file_has_as_many_lines_as_counted(folder: Path, counts: Counts) -> None:
    assert {name: len(rows(folder, name)) for name in contents(folder)} == {
        name: getattr(counts, name) for name in FILES
    }


def test_there_is_a_lender_s_month_of_work(counts: Counts) -> None:
    assert (counts.debtors, counts.visitors, counts.shifts, counts.credentials) == (300, 12, 60, 36)
    assert 300 < counts.cases <= 310
    assert 1_900 <= counts.contacts <= 2_300
    assert counts.wishes == 25


def test_a_missing_map_stops_the_generator_before_it_writes(tmp_path: Path) -> None:
    with pytest.raises(MapMissing):
        generate(tmp_path / "world", pbf=tmp_path / "none.osm.pbf")
    assert list(tmp_path.iterdir()) == []


def test_totals_are_the_sum_of_their_parts(cases: Rows) -> None:
    for case in cases:
        parts = [Decimal(case[column]) for column in ("principal", "interest", "fees")]
        assert Decimal(case["total"]) == sum(parts) > 0
        assert all(-part.as_tuple().exponent == 2 for part in parts if isinstance(part.as_tuple().exponent, int))


def test_days_past_due_are_the_days_from_due_to_as_of(cases: Rows) -> None:
    for case in cases:
        age = date.fromisoformat(case["as_of"]) - date.fromisoformat(case["due_on"])
        assert (case["as_of"], age.days) == ("2026-03-02", int(case["days_past_due"]))


def test_closed_lists_hold_known_words(cases: Rows, folder: Path) -> None:
    assert {case["stage"] for case in cases} == {CaseStage.REMIND, CaseStage.PHONE, CaseStage.LETTER}
    assert {case["place_kind"] for case in cases} == {PlaceKind.HOME, PlaceKind.WORK, PlaceKind.CHOSEN}
    assert {case["datum"] for case in cases} == {Datum.WGS84, ""}
    assert {attempt["channel"] for attempt in rows(folder, "contacts")} == set(Channel) - {Channel.VISIT}
    assert {paper["kind"] for paper in rows(folder, "credentials")} <= set(CredentialKind)


def test_most_people_live_at_home_and_most_cases_are_with_the_agency(cases: Rows) -> None:
    assert 0.90 <= share(cases, "place_kind", "home") <= 0.98
    assert 0.87 <= share(cases, "agency", "pohjola-field") <= 0.93
    assert {case["agency"] for case in cases} == {"pohjola-field", ""}
    assert all(bool(case["agency"]) == bool(case["placed_from"]) == bool(case["placed_until"]) for case in cases)


def share(those: Rows, column: str, value: str) -> float:
    return sum(row[column] == value for row in those) / len(those)


def test_every_point_is_that_of_its_house_in_the_extract(cases: Rows) -> None:
    known = {
        (f"{each.street} {each.house_number}, {each.postcode} {each.city}", f"{each.lat:.6f}", f"{each.lon:.6f}")
        for each in addresses(EXTRACT)
    }
    given = {(case["address"], case["latitude"], case["longitude"]) for case in cases if case["datum"]}
    assert given <= known


def test_a_tenth_lacks_its_point_and_all_but_three_of_them_can_be_found(cases: Rows, counts: Counts) -> None:
    pointless = [case for case in cases if not case["datum"]]
    assert 0.08 <= len(pointless) / len(cases) <= 0.13
    assert all(not case["latitude"] and not case["longitude"] for case in pointless)
    gazetteer = Gazetteer.of(EXTRACT)
    lost = {case["case_id"] for case in pointless if gazetteer.geocode(case["address"]) is None}
    assert lost == counts.truth.unlocatable
    assert len(lost) == 3


def test_no_two_debtors_or_visitors_live_in_one_house(cases: Rows, folder: Path) -> None:
    homes = {case["debtor_id"]: case["address"] for case in cases}
    homes |= {visitor["visitor_id"]: visitor["home_address"] for visitor in rows(folder, "visitors")}
    assert len(set(homes.values())) == len(homes) == 312


def test_two_cases_of_one_debtor_tell_the_same_of_the_person(cases: Rows) -> None:
    personal = ("name", "national_id", "language", "phone", "phone_2", "email", "address", "latitude", "longitude")
    told = {(case["debtor_id"], *(case[column] for column in personal)) for case in cases}
    assert len(told) == len({case["debtor_id"] for case in cases}) == len({case["national_id"] for case in cases})


def test_every_number_is_valid_and_of_the_range_kept_for_fiction(cases: Rows, folder: Path) -> None:
    numbers = [case[column] for case in cases for column in ("phone", "phone_2") if case[column]]
    for number in {*numbers, *(visitor["phone"] for visitor in rows(folder, "visitors"))}:
        parsed = phonenumbers.parse(number)
        assert phonenumbers.is_valid_number(parsed)
        assert (number[:2], number[5:10]) == ("+1", "55501")


def test_every_national_id_is_well_formed_and_given_to_nobody(cases: Rows) -> None:
    for drawn in {case["national_id"] for case in cases}:
        digits, individual, check = drawn[:6], drawn[7:10], drawn[10]
        assert 900 <= int(individual) <= 999
        assert CHECK_CHARACTERS[int(digits + individual) % 31] == check


def test_all_mail_would_go_nowhere(cases: Rows) -> None:
    assert all(case["email"].endswith(".example") for case in cases if case["email"])


def test_people_speak_the_languages_of_the_town(cases: Rows) -> None:
    spoken = Counter(case["language"] for case in cases)
    assert set(spoken) == {"fi", "sv", "en", "zh"}
    assert 0.6 <= share(cases, "language", "fi") <= 0.8


def test_payments_are_smaller_than_the_debt_and_lie_in_the_past(cases: Rows, folder: Path) -> None:
    owed = {case["case_id"]: Decimal(case["total"]) for case in cases}
    for payment in rows(folder, "payments"):
        assert 0 < Decimal(payment["amount"]) < owed[payment["case_id"]]
        assert TODAY - timedelta(days=21) < date.fromisoformat(payment["paid_on"]) < TODAY


def test_wishes_are_avoided_or_only_hours_of_known_people(cases: Rows, folder: Path, counts: Counts) -> None:
    wishes = rows(folder, "wishes")
    people = {case["debtor_id"] for case in cases}
    visited = {case["debtor_id"] for case in cases if case["case_id"] in counts.truth.opened}
    assert {wish["debtor_id"] for wish in wishes} <= people
    assert len({wish["debtor_id"] for wish in wishes} & visited) == 20
    assert {wish["kind"] for wish in wishes} == {"avoid", "only"}
    assert all(wish["from"] < wish["until"] for wish in wishes)
    never_tuesday_morning = {"kind": "avoid", "days": "Tue", "from": "00:00", "until": "12:00"}
    assert any(never_tuesday_morning.items() <= wish.items() for wish in wishes)


def test_headers_are_those_of_the_import(folder: Path) -> None:
    headers = {path.stem: path.read_text(encoding="utf-8").partition("\n")[0] for path in folder.iterdir()}
    assert headers == {
        "cases": "case_id,debtor_id,name,national_id,language,phone,phone_2,email,address,latitude,longitude,datum,"
        "place_kind,product,currency,principal,interest,fees,total,as_of,due_on,days_past_due,stage,"
        "reason_for_arrears,agency,placed_from,placed_until",
        "contacts": "attempt_id,case_id,channel,contact_point,at,result,detail,source",
        "visitors": "visitor_id,name,staff_number,phone,skills,languages,home_address,home_latitude,home_longitude",
        "shifts": "visitor_id,date,start,end,crew,lead,start_from,break_from,break_until,break_minutes",
        "credentials": "credential_id,visitor_id,kind,number,issuer,valid_from,valid_until,for_organisation",
        "payments": "payment_id,case_id,amount,currency,paid_on",
        "wishes": "debtor_id,kind,days,from,until,note",
    }


def test_ids_are_unique_and_in_order(folder: Path) -> None:
    for name, column in (
        ("cases", "case_id"),
        ("contacts", "attempt_id"),
        ("credentials", "credential_id"),
        ("payments", "payment_id"),
    ):
        ids = [row[column] for row in rows(folder, name)]
        assert all(first < second for first, second in pairwise(ids))


@pytest.mark.parametrize("today", [date(2025, 12, 29), date(2026, 4, 7), date(2026, 7, 4), date(2028, 2, 29)])
def test_any_day_of_any_year_will_do(tmp_path: Path, today: date) -> None:
    counts = generate(tmp_path, today=today)
    assert (counts.debtors, len(counts.truth.opened)) == (300, 120)
    assert max(attempt["at"] for attempt in rows(tmp_path, "contacts")) < today.isoformat()
