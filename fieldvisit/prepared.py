"""Statements that one connection to the database has prepared, sent by libpq itself.

psycopg's cursor looks at each execution anew: which parameters it has, whether it is prepared, what is on its way and
what came back. Of a short statement that is more than half of what it costs. Here each is looked at once.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import errors
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

DONE = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)


class Prepared:
    """Of one connection, whose transactions begin as plainly as everywhere here. For one thread at a time."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        # psycopg has all that is prepared forgotten now and then, as after a rollback: what it does not know is not
        # there. It has no public name for that.
        self._known = connection._prepared._names  # noqa: SLF001
        self._numbers = itertools.count()
        self._adapting = Transformer.from_context(connection)

    def execute(self, text: bytes, values: Sequence[Any]) -> PGresult:
        """Send a statement, its parameters written $1, $2 and so on. Raises psycopg.Error."""
        server, adapting = self.connection.pgconn, self._adapting
        if server.transaction_status == TransactionStatus.IDLE and not self.connection.autocommit:
            self._check(server.exec_(b"BEGIN"))
        given = adapting.dump_sequence(values, [PyFormat.AUTO] * len(values))
        # By its types too: a number is sent with the smallest that it fits.
        key = text, tuple(adapting.types or ())
        name = self._known.get(key)
        if name is None:
            name = b"fieldvisit_%d" % next(self._numbers)
            self._check(server.prepare(name, text, adapting.types))
            self._known[key] = name
        result = server.exec_prepared(name, given, adapting.formats)  # type: ignore[arg-type]  # None is null
        if result.status not in DONE:
            # A plan that no longer fits the tables is made anew the next time.
            self._known.pop(key, None)
            self._check(result)
        return result

    def first(self, result: PGresult) -> tuple[Any, ...] | None:
        """The first row of what was answered, if there is one."""
        if not result.ntuples:
            return None
        self._adapting.set_pgresult(result)
        (row,) = self._adapting.load_rows(0, 1, tuple)
        return row

    def _check(self, result: PGresult) -> None:
        if result.status in DONE:
            return
        if self.connection.pgconn.status == ConnStatus.BAD and result.error_field(DiagnosticField.SQLSTATE) is None:
            # It is the line that broke, and no answer.
            raise psycopg.OperationalError(result.get_error_message())
        raise errors.error_from_result(result)
