"""What happened to visitors. Until somebody else has reviewed it, nobody is sent to that place."""

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.clock import database_now
from fieldvisit.errors import FieldVisitError, InvalidValue, Kind, NotFound
from fieldvisit.languages import Message
from fieldvisit.models import Place, SafetyAlert, SafetyIncident, Visit
from fieldvisit.safety.drafts import check_note
from fieldvisit.vocabulary import IncidentKind


class PlaceFrozen(FieldVisitError):
    code, kind = "place_frozen", Kind.CONFLICT
    says = "Something happened at this place that has not been reviewed yet. Nobody goes there until it has been."


class IncidentReviewed(FieldVisitError):
    code, kind = "incident_reviewed", Kind.CONFLICT
    says = "This incident was reviewed before."


class OwnWriting(FieldVisitError):
    """Whoever wrote it does not also approve it."""

    code, kind = "own_writing", Kind.FORBIDDEN
    says = "Another person than the one who wrote this has to approve it."


@dataclass(frozen=True, kw_only=True)
class IncidentDraft:
    """What happened, where, and when. The place is the visit's, or that of the alert's visit, where none is named."""

    kind: IncidentKind
    happened_at: dt.datetime
    account: str
    place_id: uuid.UUID | None = None
    visit_id: uuid.UUID | None = None
    alert_id: uuid.UUID | None = None

    def __post_init__(self) -> None:
        check_note(self.account)


def report_incident(session: Session, draft: IncidentDraft, by: uuid.UUID) -> SafetyIncident:
    """Write down what happened. From now on nobody starts, arrives or is planned at that place. Raises NotFound."""
    now: dt.datetime = session.scalars(sa.select(database_now())).one()
    if draft.happened_at > now:
        raise InvalidValue(path="happened_at", reason=Message("not in the future"))
    visit = _visit(session, draft)
    place_id = draft.place_id or (visit.place_id if visit else None)
    place = session.get(Place, place_id) if place_id else None
    if draft.place_id is not None and place is None:
        raise NotFound(what="place", id=draft.place_id)
    incident = SafetyIncident(
        org_id=session.info["org"],
        kind=draft.kind,
        happened_at=draft.happened_at,
        account=draft.account,
        place_id=place_id,
        debtor_id=visit.debtor_id if visit else place.debtor_id if place else None,
        visit_id=visit.id if visit else None,
        alert_id=draft.alert_id,
        reported_by_id=by,
        reported_at=now,
    )
    session.add(incident)
    session.flush()
    return incident


def review_incident(session: Session, incident_id: uuid.UUID, by: uuid.UUID, review: str) -> SafetyIncident:
    """Say what follows from it; the place is open again. Raises NotFound, IncidentReviewed, OwnWriting."""
    check_note(review)
    incident = session.get(SafetyIncident, incident_id, with_for_update=True, populate_existing=True)
    if incident is None:
        raise NotFound(what="incident", id=incident_id)
    if incident.reviewed_at is not None:
        raise IncidentReviewed()
    if incident.reported_by_id == by:
        raise OwnWriting()
    now = session.scalars(sa.select(database_now())).one()
    incident.reviewed_by_id, incident.review, incident.reviewed_at = by, review, now
    session.flush()
    return incident


def incidents() -> sa.Select[SafetyIncident]:
    return sa.select(SafetyIncident)


def frozen_places(session: Session, place_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Those of these places where something happened that nobody has reviewed yet: there, or at another debtor's place
    of the same lender with the same address; whichever organisation was told of it. Of a place that the acting
    organisation does not see any more, only what it was told of itself."""
    if not place_ids:
        return set()
    own = sa.select(SafetyIncident.place_id).where(
        SafetyIncident.place_id.in_(place_ids), SafetyIncident.reviewed_at.is_(None)
    )
    asked = sa.bindparam(None, list(place_ids), sa.ARRAY(sa.Uuid))
    frozen = sa.func.frozen_places(asked).table_valued(sa.column("id", sa.Uuid))
    return set(session.scalars(sa.select(frozen.c.id).union(own)))


def demand_not_frozen(session: Session, place_id: uuid.UUID) -> None:
    """Raise PlaceFrozen where nobody is to go for now."""
    if frozen_places(session, [place_id]):
        raise PlaceFrozen()


def _visit(session: Session, draft: IncidentDraft) -> Visit | None:
    visit_id = draft.visit_id
    if draft.alert_id is not None:
        alert = session.get(SafetyAlert, draft.alert_id)
        if alert is None:
            raise NotFound(what="alert", id=draft.alert_id)
        visit_id = visit_id or alert.session.visit_id
    if visit_id is None:
        return None
    visit = session.get(Visit, visit_id)
    if visit is None:
        raise NotFound(what="visit", id=visit_id)
    return visit


def frozen_among(session: Session, visits: Collection[Visit]) -> set[uuid.UUID]:
    """Those of these visits whose place nobody goes to for now."""
    frozen = frozen_places(session, {visit.place_id for visit in visits})
    return {visit.id for visit in visits if visit.place_id in frozen}
