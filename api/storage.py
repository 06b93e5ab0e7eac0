"""What the database refused, in our vocabulary: by the name of the constraint, never by the text of the message."""

from collections.abc import Callable, Mapping

import psycopg
from psycopg import errors as refused
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from fieldvisit.errors import AlreadyExists, Contradiction, DatabaseUnavailable, FieldVisitError, Kind
from fieldvisit.finding import spoken_name
from fieldvisit.models import Base
from fieldvisit.partitions import lacks_partition

UNNAMED = "unnamed"


class ReferenceUnknown(FieldVisitError):
    code, kind = "reference_unknown", Kind.INVALID
    says = "A value refers to something that does not exist (rule {rule})."


class ForeignRow(FieldVisitError):
    """Row-level security refused a write, or a table may not be changed at all."""

    code, kind = "foreign_row", Kind.FORBIDDEN
    says = "That belongs to another organisation, or may not be changed."


class ValueNotStorable(FieldVisitError):
    code, kind = "value_not_storable", Kind.INVALID
    says = "A value is outside of what can be stored."


def translated(error: SQLAlchemyError) -> FieldVisitError | None:
    """Our error for what SQLAlchemy raised; None for what nobody foresaw."""
    if isinstance(error, NoConnectionFree):
        return DatabaseUnavailable()
    if not isinstance(error, DBAPIError):
        return None
    if lacks_partition(error):
        # Nothing the sender can change: a phone would take a contradiction as final and throw its report away.
        return DatabaseUnavailable()
    for kind, translate in TRANSLATIONS.items():
        if isinstance(error.orig, kind):
            return translate(error.orig)
    return None


def _exists(error: psycopg.Error) -> FieldVisitError:
    table = error.diag.table_name or UNNAMED
    # By the naming convention: uq_<table>_<columns>.
    return AlreadyExists(what=thing(table), key=_rule(error).removeprefix(f"uq_{table}_"))


def thing(table: str) -> str:
    """What one row of a table is called: ``contact_blocks`` → contact block."""
    named = {str(mapper.local_table): spoken_name(mapper.class_) for mapper in Base.registry.mappers}
    return named.get(table, table)


def _dangling(error: psycopg.Error) -> FieldVisitError:
    return ReferenceUnknown(rule=_rule(error))


def _contradiction(error: psycopg.Error) -> FieldVisitError:
    return Contradiction(rule=_rule(error))


def _rule(error: psycopg.Error) -> str:
    return error.diag.constraint_name or error.diag.column_name or UNNAMED


# From the particular to the general: the first that fits speaks.
TRANSLATIONS: Mapping[type[psycopg.Error], Callable[[psycopg.Error], FieldVisitError]] = {
    refused.UniqueViolation: _exists,
    refused.ForeignKeyViolation: _dangling,
    psycopg.IntegrityError: _contradiction,
    refused.InsufficientPrivilege: lambda _: ForeignRow(),
    # A full disk, or a server that has just become a standby: it takes no writes until somebody sees to it.
    refused.ReadOnlySqlTransaction: lambda _: DatabaseUnavailable(),
    # Something outside took longer than a transaction may stand idle: it is undone, and may be asked for again.
    refused.IdleInTransactionSessionTimeout: lambda _: DatabaseUnavailable(),
    psycopg.DataError: lambda _: ValueNotStorable(),
    psycopg.OperationalError: lambda _: DatabaseUnavailable(),
    psycopg.InterfaceError: lambda _: DatabaseUnavailable(),
}
