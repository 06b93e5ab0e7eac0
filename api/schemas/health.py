"""Health on the wire."""

from marshmallow import fields

from api.schemas.base import Out
from api.schemas.fields import Flag, Part


class LiveOut(Out):
    live = Flag(required=True)


class ReadyPartOut(Out):
    name = fields.String(required=True)
    well = Flag(allow_none=True, required=True, metadata={"description": "null: absent, and the service does without"})
    said = fields.String(required=True)


class ReadyOut(Out):
    ready = Flag(required=True)
    parts = fields.List(Part(ReadyPartOut), required=True)
