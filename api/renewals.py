"""Papers that run out: their next terms, and the reminders of the holder and the office."""

import uuid
from typing import Any

import sqlalchemy as sa

from api.auth import actor, visitor_id
from api.context import now
from api.db import session
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.paging import Keyset
from api.roles import Permission
from api.schemas.people import CredentialOut
from api.schemas.renewals import OwnPapersOut, ReminderOut, RemindersQueryIn, RenewalIn
from fieldvisit import reminders, renewals
from fieldvisit.compliance.wallclock import local_day
from fieldvisit.credentials import papers_of
from fieldvisit.drafts import acting_organisation
from fieldvisit.models import Credential, CredentialReminder
from fieldvisit.notices.reminding import retry_reminder

bp = Blueprint("renewals", __name__, description=__doc__)


@bp.post("/credentials/<uuid:credential_id>/renewal")
@endpoint(may=Permission.CHANGE_STAFF, body=RenewalIn(), returns=CredentialOut(), status=201)
def renew_credential(credential_id: uuid.UUID, body: renewals.RenewalDraft) -> Credential:
    """The term that follows on a paper; the earlier one stays as it was. The same again changes nothing."""
    return renewals.renew_credential(session(), credential_id, body)


@bp.get("/credential-reminders")
@endpoint(
    may=Permission.READ_STAFF,
    query=RemindersQueryIn(),
    returns=ReminderOut(),
    order=Keyset(CredentialReminder.raised_at, CredentialReminder.id, descending=True),
)
def list_credential_reminders(query: dict[str, Any]) -> sa.Select[CredentialReminder]:
    """Papers of one's visitors that run out: told 30, 14, 7 and 1 days before, each once, and what came of it."""
    seen = query.pop("seen", None)
    rows = reminders.reminders().filter_by(**query)
    return rows if seen is None else rows.where(CredentialReminder.seen_at.is_not(None) == seen)


@bp.post("/credential-reminders/<uuid:reminder_id>/seen")
@endpoint(may=Permission.CHANGE_SHIFTS, returns=ReminderOut())
def see_credential_reminder(reminder_id: uuid.UUID) -> CredentialReminder:
    """Somebody takes care of it. Doing it again changes nothing."""
    return reminders.note_seen(session(), reminder_id, account_id=actor().account_id, now=now())


@bp.post("/credential-reminders/<uuid:reminder_id>/retry")
@endpoint(may=Permission.CHANGE_SHIFTS, returns=ReminderOut())
def retry_credential_reminder(reminder_id: uuid.UUID) -> CredentialReminder:
    """Send a reminder once more that was given up or came back, to the address that is on file now."""
    return retry_reminder(session(), reminder_id, now=now())


@bp.get("/phone/papers")
@endpoint(may=Permission.USE_PHONE, returns=OwnPapersOut())
def read_my_papers() -> dict[str, Any]:
    """One's own papers, and which of them run out."""
    today = local_day(now(), acting_organisation(session()).zone)
    return {
        "papers": papers_of(session(), visitor_id()),
        "reminders": reminders.standing_reminders(session(), visitor_id(), today),
    }
