"""Who looked at where a visitor was, on the wire."""

from marshmallow import fields

from api.schemas.base import Out
from api.schemas.fields import Id, Instant, Many, Part
from fieldvisit.safety.looks import MOST


class LookOut(Out):
    """`action`: the operation by which it was shown. One line for each in ten minutes, `at` its first time."""

    session_id = Id(required=True)
    account_id = Id(required=True)
    name = fields.String(required=True, allow_none=True)
    action = fields.String(required=True)
    at = Instant(required=True)


class LooksOut(Out):
    items = Many(Part(LookOut), required=True, max=MOST)
