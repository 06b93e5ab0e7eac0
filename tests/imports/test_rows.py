"""What is wrong with a row is told by line, column and reason; nothing of the row is stored."""

import pytest

from fieldvisit.imports import ImportResult, RowFault
from fieldvisit.languages import Message, say
from fieldvisit.vocabulary import AttemptResult, CaseStage, CredentialKind
from tests.imports.files import CASE, CONTACT, GOOD, PAYMENT, Office

LONG = "x" * 101

# Kind, column, value, reason.
FAULTS = [
    ("cases", "case_id", "", "is empty, but needed"),
    ("cases", "case_id", LONG, "is too long"),
    ("cases", "debtor_id", " ", "is empty, but needed"),
    ("cases", "name", "", "is empty, but needed"),
    ("cases", "name", "Me\x07ri", "holds a character that cannot be written down"),
    ("cases", "language", "Finnish please", "is not a language tag such as fi or zh-CN"),
    ("cases", "phone", "call me", "is not a telephone number"),
    ("cases", "phone", "12", "is not a telephone number"),
    ("cases", "phone_2", "+358", "is not a telephone number"),
    ("cases", "email", "meri at post", "is not an e-mail address"),
    ("cases", "address", "", "is needed where there is a point"),
    ("cases", "latitude", "91", "must lie between -90 and 90"),
    ("cases", "latitude", "north", "is not a number such as 1234.50"),
    ("cases", "latitude", "", "a point has a latitude and a longitude, or neither"),
    ("cases", "longitude", "-180.5", "must lie between -180 and 180"),
    ("cases", "datum", "ed50", "is not one of wgs84, gcj02, bd09"),
    ("cases", "datum", "gcj02", "is used in China only, and the point is far from it"),
    ("cases", "place_kind", "boat", "is not one of home, work, chosen, hospital, school, public"),
    ("cases", "currency", "EURO", "is not a currency code such as EUR or CNY"),
    ("cases", "principal", "1,000.00", "is not a number such as 1234.50"),
    ("cases", "principal", "NaN", "is not a number such as 1234.50"),
    ("cases", "principal", "-1", "must not be negative"),
    ("cases", "interest", "50.001", "has more decimals than the currency"),
    ("cases", "fees", "99999999999999", "is too large"),
    ("cases", "total", "1055.01", "is not principal, interest and fees together"),
    ("cases", "as_of", "2026-02-30", "is not a date such as 2026-03-02"),
    ("cases", "as_of", "02/03/2026", "is not a date such as 2026-03-02"),
    ("cases", "due_on", "", "is empty, but needed"),
    ("cases", "due_on", "9999-12-31", "lies outside of 1900-01-01 to 2199-12-31"),
    ("cases", "days_past_due", "-1", "is not a whole number such as 45"),
    ("cases", "days_past_due", "4.5", "is not a whole number such as 45"),
    ("cases", "days_past_due", "many", "is not a whole number such as 45"),
    ("cases", "days_past_due", "9999999999", "is too large"),
    ("cases", "stage", "ring", f"is not one of {', '.join(CaseStage)}"),
    ("cases", "agency", "nobody", "is not the code of an agency"),
    ("cases", "agency", "aurora-lend", "is not the code of an agency"),
    ("cases", "agency", "", "is needed where there are days of a placement"),
    ("cases", "placed_from", "", "is needed where there is an agency"),
    ("cases", "placed_until", "2026-01-31", "must not be earlier than the first day"),
    ("payments", "paid_on", "2199-12-31", "lies in the future"),
    ("contacts", "attempt_id", "", "is empty, but needed"),
    ("contacts", "case_id", "C-404", "There is no case C-404 that you may see."),
    ("contacts", "channel", "fax", "is not one of call, sms, email, letter, visit"),
    ("contacts", "channel", "email", "is not an e-mail address"),
    ("contacts", "contact_point", "0", "is not a telephone number"),
    ("contacts", "at", "2026-03-01T09:30:00", "needs its offset from UTC, such as +02:00"),
    ("contacts", "at", "2026-03-01", "needs its offset from UTC, such as +02:00"),
    ("contacts", "at", "yesterday", "is not a time such as 2026-03-02T09:30:00+02:00"),
    ("contacts", "at", "0001-01-01T00:00:00+14:00", "is not a time such as 2026-03-02T09:30:00+02:00"),
    ("contacts", "at", "1999-12-31T00:00:00Z", "lies before the year 2000"),
    ("contacts", "at", "2026-03-04T09:30:00+02:00", "lies in the future"),
    ("contacts", "result", "silence", f"is not one of {', '.join(AttemptResult)}"),
    ("contacts", "result", "nobody_home", "cannot come of this channel"),
    ("contacts", "detail", "talked", "belongs to the result reached alone"),
    ("contacts", "source", "", "is empty, but needed"),
    ("visitors", "visitor_id", "", "is empty, but needed"),
    ("visitors", "name", "", "is empty, but needed"),
    ("visitors", "staff_number", "", "is empty, but needed"),
    ("visitors", "phone", "none", "is not a telephone number"),
    ("visitors", "skills", LONG, "is too long"),
    ("visitors", "home_latitude", "95", "must lie between -90 and 90"),
    ("visitors", "home_longitude", "200", "must lie between -180 and 180"),
    ("shifts", "visitor_id", "V-404", "There is no visitor V-404 that you may see."),
    ("shifts", "date", "3.3.2026", "is not a date such as 2026-03-02"),
    ("shifts", "start", "24:00", "is not a time of day from 00:00 to 23:59"),
    ("shifts", "end", "08:30", "must be later than the time it starts"),
    ("shifts", "lead", "maybe", "is neither yes nor no"),
    ("shifts", "start_from", "moon", "is not one of home, office"),
    ("shifts", "break_from", "08:00", "is not inside the shift"),
    ("shifts", "break_until", "11:10", "does not fit between the times of the break"),
    ("shifts", "break_minutes", "", "a break has a first and a last time and minutes, or none"),
    ("shifts", "break_minutes", "99999999999", "does not fit between the times of the break"),
    ("shifts", "break_minutes", "0", "does not fit between the times of the break"),
    ("credentials", "credential_id", "", "is empty, but needed"),
    ("credentials", "visitor_id", "V-404", "There is no visitor V-404 that you may see."),
    ("credentials", "kind", "passport", f"is not one of {', '.join(CredentialKind)}"),
    ("credentials", "number", "", "is empty, but needed"),
    ("credentials", "issuer", "", "is empty, but needed"),
    ("credentials", "valid_from", "soon", "is not a date such as 2026-03-02"),
    ("credentials", "valid_until", "2025-12-31", "must not be earlier than the first day"),
    ("credentials", "for_organisation", "nobody", "is not the code of an organisation"),
    ("credentials", "for_case", "C-404", "is no case that you may see"),
    ("payments", "payment_id", "", "is empty, but needed"),
    ("payments", "case_id", "C-404", "There is no case C-404 that you may see."),
    ("payments", "amount", "0", "must be more than nothing"),
    ("payments", "amount", "12.5o", "is not a number such as 1234.50"),
    ("payments", "currency", "SEK", "is not the currency of the case"),
    ("payments", "paid_on", "", "is empty, but needed"),
    ("wishes", "debtor_id", "D-404", "There is no debtor D-404 that you may see."),
    ("wishes", "kind", "sometimes", "is not one of avoid, only"),
    ("wishes", "days", "Mon;Someday", "must name days of the week"),
    ("wishes", "days", ";", "must name days of the week"),
    ("wishes", "from", "8 am", "is not a time of day from 00:00 to 23:59"),
    ("wishes", "until", "07:00", "must be later than the time it starts"),
    ("wishes", "note", LONG * 5, "is too long"),
    ("consents", "consent_id", "", "is empty, but needed"),
    ("consents", "debtor_id", "D-404", "There is no debtor D-404 that you may see."),
    ("consents", "form", "nodded", "is not one of any, written, separate_document"),
    ("consents", "given_at", "2026-03-01", "needs its offset from UTC, such as +02:00"),
    ("consents", "given_at", "2026-03-04T09:30:00+02:00", "lies in the future"),
    ("consents", "about", "calls", "is not one of visits, recording"),
    ("consents", "place_kind", "work", "does not name one place of the debtor"),
    ("consents", "visit", "V-404", "There is no visit V-404 that you may see."),
    ("consents", "contents", "date;smell", "is not one of purpose, date, time"),
    ("consents", "days", "Someday", "must name days of the week"),
    ("consents", "until", "", "is given when, and only when, from_time is"),
    ("consents", "starts_on", "soon", "is not a date such as 2026-03-02"),
    ("consents", "ends_on", "2026-03-01", "must not be earlier than starts_on"),
    ("consents", "withdrawn", "perhaps", "is neither yes nor no"),
]
PERSONAL = {"name", "phone", "phone_2", "email", "latitude", "longitude", "contact_point", "home_latitude", "note"}
PERSONAL |= {"home_longitude", "number"}
# A fault that two columns make is told of the one that is named second.
BLAMED = {
    ("channel", "is not an e-mail address"): ("contact_point", "+358457000001"),
    ("break_until", "does not fit between the times of the break"): ("break_minutes", "30"),
    ("latitude", "a point has a latitude and a longitude, or neither"): ("latitude", ""),
}
IDS = {
    "cases": "case_id",
    "contacts": "attempt_id",
    "visitors": "visitor_id",
    "credentials": "credential_id",
    "payments": "payment_id",
    "consents": "consent_id",
}
OFFICES = {"visitors": "agency", "shifts": "agency", "credentials": "agency"}


@pytest.fixture
def offices(lender: Office, agency: Office) -> dict[str, Office]:
    """Both offices, with a good row of each kind that the others refer to."""
    lender.load("cases", GOOD["cases"])
    agency.load("visitors", GOOD["visitors"])
    return {"lender": lender, "agency": agency}


@pytest.mark.parametrize("kind", GOOD)
def test_a_bad_cell_is_told_and_its_row_refused(offices: dict[str, Office], kind: str) -> None:
    """One file a kind; on each line, one cell that is wrong."""
    faults = [(column, value, reason) for each, column, value, reason in FAULTS if each == kind]
    rows = [GOOD[kind] | row_id(kind, number) | {column: value} for number, (column, value, _) in enumerate(faults)]
    result = offices[OFFICES.get(kind, "lender")].load(kind, *rows)
    found = [(fault.line, fault.column, fault.value, say(fault.reason, "en")) for fault in result.faults]
    assert found == [(line, *as_told(*fault)) for line, fault in enumerate(faults, start=2)]
    assert result == ImportResult(kind=kind, refused=len(rows), faults=result.faults)


def row_id(kind: str, number: int) -> dict[str, str]:
    """Ids of its own for each line: the same id twice is another fault."""
    return (
        {IDS[kind]: f"X-{number}"} if kind in IDS else {"date": f"2026-03-{number + 1:02}"} if kind == "shifts" else {}
    )


def as_told(column: str, value: str, reason: str) -> tuple[str, str, str]:
    blamed, value = BLAMED.get((column, reason), (column, value))
    return blamed, "***" if blamed in PERSONAL and value.strip() else value[:60], reason


def test_all_that_is_wrong_with_a_row_is_told_at_once(lender: Office) -> None:
    result = lender.load("cases", CASE, CASE | {"case_id": "C-2", "phone": "x", "as_of": "x"})
    assert result == ImportResult(
        kind="cases",
        added=1,
        refused=1,
        faults=(
            RowFault(3, "phone", "***", Message("is not a telephone number")),
            RowFault(3, "as_of", "x", Message("is not a date such as 2026-03-02")),
        ),
    )


def test_good_rows_are_stored_beside_a_bad_one(lender: Office) -> None:
    lender.load("cases", CASE)
    rows = [CONTACT | {"attempt_id": f"A-{number}"} for number in range(5)]
    rows[2] |= {"result": "silence"}
    assert lender.load("contacts", *rows).added == 4
    assert lender.load("contacts", *rows).unchanged == 4


def test_the_same_row_twice_in_a_file_is_one(lender: Office) -> None:
    result = lender.load("cases", CASE, CASE)
    assert (result.added, result.unchanged, result.refused) == (1, 1, 0)
    result = lender.load("contacts", CONTACT, CONTACT)
    assert (result.added, result.unchanged, result.refused) == (1, 1, 0)


def test_the_same_id_with_something_else_is_refused(lender: Office) -> None:
    result = lender.load("cases", CASE, CASE | {"stage": "letter"})
    twice = RowFault(3, "case_id", "C-1", Message("is given twice in this file, with different values"))
    assert (result.added, result.faults) == (1, (twice,))
    result = lender.load("contacts", CONTACT, CONTACT | {"result": "busy"})
    recorded = RowFault(3, "attempt_id", "A-1", Message("is recorded already, with different values"))
    assert (result.added, result.faults) == (1, (recorded,))


def test_a_debtor_has_one_name_in_a_file(lender: Office) -> None:
    result = lender.load("cases", CASE, CASE | {"case_id": "C-2", "name": "Someone Else"})
    twice = RowFault(3, "debtor_id", "D-1", Message("is given twice in this file, with different values"))
    assert (result.added, result.faults) == (1, (twice,))


def test_a_repetition_of_a_refused_row_is_refused_as_well(lender: Office) -> None:
    bad = CASE | {"agency": "nobody"}
    assert [fault.line for fault in lender.load("cases", bad, bad).faults] == [2, 3]


def test_a_row_that_is_too_short_is_refused(lender: Office) -> None:
    path = lender.folder / "payments.csv"
    path.write_text("payment_id,case_id,amount,currency,paid_on\nP-1,C-1,12.50\n\nP-2,C-1,1.00,EUR,2026-02-24,more\n")
    counted = Message("has {found} values where the header names {wanted}", {"found": 3, "wanted": 5})
    longer = Message(counted.text, {"found": 6, "wanted": 5})
    assert lender.load_file("payments", path).faults == (RowFault(2, "", "", counted), RowFault(4, "", "", longer))


@pytest.mark.parametrize(("lost", "refused"), [(0, 0), (1, 1), (2, 1)])
def test_the_last_row_of_a_file_that_breaks_off_is_not_taken_for_whole(lender: Office, lost: int, refused: int) -> None:
    lender.load("cases", CASE)
    text = "payment_id,case_id,amount,currency,paid_on\nP-1,C-1,12.50,EUR,2026-02-24\nP-2,C-1,1.00,EUR,2026-02-24\n"
    whole, half = lender.folder / "whole.csv", lender.folder / "half.csv"
    whole.write_text(text)
    half.write_text(text[: len(text) - lost])
    found = lender.load_file("payments", half)
    cut = Message("the file may be cut off: it ends without a line break")
    assert (found.added, found.faults) == (2 - refused, (RowFault(3, "", "", cut),) * refused)
    # What was left out comes with the whole file.
    assert (lender.load_file("payments", whole).added, lender.load("payments", PAYMENT).unchanged) == (refused, 1)
