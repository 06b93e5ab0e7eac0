"""A run as a whole: dry, all or nothing, twice, killed in the middle, for another organisation."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.datums import Point
from fieldvisit.drafts import unseen
from fieldvisit.imports import KINDS, ImportResult, RowFault
from fieldvisit.languages import Message
from fieldvisit.models import Case, ContactAttempt, ContactAttemptKey, Placement
from fieldvisit.settings import Settings
from tests.imports.files import CASE, CONTACT, GOOD, Office, write_csv
from tests.test_geocoding import Town
from tests.worlds import World

BAD = CONTACT | {"attempt_id": "A-2", "result": "silence"}
COUNTS = ("added", "changed", "unchanged", "refused")


def counts(result: ImportResult) -> tuple[int, ...]:
    return tuple(getattr(result, name) for name in COUNTS)


def attempts_stored(office: Office) -> int:
    with acting_for(office.sessions, office.org_id) as session:
        return session.scalar(sa.select(sa.func.count()).select_from(ContactAttempt)) or 0


def cases_stored(office: Office) -> int:
    with acting_for(office.sessions, office.org_id) as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Case)) or 0


def offices_by_kind(lender: Office, agency: Office) -> dict[str, Office]:
    return {kind: agency if kind in ("visitors", "shifts", "credentials") else lender for kind in KINDS}


def test_every_kind_is_stored_once_however_often_it_comes(lender: Office, agency: Office) -> None:
    offices = offices_by_kind(lender, agency)
    first = {kind: counts(offices[kind].load(kind, GOOD[kind])) for kind in KINDS}
    again = {kind: counts(offices[kind].load(kind, GOOD[kind])) for kind in KINDS}
    assert first == dict.fromkeys(KINDS, (1, 0, 0, 0))
    assert again == dict.fromkeys(KINDS, (0, 0, 1, 0))


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("cases", {"stage": "letter"}),
        ("cases", {"name": "Meri Other"}),
        ("cases", {"phone_2": "+358457000009"}),
        ("cases", {"placed_until": "2026-07-01"}),
        ("cases", {"latitude": "60.1700"}),
        ("visitors", {"skills": "hardship"}),
        ("shifts", {"break_from": "", "break_until": "", "break_minutes": ""}),
        ("credentials", {"for_organisation": ""}),
        ("wishes", {"note": "Works at night"}),
    ],
)
def test_what_is_different_changes_what_is_stored(
    lender: Office, agency: Office, kind: str, change: dict[str, str]
) -> None:
    offices = offices_by_kind(lender, agency)
    for before in ("cases", "visitors", kind):
        offices[before].load(before, GOOD[before])
    assert counts(offices[kind].load(kind, GOOD[kind] | change)) == (0, 1, 0, 0)
    assert counts(offices[kind].load(kind, GOOD[kind] | change)) == (0, 0, 1, 0)


def test_a_dry_run_tells_the_same_and_stores_nothing(lender: Office) -> None:
    lender.load("cases", CASE)
    rows = [CONTACT, BAD]
    dry = lender.load("contacts", *rows, dry_run=True)
    assert attempts_stored(lender) == 0
    real = lender.load("contacts", *rows)
    assert (counts(dry), dry.faults, dry.stored) == (counts(real), real.faults, False)
    assert (counts(real), real.stored, attempts_stored(lender)) == ((1, 0, 0, 1), True, 1)


def test_a_dry_run_sees_the_rows_before_it(lender: Office) -> None:
    """Three cases of one debtor in one file: each stands on what the first would have stored."""
    rows = [CASE | {"case_id": f"C-{number}"} for number in range(3)]
    assert counts(lender.load("cases", *rows, dry_run=True)) == (3, 0, 0, 0)
    assert cases_stored(lender) == 0


def test_all_or_nothing_stores_nothing_where_a_row_is_refused(lender: Office) -> None:
    lender.load("cases", CASE)
    result = lender.load("contacts", CONTACT, BAD, all_or_nothing=True)
    assert (counts(result), result.stored, attempts_stored(lender)) == ((1, 0, 0, 1), False, 0)


def test_all_or_nothing_stores_all_where_none_is_refused(lender: Office) -> None:
    rows = [CASE | {"case_id": f"C-{number}"} for number in range(110)]
    result = lender.load("cases", *rows, all_or_nothing=True)
    assert (counts(result), result.stored, cases_stored(lender)) == ((110, 0, 0, 0), True, 110)
    attempts = [CONTACT | {"attempt_id": f"A-{number}", "at": f"2025-{number}-01T09:00Z"} for number in range(10, 13)]
    assert counts(lender.load("contacts", *attempts, all_or_nothing=True)) == (3, 0, 0, 0)


class PowerCut(BaseException):
    """Nothing in the product catches it: as a process that is killed, it leaves only what was committed."""


def test_progress_is_told_after_each_batch_and_what_is_broken_off_there_is_simply_started_again(
    lender: Office,
) -> None:
    told: list[tuple[int, int | None]] = []
    rows = [CASE | {"case_id": f"C-{number}"} for number in range(110)]

    def tell(done: int, total: int | None) -> None:
        told.append((done, total))
        if len(told) == 1:
            raise PowerCut

    with pytest.raises(PowerCut):
        lender.load("cases", *rows, on_progress=tell)
    assert (told, cases_stored(lender)) == ([(100, 110)], 100)
    assert counts(lender.load("cases", *rows, on_progress=tell)) == (10, 0, 100, 0)
    assert (told[1:], cases_stored(lender)) == ([(100, 110), (110, 110)], 110)


def test_only_so_many_faults_are_kept(lender: Office) -> None:
    result = lender.load("contacts", *[BAD | {"attempt_id": f"A-{number}"} for number in range(1_100)])
    assert (result.refused, len(result.faults)) == (1_100, 1_000)


def test_a_byte_that_is_no_text_is_a_fault_of_its_row_alone(lender: Office) -> None:
    lender.load("cases", CASE)
    rows = [CONTACT | {"attempt_id": f"A-{number}"} for number in range(40)]
    result = lender.load("contacts", *rows[:20], CONTACT | {"attempt_id": "A\x00"}, *rows[20:])
    assert (counts(result), [(fault.line, fault.column) for fault in result.faults]) == (
        (40, 0, 0, 1),
        [(22, "attempt_id")],
    )


def test_an_older_file_does_not_bring_old_amounts_back(lender: Office) -> None:
    lender.load("cases", CASE)
    late = lender.load("cases", CASE | {"as_of": "2026-03-01", "fees": "0", "total": "1050"})
    reason = Message("is earlier than what is stored of this case")
    assert late.faults == (RowFault(2, "as_of", "2026-03-01", reason),)


def test_of_a_refused_case_not_even_the_debtor_stays(lender: Office) -> None:
    lender.load("cases", CASE | {"agency": "nobody"})
    wish = lender.load("wishes", GOOD["wishes"])
    assert wish.faults == (RowFault(2, "debtor_id", "D-1", unseen("debtor", "D-1")),)


def test_an_agency_records_attempts_on_what_is_placed_with_it_alone(
    lender: Office, agency: Office, world: World
) -> None:
    lender.load("cases", CASE, CASE | {"case_id": "C-2", "debtor_id": "D-2", "agency": "lansi-field"})
    result = agency.load("contacts", CONTACT, CONTACT | {"attempt_id": "A-2", "case_id": "C-2"})
    assert (result.added, result.faults) == (1, (RowFault(3, "case_id", "C-2", unseen("case", "C-2")),))
    with acting_for(lender.sessions, world.lender) as session:
        stored = session.execute(sa.select(ContactAttempt.org_id, ContactAttempt.made_by_id)).all()
    assert stored == [(world.lender, world.agency)]


def test_lender_and_agency_may_use_the_same_ids(lender: Office, agency: Office) -> None:
    lender.load("cases", CASE)
    assert counts(lender.load("contacts", CONTACT)) == (1, 0, 0, 0)
    assert counts(agency.load("contacts", CONTACT)) == (1, 0, 0, 0)
    assert attempts_stored(lender) == 2


def test_a_case_id_of_two_lenders_is_told_as_such(
    lender: Office, agency: Office, sessions: sessionmaker[Session], world: World, tmp_path: Path
) -> None:
    """The stranger plays the second lender: it owns a case of the same id and gives it to the agency too."""
    other = Office(sessions, world.stranger, tmp_path)
    for office in (lender, other):
        assert office.load("cases", CASE).added == 1
    result = agency.load("contacts", CONTACT)
    assert result.faults == (RowFault(2, "case_id", "C-1", Message("is the id of cases of several lenders")),)


def test_a_case_is_not_placed_with_two_agencies_at_once(lender: Office) -> None:
    lender.load("cases", CASE)
    result = lender.load("cases", CASE | {"agency": "lansi-field", "placed_from": "2026-05-30", "placed_until": ""})
    reason = Message("the case is placed with another agency on some of these days")
    assert result.faults == (RowFault(2, "agency", "lansi-field", reason),)
    after = CASE | {"agency": "lansi-field", "placed_from": "2026-06-02", "placed_until": ""}
    assert counts(lender.load("cases", after)) == (0, 1, 0, 0)
    with acting_for_all(lender.sessions) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Placement)) == 2


def test_addresses_without_a_point_are_looked_for_once(lender: Office) -> None:
    town = Town({"Aleksanterinkatu 1, Helsinki": Point(60.1699, 24.9384)})
    without = CASE | {"latitude": "", "longitude": "", "datum": ""}
    lost = without | {"case_id": "C-2", "debtor_id": "D-2", "address": "Olematonkuja 7, Helsinki"}
    first = lender.load("cases", without, lost, geocoder=town)
    assert (counts(first), first.unlocated) == ((2, 0, 0, 0), 1)
    again = lender.load("cases", without, lost, geocoder=town)
    assert (counts(again), again.unlocated) == ((0, 0, 2, 0), 1)
    assert town.asked == ["Aleksanterinkatu 1, Helsinki", "Olematonkuja 7, Helsinki", "Olematonkuja 7, Helsinki"]


def test_an_address_that_is_found_later_gets_its_point(lender: Office) -> None:
    without = CASE | {"latitude": "", "longitude": "", "datum": ""}
    lender.load("cases", without)
    town = Town({"Aleksanterinkatu 1, Helsinki": Point(60.1699, 24.9384)})
    assert counts(lender.load("cases", without, geocoder=town)) == (0, 1, 0, 0)


def test_a_run_that_is_killed_is_simply_started_again(lender: Office, settings: Settings, tmp_path: Path) -> None:
    lender.load("cases", CASE)
    rows = [CONTACT | {"attempt_id": f"A-{number}"} for number in range(8_000)]
    path = write_csv(tmp_path / "contacts.csv", rows)
    environ = {**os.environ, "DATABASE_URL": settings.database_url or "", "DATA_FOLDER": str(settings.data_folder)}
    command = [sys.executable, "-m", "tests.imports.killed", str(lender.org_id), str(path)]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "2000\n"  # one batch is in; the next is under way
        process.send_signal(signal.SIGKILL)
    stored = attempts_stored(lender)
    assert 2_000 <= stored < 8_000
    result = lender.load_file("contacts", path)
    assert (result.added, result.unchanged, result.refused) == (8_000 - stored, stored, 0)
    with acting_for(lender.sessions, lender.org_id) as session:
        keys = set(session.scalars(sa.select(ContactAttemptKey.attempt_id)))
        assert keys == set(session.scalars(sa.select(ContactAttempt.id)))
        assert len(keys) == 8_000
