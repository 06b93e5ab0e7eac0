"""Two people who change one thing: `If-Match` says which version the caller has read, and a second who read an older
one is told both (412), instead of undoing what the first did.

The version is the `ETag` of the answer that reads the thing, in the caller's language.
"""

import inspect
import uuid
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol

import sqlalchemy as sa
from flask import g, jsonify, request
from marshmallow import Schema
from sqlalchemy.orm import Session
from werkzeug.http import generate_etag

from fieldvisit.errors import FieldVisitError, Kind

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
    """The contract of the view that reads the thing."""

    @property
    def returns(self) -> Schema | None: ...


def take_turn(
    session: Session, reading: Reading | None, view: Callable[..., Any], path: Mapping[str, uuid.UUID]
) -> None:
    """Wait until nobody else changes this address for one's organisation; raise EditedMeanwhile where what was read is
    no more what is there."""
    whose = f"{session.info.get('org')} {request.path}"
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(whose, 0))))
    if "If-Match" not in request.headers or reading is None or reading.returns is None:
        return
    # The view itself, below what its contract and the document have put around it.
    now_there = reading.returns.dump(inspect.unwrap(view)(**path))
    if not request.if_match.contains_weak(generate_etag(jsonify(now_there).get_data())):
        raise EditedMeanwhile(current=now_there, yours=g.get("body"))
