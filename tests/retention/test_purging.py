"""What hangs on a visit, a case or a debtor is found from the tables, also in one that is new some day."""

import sqlalchemy as sa

from fieldvisit.models import Base
from fieldvisit.retention.purging import FORGETS, children_of


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


def test_what_only_forgets_is_there_to_forget() -> None:
    for (table, column), forgotten in FORGETS.items():
        columns = Base.metadata.tables[table].c
        assert column in columns
        assert all(columns[name].nullable for name in forgotten)
