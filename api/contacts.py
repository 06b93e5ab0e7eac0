"""Contact attempts: what was tried to reach a debtor, as the dialer and the post room report it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from api.auth import actor
from api.context import language, now
from api.db import session
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.paging import Keyset
from api.roles import Permission
from api.schemas.contacts import AttemptOut, AttemptsIn, AttemptsRecordedOut
from api.showing import Shows
from fieldvisit.contacts import AttemptDraft, record_attempts
from fieldvisit.debtors import ContactPointDraft
from fieldvisit.drafts import Change, Refusal
from fieldvisit.errors import InvalidValue
from fieldvisit.finding import get_by_id
from fieldvisit.languages import say
from fieldvisit.models import Case, ContactAttempt

bp = Blueprint("contact-attempts", __name__, description=__doc__)


@bp.post("/contact-attempts")
@endpoint(may=Permission.RECORD_ATTEMPTS, body=AttemptsIn(), returns=AttemptsRecordedOut())
def record_contact_attempts(body: list[dict[str, Any]]) -> "Recorded":
    """Record up to 1,000 attempts, in any order and as late as they come.

    Each is answered for itself: a row that means nothing is refused with its reason and the others are stored. A body
    of the wrong shape is refused as a whole. Sending the same again changes nothing. A new attempt whose detail is
    `disputed` or `asked_to_stop` files its contact block and cancels the visits that it stops.
    """
    return _record(body)


@bp.get("/cases/<uuid:case_id>/contact-attempts")
@endpoint(
    may=Permission.READ_ATTEMPTS,
    returns=AttemptOut(),
    order=Keyset(ContactAttempt.at, ContactAttempt.id, descending=True),
    shows=Shows.WORK,
)
def list_contact_attempts(case_id: uuid.UUID) -> sa.Select[ContactAttempt]:
    """What was tried on a case, the latest first."""
    case = get_by_id(session(), Case, case_id)
    return sa.select(ContactAttempt).where(
        ContactAttempt.org_id == case.org_id,
        ContactAttempt.debtor_id == case.debtor_id,
        ContactAttempt.case_id == case.id,
    )


@dataclass(frozen=True)
class Recorded:
    """What became of each row, as it is told to the sender."""

    added: int
    unchanged: int
    refused: int
    results: Sequence[dict[str, Any]]


def _record(rows: Sequence[dict[str, Any]]) -> Recorded:
    drafts = [_drafted(row) for row in rows]
    sound = [draft for draft in drafts if isinstance(draft, AttemptDraft)]
    stored = iter(record_attempts(session(), sound, now(), told_by_id=actor().account_id).outcomes)
    outcomes = [next(stored) if isinstance(draft, AttemptDraft) else draft for draft in drafts]
    return Recorded(
        added=outcomes.count(Change.ADDED),
        unchanged=outcomes.count(Change.UNCHANGED),
        refused=sum(isinstance(outcome, Refusal) for outcome in outcomes),
        results=[_told(row["external_id"], outcome) for row, outcome in zip(rows, outcomes, strict=True)],
    )


def _drafted(row: dict[str, Any]) -> AttemptDraft | Refusal:
    try:
        point = row.get("contact_point")
        return AttemptDraft(**row | {"contact_point": ContactPointDraft(**point) if point else None})
    except InvalidValue as error:
        return Refusal.because(error)


def _told(external_id: str, outcome: Change | Refusal) -> dict[str, Any]:
    if isinstance(outcome, Change):
        return {"external_id": external_id, "change": outcome, "path": None, "reason": None}
    return {
        "external_id": external_id,
        "change": None,
        "path": outcome.path or None,
        "reason": say(outcome.reason, language()),
    }
