"""Handing a shift over to another officer, and whether the hours ahead are covered."""

import uuid
from typing import Any

from api.auth import actor
from api.db import session
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.roles import Permission
from api.schemas.duty import CoverAheadOut, CoverQueryIn, DutyOfferIn, DutyTakenOut
from api.schemas.roster import DutyOut
from fieldvisit.models import DutyShift
from fieldvisit.safety import handing_over
from fieldvisit.safety.drafts import Officer
from fieldvisit.safety.gaps import CoverAhead, cover_ahead

bp = Blueprint("safety_duty", __name__, url_prefix="/safety", description=__doc__)


@bp.post("/roster/<uuid:shift_id>/offer")
@endpoint(may=Permission.HANDLE_ALERTS, body=DutyOfferIn(), returns=DutyOut(), safety=True, taking=True)
def offer_duty(shift_id: uuid.UUID, body: dict[str, Any]) -> DutyShift:
    """Ask another officer to take a shift of yours. Until they do, it is yours and you are called."""
    return handing_over.offer_duty(session(), shift_id, _officer(), body["to_account_id"])


@bp.delete("/roster/<uuid:shift_id>/offer")
@endpoint(may=Permission.HANDLE_ALERTS, status=204, safety=True, taking=True)
def withdraw_duty_offer(shift_id: uuid.UUID) -> None:
    """Take the offer back, or decline it. Sent again by who declined it last, it is the same no."""
    handing_over.withdraw_offer(session(), shift_id, _officer())


@bp.post("/roster/<uuid:shift_id>/offer/acceptance")
@endpoint(may=Permission.HANDLE_ALERTS, returns=DutyTakenOut(), safety=True, taking=True)
def take_duty(shift_id: uuid.UUID) -> handing_over.TakenOver:
    """Take a shift that was offered to you, from this moment on, with the alerts that its owner holds."""
    return handing_over.take_duty(session(), shift_id, _officer())


@bp.get("/cover")
@endpoint(may=Permission.READ_SAFETY, query=CoverQueryIn(), returns=CoverAheadOut(), safety=True)
def read_cover(query: dict[str, Any]) -> CoverAhead:
    """When in the hours ahead nobody would answer an alarm."""
    return cover_ahead(session(), hours=query["hours"])


def _officer() -> Officer:
    return Officer(account_id=actor().account_id, visitor_id=actor().visitor_id)
