"""Phones: which there are, and those that may not be used any more."""

import uuid

import sqlalchemy as sa

from api.auth import actor
from api.context import now
from api.db import session
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.paging import Keyset
from api.roles import Permission
from api.schemas.devices import DeviceOut, DeviceRevocationIn, PushTokenIn
from fieldvisit import devices, push_tokens
from fieldvisit.models import Device
from fieldvisit.push_tokens import PushTokenDraft

bp = Blueprint("devices", __name__, description=__doc__)


@bp.get("/devices")
@endpoint(may=Permission.READ_STAFF, returns=DeviceOut(), order=Keyset(Device.registered_at, Device.id))
def list_devices() -> sa.Select[Device]:
    """The phones that log in, the oldest first."""
    return devices.devices()


@bp.post("/devices/<uuid:device_id>/revocation")
@endpoint(may=Permission.CHANGE_STAFF, body=DeviceRevocationIn(), returns=DeviceOut())
def revoke_device(device_id: uuid.UUID, body: dict[str, str]) -> Device:
    """Let a phone do nothing any more, from its next call on, which tells it to wipe itself.

    A call for help is heard from it all the same. What it still had to tell is kept as held events, not believed.
    """
    return devices.revoke_device(session(), device_id, reason=body["reason"], by=actor().account_id, now=now())


@bp.put("/phone/push-token")
@endpoint(may=Permission.BE_PUSHED_TO, body=PushTokenIn(), status=204)
def register_push_token(body: PushTokenDraft) -> None:
    """Say where a push service reaches this phone. It takes the place of what was said before.

    Reminders of a visitor, and for officers alarms, are pushed there besides being sent by their other ways.
    """
    push_tokens.register_push_token(session(), actor().device_id, body)


@bp.delete("/phone/push-token")
@endpoint(may=Permission.BE_PUSHED_TO, status=204)
def clear_push_token() -> None:
    """Push nothing to this phone any more."""
    push_tokens.clear_push_token(session(), actor().device_id)


@bp.post("/phone/wiped")
@endpoint(
    may=Permission.USE_PHONE, status=204, even_expired=True, even_revoked=True, even_ended=True, even_unknown=True
)
def note_wiped() -> None:
    """Say that nothing of ours is on this phone any more. It is kept of a revoked one, the last time it says so.

    One that was told to `wipe` at its login says that nothing of anybody else is on it, and is not told so again.
    """
    devices.note_wiped(session(), actor().device_id, actor().account_id, now())
