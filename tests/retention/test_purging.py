"""What hangs on a visit, a case or a debtor is found from the tables, also in one that is new some day."""

import uuid
from collections.abc import Iterator

import sqlalchemy as sa

from fieldvisit.models import Base
from fieldvisit.retention.purging import FORGETS, LOOSE, children_of

ROOTS = ("visits", "cases", "debtors")


def hanging(table: sa.Table, seen: frozenset[str] = frozenset()) -> frozenset[str]:
    for child, _ in children_of(table):
        if child.name not in seen:
            seen = hanging(child, seen | {child.name})
    return seen


def test_whatever_others_hang_on_is_purged_by_an_id_of_its_own() -> None:
    tables = Base.metadata.tables
    found = frozenset[str]().union(*(hanging(tables[name]) for name in ("visits", "cases", "debtors")))
    assert {"visit_reports", "door_records", "verification_lookups", "contact_points", "legal_holds"} <= found
    assert [name for name in sorted(found) if children_of(tables[name]) and "id" not in tables[name].c] == []


def test_what_hangs_on_what_hangs_is_purged_before_it() -> None:
    order = [child.name for child, _ in children_of(Base.metadata.tables["visits"])]
    assert order.index("overrides") < order.index("decisions")
    assert order.index("door_records") < order.index("visit_reports")
    assert order.index("verification_lookups") < order.index("verification_codes")


def test_whatever_a_purge_looks_for_is_found_by_an_index() -> None:
    looked_for = {pair for name in ROOTS for pair in looked_for_below(Base.metadata.tables[name])}
    assert sorted(str(column) for table, column in looked_for if not is_indexed(table, column)) == []


def looked_for_below(table: sa.Table) -> Iterator[tuple[sa.Table, sa.Column[uuid.UUID]]]:
    yield from ((child, child.c[name]) for child, name in LOOSE.get(table.name, ()))
    for child, column in children_of(table):
        yield child, column
        if (child.name, column.name) not in FORGETS:
            yield from looked_for_below(child)


def is_indexed(table: sa.Table, column: sa.Column[uuid.UUID]) -> bool:
    """Whether some index, or the key, begins with the column; one over a part of the rows does not count."""
    whole = [index for index in table.indexes if index.dialect_options["postgresql"]["where"] is None]
    keys = [each for each in table.constraints if isinstance(each, sa.UniqueConstraint | sa.PrimaryKeyConstraint)]
    return any(next(iter(each.columns), None) is column for each in [*whole, *keys])


def test_what_only_forgets_is_there_to_forget() -> None:
    for (table, column), forgotten in FORGETS.items():
        columns = Base.metadata.tables[table].c
        assert column in columns
        assert all(columns[name].nullable for name in forgotten)
