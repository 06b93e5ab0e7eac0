"""The months of the append-only tables: made without disturbing whoever reads them, each table for itself."""

import datetime as dt

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.clock import shift_clock_to
from fieldvisit.database import Urls, acting_for, plain_url
from fieldvisit.models import AuditEvent
from fieldvisit.partitions import PARTITIONED, lacks_partition, make_partitions
from tests.worlds import World, make_world

JUNE = dt.datetime(2026, 6, 10, tzinfo=dt.UTC)


@pytest.fixture
def owner(urls: Urls) -> sa.Engine:
    return sa.create_engine(urls.owner, poolclass=sa.NullPool)


@pytest.fixture
def world(sessions: sessionmaker[Session]) -> World:
    return make_world(sessions)


def parts(owner: sa.Engine, month: str) -> set[str]:
    with owner.connect() as connection:
        names = connection.scalars(
            sa.text("select relname from pg_class where relispartition and relname like :name and relkind = 'r'"),
            {"name": f"%{month}"},
        )
        return {name.removesuffix(month) for name in names}


def test_a_backup_that_reads_every_table_does_not_keep_next_month_from_being_made(
    urls: Urls, owner: sa.Engine, sessions: sessionmaker[Session]
) -> None:
    shift_clock_to(owner, JUNE)
    with psycopg.connect(plain_url(urls.owner)) as backup:
        backup.execute(f"lock table {', '.join(PARTITIONED)} in access share mode")
        assert make_partitions(sessions) is True
    assert (parts(owner, "_2026_06"), parts(owner, "_2026_07")) == (set(PARTITIONED), set(PARTITIONED))


def test_a_table_that_is_held_keeps_the_others_from_nothing(
    urls: Urls, owner: sa.Engine, sessions: sessionmaker[Session]
) -> None:
    shift_clock_to(owner, JUNE)
    with psycopg.connect(plain_url(urls.owner)) as holder:
        holder.execute("lock table safety_events in share update exclusive mode")
        assert make_partitions(sessions) is False
    assert parts(owner, "_2026_07") == set(PARTITIONED) - {"safety_events"}
    assert make_partitions(sessions) is True
    assert parts(owner, "_2026_07") == set(PARTITIONED)


def test_a_month_made_later_is_like_one_made_with_its_table(owner: sa.Engine, sessions: sessionmaker[Session]) -> None:
    """Keys, foreign keys, checks, defaults and the words for what is not null."""
    shift_clock_to(owner, JUNE)
    make_partitions(sessions)
    of_the_parent = "select contype, conkey, confrelid from pg_constraint where conrelid = cast(:name as regclass)"
    columns = "select attname, atthasdef, attnotnull from pg_attribute where attrelid = cast(:name as regclass)"
    with owner.connect() as connection:
        for parent in PARTITIONED:
            for question in (of_the_parent, columns):
                found = [
                    {tuple(map(str, row)) for row in connection.execute(sa.text(question), {"name": name})}
                    for name in (parent, f"parts.{parent}_2026_07")
                ]
                assert found[0] == found[1]


def test_a_row_without_its_month_is_told_from_a_row_that_breaks_a_rule(
    owner: sa.Engine, sessions: sessionmaker[Session], world: World
) -> None:
    event = {"org_id": world.agency, "action": "a", "subject": "b"}
    statements = (sa.insert(AuditEvent).values(event | {"at": JUNE}), sa.text("update areas set radius_m = 1"))
    with acting_for(sessions, world.agency) as session:
        lacking = [lacks_partition(refused(session, statement)) for statement in statements]
    assert lacking == [True, False]


def refused(session: Session, statement: sa.Executable) -> BaseException:
    with pytest.raises(sa.exc.IntegrityError) as raised, session.begin_nested():
        session.execute(statement)
    return raised.value


def test_the_database_takes_no_figures_of_what_is_never_searched_by(
    owner: sa.Engine, sessions: sessionmaker[Session]
) -> None:
    shift_clock_to(owner, JUNE)
    assert make_partitions(sessions) is True
    left_out = sa.text("""
        select relname, array_agg(attname::text) filter (where attstattarget = 0)
        from pg_class join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
        where relispartition and relkind = 'r' and relname like 'safety_events_%' group by relname
    """)
    with owner.connect() as connection:
        by_part = {name: set(columns) for name, columns in connection.execute(left_out)}
    assert "safety_events_2026_07" in by_part
    assert set(map(frozenset, by_part.values())) == {frozenset({"detail", "note", "previous_hash", "hash"})}
