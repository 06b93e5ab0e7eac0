"""Drills: an alarm about a visitor who is in no danger, so that those who answer alarms do it before they have to.

It takes the way of every other alarm, by the same engine, and is told apart from one wherever a person reads it. Its
session is beside whatever the visitor really does: who is rehearsed about may set out and call for help meanwhile.
"""

import datetime as dt
import uuid
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.clock import database_now
from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.models import SafetyAlert
from fieldvisit.safety.alerts import get_alert
from fieldvisit.safety.drafts import Officer, Sos, check_note
from fieldvisit.safety.events import Entry, SafetyEventKind, append
from fieldvisit.safety.hints import give_hint
from fieldvisit.safety.opening import Beginning, find_open, insert_session
from fieldvisit.safety.own_timers import timers_of
from fieldvisit.safety.raising import Cause, open_alert
from fieldvisit.safety.roster import demand_officer
from fieldvisit.safety.unwatched import unwatched
from fieldvisit.vocabulary import AlertKind, DrillKind, RiskLevel


class DrillUnderWay(FieldVisitError):
    """Two at a time could not be told apart by those who answer them."""

    code, kind = "drill_under_way", Kind.CONFLICT
    says = "Another drill is under way. Close its alert first."


class VisitorIsOut(FieldVisitError):
    """Whoever is at a door is not rung for a drill."""

    code, kind = "visitor_is_out", Kind.CONFLICT
    says = "This visitor is out just now. A drill is about somebody who is not, and knows of it."


@dataclass(frozen=True, kw_only=True)
class DrillDraft:
    """About whom, who has agreed to it; `note`: what is rehearsed, and what was agreed."""

    visitor_id: uuid.UUID
    kind: DrillKind
    note: str

    def __post_init__(self) -> None:
        check_note(self.note)


def begin_drill(session: Session, draft: DrillDraft, by: Officer) -> SafetyAlert:
    """Open an alert of this kind as a drill: it climbs as a real one would, by the timers of an ordinary visit, and is
    closed with the outcome `drill`. Raises DrillUnderWay, VisitorIsOut, NotFound, NotAnOfficer."""
    demand_officer(session, by.account_id)
    if find_open(session, draft.visitor_id) is not None or _is_unwatched(session, draft.visitor_id):
        raise VisitorIsOut()
    timers = timers_of(session, session.info["org"], RiskLevel.NORMAL)
    session_id = uuid.uuid4()
    called = Sos(visitor_id=draft.visitor_id, actor_id=by.account_id, event_id=session_id)
    beginning = Beginning(timers, because=["drill"], drill=draft.kind)
    row = insert_session(session, called, beginning, session_id=session_id)
    if row is None:
        raise DrillUnderWay()
    row.last_heard_at = None
    session.flush()
    at: dt.datetime = session.scalars(sa.select(database_now())).one()
    detail = {"kind": draft.kind.value}
    begun = Entry(kind=SafetyEventKind.DRILL_BEGUN, at=at, actor_id=by.account_id, detail=detail, note=draft.note)
    append(session, row, begun)
    kind = AlertKind(draft.kind.value)
    cause = Cause(
        kind=kind, deadline_at=at, covert=kind is AlertKind.DURESS, actor_id=by.account_id, detail={"drill": True}
    )
    alert_id = open_alert(session, row, cause, at=at)
    assert alert_id is not None, "a session of this moment has no other alert"
    give_hint(session)
    return get_alert(session, alert_id)


def _is_unwatched(session: Session, visitor_id: uuid.UUID) -> bool:
    """Whether this visitor is out without a session, as the wall shows it."""
    return any(each.visitor_id == visitor_id for each in unwatched(session, session.info["org"]))
