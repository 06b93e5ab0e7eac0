"""docs/integrators.md tells the columns of every kind of file as they are."""

from pathlib import Path

import pytest

from fieldvisit.imports.kinds import KINDS, READERS

TOLD = (Path(__file__).parents[2] / "docs" / "integrators.md").read_text("utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_the_docs_list_the_columns_of_a_kind(kind: str) -> None:
    section = TOLD.partition(f"### `fieldvisit import {kind}`\n")[2].partition("\n#")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")][1:]
    columns = READERS[kind].columns
    names = [f"`{column.name}`" if column.needed else f"*`{column.name}`*" for column in columns]
    assert rows == [[name, "、".join(column.aliases)] for name, column in zip(names, columns, strict=True)]
