"""The migrations make what the models say, from empty and back."""

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from fieldvisit import embedded
from fieldvisit.database import Urls
from fieldvisit.migrating import migrate
from fieldvisit.migrations.security import RULES
from fieldvisit.models import Base


@pytest.fixture
def empty(server: embedded.Server) -> Urls:
    embedded.drop_database(server, "migrations")
    embedded.create_database(server, "migrations")
    return Urls(app=server.url(embedded.APP, "migrations"), owner=server.url(embedded.OWNER, "migrations"))


def everything_in(urls: Urls) -> set[str]:
    engine = sa.create_engine(urls.owner, poolclass=sa.NullPool)
    with engine.connect() as connection:
        relations = (
            "select relname from pg_class where relnamespace in ('public'::regnamespace, to_regnamespace('parts'))"
        )
        routines = "select proname from pg_proc where pronamespace = 'public'::regnamespace"
        return set(connection.scalars(sa.text(f"{relations} union {routines}")))


def test_models_and_migrations_agree(urls: Urls) -> None:
    engine = sa.create_engine(urls.owner, poolclass=sa.NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"include_name": lambda name, kind, _: not (kind == "table" and name.startswith("procrastinate_"))},
        )
        assert compare_metadata(context, Base.metadata) == []


def test_every_migration_runs_from_empty_and_back(empty: Urls) -> None:
    migrate(empty)
    assert "visits" in everything_in(empty)
    migrate(empty, "base")
    assert everything_in(empty) == {"alembic_version", "pk_alembic_version", "alembic_version_pkc"} & everything_in(
        empty
    )
    migrate(empty)
    assert "procrastinate_jobs" in everything_in(empty)


def test_every_table_of_the_domain_is_under_row_level_security(urls: Urls) -> None:
    engine = sa.create_engine(urls.owner, poolclass=sa.NullPool)
    with engine.connect() as connection:
        forced = set(
            connection.scalars(sa.text("select relname from pg_class where relrowsecurity and relforcerowsecurity"))
        )
    by_shape = {mapper.class_.__tablename__: mapper.class_.visibility for mapper in Base.registry.mappers}
    assert forced == {table for table, shape in by_shape.items() if shape != "system"}
    assert set(by_shape.values()) == {*RULES, "organisation", "read_by_all", "system"}


def test_every_constraint_has_a_name_of_ours(urls: Urls) -> None:
    engine = sa.create_engine(urls.owner, poolclass=sa.NullPool)
    with engine.connect() as connection:
        names = connection.scalars(
            sa.text(
                "select conname from pg_constraint where connamespace = 'public'::regnamespace and contype <> 'n'"
                " and conrelid::regclass::text !~ '^procrastinate_|^alembic_version$' and conrelid <> 0"
            )
        ).all()
    assert [name for name in names if not name.startswith(("pk_", "fk_", "uq_", "ck_"))] == []
