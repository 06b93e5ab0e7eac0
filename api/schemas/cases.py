"""Cases, placements and payments on the wire. Money is in minor units of its currency."""

from marshmallow import fields

from api.schemas.base import Drafted, Out, PageIn
from api.schemas.fields import Choice, Currency, Day, Id, Instant, OuterId, Part, Text, Whole, WholeInQuery
from fieldvisit.cases import LARGEST_MINOR, LONGEST_OVERDUE, CaseDraft, PaymentDraft
from fieldvisit.drafts import Change
from fieldvisit.placements import PlacementDraft
from fieldvisit.vocabulary import CaseStage


def amount(*, min: int = 0) -> Whole:
    return Whole(required=True, min=min, max=LARGEST_MINOR)


class PlacementTermsIn(Drafted):
    """The agency by its code; both days are included, no last day means until called back."""

    makes = PlacementDraft
    agency = Text(required=True, max=40)
    from_on = Day(required=True)
    until_on = Day(allow_none=True)


class CaseIn(Drafted):
    """`debtor_external_id` names a debtor that is stored already."""

    makes = CaseDraft
    external_id = OuterId(required=True)
    debtor_id = OuterId(required=True, data_key="debtor_external_id")
    product = Text(required=True, max=100)
    currency = Currency(required=True)
    principal_minor = amount()
    interest_minor = amount()
    fees_minor = amount()
    total_minor = amount()
    as_of_on = Day(required=True)
    due_on = Day(required=True)
    days_past_due = Whole(required=True, max=LONGEST_OVERDUE)
    stage = Choice(CaseStage, required=True)
    reason_for_arrears = Text(max=500, allow_none=True)
    placement = Part(PlacementTermsIn, allow_none=True)


class CaseOut(Out):
    id = Id(required=True)
    external_id = fields.String(required=True)
    organisation_id = Id(required=True, attribute="org_id", metadata={"description": "the owner"})
    debtor_id = Id(required=True)
    product = fields.String(required=True)
    currency = fields.String(required=True)
    principal_minor = fields.Integer(required=True)
    interest_minor = fields.Integer(required=True)
    fees_minor = fields.Integer(required=True)
    total_minor = fields.Integer(required=True)
    as_of_on = Day(required=True)
    due_on = Day(required=True)
    days_past_due = fields.Integer(required=True)
    stage = Choice(CaseStage, required=True)
    reason_for_arrears = fields.String(required=True, allow_none=True)
    updated_at = Instant(required=True)


class CasesQueryIn(PageIn):
    external_id = OuterId()
    debtor_id = Id()
    stage = Choice(CaseStage)
    min_days_past_due = WholeInQuery(max=LONGEST_OVERDUE)


class PlacementOut(Out):
    id = Id(required=True)
    case_id = Id(required=True)
    agency_id = Id(required=True)
    from_on = Day(required=True)
    until_on = Day(required=True, allow_none=True)
    created_at = Instant(required=True)


class PlacedOut(Out):
    change = Choice(Change, required=True)


class PaymentIn(Drafted):
    makes = PaymentDraft
    external_id = OuterId(required=True)
    case_id = OuterId(required=True, data_key="case_external_id")
    amount_minor = amount(min=1)
    currency = Currency(required=True)
    paid_on = Day(required=True)


class PaymentOut(Out):
    id = Id(required=True)
    external_id = fields.String(required=True)
    made_by_id = Id(
        required=True,
        allow_none=True,
        metadata={"description": "the organisation whose id it is under; null: of a payment of old, nobody knows"},
    )
    case_id = Id(required=True)
    amount_minor = fields.Integer(required=True)
    currency = fields.String(required=True)
    paid_on = Day(required=True)
