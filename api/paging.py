"""Lists, a page at a time, by what stands at the end of the last page: nothing is skipped or shown twice while rows
come and go, and the thousandth page costs what the first does."""

import base64
import binascii
import datetime as dt
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from fieldvisit.errors import FieldVisitError, Kind

READERS: Mapping[type[Any], Callable[[Any], Any]] = {
    uuid.UUID: uuid.UUID,
    dt.datetime: dt.datetime.fromisoformat,
    dt.date: dt.date.fromisoformat,
    str: str,
    int: int,
}


class CursorUnknown(FieldVisitError):
    code, kind = "cursor_unknown", Kind.INVALID
    says = "The value of after is not a cursor of this list. Take it from next of the page before, unchanged."


class Keyset:
    """The columns that a list is ordered by. Together they are unique; the last one is usually the id."""

    def __init__(self, *columns: InstrumentedAttribute[Any], descending: bool = False) -> None:
        self._columns = columns
        self._descending = descending

    def page(self, session: Session, rows: sa.Select[Any], *, after: str | None, limit: int) -> "Page":
        """The next `limit` of these rows and the cursor of the page behind them, if there is one."""
        ordered = rows.order_by(None).order_by(*(each.desc() if self._descending else each for each in self._columns))
        if after is not None:
            here, there = sa.tuple_(*self._columns), sa.tuple_(*self._values(after))
            ordered = ordered.where(here < there if self._descending else here > there)
        # One more than asked for tells whether there is another page.
        found = list(session.scalars(ordered.limit(limit + 1)).unique())
        more = len(found) > limit
        items = found[:limit]
        return Page(items=items, next=self._cursor(items[-1]) if more else None)

    def _cursor(self, row: object) -> str:
        values = [getattr(row, column.key) for column in self._columns]
        plain = [each.isoformat() if isinstance(each, dt.date) else str(each) for each in values]
        return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")

    def _values(self, cursor: str) -> list[Any]:
        try:
            plain = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
            return [
                sa.literal(READERS[column.type.python_type](_text(value)), column.type)
                for column, value in zip(self._columns, _list(plain), strict=True)
            ]
        except (binascii.Error, ValueError, TypeError) as error:
            raise CursorUnknown() from error


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("A cursor is a list.")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("A cursor holds texts.")
    # What no row can hold is refused here: the database would, later and in other words.
    if b"\x00" in value.encode():
        raise ValueError("A cursor holds no NUL.")
    return value


@dataclass(frozen=True)
class Page:
    items: list[Any]
    next: str | None
