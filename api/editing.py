"""Two people who change one thing: `If-Match` says which version the caller has read, and a second who read an older
one is told both (412), instead of undoing what the first did.

The version is the `ETag` of the answer that reads the thing, in the caller's language.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import sqlalchemy as sa
from flask import Response, g, jsonify, request
from marshmallow import Schema
from sqlalchemy.orm import Session
from werkzeug.http import generate_etag

from api.paging import Keyset
from api.schemas.base import PAGE_USUAL
from api.showing import Shows, note_shown
from fieldvisit.errors import FieldVisitError, Kind, NotFound, Refused

type Arguments = Mapping[str, Any]
IF_MATCH: dict[str, Any] = {
    "in": "header",
    "name": "If-Match",
    "required": False,
    "description": "the ETag of what was read before; where it was changed since, 412 shows both versions",
    "schema": {"type": "string"},
}


class EditedMeanwhile(FieldVisitError):
    code, kind = "edited_meanwhile", Kind.CONFLICT
    says = "Somebody changed this since you read it. The details show what it is now, and what you sent."
    status: ClassVar[int] = 412


class Reading(Protocol):
    """The contract of a view that reads."""

    @property
    def returns(self) -> Schema | None: ...
    @property
    def order(self) -> Keyset | None: ...
    @property
    def shows(self) -> Shows | None: ...


def _of_the_address(_session: Session, path: Arguments, _body: Any) -> Arguments | None:
    return path


def row_named(
    name: str, statement: Callable[[Any], sa.Select[Any]]
) -> Callable[[Session, Arguments, Any], Arguments | None]:
    """Where the body names a row of one's own: its id under this name, by a statement that is made of the body."""

    def find(session: Session, _path: Arguments, body: Any) -> Arguments | None:
        row_id = session.scalar(statement(body))
        return None if row_id is None else {name: row_id}

    return find


@dataclass(frozen=True)
class Edited:
    """What a write changes: the view that reads it, and the arguments with which it does; None where there is none yet.
    `named` is what the body calls a thing that the address does not name."""

    view: Callable[..., Any]
    found: Callable[[Session, Arguments, Any], Arguments | None] = _of_the_address
    named: Callable[[Any], object] = field(default=lambda _body: None)


@dataclass(frozen=True)
class Edit:
    """One request that edits: what, by which contract it is read, under which address, with which body."""

    session: Session
    edited: Edited
    reading: Reading
    path: Arguments
    body: Any

    def take_turn(self) -> Refused | None:
        """Wait until nobody else of one's organisation edits the same; EditedMeanwhile where what was read is no more
        what is there."""
        given = self._find()
        self._wait_for(given)
        if given is None:
            # Somebody may have made it before one's turn came.
            given = self._find()
            self._wait_for(given)
        if "If-Match" not in request.headers:
            return None
        now_there = None if given is None else self._read(given)
        if now_there is not None and request.if_match.contains_weak(now_there.tag):
            return None
        if now_there is not None and self.reading.shows is not None:
            note_shown(Shows.WORK, str(request.endpoint).rpartition(".")[2], now_there.items)
        current = None if now_there is None else now_there.answer
        return Refused(EditedMeanwhile(current=current, yours=g.get("body")))

    def tag(self, response: Response) -> None:
        """Say which version the write has made, by the tag with which it would be read."""
        given = self._find()
        try:
            now_there = None if given is None else self._read(given)
        except NotFound:
            # It was taken away.
            return
        if now_there is not None:
            response.set_etag(now_there.tag)

    def _find(self) -> Arguments | None:
        return self.edited.found(self.session, self.path, self.body)

    def _wait_for(self, given: Arguments | None) -> None:
        what = sorted(given.items()) if given is not None else self.edited.named(self.body)
        whose = f"{self.session.info.get('org')} {self.edited.view.__name__} {what}"
        self.session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(whose, 0))))

    def _read(self, given: Arguments) -> "Seen":
        """As the view answers that reads it; of a list its first page."""
        # The view itself, below what its contract and the document have put around it.
        result, schema = inspect.unwrap(self.edited.view)(**given), self.reading.returns
        if schema is None:
            raise TypeError("What is edited is read as JSON.")
        if self.reading.order is None:
            return Seen(schema.dump(result), [result])
        page = self.reading.order.page(self.session, result, after=None, limit=PAGE_USUAL)
        return Seen({"items": schema.dump(page.items, many=True), "next": page.next}, page.items)


@dataclass(frozen=True)
class Seen:
    """What is there, as it is answered, and the things that it is made of."""

    answer: Any
    items: list[Any]

    @property
    def tag(self) -> str:
        return generate_etag(jsonify(self.answer).get_data())
