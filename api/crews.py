"""Who rides with whom on a day: have crews proposed, keep them, or name them."""

import datetime as dt
from typing import Any

from api.auth import actor
from api.context import now
from api.db import session
from api.editing import Edited
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.roles import Permission
from api.schemas.crews import CrewDayIn, CrewDayQueryIn, CrewsOut, NamedCrewsIn
from fieldvisit.planning import forming
from fieldvisit.planning.forming import NamedCrews
from fieldvisit.planning.forming_words import CrewsOfDay, crews_of_day
from fieldvisit.planning.jobs import enqueue_forming

bp = Blueprint("crews", __name__, url_prefix="/crews", description=__doc__)


@bp.get("")
@endpoint(may=Permission.READ_SHIFTS, query=CrewDayQueryIn(), returns=CrewsOut())
def get_crews(query: dict[str, Any]) -> CrewsOfDay:
    """The crews of a day, who named each, and why others ride in none."""
    return crews_of_day(session(), actor().org_id, query["works_on"])


CREWS = Edited(get_crews, found=lambda _session, _path, body: {"query": {"works_on": _day(body)}})


@bp.post("/proposal")
@endpoint(may=Permission.CHANGE_SHIFTS, body=CrewDayIn(), returns=CrewsOut(), status=202)
def propose_crews(body: dict[str, Any]) -> CrewsOfDay:
    """Have crews proposed for those whose crew neither the shift file nor a dispatcher has named; a worker does it.

    Read the crews again until `state` is `formed` or `failed`.
    """
    org_id, on = actor().org_id, body["works_on"]
    forming.request_forming(session(), org_id, on, now=now())
    enqueue_forming(session(), org_id, on)
    return crews_of_day(session(), org_id, on)


@bp.post("/keeping")
@endpoint(may=Permission.CHANGE_SHIFTS, body=CrewDayIn(), returns=CrewsOut(), edits=CREWS)
def keep_crews(body: dict[str, Any]) -> CrewsOfDay:
    """Keep the proposal: no later one changes these crews."""
    forming.keep_proposal(session(), actor().org_id, body["works_on"])
    return crews_of_day(session(), actor().org_id, body["works_on"])


@bp.put("")
@endpoint(may=Permission.CHANGE_SHIFTS, body=NamedCrewsIn(), returns=CrewsOut(), edits=CREWS)
def name_crews(body: NamedCrews) -> CrewsOfDay:
    """Name crews oneself. Whoever was in one of these codes and is not named rides in no crew until one is proposed."""
    forming.name_crews(session(), actor().org_id, body)
    return crews_of_day(session(), actor().org_id, body.works_on)


def _day(body: NamedCrews | dict[str, Any]) -> dt.date:
    day: dt.date = body.works_on if isinstance(body, NamedCrews) else body["works_on"]
    return day
