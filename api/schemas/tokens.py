"""Logging in, on the wire."""

from marshmallow import fields

from api.schemas.base import Drafted, In, Out
from api.schemas.fields import Choice, Flag, Id, Part, Text
from fieldvisit.accounts import PASSWORD_MAX
from fieldvisit.devices import LONGEST_NAME, DeviceDraft
from fieldvisit.vocabulary import Role


class DeviceIn(Drafted):
    """The phone that logs in, under an id that it made for itself when it was installed."""

    makes = DeviceDraft
    id = Id(required=True)
    name = Text(required=True, max=LONGEST_NAME)
    app_version = Text(required=True, max=LONGEST_NAME)


class LoginIn(In):
    """With a `device` the login belongs to that phone: revoked, it is good for nothing any more."""

    username = Text(required=True, max=64)
    password = Text(required=True, max=PASSWORD_MAX, secret=True)
    device = Part(DeviceIn, allow_none=True, load_default=None)


class RefreshIn(In):
    refresh_token = Text(required=True, max=200)


class TokensOut(Out):
    access_token = fields.String(required=True)
    token_type = fields.String(required=True)
    expires_in_s = fields.Integer(required=True)
    refresh_token = fields.String(required=True)
    account_id = Id(required=True)
    organisation_id = Id(required=True)
    roles = fields.List(Choice(Role), required=True)
    visitor_id = Id(required=True, allow_none=True)
    device_id = Id(required=True, allow_none=True)
    wipe = Flag(
        required=True,
        metadata={
            "description": "somebody else used this phone before: forget whatever is not of this account, and say "
            "so at /phone/wiped; said at each login until then"
        },
    )
