"""The generated files of the demo import whole: what the generator calls good, the readers do not refuse."""

import csv
import io
from pathlib import Path

import pytest

from fieldvisit.demo.gazetteer import Gazetteer
from fieldvisit.demo.generator import EXTRACT, generate
from fieldvisit.imports import KINDS, ImportResult
from tests.imports.files import Office, write_csv

AGENCY = ("visitors", "shifts", "credentials")
WITHOUT_FILE = {"consents"}
"""Nobody in the demo has agreed to more than the law allows."""
ONE_OF = 12
"""Cases, each with all that belongs to it, and those that paid, which are few."""


def test_of_the_demos_cases_some_import_with_all_that_is_theirs_and_without_a_fault(
    lender: Office, agency: Office, tmp_path: Path
) -> None:
    counts = generate(tmp_path / "files")
    gazetteer = Gazetteer.of(EXTRACT)
    texts = {path.stem: path.read_text("utf-8") for path in (tmp_path / "files").glob("*.csv")}
    lines = {kind: list(csv.DictReader(io.StringIO(text))) for kind, text in texts.items()}
    assert set(KINDS) - set(lines) == WITHOUT_FILE
    paid = {payment["case_id"] for payment in lines["payments"]}
    some = [case for at, case in enumerate(lines["cases"]) if at % ONE_OF == 0 or case["case_id"] in paid]
    theirs = {name: {case[name] for case in some} for name in ("case_id", "debtor_id")} | {"for_case": {""}}
    for kind in (each for each in KINDS if each in lines):
        office = agency if kind in AGENCY else lender
        taken = [line for line in lines[kind] if all(line.get(name, "") in {"", *ids} for name, ids in theirs.items())]
        assert taken, kind
        result = office.load_file(kind, write_csv(tmp_path / f"{kind}.csv", taken), geocoder=gazetteer)
        unlocated = len(counts.truth.unlocatable & theirs["case_id"]) if kind == "cases" else 0
        assert result == ImportResult(kind=kind, added=len(taken), unlocated=unlocated)


@pytest.mark.long
def test_the_demos_files_import_without_a_fault(lender: Office, agency: Office, tmp_path: Path) -> None:
    counts = generate(tmp_path / "files")
    gazetteer = Gazetteer.of(EXTRACT)
    for kind in (each for each in KINDS if each not in WITHOUT_FILE):
        office = agency if kind in AGENCY else lender
        result = office.load_file(kind, tmp_path / "files" / f"{kind}.csv", geocoder=gazetteer)
        unlocated = len(counts.truth.unlocatable) if kind == "cases" else 0
        assert result == ImportResult(kind=kind, added=getattr(counts, kind), unlocated=unlocated)
