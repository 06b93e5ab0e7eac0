"""What the use cases share that take rows from outside: for whom they act, and what became of a row."""

import datetime as dt
import unicodedata
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from fieldvisit.errors import FieldVisitError, InvalidValue, NotFound
from fieldvisit.languages import Message
from fieldvisit.models import Base, Organisation
from fieldvisit.writable import UNWRITABLE, visible

EARLIEST, LATEST = dt.date(1900, 1, 1), dt.date(2199, 12, 31)
"""Days before and after these are somebody's mistake, and would leave the calendar when a zone or a term is added."""
LONGEST_ID = 100
LONGEST_TEXT = 500


class Change(StrEnum):
    """What an upsert did to what is stored."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Refusal:
    """Why a row was not stored, and which of its fields is to blame."""

    path: str
    reason: Message

    @classmethod
    def because(cls, error: FieldVisitError) -> "Refusal":
        """The refusal that an error means. The path is empty where the error blames no single field."""
        if isinstance(error, InvalidValue):
            return cls(str(error.details["path"]), Message(str(error.details["reason"])))
        if isinstance(error, NotFound):
            what = str(error.details["what"])
            return cls(f"{what}_id", unseen(what, error.details["id"]))
        return cls("", Message(error.says, error.details))


def unseen(what: str, wanted_id: object) -> Message:
    """What `NotFound` says, with the name of the thing in the reader's language too."""
    return Message(NotFound.says, {"what": Message(what), "id": wanted_id})


def acting_organisation(session: Session) -> Organisation:
    """The organisation this session acts for."""
    org_id: uuid.UUID = session.info["org"]
    return session.get_one(Organisation, org_id)


def find_organisation(session: Session, code: str) -> Organisation | None:
    return session.scalar(sa.select(Organisation).where(Organisation.code == code))


def assign(row: Base, **values: object) -> bool:
    """Set the columns that differ; whether any did."""
    differing = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in differing.items():
        setattr(row, name, value)
    return bool(differing)


def told(**values: object) -> dict[str, object]:
    """The values that are known: what a sender leaves out stays as it is stored."""
    return {name: value for name, value in values.items() if value is not None}


def combined(first: Change, *others: Change) -> Change:
    """The change of a row that belongs to several tables; the first is the one it is named after."""
    if first is Change.UNCHANGED and any(other is not Change.UNCHANGED for other in others):
        return Change.CHANGED
    return first


def relation(rows: Iterable[Sequence[object]], columns: Sequence[InstrumentedAttribute[Any]]) -> sa.TableValuedAlias:
    """The rows as a relation with these columns, sent as one array a column.

    A statement with a parameter for each of ten thousand values takes longer to read than to run.
    """
    arrays = zip(*rows, strict=True) if (rows := list(rows)) else ((),) * len(columns)
    sent = (sa.literal(list(array), sa.ARRAY(column.type)) for array, column in zip(arrays, columns, strict=True))
    named = (sa.column(column.key, column.type) for column in columns)
    return sa.func.unnest(*sent).table_valued(*named).render_derived()


def check_text(path: str, value: str, *, longest: int = LONGEST_TEXT) -> None:
    """Refuse what is empty, too long, or holds characters that cannot be stored or seen."""
    if not value.strip():
        raise InvalidValue(path=path, reason="is empty, but needed")
    if len(value) > longest:
        raise InvalidValue(path=path, reason="is too long")
    if UNWRITABLE.search(value) or visible(value) != value:
        raise InvalidValue(path=path, reason="holds a character that cannot be written down")


def folded(text: str) -> str:
    """One spelling for texts that mean the same: for digests of addresses and e-mail addresses."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
