"""Small files for the tests: a good line of each kind, of which a test says only what is different."""

import csv
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.geocoding import Geocoder
from fieldvisit.imports import ImportResult, import_file
from tests.conftest import NOW

CASE = {
    "case_id": "C-1",
    "debtor_id": "D-1",
    "name": "Meri Example",
    "national_id": "010101-123N",
    "language": "fi",
    "phone": "+358 45 700 0001",
    "phone_2": "",
    "email": "meri@post.example",
    "address": "Aleksanterinkatu 1, Helsinki",
    "latitude": "60.1699",
    "longitude": "24.9384",
    "datum": "wgs84",
    "place_kind": "home",
    "product": "car_loan",
    "currency": "EUR",
    "principal": "1000.00",
    "interest": "50.00",
    "fees": "5.00",
    "total": "1055.00",
    "as_of": "2026-03-02",
    "due_on": "2026-01-02",
    "days_past_due": "59",
    "stage": "phone",
    "reason_for_arrears": "illness",
    "agency": "pohjola-field",
    "placed_from": "2026-02-01",
    "placed_until": "2026-06-01",
}
CONTACT = {
    "attempt_id": "A-1",
    "case_id": "C-1",
    "channel": "call",
    "contact_point": "+358457000001",
    "at": "2026-03-01T09:30:00+02:00",
    "result": "no_answer",
    "detail": "",
    "source": "dialer",
}
VISITOR = {
    "visitor_id": "V-1",
    "name": "Ilta Example",
    "staff_number": "4100",
    "phone": "+358457000002",
    "skills": "hardship;business",
    "languages": "fi;en",
    "home_address": "Fabianinkatu 33, Helsinki",
    "home_latitude": "60.1694",
    "home_longitude": "24.9495",
}
SHIFT = {
    "visitor_id": "V-1",
    "date": "2026-03-03",
    "start": "08:30",
    "end": "16:30",
    "crew": "A",
    "lead": "yes",
    "start_from": "office",
    "break_from": "11:00",
    "break_until": "13:30",
    "break_minutes": "30",
}
CREDENTIAL = {
    "credential_id": "K-1",
    "visitor_id": "V-1",
    "kind": "authorisation_letter",
    "number": "N-77",
    "issuer": "Aurora",
    "valid_from": "2026-01-01",
    "valid_until": "2026-12-31",
    "for_organisation": "aurora-lend",
    "for_case": "",
}
PAYMENT = {"payment_id": "P-1", "case_id": "C-1", "amount": "12.50", "currency": "EUR", "paid_on": "2026-02-24"}
WISH = {"debtor_id": "D-1", "kind": "avoid", "days": "Mon;Tue", "from": "08:00", "until": "10:00", "note": "School"}
CONSENT = {
    "consent_id": "E-1",
    "debtor_id": "D-1",
    "form": "separate_document",
    "given_at": "2026-03-01T09:30:00+02:00",
    "about": "visits",
    "place_kind": "home",
    "visit": "",
    "contents": "date;time",
    "days": "Sat",
    "from": "18:00",
    "until": "20:00",
    "starts_on": "2026-03-02",
    "ends_on": "2026-06-01",
    "withdrawn": "no",
}
GOOD = {
    "cases": CASE,
    "contacts": CONTACT,
    "visitors": VISITOR,
    "shifts": SHIFT,
    "credentials": CREDENTIAL,
    "payments": PAYMENT,
    "wishes": WISH,
    "consents": CONSENT,
}

Lines = Iterable[Mapping[str, str]]


def write_csv(path: Path, lines: Lines, *, encoding: str = "utf-8", delimiter: str = ",") -> Path:
    rows = list(lines)
    with path.open("w", encoding=encoding, newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_xlsx(path: Path, rows: Iterable[Iterable[Any]]) -> Path:
    book = Workbook()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append(list(row))
    book.save(path)
    return path


class Office:
    """One organisation that imports files from a folder."""

    def __init__(self, sessions: sessionmaker[Session], org_id: uuid.UUID, folder: Path) -> None:
        self.sessions = sessions
        self.org_id = org_id
        self.folder = folder

    def load(
        self, kind: str, *lines: Mapping[str, str], geocoder: Geocoder | None = None, **options: Any
    ) -> ImportResult:
        return self.load_file(kind, write_csv(self.folder / f"{kind}.csv", lines), geocoder=geocoder, **options)

    def load_file(self, kind: str, path: Path, *, geocoder: Geocoder | None = None, **options: Any) -> ImportResult:
        return import_file(self.sessions, self.org_id, kind, path, now=NOW, geocoder=geocoder, **options)
