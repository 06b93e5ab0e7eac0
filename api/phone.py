"""The visitor's phone: the day, and every step told under an id of the phone's own.

A telling that is sent again, because its answer was lost, gets the same answer and changes nothing.
"""

import uuid
from dataclasses import replace
from typing import Any

from api.auth import actor, visitor_id
from api.context import language, now, settings
from api.db import session
from api.endpoints import Tagged, endpoint
from api.openapi import Blueprint
from api.phone_events import release_held
from api.roles import Permission
from api.schemas.phone import (
    AbortIn,
    AdditionIn,
    ArrivalIn,
    ArrivalOut,
    IdentityIn,
    IdentityOut,
    MyDayQueryIn,
    ReceiptOut,
    RejectionIn,
    ReportReceiptOut,
    SetOutIn,
    ShowingIn,
    ShowingOut,
    UndoIn,
)
from api.schemas.phone_changes import ChangesOut, ChangesQueryIn
from api.schemas.phone_day import MyDayOut, VisitCardOut
from api.schemas.reports import ReportIn
from api.showing import Shows
from fieldvisit import reports
from fieldvisit.briefing import VisitCard
from fieldvisit.devices import note_seen
from fieldvisit.errors import Refused
from fieldvisit.phone import changes, day, steps, undoing
from fieldvisit.phone.drafts import (
    ArrivalDraft,
    IdentityDraft,
    RejectionDraft,
    SetOutDraft,
    ShowingDraft,
    UndoDraft,
)
from fieldvisit.phone.telling import EventDraft, Receipt, Teller
from fieldvisit.report_drafts import AbortDraft, AdditionDraft, ReportDraft

bp = Blueprint("phone", __name__, url_prefix="/phone", description=__doc__)


@bp.get("/my-day")
@endpoint(may=Permission.USE_PHONE, query=MyDayQueryIn(), returns=MyDayOut(), shows=Shows.WORK)
def read_my_day(query: dict[str, Any]) -> day.MyDay | Tagged:
    """One's published routes of a day, with a briefing for each visit.

    Cancelled visits stay listed with the reason. Send the `ETag` back as `If-None-Match` to hear only of changes; that
    nothing changed today costs one query.
    """

    def make() -> day.MyDay:
        return day.my_day(session(), visitor_id(), query["on"], now=now())

    asked = changes.Asked(visitor_id=visitor_id(), language=language(), since=None, now=now())
    return make() if query["on"] else Tagged(changes.tag_of(session(), asked), make)


@bp.get("/changes")
@endpoint(may=Permission.USE_PHONE, query=ChangesQueryIn(), returns=ChangesOut(), shows=Shows.WORK)
def read_changes(query: dict[str, Any]) -> Tagged:
    """What changed in one's world since the phone last asked: routes, visits with their briefings, held events.

    Complete after any gap: what is no longer there is listed as `gone`. Send the `ETag` back as `If-None-Match` to hear
    only of changes; that nothing changed costs one query. Send `Accept-Encoding: gzip`.
    """
    asked = changes.Asked(visitor_id=visitor_id(), language=language(), since=query["since"], now=now())
    return Tagged(changes.tag_of(session(), asked), lambda: changes.changes(session(), asked))


@bp.get("/visits/<uuid:visit_id>")
@endpoint(may=Permission.USE_PHONE, returns=VisitCardOut(), shows=Shows.WORK)
def read_my_visit(visit_id: uuid.UUID) -> VisitCard:
    """One visit with its briefing; with the amounts once the identity is confirmed at the door."""
    return day.my_visit(session(), visitor_id(), visit_id, now=now())


@bp.post("/visits/<uuid:visit_id>/set-out")
@endpoint(may=Permission.USE_PHONE, body=SetOutIn(), returns=ReceiptOut(), status=201)
def set_out(visit_id: uuid.UUID, body: SetOutDraft) -> Receipt:
    """On the way. Before an earlier stop of the plan only as far as the rules of the house let one."""
    receipt = steps.set_out(session(), visit_id, _stamped(body), by=_teller(), now=now())
    release_held(visit_id, body.event_id)
    return receipt


@bp.post("/visits/<uuid:visit_id>/arrival")
@endpoint(may=Permission.USE_PHONE, body=ArrivalIn(), returns=ArrivalOut(), status=201)
def arrive(visit_id: uuid.UUID, body: ArrivalDraft) -> Receipt | Refused:
    """At the door. The place, the hours, the blocks and the papers are judged now, by the server's time.

    Outside the geofence it is refused with the distance, unless `outside_reason` says why. A refused arrival is kept in
    the history of the visit.
    """
    radius_m = settings().geofence_m
    answer = steps.arrive(session(), visit_id, _stamped(body), by=_teller(), now=now(), geofence_m=radius_m)
    if isinstance(answer, Receipt):
        release_held(visit_id, body.event_id)
    return answer


@bp.post("/visits/<uuid:visit_id>/rejection")
@endpoint(may=Permission.USE_PHONE, body=RejectionIn(), returns=ReceiptOut(), status=201)
def reject_visit(visit_id: uuid.UUID, body: RejectionDraft) -> Receipt:
    """Send a visit back before it has begun, if the house lets one; it waits to be planned again."""
    receipt = undoing.reject_visit(session(), visit_id, _stamped(body), by=_teller(), now=now())
    release_held(visit_id, body.event_id)
    return receipt


@bp.post("/visits/<uuid:visit_id>/arrival-undo")
@endpoint(may=Permission.USE_PHONE, body=UndoIn(), returns=ReceiptOut(), status=201)
def undo_arrival(visit_id: uuid.UUID, body: UndoDraft) -> Receipt:
    """The arrival was none, as far as the house lets one say so: both stay in the history."""
    receipt = undoing.undo_arrival(session(), visit_id, _stamped(body), by=_teller(), now=now())
    release_held(visit_id, body.event_id)
    return receipt


@bp.post("/visits/<uuid:visit_id>/credential-shown")
@endpoint(may=Permission.USE_PHONE, body=ShowingIn(), returns=ShowingOut(), status=201)
def show_credential(visit_id: uuid.UUID, body: ShowingDraft) -> Receipt:
    """Papers were shown. What was wrong with them is told and kept, never refused."""
    receipt = steps.show_credential(session(), visit_id, _stamped(body), by=_teller(), now=now())
    release_held(visit_id, body.event_id)
    return receipt


@bp.post("/visits/<uuid:visit_id>/identity-check")
@endpoint(may=Permission.USE_PHONE, body=IdentityIn(), returns=IdentityOut(), status=201)
def check_identity(visit_id: uuid.UUID, body: IdentityDraft) -> Receipt:
    """How it was established who is at the door. Only a confirmed one, after arriving, unlocks the amounts."""
    receipt = steps.check_identity(session(), visit_id, _stamped(body), by=_teller(), now=now())
    release_held(visit_id, body.event_id)
    return receipt


@bp.post("/visits/<uuid:visit_id>/abort")
@endpoint(
    may=Permission.USE_PHONE,
    body=AbortIn(),
    returns=ReportReceiptOut(),
    status=201,
    even_expired=True,
    unlimited=True,
)
def abort_visit(visit_id: uuid.UUID, body: AbortDraft) -> Receipt:
    """Leave now: one call ends and reports the visit, and files the block that the reason asks for."""
    receipt = reports.abort_visit(session(), visit_id, _stamped(body), by=_teller(), now=now())
    release_held(visit_id, body.event_id)
    return receipt


@bp.post("/visits/<uuid:visit_id>/report")
@endpoint(may=Permission.USE_PHONE, body=ReportIn(), returns=ReportReceiptOut(), status=201, even_expired=True)
def report_visit(visit_id: uuid.UUID, body: ReportDraft) -> Receipt:
    """Report how a visit went. Late is fine; a crew mate's report becomes an addition."""
    receipt = reports.report_visit(session(), visit_id, _stamped(body), by=_teller(), now=now())
    release_held(visit_id, body.event_id)
    return receipt


@bp.post("/visits/<uuid:visit_id>/report/additions")
@endpoint(may=Permission.USE_PHONE, body=AdditionIn(), returns=ReportReceiptOut(), status=201)
def add_to_report(visit_id: uuid.UUID, body: AdditionDraft) -> Receipt:
    """Add to the report of a visit. The first words stay."""
    receipt = reports.add_to_report(session(), visit_id, _stamped(body), by=_teller(), now=now())
    release_held(visit_id, body.event_id)
    return receipt


def _stamped[Draft: EventDraft](draft: Draft) -> Draft:
    """The same, saying whether the login had lapsed by then; dated by the clock as the quicker sendings of the hour
    show it, where this one was long on its way."""
    if draft.sent_at is None:
        return replace(draft, token_expired=actor().expired)
    drift, battery = now() - draft.sent_at, draft.battery_percent
    drift = note_seen(session(), actor().device_id, drift=drift, battery_percent=battery, now=now())
    return replace(draft, token_expired=actor().expired, sent_at=max(draft.sent_at, now() - drift))


def _teller() -> Teller:
    return Teller(visitor_id=visitor_id(), account_id=actor().account_id)
