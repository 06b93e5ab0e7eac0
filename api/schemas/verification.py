"""Verification codes and their look-ups on the wire."""

from marshmallow import fields

from api.schemas.base import Out, PageIn
from api.schemas.fields import Choice, Id, Instant, Part
from fieldvisit.verifying import Withdrawn
from fieldvisit.vocabulary import LookupResult


class VerificationCodeOut(Out):
    """`url` is what the picture holds, as an SVG document and as a PNG in base64."""

    visit_id = Id(required=True)
    url = fields.String(required=True)
    expires_at = Instant(required=True)
    qr_svg = fields.String(required=True)
    qr_png = fields.String(required=True)


class CodesOut(Out):
    """In the order of the day."""

    items = fields.List(Part(VerificationCodeOut), required=True)


class LookupsQueryIn(PageIn):
    visit_id = Id()
    visitor_id = Id()
    result = Choice(LookupResult)


class LookupOut(Out):
    """`address` is a hash of the network it came from, another one each day. `reason`: why it was withdrawn."""

    id = Id(required=True)
    at = Instant(required=True)
    result = Choice(LookupResult, required=True)
    reason = Choice(Withdrawn, required=True, allow_none=True)
    code_id = Id(required=True, allow_none=True)
    visit_id = Id(required=True, allow_none=True)
    visitor_id = Id(required=True, allow_none=True)
    address = fields.String(required=True)
