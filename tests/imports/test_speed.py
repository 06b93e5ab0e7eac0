"""A nation's dialer: a hundred thousand attempts."""

import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from fieldvisit.database import acting_for
from fieldvisit.imports import ImportResult
from fieldvisit.models import ContactAttempt
from tests.imports.files import CASE, CONTACT, Office, write_csv

ATTEMPTS, CASES = 100_000, 2_000


def attempts() -> list[dict[str, str]]:
    """Spread over the cases and over nine weeks, in no order of time."""
    return [
        CONTACT
        | {
            "attempt_id": f"A-{number}",
            "case_id": f"C-{number % CASES}",
            "contact_point": f"+35845700{number % CASES:04}",
            "at": f"2026-{number % 2 + 1:02}-{number % 28 + 1:02}T{8 + number % 11:02}:{number % 60:02}:00+02:00",
        }
        for number in range(ATTEMPTS)
    ]


LONGEST_S = 60
"""What docs/integrators.md promises for them; a machine that is busy with other things should run this alone."""


@pytest.mark.long
def test_a_hundred_thousand_attempts_import_and_import_again(lender: Office, tmp_path: Path) -> None:
    cases = [CASE | {"case_id": f"C-{number}", "debtor_id": f"D-{number}"} for number in range(CASES)]
    lender.load("cases", *cases)
    path = write_csv(tmp_path / "contacts.csv", attempts())
    begun_at = time.monotonic()
    first = lender.load_file("contacts", path)
    took_s = time.monotonic() - begun_at
    print(f"{ATTEMPTS} attempts: {took_s:.1f} s")
    begun_at = time.monotonic()
    again = lender.load_file("contacts", path)
    print(f"the same again: {time.monotonic() - begun_at:.1f} s")
    assert (first, again) == (
        ImportResult(kind="contacts", added=ATTEMPTS),
        ImportResult(kind="contacts", unchanged=ATTEMPTS),
    )
    with acting_for(lender.sessions, lender.org_id) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(ContactAttempt)) == ATTEMPTS
    assert took_s < LONGEST_S
