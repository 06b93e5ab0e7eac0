"""What can be made out of a call for help. Nothing of its body is needed: who calls is in the token."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

from flask import request
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException

from api.schemas.safety import SosIn

MOST_BYTES, PIECE = 64 * 1024, 8 * 1024
PATIENCE_S = 3.0
"""So long the next bytes of a body may take: somebody whose signal is lost in the middle of a call has called."""
NO_LIMIT = 2**62


def heard() -> bytes:
    """The body as far as it is of use and comes soon, whatever its length is said to be and however it breaks off."""
    request.max_content_length = NO_LIMIT
    connection = request.environ.get("gunicorn.socket")
    if connection is not None:
        connection.settimeout(PATIENCE_S)
    raw = bytearray()
    try:
        while len(raw) < MOST_BYTES and (some := request.stream.read(PIECE)):
            raw += some
    except (OSError, HTTPException):
        # Silence, a broken connection, a broken piece.
        pass
    finally:
        if connection is not None:
            connection.settimeout(None)
    return bytes(raw)


def readable(raw: bytes) -> dict[str, Any]:
    """The object that these bytes are in JSON; an empty one where they are none."""
    try:
        found = json.loads(raw.decode(errors="replace"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def made_out(given: Mapping[str, Any]) -> dict[str, Any]:
    """What is right in it, by the names of the fields of a `Sos`; what is wrong, and what nobody knows, is left out."""
    known: dict[str, Any] = {}
    for name, field in SosIn().load_fields.items():
        if name in given and name != "position":
            try:
                known[name] = field.deserialize(given[name])
            except (ValidationError, ValueError, TypeError, OverflowError):
                continue
    return known | _position(given.get("position"))


def _position(given: Any) -> dict[str, float]:
    try:
        loaded = SosIn(only=("position", "event_id")).load({"event_id": str(uuid.uuid4()), "position": given})
    except (ValidationError, ValueError, TypeError, OverflowError):
        return {}
    return {"lat": loaded["lat"], "lon": loaded["lon"]} if loaded.get("lat") is not None else {}
