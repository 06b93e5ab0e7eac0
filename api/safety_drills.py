"""Drills of those who answer alarms: begun here, closed like any alert, and counted apart."""

import csv
import io
from typing import Any

from api.auth import actor
from api.db import session
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.roles import Permission
from api.safety_now import alert_now
from api.schemas.alerts import SafetyAlertOut
from api.schemas.drills import DrillIn, DrillsOut, MonthOfDrillsOut
from api.schemas.statistics import PeriodIn
from fieldvisit.models import SafetyAlert
from fieldvisit.safety.drafts import Officer
from fieldvisit.safety.drill_records import DrillRecord, drill_record
from fieldvisit.safety.drills import DrillDraft, begin_drill

bp = Blueprint("safety_drills", __name__, url_prefix="/safety", description=__doc__)
CSV = "text/csv"


@bp.post("/drills")
@endpoint(
    may=Permission.HANDLE_ALERTS, body=DrillIn(), returns=SafetyAlertOut(), status=201, safety=True, afresh=alert_now
)
def start_drill(body: DrillDraft) -> SafetyAlert:
    """Begin a drill: an alert of this kind that says everywhere that nobody is in danger, and climbs as a real one.

    It is closed with the outcome `drill` and no other.
    """
    return begin_drill(session(), body, Officer(account_id=actor().account_id, visitor_id=actor().visitor_id))


@bp.get("/drills")
@endpoint(may=Permission.READ_SAFETY, query=PeriodIn(), returns=DrillsOut(), safety=True)
def read_drills(query: dict[str, Any]) -> DrillRecord:
    """Which drills were held, how they went, and which are owed by the house's own rules."""
    return drill_record(session(), since=query["since"], until=query["until"])


@bp.get("/drills.csv")
@endpoint(may=Permission.READ_SAFETY, query=PeriodIn(), media=CSV, safety=True)
def export_drills(query: dict[str, Any]) -> str:
    """The months as CSV, a line for each kind."""
    names = list(MonthOfDrillsOut().fields)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    months = drill_record(session(), since=query["since"], until=query["until"]).months
    writer.writerows([getattr(month, name) for name in names] for month in months)
    return text.getvalue()
