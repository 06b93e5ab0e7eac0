"""Short statements that every call of every phone makes, sent as they are.

What SQLAlchemy does at each execution, finding out which statement it is, of what types and what a row looks like,
costs as much as all the rest of a short call. Here that is done once. Wherever somebody listens to what is executed,
the usual way is taken.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.orm import Session


class Obeyed:
    """A statement that is given all its values by name each time.

    It answers with rows as psycopg reads them: ids, times, numbers, texts, truths. Raises what SQLAlchemy raises.
    """

    def __init__(self, statement: "sa.Select[Any] | sa.Insert | sa.Update | sa.TextClause") -> None:
        self.statement = statement
        self._text = ""
        self._fixed: Mapping[str, Any] = {}
        self._makers: Mapping[str, Callable[[Any], Any]] = {}

    def one(self, session: Session, given: Mapping[str, Any]) -> Sequence[Any]:
        """The one row that it answers with."""
        row = self.first(session, given)
        if row is None:
            raise sa.exc.NoResultFound("No row was found when one was required")
        return row

    def first(self, session: Session, given: Mapping[str, Any]) -> Sequence[Any] | None:
        """The first row, if there is one."""
        connection = session.connection()
        if _is_listened_to(connection):
            return connection.execute(self.statement, given).first()
        return self._send(connection, given).fetchone()

    def run(self, session: Session, given: Mapping[str, Any]) -> None:
        self.run_on(session.connection(), given)

    def run_on(self, connection: sa.Connection, given: Mapping[str, Any]) -> None:
        if _is_listened_to(connection):
            connection.execute(self.statement, given)
        else:
            self._send(connection, given)

    def _send(self, connection: sa.Connection, given: Mapping[str, Any]) -> psycopg.Cursor[Any]:
        if not self._text:
            self._prepare(connection.dialect, given)
        raw: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
        values = {**self._fixed, **given}
        for name, make in self._makers.items():
            values[name] = make(values[name])
        try:
            return raw.execute(self._text, values, prepare=True)
        except psycopg.Error as error:
            lost = connection.dialect.is_disconnect(error, raw, None)  # type: ignore[arg-type]
            if lost:
                connection.invalidate(error)
            raise sa.exc.DBAPIError.instance(
                self._text,
                None,
                error,
                psycopg.Error,
                hide_parameters=True,
                connection_invalidated=lost,
                dialect=connection.dialect,
            ) from error

    def _prepare(self, dialect: sa.Dialect, given: Mapping[str, Any]) -> None:
        """Put the text together. Of several threads that do, each comes to the same."""
        compiled = self.statement.compile(dialect=dialect, column_keys=[*given])
        makers = {
            bind.key: maker
            for bind in compiled.binds.values()
            if (maker := bind.type.dialect_impl(dialect).bind_processor(dialect)) is not None
        }
        values = {name: value for name, value in compiled.params.items() if name not in given}
        self._fixed = {name: makers[name](value) if name in makers else value for name, value in values.items()}
        self._makers = {name: maker for name, maker in makers.items() if name in given}
        self._text = str(compiled)


def _is_listened_to(connection: sa.Connection) -> bool:
    return bool(connection._has_events or connection.engine._has_events)  # noqa: SLF001  # nothing else tells it
