"""What fits where a visit fell out of a day, on the wire."""

from typing import Any

from marshmallow import fields, pre_dump

from api.schemas.base import In, Out
from api.schemas.fields import Id, Part, WholeInQuery
from api.schemas.plan_changes import OptionOut
from fieldvisit.planning.offering import LOOKED_AT, Offer


class OffersQueryIn(In):
    most = WholeInQuery(min=1, max=LOOKED_AT, load_default=5)


class FreedOut(Out):
    visit_id = Id(required=True, attribute="id")
    reference = fields.String(required=True)


class OfferOut(Out):
    """`estimated`: the plan was made before the visit, and its drives are estimated from straight lines."""

    visit_id = Id(required=True)
    reference = fields.String(required=True)
    estimated = fields.Boolean(required=True)
    option = Part(OptionOut, required=True)

    @pre_dump
    def tell(self, offer: Offer, **_: Any) -> dict[str, Any]:
        return {
            "visit_id": offer.visit.id,
            "reference": offer.visit.reference,
            "estimated": offer.options.estimated,
            "option": offer.options.told(offer.option),
        }


class OffersOut(Out):
    """`freed`: the visits whose places became free since the plan was made. `offers`: what fits, cheapest first."""

    freed = fields.List(Part(FreedOut), required=True)
    offers = fields.List(Part(OfferOut), required=True, attribute="found")
