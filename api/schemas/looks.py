"""Who looked at where a visitor was, on the wire."""

from marshmallow import fields

from api.schemas.base import Out
from api.schemas.fields import Id, Instant


class LookOut(Out):
    """`action`: the operation by which it was shown. One line for each in ten minutes, `at` its first time."""

    session_id = Id(required=True)
    account_id = Id(required=True)
    name = fields.String(required=True, allow_none=True)
    action = fields.String(required=True)
    at = Instant(required=True)
