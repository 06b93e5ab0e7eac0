"""Who answers alarms, when, and where they are reached; and what the providers tell of their messages."""

import uuid
from collections import Counter

import sqlalchemy as sa
from flask import request

from api.context import now, settings
from api.db import session
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.paging import Keyset
from api.roles import PUBLIC, Permission
from api.schemas.roster import ContactIn, ContactOut, DutyIn, DutyOut, ReceiptIn
from fieldvisit.models import DutyShift, OfficerContact
from fieldvisit.outgoing.signatures import demand_signed
from fieldvisit.safety import receipts, roster

bp = Blueprint("safety_roster", __name__, url_prefix="/safety", description=__doc__)


@bp.post("/roster")
@endpoint(may=Permission.MANAGE_ROSTER, body=DutyIn(), returns=DutyOut(), status=201)
def plan_duty(body: roster.DutyDraft) -> DutyShift:
    """Put an officer on the roster."""
    return roster.plan_duty(session(), body)


@bp.get("/roster")
@endpoint(may=Permission.READ_SAFETY, returns=DutyOut(), order=Keyset(DutyShift.starts_at, DutyShift.id))
def list_roster() -> sa.Select[DutyShift]:
    """Who is on duty, now and later."""
    return roster.roster()


@bp.delete("/roster/<uuid:shift_id>")
@endpoint(may=Permission.MANAGE_ROSTER, status=204)
def end_duty(shift_id: uuid.UUID) -> None:
    """Take a shift off the roster. Alerts that are open keep calling whoever was on duty when they opened."""
    roster.end_duty(session(), shift_id)


@bp.post("/contacts")
@endpoint(may=Permission.MANAGE_ROSTER, body=ContactIn(), returns=ContactOut(), status=201)
def add_contact(body: roster.ContactDraft) -> OfficerContact:
    """Keep an officer's number or address; a test message goes out at once."""
    return roster.add_contact(session(), body)


@bp.get("/contacts")
@endpoint(
    may=Permission.MANAGE_ROSTER, returns=ContactOut(), order=Keyset(OfficerContact.created_at, OfficerContact.id)
)
def list_contacts() -> sa.Select[OfficerContact]:
    """Every address that alarms go to, and when it last answered a test."""
    return roster.contacts()


@bp.post("/contacts/<uuid:contact_id>/test")
@endpoint(may=Permission.MANAGE_ROSTER, returns=ContactOut())
def try_contact(contact_id: uuid.UUID) -> OfficerContact:
    """Send a test message once more."""
    return roster.try_contact(session(), contact_id)


@bp.delete("/contacts/<uuid:contact_id>")
@endpoint(may=Permission.MANAGE_ROSTER, status=204)
def drop_contact(contact_id: uuid.UUID) -> None:
    """Never use this address again; not while visitors are out whose alarms would reach nobody without it."""
    roster.drop_contact(session(), contact_id)


@bp.post("/receipts/<string:provider>")
@endpoint(may=PUBLIC, body=ReceiptIn(), safety=True, sees_all=True, status=204)
def take_receipt(provider: str, body: receipts.Receipt) -> None:
    """For the providers of alarms: what became of a message. Signed as Standard Webhooks have it."""
    demand_signed(settings().alarm_providers, provider, dict(request.headers), request.get_data(), now=now())
    counts = Counter(each.channel for each in settings().alarm_providers)
    receipts.take_receipt(session(), body, counts, told_by=provider)
