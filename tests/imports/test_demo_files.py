"""The generated files of the demo import whole: what the generator calls good, the readers do not refuse."""

from pathlib import Path

from fieldvisit.demo.gazetteer import Gazetteer
from fieldvisit.demo.generator import EXTRACT, generate
from fieldvisit.imports import KINDS, ImportResult
from tests.imports.files import Office

AGENCY = ("visitors", "shifts", "credentials")


def test_the_demos_files_import_without_a_fault(lender: Office, agency: Office, tmp_path: Path) -> None:
    counts = generate(tmp_path / "files")
    gazetteer = Gazetteer.of(EXTRACT)
    for kind in KINDS:
        office = agency if kind in AGENCY else lender
        result = office.load_file(kind, tmp_path / "files" / f"{kind}.csv", geocoder=gazetteer)
        unlocated = len(counts.truth.unlocatable) if kind == "cases" else 0
        assert result == ImportResult(kind=kind, added=getattr(counts, kind), unlocated=unlocated)
