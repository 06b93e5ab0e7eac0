"""A debtor's own data: what they ask for, what is kept of them, and the proof of what went."""

import uuid
from typing import Any

import sqlalchemy as sa

from api.auth import actor
from api.context import now
from api.db import session
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.paging import Keyset
from api.roles import Permission
from api.schemas.debtor_requests import (
    DebtorAnswerIn,
    DebtorExportOut,
    DebtorRequestIn,
    DebtorRequestOut,
    DebtorRequestsQueryIn,
    PurgeOut,
)
from api.showing import Shows
from fieldvisit import debtor_requests
from fieldvisit.debtor_exports import DebtorExport, export_debtor
from fieldvisit.models import DebtorRequest, Purge
from fieldvisit.retention.runs import purges

bp = Blueprint("debtor-requests", __name__, description=__doc__)


@bp.post("/debtor-requests")
@endpoint(may=Permission.ANSWER_DEBTORS, body=DebtorRequestIn(), returns=DebtorRequestOut(), status=201)
def record_debtor_request(body: debtor_requests.RequestDraft) -> DebtorRequest:
    """Write down that a debtor wants to see their data, to have it corrected, or to have it erased."""
    return debtor_requests.record_request(session(), body, by=actor().account_id, now=now())


@bp.get("/debtor-requests")
@endpoint(
    may=Permission.READ_ACCESSES,
    query=DebtorRequestsQueryIn(),
    returns=DebtorRequestOut(),
    order=Keyset(DebtorRequest.received_at, DebtorRequest.id),
    shows=Shows.WORK,
)
def list_debtor_requests(query: dict[str, Any]) -> sa.Select[DebtorRequest]:
    """What debtors asked for, the earliest first."""
    return debtor_requests.requests_where(**query)


@bp.post("/debtor-requests/<uuid:request_id>/answer")
@endpoint(may=Permission.ANSWER_DEBTORS, body=DebtorAnswerIn(), returns=DebtorRequestOut(), shows=Shows.WORK)
def answer_debtor_request(request_id: uuid.UUID, body: debtor_requests.AnswerDraft) -> DebtorRequest:
    """Grant it, or refuse it with the reason.

    A correction is made at once. An erasure is carried out by the next purge, as far as the least times of the policies
    and legal holds let it, once the debtor's case is closed.
    """
    return debtor_requests.answer_request(session(), request_id, body, by=actor().account_id, now=now())


@bp.get("/debtors/<uuid:debtor_id>/export")
@endpoint(may=Permission.ANSWER_DEBTORS, returns=DebtorExportOut(), shows=Shows.FILE)
def get_debtor_export(debtor_id: uuid.UUID) -> DebtorExport:
    """Everything that is kept of a debtor, unmasked, to be handed to them: who looked at it, and until when it is kept,
    too."""
    return export_debtor(session(), debtor_id, now=now())


@bp.get("/purges")
@endpoint(may=Permission.READ_ACCESSES, returns=PurgeOut(), order=Keyset(Purge.started_at, Purge.id, descending=True))
def list_purges() -> sa.Select[Purge]:
    """The proof of every purge of one's own cases, the latest first."""
    return purges(actor().org_id)
