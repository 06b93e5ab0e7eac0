"""Places that became free on a day, offered to the visits that wait."""

import uuid
from typing import Any

from api.context import now
from api.db import session
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.roles import Permission
from api.schemas.offers import OffersOut, OffersQueryIn
from fieldvisit.planning.offering import Offers, offers_of

bp = Blueprint("offers", __name__, url_prefix="/day-plans", description=__doc__)


@bp.get("/<uuid:plan_id>/offers")
@endpoint(may=Permission.READ_PLANS, query=OffersQueryIn(), returns=OffersOut())
def list_offers(plan_id: uuid.UUID, query: dict[str, Any]) -> Offers:
    """Which visits that wait would fit where one fell out: by a contact block, a policy, a paper, a late contact.

    Nothing is changed: keep the one you choose with `POST /day-plans/{plan_id}/changes`.
    """
    return offers_of(session(), plan_id, most=query["most"], now=now())
