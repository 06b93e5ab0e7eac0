"""The log of accesses on the wire."""

from marshmallow import fields

from api.schemas.base import Out, PageIn
from api.schemas.fields import Id, Instant


class AccessesQueryIn(PageIn):
    debtor_id = Id(load_default=None)
    account_id = Id(load_default=None)
    since = Instant(load_default=None)


class AccessOut(Out):
    """One look at one debtor. `action` is the operation that was asked, as the document of the API names it."""

    id = Id(required=True)
    at = Instant(required=True)
    debtor_id = Id(required=True)
    org_id = Id(required=True, metadata={"description": "the organisation of whoever looked"})
    account_id = Id(required=True)
    action = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True)
    request_id = fields.String(required=True, allow_none=True)
