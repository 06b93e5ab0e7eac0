"""After how long a silence an alarm is raised: each organisation's own timers."""

from typing import Any

from api.auth import actor
from api.db import session
from api.editing import Edited
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.roles import Permission
from api.schemas.timers import TimersIn, TimersInForceOut, TimersOut
from fieldvisit.safety.own_timers import InForce, TimersDraft, set_timers, timers_in_force

bp = Blueprint("safety_timers", __name__, url_prefix="/safety", description=__doc__)


@bp.get("/timers")
@endpoint(may=Permission.READ_SAFETY, returns=TimersInForceOut())
def list_timers() -> dict[str, Any]:
    """The timers with which sessions begin now, from the least to the most dangerous level."""
    return {"items": timers_in_force(session())}


@bp.post("/timers")
@endpoint(may=Permission.SET_TIMERS, body=TimersIn(), returns=TimersOut(), status=201, edits=Edited(list_timers))
def change_timers(body: TimersDraft) -> InForce:
    """Set the timers of a level, with a reason. Sessions that are running keep theirs."""
    return set_timers(session(), body, actor().account_id)
