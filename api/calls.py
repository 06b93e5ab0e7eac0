"""What can be made out of a call for help. Nothing of its body is needed: who calls is in the token."""

import datetime as dt
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from flask import request
from marshmallow import Schema, ValidationError

from api.inflating import GZIP, inflated
from api.schemas.safety import SafetyPositionIn, SosIn, placed
from fieldvisit.phone.kinds import age_of
from fieldvisit.safety.drafts import Sos
from fieldvisit.tokens import Claims

MOST_BYTES, USUAL_BYTES, PIECE = 64 * 1024, 4 * 1024, 256
PATIENCE_S, LONGEST_S = 3.0, 6.0
"""So long the next bytes of a body may take, and all of them: somebody whose signal is lost in the middle of a call, or
brings a few bytes now and then, has called."""
NO_LIMIT = 2**62

log = structlog.get_logger("fieldvisit.emergency")


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call for help among the events of a batch: `said` by the names of the fields of a `Sos`, besides its id (which
    may be made up here) and the phone's own time."""

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
    said["made_up"] = "event_id" not in said
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


def heard(*, patience_s: float = PATIENCE_S, within_s: float = LONGEST_S) -> bytes:
    """The body as far as it is of use and comes soon, whatever its length is said to be and however it breaks off."""
    request.max_content_length = NO_LIMIT
    connection, body = request.environ.get("gunicorn.socket"), request.environ["wsgi.input"]
    # What lies between fills a buffer before it gives any of it: of a body that breaks off all would be lost.
    source = getattr(body, "reader", request.stream)
    raw, until = bytearray(), time.monotonic() + within_s
    try:
        while len(raw) < MOST_BYTES and (left_s := until - time.monotonic()) > 0:
            if connection is not None:
                connection.settimeout(min(patience_s, left_s))
            some = source.read(1 if len(raw) < USUAL_BYTES else PIECE)
            if not some:
                return bytes(raw)
            raw += some
    except Exception as error:
        # Silence, a broken connection, a broken piece: whatever it is, somebody called.
        log.warning("call_broke_off", error=type(error).__name__, bytes=len(raw))
    finally:
        if connection is not None:
            connection.settimeout(None)
    if hasattr(body, "failed"):
        # The rest may still come: it is no next request.
        body.failed = True
    return bytes(raw)


def readable(raw: bytes) -> dict[str, Any]:
    """The object that these bytes are in JSON, also where they were packed; an empty one where they are none."""
    if raw.startswith(GZIP):
        raw = inflated(raw, MOST_BYTES)
    try:
        found = json.loads(raw.decode(errors="replace"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def made_out(given: Mapping[str, Any]) -> dict[str, Any]:
    """What is right in it, by the names of the fields of a `Sos`; what is wrong, and what nobody knows, is left out."""
    where = given.get("position")
    known = _right(SafetyPositionIn(), where) if isinstance(where, Mapping) else {}
    # Of these three each is needed: without its datum a position may be half a kilometre off.
    found = placed(**known) if known.keys() >= {"lat", "lon", "datum"} else {}
    return _right(SosIn(exclude=("position",)), given) | found


def _right(schema: Schema, given: Mapping[str, Any]) -> dict[str, Any]:
    known: dict[str, Any] = {}
    for name, field in schema.load_fields.items():
        if name in given:
            try:
                known[name] = field.deserialize(given[name])
            except (ValidationError, ValueError, TypeError, OverflowError):
                continue
    return known
