"""Visits: opened on evidence, looked at, changed, cancelled, closed; and why each stands where it stands."""

import uuid
from typing import Any

import sqlalchemy as sa

from api.auth import actor
from api.context import now
from api.db import session
from api.editing import Edited
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.paging import Keyset
from api.roles import Permission
from api.schemas.reports import OfficeAdditionIn, ReportOut
from api.schemas.visits import (
    CancellationIn,
    ClosureIn,
    DecisionOut,
    EligibilityOut,
    OpenedOut,
    VisitChangeIn,
    VisitEventOut,
    VisitOut,
    VisitRequestIn,
    VisitsQueryIn,
)
from api.showing import Shows
from fieldvisit import gate, reports, visits
from fieldvisit.models import StoredDecision, Visit, VisitEvent, VisitReport
from fieldvisit.notices.results import close_and_tell
from fieldvisit.report_drafts import AdditionDraft

bp = Blueprint("visits", __name__, description=__doc__)


@bp.get("/visits")
@endpoint(may=Permission.READ_VISITS, query=VisitsQueryIn(), returns=VisitOut(), order=Keyset(Visit.id))
def list_visits(query: dict[str, Any]) -> sa.Select[Visit]:
    """Visits of one's organisation, and those made on cases of one's own."""
    return visits.visits_where(**query)


@bp.post("/visits")
@endpoint(may=Permission.REQUEST_VISITS, body=VisitRequestIn(), returns=VisitOut(), status=201)
def request_visit(body: dict[str, Any]) -> Visit:
    """Open a visit by hand.

    The same policy decides as at the gate: where the phone has not failed, a person's reason does not help.
    """
    return gate.request_visit(session(), actor().org_id, now=now(), **body)


@bp.post("/visits/opening")
@endpoint(may=Permission.REQUEST_VISITS, returns=OpenedOut())
def open_visits() -> gate.Opened:
    """Run the gate: open a visit for everybody whom the phone did not reach, and for nobody else.

    Running it again opens nothing twice.
    """
    return gate.open_visits(session(), actor().org_id, now())


@bp.get("/cases/<uuid:case_id>/eligibility")
@endpoint(may=Permission.READ_CASES, returns=EligibilityOut())
def read_eligibility(case_id: uuid.UUID) -> gate.Eligibility:
    """May a visit be opened for this case? Yes with the evidence, or no with what is missing."""
    return gate.eligibility_of(session(), actor().org_id, case_id, now())


@bp.get("/visits/<uuid:visit_id>")
@endpoint(may=Permission.READ_VISITS, returns=VisitOut())
def get_visit(visit_id: uuid.UUID) -> Visit:
    """One visit."""
    return visits.get_visit(session(), visit_id)


@bp.patch("/visits/<uuid:visit_id>")
@endpoint(may=Permission.REQUEST_VISITS, body=VisitChangeIn(), returns=VisitOut(), edits=Edited(get_visit))
def change_visit(visit_id: uuid.UUID, body: visits.VisitChange) -> Visit:
    """Change what the planner is told of a visit that is not planned yet."""
    return visits.change_visit(session(), visit_id, body, now=now())


@bp.post("/visits/<uuid:visit_id>/cancellation")
@endpoint(may=Permission.CANCEL_VISITS, body=CancellationIn(), returns=VisitOut())
def cancel_visit(visit_id: uuid.UUID, body: dict[str, Any]) -> Visit:
    """Cancel a visit that is not reported yet; the phone is told at its next contact."""
    return visits.cancel_visit(session(), visit_id, now=now(), **body)


@bp.post("/visits/<uuid:visit_id>/closure")
@endpoint(may=Permission.CLOSE_VISITS, body=ClosureIn(), returns=VisitOut())
def close_visit(visit_id: uuid.UUID, body: dict[str, Any]) -> Visit:
    """Accept the report and decide what comes next; the debtor is told of the result where a policy wants it."""
    return close_and_tell(session(), visit_id, now=now(), **body)


@bp.get("/visits/<uuid:visit_id>/history")
@endpoint(may=Permission.READ_VISITS, returns=VisitEventOut(), order=Keyset(VisitEvent.at, VisitEvent.id))
def list_visit_events(visit_id: uuid.UUID) -> sa.Select[VisitEvent]:
    """What happened to a visit, oldest first."""
    return sa.select(VisitEvent).where(VisitEvent.visit_id == visits.get_visit(session(), visit_id).id)


@bp.get("/visits/<uuid:visit_id>/decisions")
@endpoint(may=Permission.READ_VISITS, returns=DecisionOut(), order=Keyset(StoredDecision.decided_at, StoredDecision.id))
def list_visit_decisions(visit_id: uuid.UUID) -> sa.Select[StoredDecision]:
    """Every stored decision on a visit, oldest first, each clause in words."""
    return sa.select(StoredDecision).where(StoredDecision.visit_id == visits.get_visit(session(), visit_id).id)


@bp.post("/visits/<uuid:visit_id>/report/additions")
@endpoint(may=Permission.CLOSE_VISITS, body=OfficeAdditionIn(), returns=ReportOut(), status=201, shows=Shows.WORK)
def add_to_visit_report(visit_id: uuid.UUID, body: AdditionDraft) -> VisitReport:
    """Add to a report, or correct it, from the office. The first words stay; who said what more, and why, stands beside
    them."""
    return reports.add_from_office(session(), visit_id, body, by=actor().account_id, now=now())


@bp.get("/visits/<uuid:visit_id>/report")
@endpoint(may=Permission.READ_REPORTS, returns=ReportOut(), shows=Shows.FILE)
def get_visit_report(visit_id: uuid.UUID) -> VisitReport:
    """The report of a visit, with its promises and additions."""
    return reports.get_report(session(), visit_id)
