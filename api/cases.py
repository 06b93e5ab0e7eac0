"""Cases: one overdue account each, the agencies they are placed with, the payments made on them."""

import uuid
from typing import Any

import sqlalchemy as sa

from api.context import now
from api.db import session
from api.editing import Edited
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.paging import Keyset
from api.roles import Permission
from api.schemas.answers import Stored, stored
from api.schemas.cases import (
    CaseIn,
    CaseOut,
    CasesQueryIn,
    PaymentIn,
    PaymentOut,
    PlacedOut,
    PlacementOut,
    PlacementTermsIn,
)
from api.showing import Shows
from fieldvisit import cases
from fieldvisit.drafts import Change
from fieldvisit.finding import get_by_id
from fieldvisit.models import Case, Payment, Placement
from fieldvisit.placements import PlacementDraft, place_case

bp = Blueprint("cases", __name__, description=__doc__)


@bp.get("/cases")
@endpoint(may=Permission.READ_CASES, query=CasesQueryIn(), returns=CaseOut(), order=Keyset(Case.id), shows=Shows.WORK)
def list_cases(query: dict[str, Any]) -> sa.Select[Case]:
    """Cases of one's own, and those placed with one's organisation today."""
    return _matching(**query)


@bp.put("/cases")
@endpoint(may=Permission.CHANGE_CASES, body=CaseIn(), returns=stored(CaseOut()))
def put_case(body: cases.CaseDraft) -> Stored:
    """Add a case, or change the one with this external id.

    Amounts as of an earlier day than what is stored are refused: files that arrive in the wrong order change nothing.
    """
    return Stored.of(cases.upsert_case(session(), body, now=now()))


@bp.get("/cases/<uuid:case_id>")
@endpoint(may=Permission.READ_CASES, returns=CaseOut(), shows=Shows.FILE)
def get_case(case_id: uuid.UUID) -> Case:
    """One case."""
    return get_by_id(session(), Case, case_id)


@bp.get("/cases/<uuid:case_id>/placements")
@endpoint(may=Permission.READ_CASES, returns=PlacementOut(), order=Keyset(Placement.id))
def list_placements(case_id: uuid.UUID) -> sa.Select[Placement]:
    """To which agencies a case was given, and until when."""
    return sa.select(Placement).where(Placement.case_id == get_by_id(session(), Case, case_id).id)


@bp.put("/cases/<uuid:case_id>/placements")
@endpoint(may=Permission.CHANGE_PLACEMENTS, body=PlacementTermsIn(), returns=PlacedOut(), edits=Edited(list_placements))
def put_placement(case_id: uuid.UUID, body: PlacementDraft) -> dict[str, Change]:
    """Give a case to an agency, or change the days of a placement that meets these days.

    An `until_on` in the past calls the case back.
    """
    return {"change": place_case(session(), get_by_id(session(), Case, case_id), body, now=now())}


@bp.get("/cases/<uuid:case_id>/payments")
@endpoint(may=Permission.READ_PAYMENTS, returns=PaymentOut(), order=Keyset(Payment.id), shows=Shows.WORK)
def list_payments(case_id: uuid.UUID) -> sa.Select[Payment]:
    """What was paid on a case."""
    return sa.select(Payment).where(Payment.case_id == get_by_id(session(), Case, case_id).id)


@bp.put("/payments")
@endpoint(may=Permission.RECORD_PAYMENTS, body=PaymentIn(), returns=stored(PaymentOut()))
def put_payment(body: cases.PaymentDraft) -> Stored:
    """Record a payment. The same one again changes nothing; another one under the same external id is refused."""
    return Stored.of(cases.record_payment(session(), body, now=now()))


def _matching(*, min_days_past_due: int = 0, **columns: Any) -> sa.Select[Case]:
    return sa.select(Case).filter_by(**columns).where(Case.days_past_due >= min_days_past_due)
