"""Alembic's entry. The connection is handed over by `fieldvisit.database.migrate`; there is no configuration file."""

from alembic import context
from sqlalchemy import text

from fieldvisit.models import Base


def include_name(name: str | None, type_: str, parents: object) -> bool:
    """Leave out what others own: Procrastinate's tables and the monthly partitions in their schema."""
    return not (type_ == "table" and (name or "").startswith("procrastinate_"))


connection = context.config.attributes["connection"]
# Two servers that start together migrate one after the other, however long the first one takes.
connection.execute(text("select pg_advisory_xact_lock(hashtext('fieldvisit migrations'))"))
# A migration that waits for a table makes everybody behind it wait too: better that it fails and is tried again.
connection.execute(text("set lock_timeout = '4s'"))
context.configure(
    connection=connection, target_metadata=Base.metadata, include_name=include_name, compare_server_default=False
)
with context.begin_transaction():
    context.run_migrations()
