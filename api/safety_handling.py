"""What an officer does with an alert besides taking and closing it."""

import uuid
from typing import Any

from api.auth import actor
from api.db import session
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.roles import Permission
from api.safety_now import alert_now
from api.schemas.alerts import CallResultIn, NoteIn, OfferIn, PoliceDecisionIn, ReferralIn, SafetyAlertOut
from fieldvisit.models import Account, SafetyAlert
from fieldvisit.safety import handling, police
from fieldvisit.safety.drafts import Officer
from fieldvisit.safety.roster import demand_officer

bp = Blueprint("safety_handling", __name__, url_prefix="/safety/alerts", description=__doc__)


@bp.post("/<uuid:alert_id>/offer")
@endpoint(may=Permission.HANDLE_ALERTS, body=OfferIn(), returns=SafetyAlertOut(), safety=True, taking=True)
def offer_alert(alert_id: uuid.UUID, body: dict[str, uuid.UUID]) -> SafetyAlert:
    """Ask another officer to take it. It stays with its owner until that one accepts."""
    to = _officer_of(demand_officer(session(), body["to_account_id"]))
    return handling.offer(session(), alert_id, _officer(), to)


@bp.post("/<uuid:alert_id>/offer/acceptance")
@endpoint(may=Permission.HANDLE_ALERTS, returns=SafetyAlertOut(), safety=True, taking=True)
def accept_alert(alert_id: uuid.UUID) -> SafetyAlert:
    """Take what was offered to you."""
    return handling.accept(session(), alert_id, _officer())


@bp.post("/<uuid:alert_id>/call-results")
@endpoint(may=Permission.HANDLE_ALERTS, body=CallResultIn(), returns=SafetyAlertOut(), safety=True, afresh=alert_now)
def record_call(alert_id: uuid.UUID, body: dict[str, Any]) -> SafetyAlert:
    """Say what calling the visitor gave. A wrong answer to the challenge turns the alert into one under duress."""
    return handling.record_call(session(), alert_id, _officer(), body["result"], note=body["note"])


@bp.post("/<uuid:alert_id>/referrals")
@endpoint(may=Permission.HANDLE_ALERTS, body=ReferralIn(), returns=SafetyAlertOut(), safety=True, afresh=alert_now)
def refer_alert(alert_id: uuid.UUID, body: handling.Referral) -> SafetyAlert:
    """Say that the emergency service or the alarm centre has it too: to whom, and their reference."""
    return handling.refer(session(), alert_id, _officer(), body)


@bp.post("/<uuid:alert_id>/police-decision")
@endpoint(
    may=Permission.HANDLE_ALERTS, body=PoliceDecisionIn(), returns=SafetyAlertOut(), safety=True, afresh=alert_now
)
def decide_police(alert_id: uuid.UUID, body: dict[str, Any]) -> SafetyAlert:
    """Put on record whether the police is called, within five minutes after a call for help.

    What is not by then is told to the safety manager, every five minutes until it is. A referral counts as well.
    """
    return police.decide_police(session(), alert_id, _officer(), decision=body["decision"], note=body["note"])


@bp.post("/<uuid:alert_id>/resolution/agreement")
@endpoint(may=Permission.HANDLE_ALERTS, returns=SafetyAlertOut(), safety=True, afresh=alert_now)
def agree_to_close_alert(alert_id: uuid.UUID) -> SafetyAlert:
    """Agree, as a second officer, to the closing of an alert under duress."""
    return handling.agree_to_close(session(), alert_id, _officer())


@bp.post("/<uuid:alert_id>/reopening")
@endpoint(may=Permission.HANDLE_ALERTS, body=NoteIn(), returns=SafetyAlertOut(), safety=True, afresh=alert_now)
def reopen_alert(alert_id: uuid.UUID, body: dict[str, str]) -> SafetyAlert:
    """Open an alert again that was closed within 24 hours; it climbs from its first step."""
    return handling.reopen(session(), alert_id, _officer(), body["text"])


def _officer() -> Officer:
    return Officer(account_id=actor().account_id, visitor_id=actor().visitor_id)


def _officer_of(account: Account) -> Officer:
    return Officer(account_id=account.id, visitor_id=account.visitor_id)
