"""Watching over visitors: their sessions and check-ins, the calls for help, and the alerts that officers handle.

No limit on requests applies here, and the trail of what was done is kept by safety itself.
"""

import uuid
from typing import Any

import sqlalchemy as sa

from api.auth import actor, visitor_id
from api.calls_for_others import kept_when_away
from api.context import request_id, settings
from api.db import session
from api.documenting import contracted
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.paging import Keyset
from api.phone_events import release_held
from api.roles import Permission
from api.safety_now import alert_now, session_now
from api.schemas.alerts import AlertFileOut, NoteIn, ResolutionIn, SafetyAlertOut, SafetyAlertsOut
from api.schemas.safety import (
    CalledForOut,
    CallForIn,
    CheckInByPinIn,
    CheckInIn,
    CoverOverrideIn,
    CoverOverrideOut,
    ExtensionIn,
    LiveSessionOut,
    OfficerEndIn,
    OfficerExtensionIn,
    PinResetIn,
    PinsIn,
    SafetySessionIn,
    SafetySessionOut,
    WallOut,
    WithPinIn,
)
from api.showing import Shows
from api.sos import CONTRACT, send_sos, stay_ready
from fieldvisit.audit import record_action
from fieldvisit.errors import Refused
from fieldvisit.models import CoverOverride, SafetyAlert
from fieldvisit.safety import alerts, by_voice, closing, cover, sessions
from fieldvisit.safety.drafts import Extension, Officer, Resolution, SessionDraft, Told
from fieldvisit.safety.on_behalf import CallFor, call_for
from fieldvisit.safety.seeming import as_shown
from fieldvisit.safety.sessions import new_pins
from fieldvisit.safety.standing import Standing, live_sessions

STEADY_S = 0.3
"""Ending by the PIN and by the duress PIN take the same time: longer than either needs."""

bp = Blueprint("safety", __name__, url_prefix="/safety", description=__doc__)


@bp.post("/sessions")
@endpoint(
    may=Permission.USE_PHONE,
    body=SafetySessionIn(),
    returns=SafetySessionOut(),
    status=201,
    safety=True,
    even_expired=True,
    even_unknown=True,
)
def start_safety_session(body: dict[str, Any]) -> Standing:
    """Start being watched over. The same id again is the same session.

    What was told of the session before this came, and was held, is taken now. As in a batch, an access token that has
    expired is taken as long as its login has not ended, and a phone that is not known after a restore is watched over
    before it has logged in again.
    """
    draft = SessionDraft(**_told(body))
    started = sessions.start_session(session(), draft, allow_drill=not settings().is_production, covered=True)
    release_held(started.session.id, started.session.id)
    return as_shown(session(), started)


@bp.get("/sessions")
@endpoint(may=Permission.READ_SAFETY, returns=WallOut(), safety=True)
def list_safety_sessions() -> dict[str, list[Standing]]:
    """Everybody who is out now, the most urgent first."""
    return {"items": live_sessions(session())}


@bp.post("/sessions/<uuid:session_id>/check-ins")
@endpoint(
    may=Permission.USE_PHONE,
    body=CheckInByPinIn(),
    returns=SafetySessionOut(),
    safety=True,
    even_expired=True,
    even_ended=True,
    even_unknown=True,
    steady_s=STEADY_S,
    steady_with="pin",
)
def check_in(session_id: uuid.UUID, body: dict[str, Any]) -> Standing | Refused:
    """Say: I am safe. An alarm that is up stays up until an officer has spoken with the visitor.

    An access token that has expired is taken as well, as long as the account is open, also of a login that has ended.
    With the visitor's PIN where the
    rules of the house ask for it; no answer to one with a PIN comes sooner than a third of a second.
    """
    return _shown(sessions.check_in(session(), session_id, Told(**_told(body))))


@bp.post("/sessions/<uuid:session_id>/beats")
@endpoint(
    may=Permission.USE_PHONE,
    body=CheckInIn(),
    returns=SafetySessionOut(),
    safety=True,
    even_expired=True,
    even_unknown=True,
)
def beat(session_id: uuid.UUID, body: dict[str, Any]) -> Standing:
    """The phone is there, and where. No check-in: it says nothing of the visitor.

    As at the start, an access token that has expired is taken too: contact is not lost for a login.
    """
    return as_shown(session(), sessions.beat(session(), session_id, Told(**_told(body))))


@bp.post("/sessions/<uuid:session_id>/extensions")
@endpoint(may=Permission.USE_PHONE, body=ExtensionIn(), returns=SafetySessionOut(), safety=True)
def extend_safety_session(session_id: uuid.UUID, body: dict[str, Any]) -> Standing:
    """Move the planned end later. The next check-in stays due when it was."""
    return as_shown(session(), sessions.extend_session(session(), session_id, Extension(**_told(body))))


@bp.post("/sessions/<uuid:session_id>/end")
@endpoint(may=Permission.USE_PHONE, body=WithPinIn(), returns=SafetySessionOut(), safety=True, steady_s=STEADY_S)
def end_safety_session(session_id: uuid.UUID, body: dict[str, Any]) -> Standing | Refused:
    """Stop being watched over, with the PIN of a visitor who has set one. Refused while an alert is open."""
    return _shown(sessions.end_session(session(), session_id, Told(**_told(body))))


@bp.post("/sessions/<uuid:session_id>/cancellation")
@endpoint(may=Permission.USE_PHONE, body=WithPinIn(), returns=SafetySessionOut(), safety=True, steady_s=STEADY_S)
def cancel_sos(session_id: uuid.UUID, body: dict[str, Any]) -> Standing | Refused:
    """Take back a call for help within five seconds, with the PIN."""
    return _shown(sessions.cancel_call(session(), session_id, Told(**_told(body))))


@bp.put("/pins")
@endpoint(may=Permission.USE_PHONE, body=PinsIn(), safety=True, status=204, steady_s=STEADY_S)
def set_pins(body: dict[str, Any]) -> Refused | None:
    """Set the PIN that ends a session, and the one that seems to and calls for help.

    Who has set one gives the one that holds, which is judged as at the end of a session.
    """
    told = Told(**_told({"event_id": uuid.uuid4(), "pin": body["current_pin"]}))
    return new_pins.change_pins(session(), told, body["pin"], body["duress_pin"])


@bp.post("/visitors/<uuid:visitor_id>/pins/reset")
@endpoint(may=Permission.HANDLE_ALERTS, body=PinResetIn(), safety=True, status=204)
def reset_pins(visitor_id: uuid.UUID, body: dict[str, Any]) -> None:
    """Let a visitor who has forgotten the PIN set new ones; never while they are out, and nobody for themselves.

    How it was made sure that it is they who ask stands in the audit trail.
    """
    new_pins.reset_pins(session(), visitor_id, _officer())
    record_action(
        session(),
        "reset_pins",
        org_id=actor().org_id,
        actor_id=actor().account_id,
        subject="safety",
        subject_id=visitor_id,
        request_id=request_id(),
        detail={"proof": body["proof"].value},
    )


@bp.post("/overrides")
@endpoint(may=Permission.OVERRIDE_COVER, body=CoverOverrideIn(), returns=CoverOverrideOut(), status=201)
def override_cover(body: dict[str, Any]) -> CoverOverride:
    """Let another start once, within half an hour, although no officer can be reached; nobody lets themselves."""
    return cover.override_cover(session(), body["visitor_id"], _officer(), body["reason"])


@bp.post("/sessions/<uuid:session_id>/officer-end")
@endpoint(may=Permission.HANDLE_ALERTS, body=OfficerEndIn(), returns=LiveSessionOut(), safety=True, afresh=session_now)
def end_for_visitor(session_id: uuid.UUID, body: by_voice.VoiceContact) -> Standing:
    """End a session for its visitor, after speaking with them and hearing the right answer to the challenge.

    A wrong answer, or the duress word, ends nothing: it raises a covert alarm.
    """
    return by_voice.end_by_voice(session(), session_id, _officer(), body)


@bp.post("/sessions/<uuid:session_id>/officer-extension")
@endpoint(
    may=Permission.HANDLE_ALERTS, body=OfficerExtensionIn(), returns=LiveSessionOut(), safety=True, afresh=session_now
)
def extend_for_visitor(session_id: uuid.UUID, body: by_voice.SpokenExtension) -> Standing:
    """Move the planned end for a visitor who asked for it by voice; the next check-in stays due when it was.

    As for an end: a wrong answer to the challenge raises a covert alarm instead.
    """
    return by_voice.extend_by_voice(session(), session_id, _officer(), body)


@bp.post("/visitors/<uuid:visitor_id>/sos")
@kept_when_away
@endpoint(may=Permission.CALL_FOR_OTHERS, body=CallForIn(), returns=CalledForOut(), status=201, safety=True)
def call_for_somebody(visitor_id: uuid.UUID, body: dict[str, Any]) -> Standing:
    """Call for help for a visitor: for the office, and for who was named as a buddy or is of the same crew today.

    When the database refuses, the call is kept on the disk and people are called from a list, as for `/safety/sos`.
    """
    call = CallFor(**body, visitor_id=visitor_id)
    return call_for(session(), call, _officer(), actor().roles)


bp.post("/sos")(contracted(send_sos, CONTRACT))


@bp.get("/alerts")
@endpoint(may=Permission.READ_SAFETY, returns=SafetyAlertsOut(), safety=True)
def list_open_alerts() -> dict[str, Any]:
    """Every alert that is not closed: calls for help first, then by risk, then the oldest."""
    return {"items": alerts.open_alerts(session())}


@bp.get("/alerts/closed")
@endpoint(
    may=Permission.READ_SAFETY,
    returns=SafetyAlertOut(),
    order=Keyset(SafetyAlert.opened_at, SafetyAlert.id, descending=True),
    safety=True,
)
def list_closed_alerts() -> sa.Select[SafetyAlert]:
    """The alerts that were closed, the newest first."""
    return alerts.closed_alerts()


@bp.get("/alerts/<uuid:alert_id>")
@endpoint(may=Permission.READ_SAFETY, returns=AlertFileOut(), safety=True, shows=Shows.WORK)
def read_alert(alert_id: uuid.UUID) -> alerts.AlertFile:
    """One alert, where the visitor was going, and everything that happened."""
    return alerts.read_alert(session(), alert_id)


@bp.post("/alerts/<uuid:alert_id>/acknowledgement")
@endpoint(may=Permission.HANDLE_ALERTS, returns=SafetyAlertOut(), safety=True, taking=True)
def acknowledge_alert(alert_id: uuid.UUID) -> SafetyAlert:
    """Take an alert. The first has it; whoever comes later learns who, as 409 already_acknowledged."""
    return alerts.acknowledge(session(), alert_id, _officer())


@bp.post("/alerts/<uuid:alert_id>/notes")
@endpoint(may=Permission.HANDLE_ALERTS, body=NoteIn(), returns=SafetyAlertOut(), safety=True, afresh=alert_now)
def note_alert(alert_id: uuid.UUID, body: dict[str, str]) -> SafetyAlert:
    """Say what was done. From the owner this renews the acknowledgement, which lapses otherwise."""
    return alerts.add_note(session(), alert_id, _officer(), body["text"])


@bp.post("/alerts/<uuid:alert_id>/resolution")
@endpoint(may=Permission.HANDLE_ALERTS, body=ResolutionIn(), returns=SafetyAlertOut(), safety=True, afresh=alert_now)
def resolve_alert(alert_id: uuid.UUID, body: Resolution) -> SafetyAlert:
    """Close an alert with its outcome and the proof. Only its owner may."""
    return closing.resolve(session(), alert_id, _officer(), body)


def _shown(found: Standing | Refused) -> Standing | Refused:
    return found if isinstance(found, Refused) else as_shown(session(), found)


def _told(body: dict[str, Any]) -> dict[str, Any]:
    """What the phone said, and which visitor said it: the one who is logged in, whatever the body claims."""
    stay_ready()
    return body | {"visitor_id": visitor_id(), "actor_id": actor().account_id}


def _officer() -> Officer:
    return Officer(account_id=actor().account_id, visitor_id=actor().visitor_id)
