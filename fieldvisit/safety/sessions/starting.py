"""Starting to be watched over, and what has to hold before the door."""

from sqlalchemy.orm import Session

from fieldvisit.errors import AlreadyExists, InvalidValue
from fieldvisit.languages import Message
from fieldvisit.models import CoverOverride, SafetySession, Visit
from fieldvisit.safety.cover import demand_cover, find_override, use_override
from fieldvisit.safety.drafts import SessionDraft
from fieldvisit.safety.following import expect
from fieldvisit.safety.incidents import demand_not_frozen
from fieldvisit.safety.markers import demand_read
from fieldvisit.safety.opening import Beginning, find_open, insert_session, remember, told_of
from fieldvisit.safety.own_timers import timers_of
from fieldvisit.safety.pairs import cover_of, demand_pair
from fieldvisit.safety.risk import Risk, circumstances_of, judge
from fieldvisit.safety.seeming import seem_to_start, seems_over
from fieldvisit.safety.sessions.hearing import keep_as_evidence
from fieldvisit.safety.sessions.refusals import SessionAlreadyOpen, StartIsStale
from fieldvisit.safety.standing import Standing, lock_session, standing
from fieldvisit.safety.unwatched import is_about_no_session
from fieldvisit.vocabulary import RiskLevel, SessionCover

FRESH_S = 60
"""A start that was pressed longer ago is none before the door."""


def start_session(
    session: Session, draft: SessionDraft, *, allow_drill: bool = False, covered: bool = False
) -> Standing:
    """Start watching over a visitor. The same id again is the same session, however it stands by then.

    The level is what follows from the visit, its place, its person and the hour, or what the phone asks for, whichever
    is stricter. With `covered` an officer has to be there whom an alarm would reach (NoCover otherwise), the markers
    are read (MarkersUnread) and the place is not frozen (PlaceFrozen): for who asks before the door. Whoever is told of
    afterwards is at the door already, and is watched over whoever is there. At high risk somebody goes along
    (PairNeeded).
    """
    if session.get(SafetySession, draft.event_id) is not None:
        return _started_before(session, draft)
    visit = session.get(Visit, draft.visit_id) if draft.visit_id else None
    risk = judge(circumstances_of(session, visit, draft.level)) if visit else Risk(draft.level)
    timers = timers_of(session, session.info["org"], risk.level, allow_drill=allow_drill)
    if draft.planned_s > timers.longest_s:
        raise InvalidValue(path="planned_s", reason=Message("at most {max} s at this level", {"max": timers.longest_s}))
    if visit is not None and covered:
        demand_not_frozen(session, visit.place_id)
        demand_read(session, visit, draft.visitor_id)
    override = _gate(session, draft, visit, risk.level) if covered else None
    beginning = Beginning(timers, cover=cover_of(risk.level, visit), because=risk.reasons)
    row = insert_session(session, draft, beginning, session_id=draft.event_id)
    if row is None:
        return _started_before(session, draft, beginning)
    if override is not None:
        use_override(session, row, override)
    if visit is not None:
        expect(session, row, visit)
    return standing(session, row)


def _gate(session: Session, draft: SessionDraft, visit: Visit | None, level: RiskLevel) -> CoverOverride | None:
    """Raise NoCover, PairNeeded or StartIsStale for who should not go in now; the supervisor's word that lets them, if
    any did."""
    stale = _demand_fresh(session, draft)
    unpaired = demand_pair(session, draft.visitor_id, visit) if level is RiskLevel.HIGH else None
    return demand_cover(session, draft.visitor_id) or unpaired or stale


def _demand_fresh(session: Session, draft: SessionDraft) -> CoverOverride | None:
    """Whoever stands before the door has a phone that is heard now."""
    override = find_override(session, draft.visitor_id) if draft.age_s > FRESH_S else None
    if draft.age_s > FRESH_S and override is None:
        raise StartIsStale(age_s=draft.age_s)
    return override


def _started_before(session: Session, draft: SessionDraft, beginning: Beginning | None = None) -> Standing:
    """The answer where the id or the visitor has a session already."""
    if session.get(SafetySession, draft.event_id) is not None:
        return standing(session, lock_session(session, draft.event_id, visitor_id=draft.visitor_id))
    open_id = find_open(session, draft.visitor_id)
    if open_id is not None:
        row = lock_session(session, open_id)
        if row.duress and told_of(session, draft.event_id) == row.id:
            # Told again, of what only seems to be a session.
            return standing(session, row)
        if seems_over(row) and beginning is not None:
            remember(session, row, draft.event_id)
            found = standing(session, row)
            timers = beginning.timers.alone() if beginning.cover is SessionCover.NONE else beginning.timers
            seem_to_start(row, draft, timers, found.now_at)
            session.flush()
            return found
        if is_about_no_session(session, row):
            # The visitor is there and starts at last: heard of as by a check-in, in the session that asks for them.
            fresh = remember(session, row, draft.event_id)
            return keep_as_evidence(session, row, draft) if fresh else standing(session, row)
        raise SessionAlreadyOpen()
    raise AlreadyExists(what="safety session", key="id")
