"""Starting to be watched over, and what has to hold before the door."""

from dataclasses import replace

from sqlalchemy.orm import Session

from fieldvisit.errors import AlreadyExists, InvalidValue
from fieldvisit.languages import Message
from fieldvisit.models import CoverOverride, SafetySession, Visit
from fieldvisit.safety.assessments import demand_assessed, let_rest, said_of, valid_assessment
from fieldvisit.safety.cover import demand_cover, find_override, use_override
from fieldvisit.safety.drafts import SessionDraft
from fieldvisit.safety.following import expect
from fieldvisit.safety.going_on import make_stricter
from fieldvisit.safety.incidents import demand_not_frozen
from fieldvisit.safety.markers import demand_read
from fieldvisit.safety.opening import (
    Beginning,
    begin_planned,
    demand_known_buddy,
    find_open,
    find_planned,
    insert_session,
    remember,
    told_of,
)
from fieldvisit.safety.own_timers import timers_of
from fieldvisit.safety.pairs import cover_of, demand_buddy, demand_pair
from fieldvisit.safety.pins import demand_pin_set
from fieldvisit.safety.risk import Risk, circumstances_of, judge
from fieldvisit.safety.rules import Rules, demanded, rules_in_force
from fieldvisit.safety.seeming import seem_to_start, seems_over
from fieldvisit.safety.sessions.hearing import keep_as_evidence
from fieldvisit.safety.sessions.own import lock_own
from fieldvisit.safety.sessions.planning import cancel_planned, demand_not_over
from fieldvisit.safety.sessions.refusals import SessionAlreadyOpen, StartIsStale
from fieldvisit.safety.standing import Standing, lock_session, standing
from fieldvisit.safety.timers import Timers, danger
from fieldvisit.safety.unwatched import is_about_no_session
from fieldvisit.vocabulary import RiskLevel, SafetyState, SessionCover

FRESH_S = 60
"""A start that was pressed longer ago is none before the door."""


def start_session(
    session: Session, draft: SessionDraft, *, allow_drill: bool = False, covered: bool = False
) -> Standing:
    """Start watching over a visitor. The same id again is the same session, however it stands by then.

    The level is what follows from the visit, its place, its person, the hour and the answers before the visit, or what
    the phone asks for, whichever is stricter. One that was planned under this id starts as it was planned, unless more
    is known by now; one that was planned for the same visit under another id is not started any more.

    With `covered`, for who asks before the door, an officer has to be there whom an alarm would reach (NoCover
    otherwise), the markers are read (MarkersUnread), the place is not frozen (PlaceFrozen), and the questions before
    the visit are answered where the house demands it (AssessmentNeeded). Whoever is told of afterwards is at the door
    already, and is watched over whoever is there. At high risk somebody goes along (PairNeeded).
    """
    known = session.get(SafetySession, draft.event_id)
    if _is_told_again(session, draft, known):
        return _started_before(session, draft)
    planned = known or _planned_for(session, draft)
    if planned is not None:
        draft = replace(draft, visit_id=planned.visit_id, buddy_id=draft.buddy_id or planned.buddy_id)
    visit = session.get(Visit, draft.visit_id) if draft.visit_id else None
    rules = rules_in_force(session).rules
    assessment = valid_assessment(session, rules, visit, draft.visitor_id) if visit else None
    assessed = assessment.level if assessment else None
    risk = judge(circumstances_of(session, visit, draft.level, assessed)) if visit else Risk(draft.level)
    timers = _timers(session, risk, known, allow_drill=allow_drill)
    if draft.planned_s > timers.longest_s:
        raise InvalidValue(path="planned_s", reason=Message("at most {max} s at this level", {"max": timers.longest_s}))
    override = None
    if covered:
        if visit is not None:
            if known is not None:
                demand_not_over(visit)
            demand_assessed(rules, timers.level, assessment)
        override = _gate(session, draft, visit, timers=timers, rules=rules)
    said = ({"planned": True} if known else {}) | said_of(assessment)
    beginning = Beginning(timers, cover=cover_of(timers.level, visit), because=risk.reasons, said=said)
    row = _begin(session, draft, beginning, planned=known is not None) or _start_at_last(session, draft, beginning)
    if row is None:
        return _started_before(session, draft, beginning)
    let_rest(row, assessment)
    if override is not None:
        use_override(session, row, override, standing(session, row).now_at)
    if visit is not None and row.visit_id == visit.id:
        expect(session, row, visit)
        if planned is not None and known is None:
            cancel_planned(session, row.visitor_id, visit.id, started_id=row.id)
    return standing(session, row)


def _is_told_again(session: Session, draft: SessionDraft, known: SafetySession | None) -> bool:
    """Whether this start was told before: by its id there is a session that somebody has set out by, or it was the
    start at last in the one that is open."""
    told_id = told_of(session, draft.event_id)
    if told_id is not None and told_id == find_open(session, draft.visitor_id):
        return True
    if known is None:
        return False
    waits = known.state is SafetyState.PLANNED or (
        known.state is SafetyState.ALARM and known.never_started and is_about_no_session(session, known)
    )
    return not (waits and known.visitor_id == draft.visitor_id)


def _begin(session: Session, draft: SessionDraft, beginning: Beginning, *, planned: bool) -> SafetySession | None:
    if planned:
        return begin_planned(session, draft, beginning)
    return insert_session(session, draft, beginning, session_id=draft.event_id)


def _planned_for(session: Session, draft: SessionDraft) -> SafetySession | None:
    return find_planned(session, draft.visitor_id, draft.visit_id) if draft.visit_id else None


def _timers(session: Session, risk: Risk, planned: SafetySession | None, *, allow_drill: bool) -> Timers:
    """Those of a planned session are what they were when it was planned, unless more is known by now."""
    if planned is not None and danger(planned.level) >= danger(risk.level):
        return Timers.from_json(planned.policy)
    return timers_of(session, session.info["org"], risk.level, allow_drill=allow_drill)


def _gate(
    session: Session, draft: SessionDraft, visit: Visit | None, *, timers: Timers, rules: Rules
) -> CoverOverride | None:
    """Raise PlaceFrozen, MarkersUnread, PinNotSet, NoCover, PairNeeded, BuddyNeeded or StartIsStale for who should not
    go in now; the supervisor's word that lets them, if any did."""
    if visit is not None:
        demand_not_frozen(session, visit.place_id)
        demand_read(session, visit, draft.visitor_id)
    if timers.pin_at_check_in:
        demand_pin_set(session, draft.visitor_id)
    stale = _demand_fresh(session, draft)
    unpaired = None
    if timers.level is RiskLevel.HIGH:
        unpaired = demand_pair(session, draft.visitor_id, visit)
    elif demanded(timers.level, rules.buddy_from):
        unpaired = demand_buddy(session, draft.visitor_id, visit, draft.buddy_id)
    return demand_cover(session, draft.visitor_id, draft.visit_id) or unpaired or stale


def _demand_fresh(session: Session, draft: SessionDraft) -> CoverOverride | None:
    """Whoever stands before the door has a phone that is heard now."""
    override = find_override(session, draft.visitor_id) if draft.age_s > FRESH_S else None
    if draft.age_s > FRESH_S and override is None:
        raise StartIsStale(age_s=draft.age_s)
    return override


def _started_before(session: Session, draft: SessionDraft, beginning: Beginning | None = None) -> Standing:
    """The answer where the id or the visitor has a session already."""
    if session.get(SafetySession, draft.event_id) is not None:
        row = lock_own(session, draft.event_id, draft.visitor_id)
        if row.state is not SafetyState.PLANNED:
            return standing(session, row)
    open_id = find_open(session, draft.visitor_id)
    if open_id is not None:
        row = lock_session(session, open_id)
        if told_of(session, draft.event_id) == row.id:
            # Told again, of what only seems to be a session, or was a start at last.
            return standing(session, row)
        if seems_over(row) and beginning is not None:
            remember(session, row, draft.event_id)
            found = standing(session, row)
            timers = beginning.timers.alone() if beginning.cover is SessionCover.NONE else beginning.timers
            seem_to_start(row, draft, timers, found.now_at)
            session.flush()
            if draft.visit_id is not None:
                # As it would be otherwise: what was planned for it has been started.
                cancel_planned(session, row.visitor_id, draft.visit_id, started_id=row.id)
            return found
        raise SessionAlreadyOpen()
    raise AlreadyExists(what="safety session", key="id")


def _start_at_last(session: Session, draft: SessionDraft, beginning: Beginning) -> SafetySession | None:
    """The visitor is there and starts: heard of as by a check-in, in the session that asks for them, which is as strict
    from then on as this start; None where none asks, or it was told before."""
    open_id = find_open(session, draft.visitor_id)
    row = lock_session(session, open_id) if open_id is not None else None
    if row is None or seems_over(row) or not is_about_no_session(session, row):
        return None
    demand_known_buddy(session, draft)
    if not remember(session, row, draft.event_id):
        return None
    make_stricter(session, row, beginning, draft.actor_id)
    row.buddy_id = draft.buddy_id or row.buddy_id
    session.flush()
    return keep_as_evidence(session, row, draft).session
