"""Telling phones which epoch of the database answers them: when it is another, they send again what they hold."""

import time
from typing import Any

from flask import Response, current_app
from sqlalchemy.orm import Session

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


def tell_epoch(session: Session, response: Response) -> None:
    """Name the present epoch in an answer to a phone; asked of the database once in two seconds by each process."""
    known, asked_at = current_app.extensions.get(KEY, (None, float("-inf")))
    if time.monotonic() - asked_at >= YOUNG_S:
        known = current_epoch(session)
        current_app.extensions[KEY] = (known, time.monotonic())
    if known is not None:
        response.headers[NAME] = str(known)
