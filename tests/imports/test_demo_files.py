"""The generated files of the demo import whole: what the generator calls good, the readers do not refuse."""

from pathlib import Path

from fieldvisit.demo.gazetteer import Gazetteer
from fieldvisit.demo.generator import EXTRACT, generate
from fieldvisit.imports import KINDS, ImportResult
from tests.imports.files import Office

AGENCY = ("visitors", "shifts", "credentials")
WITHOUT_FILE = {"consents"}
"""Nobody in the demo has agreed to more than the law allows."""


def test_the_demos_files_import_without_a_fault(lender: Office, agency: Office, tmp_path: Path) -> None:
    counts = generate(tmp_path / "files")
    gazetteer = Gazetteer.of(EXTRACT)
    assert set(KINDS) - {file.stem for file in (tmp_path / "files").glob("*.csv")} == WITHOUT_FILE
    for kind in (each for each in KINDS if each not in WITHOUT_FILE):
        office = agency if kind in AGENCY else lender
        result = office.load_file(kind, tmp_path / "files" / f"{kind}.csv", geocoder=gazetteer)
        unlocated = len(counts.truth.unlocatable) if kind == "cases" else 0
        assert result == ImportResult(kind=kind, added=getattr(counts, kind), unlocated=unlocated)
