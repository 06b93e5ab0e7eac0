"""`fieldvisit import`, as a person types it."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy.orm import Session, sessionmaker

from api.cli import main
from fieldvisit.database import acting_for_all
from fieldvisit.imports import KINDS, READERS
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import OrganisationKind
from tests.imports.files import CASE, CONTACT, Office, write_csv
from tests.worlds import make_organisation


@pytest.fixture
def environ(settings: Settings) -> dict[str, str]:
    return {
        "DATABASE_URL": settings.database_url or "",
        "DATABASE_OWNER_URL": settings.database_owner_url or "",
        "DATA_FOLDER": str(settings.data_folder),
        "ENVIRONMENT": "test",
        "LC_ALL": "en_GB.UTF-8",
        "COLUMNS": "120",
    }


def typed(environ: dict[str, str], *words: str | Path) -> Result:
    return CliRunner().invoke(main, ["import", *map(str, words)], env=environ)


def test_a_good_file_ends_with_0(lender: Office, environ: dict[str, str]) -> None:
    path = write_csv(lender.folder / "cases.csv", [CASE])
    result = typed(environ, "cases", path, "--organisation", "aurora-lend")
    assert (result.exit_code, result.stdout) == (0, "1 added, 0 changed, 0 unchanged, 0 refused.\n")


def test_refused_rows_are_listed_and_end_with_1(lender: Office, environ: dict[str, str]) -> None:
    lender.load("cases", CASE)
    path = write_csv(lender.folder / "contacts.csv", [CONTACT, CONTACT | {"attempt_id": "A-2", "result": "[red]x"}])
    result = typed(environ, "contacts", path, "--organisation", "aurora-lend")
    assert result.exit_code == 1
    assert "1 added, 0 changed, 0 unchanged, 1 refused." in result.stdout
    (row,) = [line for line in result.stdout.splitlines() if "[red]x" in line]
    assert [cell.strip() for cell in row.strip("│").split("│")][:3] == ["3", "result", "[red]x"]


def test_the_list_is_in_the_readers_language(lender: Office, environ: dict[str, str]) -> None:
    path = write_csv(lender.folder / "cases.csv", [CASE | {"stage": ""}])
    result = typed(environ | {"LC_ALL": "zh_CN.UTF-8"}, "cases", path, "--organisation", "aurora-lend")
    assert result.exit_code == 1
    assert all(word in result.stdout for word in ("原因", "为空", "拒绝 1 行"))


def test_personal_values_are_not_listed(lender: Office, environ: dict[str, str]) -> None:
    path = write_csv(lender.folder / "cases.csv", [CASE | {"phone": "007 secret"}])
    result = typed(environ, "cases", path, "--organisation", "aurora-lend")
    assert "***" in result.stdout
    assert "secret" not in result.output


@pytest.mark.parametrize(
    ("option", "said"),
    [("--dry-run", "A dry run: nothing was stored."), ("--all-or-nothing", "Nothing was stored: all or nothing.")],
)
def test_what_was_not_stored_is_said(lender: Office, environ: dict[str, str], option: str, said: str) -> None:
    path = write_csv(lender.folder / "cases.csv", [CASE, CASE | {"case_id": "C-2", "stage": ""}])
    for _ in range(2):
        result = typed(environ, "cases", path, "--organisation", "aurora-lend", option)
        assert (result.exit_code, said in result.stdout) == (1, True)
        assert "1 added" in result.stdout


def test_a_file_that_cannot_be_used_ends_with_2(lender: Office, environ: dict[str, str]) -> None:
    path = lender.folder / "cases.csv"
    path.write_text("case_id\nC-1\n")
    result = typed(environ, "cases", path, "--organisation", "aurora-lend")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "[columns_missing]" in result.stderr
    assert typed(environ, "cases", lender.folder / "none.csv", "--organisation", "aurora-lend").exit_code == 2


def test_the_examples_of_the_help_import(lender: Office, agency: Office, environ: dict[str, str]) -> None:
    codes = {"visitors": "pohjola-field", "shifts": "pohjola-field", "credentials": "pohjola-field"}
    for kind in KINDS:
        shown = [line.strip() for line in typed(environ, kind, "--help").stdout.splitlines()]
        place = next(n for n, line in enumerate(shown) if line.startswith(READERS[kind].columns[0].name))
        path = lender.folder / f"{kind}.csv"
        path.write_text("\n".join(shown[place : place + 2]) + "\n")
        result = typed(environ, kind, path, "--organisation", codes.get(kind, "aurora-lend"))
        assert (kind, result.stdout) == (kind, "1 added, 0 changed, 0 unchanged, 0 refused.\n")


def test_the_organisation_may_be_named_once_for_all_by_a_variable(lender: Office, environ: dict[str, str]) -> None:
    path = write_csv(lender.folder / "cases.csv", [CASE])
    unnamed = typed(environ, "cases", path)
    assert unnamed.exit_code != 0
    assert all(word in unnamed.stderr for word in ("aurora-lend", "pohjola-field", "[organisation_not_named]"))
    assert typed(environ | {"ORGANISATION": "aurora-lend"}, "cases", path).stdout.startswith("1 added")


def test_the_only_organisation_is_meant(
    sessions: sessionmaker[Session], environ: dict[str, str], tmp_path: Path
) -> None:
    with acting_for_all(sessions) as session:
        make_organisation(session, code="aurora-lend", kind=OrganisationKind.LENDER)
    path = write_csv(tmp_path / "cases.csv", [CASE | {"agency": "", "placed_from": "", "placed_until": ""}])
    assert typed(environ, "cases", path).stdout.startswith("1 added")
