"""Who looked at where a visitor was."""

import datetime as dt

import sqlalchemy as sa

from api.auth import visitor_id
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.paging import Keyset
from api.roles import Permission
from api.schemas.looks import LookOut
from fieldvisit.models import LocationLook
from fieldvisit.safety.looks import looks_at

SINCE = dt.timedelta(days=90)

bp = Blueprint("safety_looks", __name__, url_prefix="/safety", description=__doc__)


@bp.get("/looks")
@endpoint(
    may=Permission.USE_PHONE,
    returns=LookOut(),
    order=Keyset(
        LocationLook.at, LocationLook.session_id, LocationLook.account_id, LocationLook.action, descending=True
    ),
    safety=True,
)
def list_looks() -> sa.Select[LocationLook]:
    """Who looked at where you were in the last 90 days, the newest first: which account, by which request, when.

    A look goes with the session it was at, which your organisation may keep for less than that (`sessions_days`).
    """
    return looks_at(visitor_id(), since=SINCE)
