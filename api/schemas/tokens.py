"""Logging in, on the wire."""

from marshmallow import fields

from api.schemas.base import In, Out
from api.schemas.fields import Choice, Id, Text
from fieldvisit.accounts import PASSWORD_MAX
from fieldvisit.vocabulary import Role


class LoginIn(In):
    username = Text(required=True, max=64)
    password = Text(required=True, max=PASSWORD_MAX)


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
