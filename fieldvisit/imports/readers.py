"""What a kind of file is: its columns, the draft that a row makes, and the use case that stores it."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from fieldvisit.drafts import Change, Refusal
from fieldvisit.errors import Contradiction, FieldVisitError
from fieldvisit.found_points import Found
from fieldvisit.imports.columns import Column, Origin
from fieldvisit.languages import Message

Values = Mapping[str, Any]
"""The values of a row by column name; None where the cell is empty or the column is missing."""

UNIQUE_VIOLATION = "23505"

Outcome = Change | Refusal
type StoreAll[Draft] = Callable[[Session, Sequence[Draft], dt.datetime], Sequence[Outcome]]


@dataclass(frozen=True, kw_only=True)
class Locating[Draft]:
    """How drafts get their points: which addresses are to be looked for, and the draft with what was found."""

    wanted: Callable[[Session, Sequence[Draft]], set[str]]
    located: Callable[[Draft, Mapping[str, Found]], Draft]


@dataclass(frozen=True, kw_only=True)
class Reader[Draft]:
    """One kind of file; `summary` says in a sentence what it holds.

    `key` are the columns that name what a row is about: the same twice in a file is told as such. `shared` are columns
    that have to agree on all rows with the same value in the first of them. `paths` are the columns behind fields of
    drafts that have other names. `prepare` runs before each batch, in a transaction of its own that is always kept;
    `afterwards` when a batch, or all of them as one, is kept, in one of its own: it holds what others wait for.
    """

    kind: str
    summary: str
    columns: tuple[Column, ...]
    draft: Callable[[Values, Origin], Draft]
    store: StoreAll[Draft]
    key: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    paths: Mapping[str, str] = field(default_factory=dict)
    locating: Locating[Draft] | None = None
    prepare: Callable[[Session, Sequence[Draft], dt.datetime], None] | None = None
    afterwards: Callable[[Session], None] | None = None
    batch: int = 100

    def column_of(self, path: str) -> Column | None:
        name = self.paths.get(path, path)
        return next((column for column in self.columns if column.name == name), None)


def one_by_one[Draft](store: Callable[[Session, Draft, dt.datetime], Change]) -> StoreAll[Draft]:
    """The drafts in their order, each in a savepoint: of one that is refused nothing stays."""

    def store_all(session: Session, drafts: Sequence[Draft], now: dt.datetime) -> list[Outcome]:
        return [_in_savepoint(session, partial(store, session, draft, now)) for draft in drafts]

    return store_all


def _in_savepoint(session: Session, store: Callable[[], Change]) -> Outcome:
    try:
        try:
            with session.begin_nested():
                return store()
        except IntegrityError as error:
            if getattr(error.orig, "sqlstate", None) != UNIQUE_VIOLATION:
                raise
        # Somebody else has stored it in the meantime: now it can be seen, and held against this.
        with session.begin_nested():
            return store()
    except FieldVisitError as error:
        return Refusal.because(error)
    except IntegrityError as error:
        rule = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
        return Refusal("", Message(Contradiction.says, {"rule": rule or "unknown"}))
    except DataError:
        # No value of one row may cost the others theirs.
        return Refusal("", Message("A value is outside of what can be stored."))
