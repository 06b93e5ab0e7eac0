"""Understanding one event of a phone: the JSON of a batch, or of what is held, as the use cases take it."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from marshmallow import Schema, ValidationError

from api.calls import call_in
from api.errors import InvalidRequest
from api.faults import faults
from api.schemas.phone_events import NAMES_SESSION, READERS, EnvelopeIn
from api.storage import translated
from fieldvisit.devices import DeviceRevoked, DeviceUnknown
from fieldvisit.errors import InvalidValue
from fieldvisit.phone.events import Desk, Sent
from fieldvisit.phone.kinds import HEARD_FROM_UNKNOWN, OF_SAFETY, Event, EventKind, SafetyTold, StepEvent, Terms, age_of
from fieldvisit.phone.telling import Teller
from fieldvisit.settings import Settings
from fieldvisit.tokens import LoginEnded

ENVELOPE = EnvelopeIn()
NOBODY = Teller(visitor_id=uuid.UUID(int=0))
IN_ENVELOPE = ("kind", "visit_id", "session_id")


def desk_of(by: Teller, terms: Terms, *, battery_percent: int | None = None) -> Desk:
    """Who takes events and on which terms: those of a request, or of what is held and tried again. `battery_percent`:
    what the sending as a whole says of it."""

    def read(sent: Sent) -> Event:
        return _read(sent, by, terms, battery_percent)

    return Desk(by=by, now=terms.now, read=read, translate=translated)


def desk_of_held(settings: Settings, now: dt.datetime) -> Desk:
    """How what is held is taken when no phone asks: each as its own teller's, which whoever takes it puts in."""
    terms = Terms(now=now, geofence_m=settings.geofence_m, allow_drill=not settings.is_production)
    return desk_of(NOBODY, terms)


def calls(sent: Sent) -> bool:
    """Whether it is a call for help."""
    return isinstance(sent.body, Mapping) and sent.body.get("kind") == EventKind.SOS


def loaded(schema: Schema, data: Any) -> Any:
    """What was told as the schema loads it. Raises InvalidRequest."""
    try:
        return schema.load(data)
    except ValidationError as error:
        raise InvalidRequest(faults(error.messages, place="body", data=data, schema=schema)) from error


def _read(sent: Sent, by: Teller, terms: Terms, battery_percent: int | None) -> Event:
    """One event, understood. Raises InvalidRequest, and whatever its own draft has against it."""
    if calls(sent):
        return _call_for_help(sent, by, terms)
    envelope = loaded(ENVELOPE, sent.body)
    kind: EventKind = envelope["kind"]
    _refuse_unbelieved(kind, terms)
    said = loaded(READERS[kind], {name: value for name, value in sent.body.items() if name not in IN_ENVELOPE})
    if kind in OF_SAFETY:
        return _safety(envelope, said, sent, terms)
    visit_id = _named(envelope, "visit_id")
    battery = battery_percent if said.battery_percent is None else said.battery_percent
    draft = replace(said, sent_at=sent.sent_at, battery_percent=battery, token_expired=terms.token_expired)
    return StepEvent(kind=kind, visit_id=visit_id, draft=draft, terms=terms)


def _refuse_unbelieved(kind: EventKind, terms: Terms) -> None:
    """Raises for what is to be kept and not believed, at least not before its phone has logged in again."""
    if terms.device_revoked:
        raise DeviceRevoked(wipe=True)
    if terms.device_unknown and kind not in HEARD_FROM_UNKNOWN:
        raise DeviceUnknown()
    if kind is not EventKind.CHECK_IN and terms.login_ended():
        raise LoginEnded()


def _call_for_help(sent: Sent, by: Teller, terms: Terms) -> SafetyTold:
    call = call_in(sent.body, sent_at=sent.sent_at, account_id=by.account_id or by.visitor_id)
    return SafetyTold(
        kind=EventKind.SOS,
        session_id=call.said.get("session_id"),
        event_id=call.event_id,
        device_at=call.device_at,
        said=call.said,
        terms=terms,
    )


def _safety(envelope: dict[str, Any], said: dict[str, Any], sent: Sent, terms: Terms) -> SafetyTold:
    kind: EventKind = envelope["kind"]
    starts = {"visit_id": envelope["visit_id"]} if kind is EventKind.SAFETY_START else {}
    if kind is EventKind.SAFETY_ASSESSMENT:
        starts = {"visit_id": _named(envelope, "visit_id")}
    counted_s = said.pop("age_s")
    stated = counted_s if "age_s" in sent.body else None
    age_s = age_of(envelope["device_at"], sent.sent_at or envelope["device_at"], stated)
    event_id = said.pop("event_id")
    del said["device_at"]
    begins = {EventKind.SAFETY_START: event_id, EventKind.SAFETY_ASSESSMENT: starts.get("visit_id")}
    session_id = begins.get(kind, envelope["session_id"])
    return SafetyTold(
        kind=kind,
        session_id=_named(envelope, "session_id") if kind in NAMES_SESSION else session_id,
        event_id=event_id,
        device_at=envelope["device_at"],
        said={**said, **starts, "age_s": age_s},
        terms=terms,
    )


def _named(envelope: dict[str, Any], name: str) -> uuid.UUID:
    found: uuid.UUID | None = envelope[name]
    if found is None:
        raise InvalidValue(path=name, reason="is empty, but needed")
    return found
