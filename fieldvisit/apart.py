"""Work on things that have nothing to do with each other: what fails of one stops no other, and is not hushed up."""

from types import TracebackType
from typing import Any

import structlog
from sqlalchemy.exc import DBAPIError, OperationalError

from fieldvisit.errors import FieldVisitError

log = structlog.get_logger(__name__)


class LeftUndone(Exception):
    """Of this work something failed, each of which is in the log. Without a cause: what a database refuses repeats the
    row, and whoever catches this may print it."""


class Apart:
    """One run over such things::

        apart = Apart()
        for org_id in org_ids:
            with apart.each("reminders", org_id=org_id), acting_for(sessions, org_id) as session:
                ...
        apart.end()

    A transaction, or a savepoint, belongs inside of each part. May be used by several threads.
    """

    def __init__(self) -> None:
        self._failed: list[str] = []

    def each(self, what: str, **where: object) -> "_Part":
        """One part. What is raised in it is logged with the ids given, and goes no further; but for a database that
        cannot be reached at all, of which every other part would find out only by waiting for it too."""
        return _Part(self._failed, what, {name: str(value) for name, value in where.items()})

    def end(self) -> None:
        """Raise LeftUndone where a part failed, so that the run as a whole is seen to have failed."""
        if self._failed:
            raise LeftUndone(f"{len(self._failed)} failed: {', '.join(sorted(set(self._failed)))}")


class _Part:
    def __init__(self, failed: list[str], what: str, where: dict[str, str]) -> None:
        self._failed, self._what, self._where = failed, what, where

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        if not isinstance(error, Exception) or _is_away(error):
            return False
        log.error("left_undone", what=self._what, **self._where, **_told(error))
        self._failed.append(self._what)
        return True


def _is_away(error: Exception) -> bool:
    """Whether no connection could be made. One that was lost says little about the others."""
    if not isinstance(error, OperationalError) or error.connection_invalidated:
        return False
    return getattr(error.orig, "sqlstate", None) is None


def _told(error: Exception) -> dict[str, Any]:
    if isinstance(error, DBAPIError):
        # Its own words may repeat the row.
        return {"error": type(error.orig).__name__, "sqlstate": getattr(error.orig, "sqlstate", None)}
    if isinstance(error, FieldVisitError):
        return {"error": error.code}
    return {"error": type(error).__name__, "exc_info": error}
