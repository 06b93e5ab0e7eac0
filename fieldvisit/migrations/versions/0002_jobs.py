"""The job queue: Procrastinate's own schema, and the application role's rights on it.

The SQL comes from the installed release, which the lock file pins. Whoever raises that pin adds a migration with the
statements of Procrastinate's own `sql/migrations` that lie between, guarded by what is already there.
"""

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The raw connection: the text is full of percent signs and colons that are not ours to escape.
    op.get_bind().connection.driver_connection.execute(SchemaManager.get_schema())
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    for kind, right in (("r", "select, insert, update, delete"), ("S", "usage, select")):
        for name in _relations(kind):
            op.execute(f"grant {right} on {'sequence ' if kind == 'S' else ''}{name} to {role}")


def downgrade() -> None:
    for name in _relations("r"):
        op.execute(f"drop table {name} cascade")
    found = op.get_bind().execute(
        sa.text("select oid::regprocedure::text from pg_proc where proname like 'procrastinate%'")
    )
    for name in found.scalars().all():
        op.execute(f"drop function {name} cascade")
    found = op.get_bind().execute(
        sa.text("select typname from pg_type where typname like 'procrastinate%' and typtype in ('e', 'c')")
    )
    for name in found.scalars().all():
        op.execute(f"drop type if exists {name} cascade")


def _relations(kind: str) -> list[str]:
    return list(
        op.get_bind()
        .execute(
            sa.text("select relname from pg_class where relname like 'procrastinate%' and relkind = :kind order by 1"),
            {"kind": kind},
        )
        .scalars()
    )
