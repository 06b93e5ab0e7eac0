"""The files of a fleet's day: a visitor for each phone, and visits for each crew, in the streets of the extract.

Each crew works for as long as its share of the visits takes: in a whole shift a few crews would make them all, and most
phones had nothing to tell.
"""

import csv
import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import astuple, fields
from itertools import cycle
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from fieldvisit.demo.generator_cases import AGENCY_CODE, AGENCY_NAME, LENDER_CODE, LENDER_NAME, CaseRow
from fieldvisit.demo.generator_contacts import AttemptRow
from fieldvisit.demo.generator_staff import CredentialRow, ShiftRow, VisitorRow

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

SIZES = (1, 1, 2)
"""How many ride in a crew, by turns."""
AT_A_DOOR, ALL_WAYS = dt.timedelta(minutes=20), dt.timedelta(minutes=18)
"""A visit; and all the ways of a crew's share of them, less than a visit lasts, so that nobody makes one more."""
MIDDLE, REACH_DEGREES = (60.1685, 24.9440), (0.008, 0.016)
ENDS_AT = dt.time(16, 30)
KINDS = {
    "id_card": (AGENCY_NAME, ""),
    "authorisation_letter": (LENDER_NAME, LENDER_CODE),
    "certificate": (AGENCY_NAME, ""),
}


def write_fleet(folder: Path, *, phones: int, visits: int, seed: int, today: dt.date) -> None:
    """Write visitors, shifts, credentials, cases and contacts; `visits` for each crew."""
    folder.mkdir(parents=True, exist_ok=True)
    chance, crews = Random(seed), _crews(phones)
    people = [name for crew in crews for name in crew]
    _write(folder / "visitors.csv", [_visitor(chance, name, number) for number, name in enumerate(people, start=1)])
    _write(folder / "shifts.csv", list(_shifts(crews, today, visits * AT_A_DOOR + ALL_WAYS)))
    _write(folder / "credentials.csv", list(_papers(people, today)))
    owed = [_case(chance, number, today) for number in range(1, len(crews) * visits + 1)]
    _write(folder / "cases.csv", owed)
    _write(folder / "contacts.csv", [_dead_number(number, case, today) for number, case in enumerate(owed, start=1)])


def _crews(phones: int) -> list[list[str]]:
    waiting = [f"V-{number:03}" for number in range(1, phones + 1)]
    crews: list[list[str]] = []
    for size in cycle(SIZES):
        if not waiting:
            return crews
        crews.append(waiting[:size])
        waiting = waiting[size:]
    return crews


def _visitor(chance: Random, name: str, number: int) -> VisitorRow:
    latitude, longitude = _somewhere(chance)
    return VisitorRow(
        visitor_id=name,
        name=f"Ilta Esimerkki {number}",
        staff_number=f"{4_000 + number}",
        phone="",
        skills="",
        languages="fi;en",
        home_address=f"Esimerkkikatu {number}, Helsinki",
        home_latitude=latitude,
        home_longitude=longitude,
    )


def _shifts(crews: Sequence[Sequence[str]], today: dt.date, lasting: dt.timedelta) -> Iterable[ShiftRow]:
    end = dt.datetime.combine(today, ENDS_AT)
    for number, crew in enumerate(crews, start=1):
        for place, name in enumerate(crew):
            yield ShiftRow(
                visitor_id=name,
                date=today.isoformat(),
                start=f"{end - lasting:%H:%M}",
                end=f"{end:%H:%M}",
                crew=f"F-{number:03}",
                lead="no" if place else "yes",
                start_from="office",
                break_from="",
                break_until="",
                break_minutes="",
            )


def _papers(people: Sequence[str], today: dt.date) -> Iterable[CredentialRow]:
    numbers = iter(range(1, len(people) * len(KINDS) + 1))
    for name in people:
        for kind, (issuer, lender) in KINDS.items():
            number = next(numbers)
            yield CredentialRow(
                credential_id=f"K-{number:05}",
                visitor_id=name,
                kind=kind,
                number=f"FLEET-{number:05}",
                issuer=issuer,
                valid_from=(today - dt.timedelta(days=90)).isoformat(),
                valid_until=(today + dt.timedelta(days=180)).isoformat(),
                for_organisation=lender,
            )


def _case(chance: Random, number: int, today: dt.date) -> CaseRow:
    latitude, longitude = _somewhere(chance)
    return CaseRow(
        case_id=f"C-{number:05}",
        debtor_id=f"D-{number:05}",
        name=f"Aino Esimerkki {number}",
        national_id="",
        language="fi",
        phone=f"+35845{1_000_000 + number}",
        phone_2="",
        email="",
        address=f"Kuvitelmakatu {number}, Helsinki",
        latitude=latitude,
        longitude=longitude,
        datum="wgs84",
        place_kind="home",
        product="consumer_loan",
        currency="EUR",
        principal="1000.00",
        interest="40.00",
        fees="10.00",
        total="1050.00",
        as_of=(today - dt.timedelta(days=1)).isoformat(),
        due_on=(today - dt.timedelta(days=90)).isoformat(),
        days_past_due="89",
        stage="letter",
        reason_for_arrears="",
        agency=AGENCY_CODE,
        placed_from=(today - dt.timedelta(days=30)).isoformat(),
        placed_until=(today + dt.timedelta(days=150)).isoformat(),
    )


def _dead_number(number: int, case: CaseRow, today: dt.date) -> AttemptRow:
    """The only number there is does not exist: no call can reach anybody."""
    at = dt.datetime.combine(today - dt.timedelta(days=6), dt.time(10, number % 60), dt.timezone(dt.timedelta(hours=2)))
    return AttemptRow(
        attempt_id=f"A-{number:06}",
        case_id=case.case_id,
        channel="call",
        contact_point=case.phone,
        at=at.isoformat(),
        result="number_invalid",
        detail="",
        source="dialer",
    )


def _somewhere(chance: Random) -> tuple[str, str]:
    lat, lon = (middle + chance.uniform(-reach, reach) for middle, reach in zip(MIDDLE, REACH_DEGREES, strict=True))
    return f"{lat:.6f}", f"{lon:.6f}"


def _write(path: Path, rows: "Sequence[DataclassInstance]") -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([field.name.rstrip("_") for field in fields(rows[0])])
        writer.writerows(astuple(row) for row in rows)
