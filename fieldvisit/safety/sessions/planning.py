"""Before anybody sets out: a session is planned by who goes or by a dispatcher, and cancelled while nobody has started
it.

What holds for it is decided when it is planned (the level, the timers, the cover) and may be made stricter at its
start, never looser. Nothing of it is watched yet: no deadline runs.
"""

import uuid
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.errors import AlreadyExists, InvalidValue, NotFound
from fieldvisit.languages import Message
from fieldvisit.models import SafetySession, Visit
from fieldvisit.safety.assessments import demand_assessed, let_rest, said_of, valid_assessment
from fieldvisit.safety.deadlines import set_by_clock
from fieldvisit.safety.drafts import SessionDraft
from fieldvisit.safety.events import Entry, SafetyEventKind, append
from fieldvisit.safety.incidents import demand_not_frozen
from fieldvisit.safety.markers import Reader, demand_known, own_visit
from fieldvisit.safety.opening import Beginning, EventIdUsed, find_planned, insert_session, remember, told_of
from fieldvisit.safety.own_timers import timers_of
from fieldvisit.safety.pairs import cover_of
from fieldvisit.safety.risk import circumstances_of, judge
from fieldvisit.safety.rules import rules_in_force
from fieldvisit.safety.sessions.refusals import SessionNotPlanned, VisitIsOver
from fieldvisit.safety.standing import Standing, lock_session, standing
from fieldvisit.vocabulary import SafetyState, VisitState

OVER = (VisitState.REPORTED, VisitState.CLOSED, VisitState.CANCELLED, VisitState.EXPIRED)
IDLE_AT_ONCE = 500


def plan_session(session: Session, draft: SessionDraft, by: Reader, *, allow_drill: bool = False) -> Standing:
    """Plan a session for a visitor at a visit; the same id again is the same session, however it stands by then.

    Raises NotFound for a visit that is not theirs to plan, VisitIsOver, PlaceFrozen, MarkersUnread where who plans has
    not read what counts, AssessmentNeeded, AlreadyExists where one is planned for this visitor and visit, and
    EventIdUsed for the id of a session at another visit.
    """
    if draft.visit_id is None:
        raise InvalidValue(path="visit_id", reason=Message("a session is planned for a visit"))
    visit = own_visit(session, draft.visit_id, by)
    there = session.get(SafetySession, draft.event_id)
    if there is not None:
        if there.visit_id != visit.id:
            raise EventIdUsed()
        return standing(session, lock_session(session, draft.event_id, visitor_id=draft.visitor_id))
    if visit.org_id != session.info["org"]:
        raise NotFound(what="visit", id=visit.id)
    demand_not_over(visit)
    demand_not_frozen(session, visit.place_id)
    demand_known(session, visit, by.account_id)
    rules = rules_in_force(session).rules
    assessment = valid_assessment(session, rules, visit, draft.visitor_id)
    risk = judge(circumstances_of(session, visit, draft.level, assessment.level if assessment else None))
    demand_assessed(rules, risk.level, assessment)
    timers = timers_of(session, session.info["org"], risk.level, allow_drill=allow_drill)
    if draft.planned_s > timers.longest_s:
        raise InvalidValue(path="planned_s", reason=Message("at most {max} s at this level", {"max": timers.longest_s}))
    said = {"planned_s": draft.planned_s, **said_of(assessment)}
    cover = cover_of(risk.level, visit)
    beginning = Beginning(timers, cover=cover, because=risk.reasons, planned=True, said=said)
    row = insert_session(session, draft, beginning, session_id=draft.event_id)
    if row is None:
        raise AlreadyExists(what="planned safety session", key="visit_id")
    let_rest(row, assessment)
    session.flush()
    return standing(session, row)


def planned_for_start(
    session: Session, session_id: uuid.UUID, visitor_id: uuid.UUID, *, planned_s: int | None
) -> SessionDraft:
    """What starting it asks for, as it was planned. Raises NotFound for what was never planned for this visitor."""
    row = session.get(SafetySession, session_id)
    if row is None or row.visitor_id != visitor_id or row.planned_s is None:
        raise NotFound(what="planned safety session", id=session_id)
    return SessionDraft(
        visitor_id=visitor_id,
        actor_id=None,
        event_id=session_id,
        planned_s=planned_s or row.planned_s,
        visit_id=row.visit_id,
        buddy_id=row.buddy_id,
    )


def demand_not_over(visit: Visit) -> None:
    """Raise VisitIsOver where nobody sets out to it any more."""
    if visit.state in OVER:
        raise VisitIsOver()


def cancel_session(session: Session, session_id: uuid.UUID, event_id: uuid.UUID, by: Reader) -> Standing:
    """Nobody sets out by it after all. Told twice, done once. A visitor cancels the own ones; raises NotFound for
    others, and SessionNotPlanned for one that was started."""
    row = lock_session(session, session_id, visitor_id=by.visitor_id if by.is_visitor else None)
    seeming = _seemingly_started(session, row)
    if seeming is not None:
        raise SessionNotPlanned(state=seeming)
    if row.planned_at is None:
        raise SessionNotPlanned(state=row.state.value)
    if remember(session, row, event_id) and row.state is not SafetyState.CANCELLED:
        if row.state is not SafetyState.PLANNED:
            raise SessionNotPlanned(state=row.state.value)
        _cancel(session, row, by.account_id, because="by_hand")
    return standing(session, row)


def _seemingly_started(session: Session, row: SafetySession) -> str | None:
    """The state that a phone under duress is shown of what it believes to have started; see `seeming`."""
    real_id = told_of(session, row.id) if row.state is SafetyState.CANCELLED else None
    if real_id in (None, row.id):
        return None
    real = session.get_one(SafetySession, real_id)
    return str(real.shown["state"]) if real.shown else real.state.value


def cancel_planned(session: Session, visitor_id: uuid.UUID, visit_id: uuid.UUID, *, started_id: uuid.UUID) -> None:
    """Somebody has set out to this visit by another session: what was planned for it is not started any more."""
    found = find_planned(session, visitor_id, visit_id)
    if found is not None:
        row = lock_session(session, found.id)
        if row.state is SafetyState.PLANNED:
            _cancel(session, row, None, because="started_otherwise", session_id=str(started_id))


def cancel_idle(session: Session) -> int:
    """Cancel what is planned for visits that are over, or were cancelled, of every organisation; how many."""
    idle = (
        sa.select(SafetySession)
        .join(Visit, Visit.id == SafetySession.visit_id)
        .where(SafetySession.state == SafetyState.PLANNED, Visit.state.in_(OVER))
        .order_by(SafetySession.id)
        .limit(IDLE_AT_ONCE)
        .with_for_update(of=SafetySession, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    rows = session.scalars(idle).all()
    for row in rows:
        _cancel(session, row, None, because="visit_over")
    return len(rows)


def planned_sessions(session: Session, visitor_id: uuid.UUID | None = None) -> Sequence[Standing]:
    """What is planned and not started, of everybody or of one visitor, the newest last."""
    planned = (
        sa.select(SafetySession)
        .join(Visit, Visit.id == SafetySession.visit_id)
        .where(SafetySession.state == SafetyState.PLANNED, Visit.state.not_in(OVER))
    )
    if visitor_id is not None:
        planned = planned.where(SafetySession.visitor_id == visitor_id)
    rows = session.scalars(planned.order_by(SafetySession.planned_at, SafetySession.id)).all()
    return [standing(session, row) for row in rows]


def _cancel(session: Session, row: SafetySession, actor_id: uuid.UUID | None, **detail: str) -> None:
    at = set_by_clock(session, row, lambda now: {"state": SafetyState.CANCELLED, "ended_at": now})
    append(session, row, Entry(kind=SafetyEventKind.CANCELLED, at=at, actor_id=actor_id, detail=dict(detail)))
