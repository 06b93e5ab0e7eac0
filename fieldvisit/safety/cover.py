"""Before the door: nobody starts while no officer can be reached, unless a supervisor says so, with a reason."""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.clock import database_now
from fieldvisit.drafts import check_text
from fieldvisit.errors import DatabaseUnavailable, FieldVisitError, Kind, NotFound
from fieldvisit.models import CoverOverride, Organisation, SafetySession, Visitor
from fieldvisit.safety.alerts import SelfHandling
from fieldvisit.safety.crews import fit_for
from fieldvisit.safety.drafts import Officer
from fieldvisit.safety.events import Entry, SafetyEventKind, append
from fieldvisit.safety.roster import reachable_officers

OVERRIDE_HOLDS = dt.timedelta(minutes=30)


class NoCover(FieldVisitError):
    """There is nobody whom an alarm would reach: whoever goes in now goes in alone."""

    code, kind = "no_cover", Kind.CONFLICT
    says = (
        "No safety officer can be reached just now, so nobody would come. Do not go in: call your supervisor, who may "
        "let you start. In danger call {emergency_number}."
    )


class OwnCover(SelfHandling):
    """Whoever goes in alone decides that for nobody but others. No code of its own: a program does the same as ever."""

    says = "A supervisor lets another start, never themselves. Call another supervisor."


class WatchUnavailable(DatabaseUnavailable):
    """The same for somebody who may be at a door: what to do by telephone until the service is back. No code of its
    own: a program does the same as ever."""

    says = (
        "The database does not answer just now, so nobody is being watched over anew, and nothing was stored. Do not "
        "go in. Ring your safety officer, say where you are, and ring again when you are out. A call for help is "
        "taken all the same."
    )


def demand_cover(session: Session, visitor_id: uuid.UUID, visit_id: uuid.UUID | None) -> CoverOverride | None:
    """Raise NoCover where no officer can be reached but the visitor and who goes along to this visit; the override that
    allows it, if one does."""
    visitor = session.get(Visitor, visitor_id)
    if visitor is None:
        raise NotFound(what="visitor", id=visitor_id)
    if fit_for(session, reachable_officers(session, visitor.org_id), visitor_id, visit_id):
        return None
    override = find_override(session, visitor_id)
    if override is None:
        number = session.get_one(Organisation, visitor.org_id).emergency_number
        raise NoCover(emergency_number=number)
    return override


def find_override(session: Session, visitor_id: uuid.UUID) -> CoverOverride | None:
    """A supervisor's word, given lately and not used yet, that lets this visitor start."""
    return session.scalar(
        sa.select(CoverOverride)
        .where(
            CoverOverride.visitor_id == visitor_id,
            CoverOverride.session_id.is_(None),
            CoverOverride.made_at > database_now() - OVERRIDE_HOLDS,
        )
        .order_by(CoverOverride.made_at.desc())
        .limit(1)
        .with_for_update()
    )


def override_cover(session: Session, visitor_id: uuid.UUID, by: Officer, reason: str) -> CoverOverride:
    """Let this visitor start once within half an hour although no officer can be reached, or nobody goes along. Raises
    OwnCover, NotFound."""
    check_text("reason", reason)
    visitor = session.get(Visitor, visitor_id)
    if visitor is None:
        raise NotFound(what="visitor", id=visitor_id)
    if by.visitor_id == visitor_id:
        raise OwnCover()
    now: dt.datetime = session.scalars(sa.select(database_now())).one()
    given = {"org_id": visitor.org_id, "visitor_id": visitor_id, "by_id": by.account_id, "made_at": now}
    override = CoverOverride(**given, reason=reason)
    session.add(override)
    session.flush()
    return override


def use_override(session: Session, row: SafetySession, override: CoverOverride, at: dt.datetime) -> None:
    """Write into the session's record who let it start, and why; it started at this moment."""
    override.session_id = row.id
    detail = {"by_id": str(override.by_id)}
    entry = Entry(
        kind=SafetyEventKind.COVER_OVERRIDDEN,
        at=at,
        actor_id=override.by_id,
        detail=detail,
        note=override.reason,
    )
    append(session, row, entry)
