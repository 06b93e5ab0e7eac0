"""Who looked at where a visitor was."""

import datetime as dt
from typing import Any

from api.auth import visitor_id
from api.db import session
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.roles import Permission
from api.schemas.looks import LooksOut
from fieldvisit.safety.looks import looks_at

SINCE = dt.timedelta(days=90)

bp = Blueprint("safety_looks", __name__, url_prefix="/safety", description=__doc__)


@bp.get("/looks")
@endpoint(may=Permission.USE_PHONE, returns=LooksOut(), safety=True)
def list_looks() -> dict[str, Any]:
    """Who looked at where you were in the last 90 days, the newest first: which account, by which request, when."""
    return {"items": looks_at(session(), visitor_id(), since=SINCE)}
