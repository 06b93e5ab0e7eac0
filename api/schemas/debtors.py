"""Debtors on the wire: their contact points, places and wishes."""

from typing import Any

from marshmallow import fields, post_load, validate

from api.schemas.base import Drafted, In, Out, PageIn, PointIn, PointOut
from api.schemas.fields import Choice, Day, Flag, Id, Instant, LocalTime, Many, OuterId, Part, Text, Whole
from api.schemas.forms_in_words import REGION
from fieldvisit.debtors import DAYS, ContactPointDraft, DebtorDraft, PlaceDraft
from fieldvisit.found_points import given
from fieldvisit.vocabulary import ContactPointKind, DebtorParty, PlaceKind, PointSource


class ContactPointNamedIn(In):
    """A telephone number in E.164 (+358...), an e-mail address, or an address to write to."""

    kind = Choice(ContactPointKind, required=True)
    value = Text(required=True, max=500)


class ContactPointIn(ContactPointNamedIn, Drafted):
    makes = ContactPointDraft


class PlaceIn(In):
    """Where the debtor may be met. Without a point it waits for the geocoder of the next import."""

    address = Text(required=True, max=500)
    kind = Choice(PlaceKind, load_default=PlaceKind.HOME)
    point = Part(PointIn, load_default=None, allow_none=True)
    geofence_m = Whole(min=20, max=5_000, load_default=None, allow_none=True)
    region = Text(max=6, form=REGION, allow_none=True, metadata={"description": "ISO 3166-2: US-MA"})

    @post_load
    def draft(self, data: dict[str, Any], **_: Any) -> PlaceDraft:
        point = data.pop("point")
        return PlaceDraft(found=given(**point) if point else None, **data)


class DebtorIn(Drafted):
    makes = DebtorDraft
    external_id = OuterId(required=True)
    name = Text(required=True)
    party = Choice(DebtorParty)
    national_id = Text(max=100, allow_none=True)
    language = Text(max=35, allow_none=True, metadata={"description": "BCP 47, such as fi or zh-CN"})
    contact_points = Many(Part(ContactPointIn), max=50)
    places = Many(Part(PlaceIn), max=20)


class ContactPointOut(Out):
    id = Id(required=True)
    kind = Choice(ContactPointKind, required=True)
    value = fields.String(required=True, metadata={"description": "all but its end is hidden from some roles"})


class PlaceOut(Out):
    id = Id(required=True)
    kind = Choice(PlaceKind, required=True)
    address = fields.String(required=True)
    point = fields.Nested(PointOut, required=True, allow_none=True)
    found_by = Choice(PointSource, required=True)
    found_note = fields.String(required=True, allow_none=True)
    zone = fields.String(required=True)
    geofence_m = fields.Integer(required=True, allow_none=True)
    region = fields.String(required=True, allow_none=True)


class WishIn(In):
    """A time stated by the debtor: never then, or only then. Wall-clock times of the place, the end excluded."""

    only_then = Flag(
        required=True, data_key="only", attribute="only", metadata={"description": "true: only then; false: never then"}
    )
    days = Many(Text(max=3, form="|".join(DAYS)), required=True, min=1, max=7)
    from_time = LocalTime(required=True)
    until_time = LocalTime(required=True)
    note = Text(max=500, allow_none=True)

    @post_load
    def tuples(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return data | {"days": tuple(data["days"])}


class WishOut(Out):
    id = Id(required=True)
    only_then = Flag(required=True, data_key="only", attribute="only")
    days = fields.List(fields.String(validate=validate.OneOf(DAYS)), required=True)
    from_time = LocalTime(required=True)
    until_time = LocalTime(required=True)
    starts_on = Day(required=True, allow_none=True)
    ends_on = Day(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)
    origin = fields.String(required=True)
    stated_at = Instant(required=True)


class DebtorOut(Out):
    """A line of a list: without contact data."""

    id = Id(required=True)
    external_id = fields.String(required=True)
    party = Choice(DebtorParty, required=True)
    name = fields.String(required=True)
    language = fields.String(required=True, allow_none=True)


class DebtorFileOut(DebtorOut):
    """Everything that the caller may know of a debtor."""

    national_id = fields.String(required=True, allow_none=True)
    contact_points = fields.List(Part(ContactPointOut), required=True)
    places = fields.List(Part(PlaceOut), required=True)
    wishes = fields.List(Part(WishOut), required=True)


class DebtorsQueryIn(PageIn):
    external_id = OuterId()
