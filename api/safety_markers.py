"""What was dangerous before: incidents, their review, and the markers that rest on them."""

import uuid
from typing import Any

import sqlalchemy as sa

from api.auth import actor
from api.db import session
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.paging import Keyset
from api.roles import Permission
from api.schemas.markers import (
    IncidentIn,
    IncidentOut,
    MarkerFileOut,
    MarkerIn,
    MarkerOut,
    MarkerReviewIn,
    ReviewIn,
    WarningsOut,
)
from api.showing import Shows
from fieldvisit.models import Marker, SafetyIncident
from fieldvisit.safety import incidents, marker_reviews, markers

bp = Blueprint("safety_markers", __name__, url_prefix="/safety", description=__doc__)


@bp.post("/incidents")
@endpoint(may=Permission.REPORT_INCIDENTS, body=IncidentIn(), returns=IncidentOut(), status=201)
def report_incident(body: incidents.IncidentDraft) -> SafetyIncident:
    """Report what happened to a visitor. From now on nobody is sent to that place until it has been reviewed."""
    return incidents.report_incident(session(), body, actor().account_id)


@bp.get("/incidents")
@endpoint(
    may=Permission.READ_SAFETY,
    returns=IncidentOut(),
    order=Keyset(SafetyIncident.reported_at, SafetyIncident.id, descending=True),
    shows=Shows.WORK,
)
def list_incidents() -> sa.Select[SafetyIncident]:
    """What was reported, the newest first."""
    return incidents.incidents()


@bp.post("/incidents/<uuid:incident_id>/review")
@endpoint(may=Permission.HANDLE_ALERTS, body=ReviewIn(), returns=IncidentOut(), shows=Shows.WORK)
def review_incident(incident_id: uuid.UUID, body: dict[str, str]) -> SafetyIncident:
    """Say what follows from an incident, as somebody else than who reported it; its place is open again."""
    return incidents.review_incident(session(), incident_id, actor().account_id, body["text"])


@bp.post("/markers")
@endpoint(may=Permission.MANAGE_MARKERS, body=MarkerIn(), returns=MarkerFileOut(), status=201)
def place_marker(body: markers.MarkerDraft) -> Marker:
    """Place a marker. It counts when a second person has approved it."""
    return markers.place_marker(session(), body, actor().account_id)


@bp.get("/markers")
@endpoint(may=Permission.READ_SAFETY, returns=MarkerOut(), order=Keyset(Marker.placed_at, Marker.id, descending=True))
def list_markers() -> sa.Select[Marker]:
    """All markers, without their facts, the newest first."""
    return markers.markers()


@bp.get("/markers/<uuid:marker_id>")
@endpoint(may=Permission.READ_SAFETY, returns=MarkerFileOut())
def read_marker(marker_id: uuid.UUID) -> Marker:
    """One marker with its facts. That it was read is kept."""
    return markers.read_marker(session(), marker_id, _reader())


@bp.post("/markers/<uuid:marker_id>/approval")
@endpoint(may=Permission.MANAGE_MARKERS, returns=MarkerFileOut())
def approve_marker(marker_id: uuid.UUID) -> Marker:
    """The second person's yes. Whoever is at that door now is watched over more closely at once."""
    return markers.approve_marker(session(), marker_id, actor().account_id)


@bp.post("/markers/<uuid:marker_id>/review")
@endpoint(may=Permission.MANAGE_MARKERS, body=MarkerReviewIn(), returns=MarkerFileOut())
def review_marker(marker_id: uuid.UUID, body: marker_reviews.MarkerReview) -> Marker:
    """Say, as somebody else than who placed it, that it still holds, or end it. Its expiry stays as it is."""
    return marker_reviews.review_marker(session(), marker_id, body, actor().account_id)


@bp.post("/markers/<uuid:marker_id>/withdrawal")
@endpoint(may=Permission.MANAGE_MARKERS, returns=MarkerFileOut())
def withdraw_marker(marker_id: uuid.UUID) -> Marker:
    """It counts no more, and stays on record."""
    return markers.withdraw_marker(session(), marker_id, actor().account_id)


@bp.get("/visits/<uuid:visit_id>/warnings")
@endpoint(may=Permission.READ_WARNINGS, returns=WarningsOut())
def read_warnings(visit_id: uuid.UUID) -> dict[str, Any]:
    """What is known of the danger of a visit; a visitor reads of the own visits. That it was read is kept."""
    return {"items": markers.read_warnings(session(), visit_id, _reader())}


@bp.post("/markers/<uuid:marker_id>/receipt")
@endpoint(may=Permission.USE_PHONE, status=204)
def confirm_marker_read(marker_id: uuid.UUID) -> None:
    """Say that one has read it. Without that, nobody starts a visit that it is about."""
    markers.confirm_read(session(), marker_id, _reader())


def _reader() -> markers.Reader:
    asks = actor()
    return markers.Reader(account_id=asks.account_id, roles=frozenset(asks.roles), visitor_id=asks.visitor_id)
