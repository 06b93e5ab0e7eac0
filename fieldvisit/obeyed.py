"""Short statements that every call of every phone makes, sent as they are.

What SQLAlchemy does at each execution, finding out which statement it is, of what types and what a row looks like,
costs as much as all the rest of a short call. Here that is done once. Wherever somebody listens to what is executed,
the usual way is taken.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.pq.abc import PGresult
from sqlalchemy.orm import Session, make_transient_to_detached
from sqlalchemy.orm.attributes import instance_dict, set_committed_value

from fieldvisit.prepared import Prepared

CONNECTION, PREPARED = "connection of the transaction", "what its connection has prepared"


class Obeyed:
    """A statement that is given all its values by name each time.

    It answers with rows as SQLAlchemy would read them, as tuples. Raises what SQLAlchemy raises.
    """

    def __init__(self, statement: "sa.Select[Any] | sa.Insert | sa.Update | sa.TextClause") -> None:
        self.statement = statement
        self._text = b""
        self._names: Sequence[str] = ()
        """Of its parameters, $1 first."""
        self._fixed: Mapping[str, Any] = {}
        self._makers: Mapping[str, Callable[[Any], Any]] = {}
        self._types: Sequence[sa.types.TypeEngine[Any]] = ()
        self._readers: Mapping[int, Callable[[Any], Any]] | None = None

    def one(self, session: Session, given: Mapping[str, Any]) -> Sequence[Any]:
        """The one row that it answers with."""
        return self.one_on(connection_of(session), given)

    def one_on(self, connection: sa.Connection, given: Mapping[str, Any]) -> Sequence[Any]:
        row = self.first_on(connection, given)
        if row is None:
            raise sa.exc.NoResultFound("No row was found when one was required")
        return row

    def first(self, session: Session, given: Mapping[str, Any]) -> Sequence[Any] | None:
        """The first row, if there is one."""
        return self.first_on(connection_of(session), given)

    def first_on(self, connection: sa.Connection, given: Mapping[str, Any]) -> Sequence[Any] | None:
        if _is_listened_to(connection):
            return connection.execute(self.statement, given).first()
        prepared, result = self._send(connection, given)
        row = prepared.first(result)
        if row is None:
            return None
        if self._readers is None:
            self._readers = self._readers_of(result, connection.dialect)
        if not self._readers:
            return row
        return [self._readers[place](value) if place in self._readers else value for place, value in enumerate(row)]

    def run(self, session: Session, given: Mapping[str, Any]) -> None:
        self.run_on(connection_of(session), given)

    def run_on(self, connection: sa.Connection, given: Mapping[str, Any]) -> None:
        if _is_listened_to(connection):
            connection.execute(self.statement, given)
        else:
            self._send(connection, given)

    def _send(self, connection: sa.Connection, given: Mapping[str, Any]) -> tuple[Prepared, PGresult]:
        if not self._text:
            self._prepare(connection.dialect, given)
        prepared = _prepared_on(connection)
        values = {**self._fixed, **given}
        for name, make in self._makers.items():
            values[name] = make(values[name])
        try:
            return prepared, prepared.execute(self._text, [values[name] for name in self._names])
        except psycopg.Error as error:
            lost = connection.dialect.is_disconnect(error, prepared.connection, None)  # type: ignore[arg-type]
            if lost:
                connection.invalidate(error)
            raise sa.exc.DBAPIError.instance(
                self._text.decode(),
                None,
                error,
                psycopg.Error,
                hide_parameters=True,
                connection_invalidated=lost,
                dialect=connection.dialect,
            ) from error

    def _prepare(self, dialect: sa.Dialect, given: Mapping[str, Any]) -> None:
        """Put the text together. Of several threads that do, each comes to the same."""
        numbering = type(dialect)(paramstyle="numeric_dollar")  # type: ignore[call-arg]  # every dialect takes it
        numbering.server_version_info = dialect.server_version_info
        compiled = self.statement.compile(dialect=numbering, column_keys=[*given])
        makers = {
            bind.key: maker
            for bind in compiled.binds.values()
            if (maker := bind.type.dialect_impl(dialect).bind_processor(dialect)) is not None
        }
        values = {name: value for name, value in compiled.params.items() if name not in given}
        self._fixed = {name: makers[name](value) if name in makers else value for name, value in values.items()}
        self._makers = {name: maker for name, maker in makers.items() if name in given}
        self._types = [column.type for column in getattr(compiled, "_result_columns", ())]
        self._names = compiled.positiontup or ()
        self._text = str(compiled).encode()

    def _readers_of(self, result: PGresult, dialect: sa.Dialect) -> Mapping[int, Callable[[Any], Any]]:
        """What psycopg's values are read with, by their place in a row; most need nothing."""
        return {
            place: reader
            for place, of in enumerate(self._types)
            if (reader := of.dialect_impl(dialect).result_processor(dialect, result.ftype(place))) is not None
        }


class Rows[Model]:
    """Rows of a table, its columns in their order, as the objects that a session holds of them."""

    def __init__(self, model: type[Model]) -> None:
        self._model, self._mapper = model, sa.inspect(model)
        self.columns = tuple(self._mapper.local_table.columns)
        self._names = [self._mapper.get_property_by_column(column).key for column in self.columns]
        self._primary = [self.columns.index(column) for column in self._mapper.primary_key]

    def held(self, session: Session, row: Sequence[Any]) -> Model:
        """The one object of this row, as the database has it now."""
        key = self._mapper.identity_key_from_primary_key([row[place] for place in self._primary])
        known: Model | None = session.identity_map.get(key)
        if known is None:
            known = self._model()
            instance_dict(known).update(zip(self._names, row, strict=True))
            make_transient_to_detached(known)
            session.add(known)
            return known
        session.expire(known)
        for name, value in zip(self._names, row, strict=True):
            set_committed_value(known, name, value)
        return known


def connection_of(session: Session) -> sa.Connection:
    """The connection of the session's transaction, which begins one where there is none."""
    known: sa.Connection | None = session.info.get(CONNECTION)
    if known is None or known.closed or session.in_nested_transaction():
        # The session sets a savepoint when it is asked for the connection, not before.
        return session.connection()
    return known


def _prepared_on(connection: sa.Connection) -> Prepared:
    """What the connection to the database that this one has just now has prepared."""
    kept = connection.info
    raw = connection.connection.driver_connection
    prepared: Prepared | None = kept.get(PREPARED)
    if prepared is None or prepared.connection is not raw:
        prepared = kept[PREPARED] = Prepared(raw)  # type: ignore[arg-type]  # it is there
    return prepared


def _is_listened_to(connection: sa.Connection) -> bool:
    return bool(connection._has_events or connection.engine._has_events)  # noqa: SLF001  # nothing else tells it
