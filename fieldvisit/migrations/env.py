"""Alembic's entry. The connection is handed over by `fieldvisit.migrating.migrate`; there is no configuration file."""

from alembic import context

from fieldvisit.models import Base


def include_name(name: str | None, type_: str, parents: object) -> bool:
    """Leave out what others own: Procrastinate's tables and the monthly partitions in their schema."""
    return not (type_ == "table" and (name or "").startswith("procrastinate_"))


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_name=include_name,
    compare_server_default=False,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
