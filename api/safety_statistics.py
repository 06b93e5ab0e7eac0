"""How alarms were answered, by month."""

import csv
import io
from typing import Any

from api.db import session
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.roles import Permission
from api.schemas.statistics import AlarmStatisticsOut, FalseAlarmsOfAllOut, FalseAlarmsOut, MonthOfAlarmsOut, PeriodIn
from fieldvisit.safety.false_alarms import false_alarms
from fieldvisit.safety.statistics import LATENESS_S, MonthOfAlarms, alarm_statistics
from fieldvisit.vocabulary import AlertKind, AlertOutcome

bp = Blueprint("safety_statistics", __name__, url_prefix="/safety", description=__doc__)
CSV = "text/csv"
FALSE = tuple(name for name in FalseAlarmsOut().fields if name != "visitor")


@bp.get("/statistics")
@endpoint(may=Permission.READ_SAFETY, query=PeriodIn(), returns=AlarmStatisticsOut())
def read_alarm_statistics(query: dict[str, Any]) -> Any:
    """Shares acknowledged within 10, 40 and 60 s, lateness, outcomes and drills, by month."""
    months = alarm_statistics(session(), since=query["since"], until=query["until"])
    return {"lateness_s": list(LATENESS_S), "months": months}


@bp.get("/statistics.csv")
@endpoint(may=Permission.READ_SAFETY, query=PeriodIn(), media=CSV)
def export_alarm_statistics(query: dict[str, Any]) -> str:
    """The same as CSV, a line for each month and for the drills of each."""
    return _table(alarm_statistics(session(), since=query["since"], until=query["until"]))


@bp.get("/statistics/false-alarms")
@endpoint(may=Permission.READ_SAFETY, query=PeriodIn(), returns=FalseAlarmsOfAllOut(), traced=True)
def read_false_alarms(query: dict[str, Any]) -> Any:
    """The alarms that were closed by visitor, phone and level of the timers, and how many were false, by why.

    Each reading stands in the audit trail: it is about people.
    """
    return {"lines": false_alarms(session(), since=query["since"], until=query["until"])}


@bp.get("/statistics/false-alarms.csv")
@endpoint(may=Permission.READ_SAFETY, query=PeriodIn(), media=CSV, traced=True)
def export_false_alarms(query: dict[str, Any]) -> str:
    """The same as CSV, a line for each."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["visitor_id", "staff_number", "name", *FALSE])
    for each in false_alarms(session(), since=query["since"], until=query["until"]):
        who = each.person
        writer.writerow([who.id, who.staff_number, who.name, *(getattr(each, name) for name in FALSE)])
    return text.getvalue()


def _table(months: list[MonthOfAlarms]) -> str:
    names = [name for name in MonthOfAlarmsOut().fields if name not in ("lateness", "outcomes")]
    classes = [f"late_up_to_{bound:g}_s" for bound in LATENESS_S] + [f"late_over_{LATENESS_S[-1]:g}_s"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    outcomes = [f"outcome_{outcome}" for outcome in AlertOutcome]
    false = [f"false_alarms_{kind}" for kind in AlertKind]
    writer.writerow([*names, *classes, *outcomes, *false])
    writer.writerows([[*(getattr(month, name) for name in names), *_counted(month)] for month in months])
    return text.getvalue()


def _counted(month: MonthOfAlarms) -> list[int]:
    """By lateness, by outcome, and the false ones by kind."""
    by_outcome, false = month.by_outcome, month.false_alarms_by_kind
    return [*month.lateness, *(by_outcome[each] for each in AlertOutcome), *(false[each] for each in AlertKind)]
