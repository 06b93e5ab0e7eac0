"""Telling phones which epoch of the database answers them: when it is another, they send again what they hold."""

import time
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from flask import Response, current_app, g
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from api import db
from fieldvisit.safety.epochs import current_epoch

NAME = "Database-Epoch"
KEY = "fieldvisit epoch"
YOUNG_S = 2.0
HEADER: dict[str, Any] = {
    NAME: {
        "description": "another one than before: send again what was told in the last 15 minutes, under the same ids",
        "schema": {"type": "string"},
    }
}


def tell_epoch_with_refusal(response: Response) -> Response:
    """Name it also where a phone is refused: one that is not known after a restore hears there that it was forgotten.

    To phones alone that showed a token of ours; not where we are in trouble ourselves."""
    # By its number: tus has a status, 460, that HTTP does not know.
    refused = HTTPStatus.BAD_REQUEST <= response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
    of_phone = refused and g.get("asked_by_phone", False)
    if of_phone and NAME not in response.headers and "org" in (session := db.session()).info:
        with suppress(SQLAlchemyError):
            tell_epoch(session, response)
    return response


def tell_epoch(session: Session, response: Response) -> None:
    """Name the present epoch in an answer to a phone; asked of the database once in two seconds by each process."""
    known, asked_at = current_app.extensions.get(KEY, (None, float("-inf")))
    if time.monotonic() - asked_at >= YOUNG_S:
        known = current_epoch(session)
        current_app.extensions[KEY] = (known, time.monotonic())
    if known is not None:
        response.headers[NAME] = str(known)
