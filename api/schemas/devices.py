"""Phones, as the office sees them."""

from typing import Any

from marshmallow import fields, post_load

from api.schemas.base import Drafted, In, Out
from api.schemas.fields import Flag, Id, Instant, Text
from api.schemas.roster import TAGS
from fieldvisit.push_tokens import LONGEST, PushTokenDraft


class DeviceOut(Out):
    """`clock_drift_s`: how far its clock was behind the server's when it last told something. `wipe_due`: it was
    revoked, or handed on, and has not said yet that nothing is on it any more that is not to be there."""

    id = Id(required=True)
    account_id = Id(required=True)
    visitor_id = Id(required=True, allow_none=True)
    name = fields.String(required=True)
    app_version = fields.String(required=True)
    registered_at = Instant(required=True)
    last_seen_at = Instant(required=True)
    clock_drift_s = fields.Integer(required=True, allow_none=True)
    battery_percent = fields.Integer(required=True, allow_none=True)
    revoked_at = Instant(required=True, allow_none=True)
    revoked_reason = fields.String(required=True, allow_none=True)
    wiped_at = Instant(required=True, allow_none=True)
    wipe_due = Flag(required=True, attribute="has_to_wipe")


class PushTokenIn(Drafted):
    makes = PushTokenDraft

    token = Text(required=True, max=LONGEST, metadata={"description": "as the push service gave it to the app"})
    language = Text(load_default="en", max=20, metadata={"description": "in which the phone is spoken to"})

    @post_load
    def draft(self, data: dict[str, Any], **more: Any) -> Any:
        return super().draft(data | {"language": TAGS.get(data["language"], data["language"])}, **more)


class DeviceRevocationIn(In):
    reason = Text(required=True, max=500)
