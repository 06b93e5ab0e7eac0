"""The documents name everything there is, and nothing that is not: settings, errors, commands, endpoints."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from flask import Flask

import api
import fieldvisit
from api.app import close_app, create_app
from api.cli import LAZY, main
from api.errors import status_of
from api.openapi import operations
from fieldvisit.errors import every_error
from fieldvisit.settings import SETTING_NAMES, Settings

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def rows(page: Path, *, columns: int) -> list[tuple[str, ...]]:
    """The first columns of every table row whose first cell is a word in code type."""
    found = []
    for line in page.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split("|")]
        if line.startswith("| `") and re.fullmatch(r"`\w+`", cells[0]):
            found.append((cells[0].strip("`"), *cells[1:columns]))
    return found


def everything_written() -> str:
    pages = [*DOCS.glob("*.md"), *([readme] if (readme := ROOT / "README.md").exists() else [])]
    return "\n".join(page.read_text() for page in pages)


def load_all() -> None:
    """Every module of the product, so that every error has been made known."""
    for package in (fieldvisit, api):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if ".migrations" not in module.name:
                importlib.import_module(module.name)


def commands(group: click.Group, path: str) -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}"


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings)
    yield app
    close_app(app)


def test_every_setting_has_its_line_and_every_line_its_setting() -> None:
    written = [name for (name,) in rows(DOCS / "operators.md", columns=1) if name.isupper()]
    assert sorted(written) == sorted(SETTING_NAMES)


def test_every_error_has_its_line_with_its_status_and_every_line_its_error() -> None:
    load_all()
    real = {error.code: str(status_of(error)) for error in every_error() if error.__module__.split(".")[0] != "tests"}
    written = dict(rows(DOCS / "errors.md", columns=2))
    assert sorted(written.items()) == sorted(real.items())


def test_every_command_is_named_in_the_docs() -> None:
    written = everything_written()
    assert [path for path in commands(main, "fieldvisit") if path not in written] == []


def test_every_command_is_announced_with_a_title() -> None:
    assert [name for name, (_, title) in LAZY.items() if not title.endswith(".")] == []


def test_every_endpoint_is_named_in_the_docs(app: Flask) -> None:
    written, document = everything_written(), app.test_client().get("/openapi.json").json
    paths = {path for path, _, _ in operations(document)}
    assert [path for path in sorted(paths) if not re.search(re.escape(path) + r"(?![\w/{-])", written)] == []
