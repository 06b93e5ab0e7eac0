"""Markers: facts about danger that rest on an incident, are approved by a second person, are read before the door, are
reviewed, and expire."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from fieldvisit.clock import database_now
from fieldvisit.errors import FieldVisitError, InvalidValue, Kind, NotFound
from fieldvisit.languages import Message
from fieldvisit.models import (
    CrewMember,
    Debtor,
    Marker,
    MarkerRead,
    Place,
    Route,
    SafetyIncident,
    Stop,
    Visit,
)
from fieldvisit.safety.drafts import check_note
from fieldvisit.safety.incidents import OwnWriting
from fieldvisit.safety.tightening import tighten_sessions
from fieldvisit.vocabulary import MarkerKind, RiskLevel, Role

REVIEWED_WITHIN = dt.timedelta(days=183)
EXPIRES_WITHIN = dt.timedelta(days=366)
OFFICE = frozenset({Role.SAFETY_OFFICER, Role.SUPERVISOR, Role.DISPATCHER})
"""Who reads what is known of any visit; a visitor, of the own ones."""
READ_HOLDS = dt.timedelta(hours=24)
"""So long a visitor who has confirmed reading a marker need not read it again."""
LAST_ZONE = "Etc/GMT+12"


class MarkersUnread(FieldVisitError):
    code, kind = "markers_unread", Kind.CONFLICT
    says = "There are warnings about this visit that you have not read yet. Read and confirm them first."


class MarkerDecided(FieldVisitError):
    code, kind = "marker_decided", Kind.CONFLICT
    says = "This marker was approved or withdrawn before."


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Who reads a marker; `visitor_id` if this person goes out."""

    account_id: uuid.UUID | None
    roles: frozenset[Role]
    visitor_id: uuid.UUID | None = None

    @property
    def is_visitor(self) -> bool:
        """Nothing but one: such a person acts for themselves alone."""
        return not self.roles & OFFICE


@dataclass(frozen=True, kw_only=True)
class MarkerDraft:
    """A fact about danger. `told_on`: when the person was told of it; else `untold_reason` says why not."""

    incident_id: uuid.UUID
    kind: MarkerKind
    level: RiskLevel
    facts: str
    review_on: dt.date
    expires_on: dt.date
    place_id: uuid.UUID | None = None
    debtor_id: uuid.UUID | None = None
    told_on: dt.date | None = None
    untold_reason: str | None = None

    def __post_init__(self) -> None:
        check_note(self.facts)
        if self.untold_reason is not None:
            check_note(self.untold_reason)


def place_marker(session: Session, draft: MarkerDraft, by: uuid.UUID) -> Marker:
    """Keep a marker; it counts when a second person has approved it. Raises NotFound for an incident, a place or a
    debtor that is not there, and InvalidValue where it would stand for too long."""
    now: dt.datetime = session.scalars(sa.select(database_now())).one()
    for what, model, row_id in (
        ("incident", SafetyIncident, draft.incident_id),
        ("place", Place, draft.place_id),
        ("debtor", Debtor, draft.debtor_id),
    ):
        if row_id is not None and session.get(model, row_id) is None:
            raise NotFound(what=what, id=row_id)
    _demand_whole(draft)
    _demand_dates(draft, now.date())
    marker = Marker(org_id=session.info["org"], placed_by_id=by, placed_at=now, **vars(draft))
    session.add(marker)
    session.flush()
    return marker


def approve_marker(session: Session, marker_id: uuid.UUID, by: uuid.UUID) -> Marker:
    """The second person's yes: from now on it counts, for those who are at that door now too. Raises NotFound,
    MarkerDecided, OwnWriting."""
    marker = lock_marker(session, marker_id)
    if marker.approved_at is not None or marker.withdrawn_at is not None:
        raise MarkerDecided()
    if marker.placed_by_id == by:
        raise OwnWriting()
    now: dt.datetime = session.scalars(sa.select(database_now())).one()
    _demand_live(marker, session.scalars(sa.select(today())).one())
    marker.approved_by_id, marker.approved_at = by, now
    session.flush()
    session.refresh(marker, ["review_due"])
    tighten_sessions(session, marker)
    return marker


def withdraw_marker(session: Session, marker_id: uuid.UUID, by: uuid.UUID) -> Marker:
    """It counts no more; it stays on record. Raises NotFound, MarkerDecided."""
    marker = lock_marker(session, marker_id)
    if marker.withdrawn_at is not None:
        raise MarkerDecided()
    now = session.scalars(sa.select(database_now())).one()
    marker.withdrawn_by_id, marker.withdrawn_at = by, now
    session.flush()
    session.refresh(marker, ["review_due"])
    return marker


def markers() -> sa.Select[Marker]:
    return sa.select(Marker)


def read_marker(session: Session, marker_id: uuid.UUID, by: Reader) -> Marker:
    """One marker with its facts; that it was read is kept. Raises NotFound."""
    marker = session.get(Marker, marker_id)
    if marker is None:
        raise NotFound(what="marker", id=marker_id)
    _keep_read(session, [marker], by, confirmed=False)
    return marker


@dataclass(frozen=True)
class Warning:
    """A marker as it is read before the door."""

    marker: Marker
    expired: bool


def read_warnings(session: Session, visit_id: uuid.UUID, by: Reader) -> list[Warning]:
    """What is known of a visit's place and person, what has expired too; that it was read is kept. A visitor reads of
    the own visits only. Raises NotFound."""
    visit = own_visit(session, visit_id, by)
    found = session.execute(
        sa.select(Marker, Marker.expires_on < today())
        .where(_about(visit.place_id, visit.debtor_id), Marker.approved_at.is_not(None), Marker.withdrawn_at.is_(None))
        .order_by(Marker.expires_on.desc(), Marker.id)
    ).all()
    _keep_read(session, [marker for marker, _ in found], by, confirmed=False)
    return [Warning(marker, expired) for marker, expired in found]


def confirm_read(session: Session, marker_id: uuid.UUID, by: Reader) -> Marker:
    """A visitor says that they have read it. Raises NotFound."""
    marker = session.get(Marker, marker_id)
    if marker is None or by.visitor_id is None or not _goes_near(session, marker, by.visitor_id):
        raise NotFound(what="marker", id=marker_id)
    _keep_read(session, [marker], by, confirmed=True)
    return marker


def demand_read(session: Session, visit: Visit, visitor_id: uuid.UUID) -> None:
    """Raise MarkersUnread, naming them, where this visitor has not confirmed every marker that counts for it."""
    read = sa.select(MarkerRead.id).where(
        MarkerRead.marker_id == Marker.id,
        MarkerRead.visitor_id == visitor_id,
        MarkerRead.confirmed,
        MarkerRead.at > database_now() - READ_HOLDS,
    )
    _refuse_unread(session, visit, ~read.exists())


def demand_known(session: Session, visit: Visit, account_id: uuid.UUID | None) -> None:
    """Raise MarkersUnread, naming them, where this account has not read every marker that counts for the visit: who
    plans it has looked at what is known. Whoever goes confirms it besides, before the door."""
    seen = sa.select(MarkerRead.id).where(
        MarkerRead.marker_id == Marker.id,
        MarkerRead.account_id == account_id,
        MarkerRead.at > database_now() - READ_HOLDS,
    )
    _refuse_unread(session, visit, ~seen.exists())


type Id = uuid.UUID | InstrumentedAttribute[uuid.UUID]
"""Of one visit, or of each in a query."""


def counts(place_id: Id, debtor_id: Id) -> sa.ColumnElement[bool]:
    """Whether a marker counts for a visit there now."""
    return sa.and_(
        _about(place_id, debtor_id),
        Marker.approved_at.is_not(None),
        Marker.withdrawn_at.is_(None),
        Marker.expires_on >= today(),
    )


def expired_lately(place_id: uuid.UUID, debtor_id: uuid.UUID, within: dt.timedelta) -> sa.ColumnElement[bool]:
    return sa.and_(
        _about(place_id, debtor_id),
        Marker.approved_at.is_not(None),
        Marker.withdrawn_at.is_(None),
        Marker.expires_on.between(today() - within.days, today() - 1),
    )


def today() -> sa.ColumnElement[dt.date]:
    """The date where a day ends last of all places: no marker falls silent before its last day is over at its place,
    wherever that is. In zones of the POSIX kind `+12` lies west of Greenwich."""
    return sa.cast(sa.func.timezone(LAST_ZONE, database_now()), sa.Date)


def _refuse_unread(session: Session, visit: Visit, unread: sa.ColumnElement[bool]) -> None:
    found = session.scalars(
        sa.select(Marker.id).where(counts(visit.place_id, visit.debtor_id), unread).order_by(Marker.id)
    ).all()
    if found:
        raise MarkersUnread(marker_ids=[str(each) for each in found])


def _about(place_id: Id, debtor_id: Id) -> sa.ColumnElement[bool]:
    return sa.or_(Marker.place_id == place_id, Marker.debtor_id == debtor_id)


def _demand_whole(draft: MarkerDraft) -> None:
    """What several fields say together; after the rows were found, so that nobody learns of others' from it."""
    if draft.place_id is None and draft.debtor_id is None:
        raise InvalidValue(path="place_id", reason=Message("a marker is about a place, a person, or both"))
    if draft.level not in (RiskLevel.RAISED, RiskLevel.HIGH):
        raise InvalidValue(path="level", reason=Message("a marker makes a visit raised or high"))
    if (draft.told_on is None) == (draft.untold_reason is None):
        raise InvalidValue(path="told_on", reason=Message("when the person was told, or why not"))


def _demand_dates(draft: MarkerDraft, on: dt.date) -> None:
    if not on <= draft.review_on <= on + REVIEWED_WITHIN:
        raise InvalidValue(path="review_on", reason=Message("within six months"))
    if not draft.review_on <= draft.expires_on <= on + EXPIRES_WITHIN:
        raise InvalidValue(path="expires_on", reason=Message("after the review, and within twelve months"))


def _demand_live(marker: Marker, on: dt.date) -> None:
    if marker.expires_on < on:
        raise InvalidValue(path="expires_on", reason=Message("after the review, and within twelve months"))


def lock_marker(session: Session, marker_id: uuid.UUID) -> Marker:
    """Raises NotFound."""
    marker = session.get(Marker, marker_id, with_for_update=True, populate_existing=True)
    if marker is None:
        raise NotFound(what="marker", id=marker_id)
    return marker


def _keep_read(session: Session, read: Sequence[Marker], by: Reader, *, confirmed: bool) -> None:
    now = session.scalars(sa.select(database_now())).one()
    for marker in read:
        row = MarkerRead(
            org_id=marker.org_id, marker_id=marker.id, account_id=by.account_id, confirmed=confirmed, at=now
        )
        row.visitor_id = by.visitor_id
        session.add(row)
    session.flush()


def own_visit(session: Session, visit_id: uuid.UUID, by: Reader) -> Visit:
    """A visit that this one may read about: of the office any, of a visitor the own ones. Raises NotFound."""
    visit = session.get(Visit, visit_id)
    office = by.roles & OFFICE
    if visit is None or not (office or (by.visitor_id and _goes(session, by.visitor_id, Visit.id == visit_id))):
        raise NotFound(what="visit", id=visit_id)
    return visit


def _goes_near(session: Session, marker: Marker, visitor_id: uuid.UUID) -> bool:
    there = [Visit.place_id == marker.place_id, Visit.debtor_id == marker.debtor_id]
    return _goes(session, visitor_id, sa.or_(*there))


def _goes(session: Session, visitor_id: uuid.UUID, which: sa.ColumnElement[bool]) -> bool:
    """Whether a route of this visitor leads to such a visit."""
    routed = (
        sa.select(Stop.id)
        .join(Route, Route.id == Stop.route_id)
        .join(CrewMember, CrewMember.route_id == Route.id)
        .join(Visit, Visit.id == Stop.visit_id)
        .where(CrewMember.visitor_id == visitor_id, which)
    )
    return bool(session.scalar(sa.select(routed.exists())))
