"""What can be made out of a call for help. Nothing of its body is needed: who calls is in the token."""

import datetime as dt
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import request
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException

from api.schemas.safety import SosIn
from fieldvisit.phone.kinds import age_of
from fieldvisit.safety.drafts import Sos
from fieldvisit.tokens import Claims

MOST_BYTES, PIECE = 64 * 1024, 8 * 1024
PATIENCE_S = 3.0
"""So long the next bytes of a body may take: somebody whose signal is lost in the middle of a call has called."""
NO_LIMIT = 2**62


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call for help among the events of a batch: `said` by the names of the fields of a `Sos`, besides its id and the
    phone's own time."""

    event_id: uuid.UUID
    device_at: dt.datetime | None
    said: Mapping[str, Any]

    def told(self, claims: Claims, visitor_id: uuid.UUID) -> Sos:
        who: dict[str, Any] = {"visitor_id": visitor_id, "actor_id": claims.account_id, "token_expired": claims.expired}
        return Sos(**self.said, event_id=self.event_id, device_at=self.device_at, **who)


def call_in(body: Mapping[str, Any], *, sent_at: dt.datetime | str | None, account_id: uuid.UUID) -> Call:
    """A call for help as far as it can be made out: whatever is wrong with it, somebody called. The same words of the
    same account are the same call."""
    said = made_out(body)
    words = json.dumps(body, sort_keys=True)
    event_id = said.pop("event_id", None) or uuid.uuid5(account_id, words)
    device_at = said.pop("device_at", None)
    if "age_s" not in said and device_at is not None:
        sent = _instant(sent_at) if isinstance(sent_at, str) else sent_at
        said["age_s"] = age_of(device_at, sent or device_at, None)
    return Call(event_id=event_id, device_at=device_at, said=said)


def _instant(text: str) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


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
