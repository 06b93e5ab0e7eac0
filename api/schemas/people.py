"""Visitors, credentials and shifts on the wire."""

from typing import Any

from marshmallow import fields, post_load

from api.schemas.base import Drafted, In, Out, PageIn, PointIn
from api.schemas.fields import (
    Choice,
    Day,
    Flag,
    FlagInQuery,
    Id,
    Instant,
    Many,
    OuterId,
    Part,
    Text,
    Whole,
)
from api.schemas.forms_in_words import PHONE
from fieldvisit.datums import to_wgs84
from fieldvisit.people import BreakDraft, CredentialDraft, ShiftDraft, VisitorDraft
from fieldvisit.vocabulary import CredentialKind, CrewSource

WORDS = 50


class VisitorIn(In):
    """What is left out stays as it is stored; `skills` and `languages` are replaced whole.

    Who is not `active` is not planned and does not log in.
    """

    external_id = OuterId(required=True)
    name = Text(required=True)
    staff_number = Text(required=True, max=100)
    phone = Text(max=20, form=PHONE, allow_none=True, metadata={"description": "E.164"})
    skills = Many(Text(max=100), max=WORDS)
    languages = Many(Text(max=35), max=WORDS)
    home_address = Text(max=500, allow_none=True)
    home = Part(PointIn, allow_none=True, load_default=None)
    active = Flag()

    @post_load
    def draft(self, data: dict[str, Any], **_: Any) -> VisitorDraft:
        home = data.pop("home")
        data |= {name: tuple(data[name]) for name in ("skills", "languages") if name in data}
        return VisitorDraft(home=to_wgs84(**home) if home else None, **data)


class VisitorOut(Out):
    """Without the visitor's home, which is nobody's business but the planner's."""

    id = Id(required=True)
    external_id = fields.String(required=True)
    name = fields.String(required=True)
    staff_number = fields.String(required=True)
    phone = fields.String(required=True, allow_none=True)
    skills = fields.List(fields.String(), required=True)
    languages = fields.List(fields.String(), required=True)
    active = Flag(required=True)
    photo_id = Id(required=True, allow_none=True)


class VisitorsQueryIn(PageIn):
    external_id = OuterId()
    active = FlagInQuery()


class CredentialIn(Drafted):
    """Both dates are included. `for_organisation` is the code of the lender that it was issued for, `for_case_id` the
    one case."""

    makes = CredentialDraft
    external_id = OuterId(required=True)
    visitor_id = OuterId(required=True, data_key="visitor_external_id")
    kind = Choice(CredentialKind, required=True)
    number = Text(required=True, max=100)
    issuer = Text(required=True)
    valid_from = Day(required=True)
    valid_until = Day(required=True)
    for_organisation = Text(max=40, allow_none=True)
    for_case_id = Id(allow_none=True)


class CredentialOut(Out):
    id = Id(required=True)
    external_id = fields.String(required=True)
    visitor_id = Id(required=True)
    kind = Choice(CredentialKind, required=True)
    number = fields.String(required=True)
    issuer = fields.String(required=True)
    valid_from = Day(required=True)
    valid_until = Day(required=True)
    for_organisation_id = Id(required=True, allow_none=True, attribute="for_org_id")
    for_case_id = Id(required=True, allow_none=True)
    revoked_at = Instant(required=True, allow_none=True)
    file_id = Id(required=True, allow_none=True, metadata={"description": "the scanned paper"})
    renews_id = Id(required=True, allow_none=True, metadata={"description": "the paper whose next term it is"})


class BreakIn(Drafted):
    """A rest of `seconds` somewhere between the two."""

    makes = BreakDraft
    from_at = Instant(required=True)
    until_at = Instant(required=True)
    seconds = Whole(required=True, min=1, max=86_400)


class ShiftIn(Drafted):
    """One a visitor and day: another one for the same day replaces it. Without a `crew_code` a crew is proposed."""

    makes = ShiftDraft
    visitor_id = OuterId(required=True, data_key="visitor_external_id")
    works_on = Day(required=True)
    starts_at = Instant(required=True)
    ends_at = Instant(required=True)
    crew_code = Text(max=100, allow_none=True, load_default=None)
    lead = Flag(required=True)
    from_office = Flag(required=True)
    rest = Part(BreakIn, allow_none=True, data_key="break")


class ShiftOut(Out):
    id = Id(required=True)
    visitor_id = Id(required=True)
    works_on = Day(required=True)
    starts_at = Instant(required=True)
    ends_at = Instant(required=True)
    crew_code = fields.String(required=True, allow_none=True)
    crew_by = Choice(CrewSource, required=True, allow_none=True)
    lead = Flag(required=True)
    from_office = Flag(required=True)
    break_from_at = Instant(required=True, allow_none=True)
    break_until_at = Instant(required=True, allow_none=True)
    break_s = fields.Integer(required=True, allow_none=True)


class ShiftsQueryIn(PageIn):
    works_on = Day()
    visitor_id = Id()
