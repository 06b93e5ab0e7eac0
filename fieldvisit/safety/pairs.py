"""Pairs: who goes in together, each with a session of their own; and what becomes of one when the other is gone, or
calls for help.

Level-triggered like everything else here: whether a session's partner is inside is asked again on every turn of the
engine, never told by the partner's session. So it holds whichever way that one ended, and two that end or start at the
same moment never wait for each other.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.models import CoverOverride, CrewMember, DayPlan, Route, SafetyAlert, SafetySession, Stop, Visit
from fieldvisit.safety.cover import find_override
from fieldvisit.safety.deadlines import Moment, due, set_by_clock, sooner, timers_in_force
from fieldvisit.safety.events import Entry, SafetyEventKind, append
from fieldvisit.safety.raising import Cause, open_alert
from fieldvisit.safety.timers import RED
from fieldvisit.vocabulary import AlertKind, AlertState, DayPlanState, RiskLevel, SafetyState, SessionCover

PARTNER, CALL, ASKED = aliased(SafetySession), aliased(SafetyAlert), aliased(SafetyAlert)
# Whose phone shows an end under duress is out, for all that a partner's phone may show.
INSIDE = sa.and_(
    PARTNER.id != SafetySession.id,
    PARTNER.visit_id == SafetySession.visit_id,
    PARTNER.state.in_((SafetyState.ACTIVE, SafetyState.ALARM)),
    sa.not_(sa.and_(PARTNER.duress, PARTNER.shown["state"].astext == SafetyState.ENDED.value)),
)
# The engine made a session because there was none, and nothing was heard since that says they are there: they may never
# have come. A call for help does not say so either, and a covert one must change nothing for the other.
NEVER_CAME = sa.and_(
    PARTNER.state == SafetyState.ALARM,
    sa.select(ASKED.id)
    .where(
        ASKED.session_id == PARTNER.id,
        ASKED.kind == AlertKind.UNWATCHED,
        ASKED.state != AlertState.RESOLVED,
        ASKED.visitor_reports_safe_at.is_(None),
    )
    .exists(),
)
COVER = sa.case(
    (sa.select(PARTNER.id).where(INSIDE, sa.not_(NEVER_CAME)).exists(), SessionCover.PAIR.value),
    (SafetySession.level == RiskLevel.HIGH, SessionCover.NONE.value),
    else_=SessionCover.SOLO.value,
)
# A call of a partner that stands, and that has not raised this session since it was opened.
CALLED = sa.and_(
    INSIDE,
    CALL.session_id == PARTNER.id,
    CALL.kind.in_(RED),
    CALL.state.in_((AlertState.OPEN, AlertState.NOTIFYING, AlertState.EXHAUSTED, AlertState.ACKNOWLEDGED)),
    ~CALL.covert,
    ~sa.select(SafetyAlert.id)
    .where(
        SafetyAlert.session_id == SafetySession.id,
        SafetyAlert.kind == AlertKind.PARTNER_CALLS,
        SafetyAlert.opened_at >= CALL.opened_at,
    )
    .exists(),
)


class PairNeeded(FieldVisitError):
    """At high risk nobody goes in alone."""

    code, kind = "pair_needed", Kind.CONFLICT
    says = "At high risk two go in together, and your route has nobody else. Do not go in: call your supervisor."


class BuddyNeeded(FieldVisitError):
    """Whoever goes alone has somebody who knows of it."""

    code, kind = "buddy_needed", Kind.CONFLICT
    says = "At this level of risk you go with a colleague, or name one who looks out for you. Name your buddy first."


def demand_buddy(
    session: Session, visitor_id: uuid.UUID, visit: Visit | None, buddy_id: uuid.UUID | None
) -> CoverOverride | None:
    """Raise BuddyNeeded where this visitor goes alone by the published plan and has named nobody; the override that
    allows it all the same, if one does."""
    if buddy_id is not None:
        return None
    try:
        return demand_pair(session, visitor_id, visit)
    except PairNeeded:
        raise BuddyNeeded() from None


def demand_pair(session: Session, visitor_id: uuid.UUID, visit: Visit | None) -> CoverOverride | None:
    """Raise PairNeeded where no crew mate goes to this visit by the published plan; the override that allows it all the
    same, if one does."""
    if visit is not None and session.scalar(sa.select(_mates(visitor_id, visit).exists())):
        return None
    override = find_override(session, visitor_id)
    if override is None:
        raise PairNeeded()
    return override


def cover_of(level: RiskLevel, visit: Visit | None) -> SessionCover:
    """With which a session begins: until its partner's is running, one that needs a partner has none."""
    return SessionCover.NONE if level is RiskLevel.HIGH and visit is not None else SessionCover.SOLO


def claim_uncovered(session: Session, limit: int, *, but: Collection[uuid.UUID] = ()) -> Sequence[SafetySession]:
    """The running sessions whose cover is another than the one that is stored. What another version has made of it, and
    this one does not know, is left to that one: the two would take it back from each other for ever."""
    stale = sa.and_(SafetySession.cover.in_(SessionCover), SafetySession.cover != COVER)
    return _claim(session, stale, limit, but)


def claim_called(session: Session, limit: int, *, but: Collection[uuid.UUID] = ()) -> Sequence[SafetySession]:
    """The running sessions whose partner has called for help."""
    return _claim(session, sa.select(CALL.id).where(CALLED).correlate(SafetySession).exists(), limit, but)


def settle_cover(session: Session, rows: Sequence[SafetySession]) -> set[uuid.UUID]:
    """Let these sessions be watched over as those of a pair, or of somebody alone. A deadline only ever moves earlier:
    the longer timers of a pair hold from the next check-in on."""
    now_covered: Mapping[uuid.UUID, str] = dict(
        session.execute(sa.select(SafetySession.id, COVER).where(SafetySession.id.in_([row.id for row in rows]))).all()
    )
    return {row.id for row in rows if _settle(session, row, SessionCover(now_covered[row.id]))}


def _settle(session: Session, row: SafetySession, cover: SessionCover) -> bool:
    before = row.cover
    if cover is before:
        return False
    row.cover = cover
    timers = timers_in_force(row)

    def values(now: Moment) -> dict[str, Any]:
        if cover is SessionCover.PAIR:
            return {"cover": cover}
        fresh = due(timers, now)
        stored: dict[str, Moment] = {name: getattr(SafetySession, name) for name in fresh}
        return {"cover": cover, **sooner(stored, fresh)}

    at = set_by_clock(session, row, values)
    detail = {"from": before.value, "to": cover.value}
    append(session, row, Entry(kind=SafetyEventKind.COVER_CHANGED, at=at, detail=detail))
    return True


def raise_partners(session: Session, rows: Sequence[SafetySession]) -> set[uuid.UUID]:
    """Both are in danger: whose partner calls for help is in alarm too, and that is closed by a proof of its own."""
    raised = set()
    for row in rows:
        at = set_by_clock(session, row, lambda now: {"state": SafetyState.ALARM})
        if open_alert(session, row, Cause(kind=AlertKind.PARTNER_CALLS, deadline_at=at), at=at) is not None:
            raised.add(row.id)
    return raised


def _claim(
    session: Session, which: sa.ColumnElement[bool], limit: int, but: Collection[uuid.UUID]
) -> Sequence[SafetySession]:
    return session.scalars(
        sa.select(SafetySession)
        .where(
            SafetySession.state == SafetyState.ACTIVE,
            SafetySession.visit_id.is_not(None),
            SafetySession.id.not_in(but),
            which,
        )
        .order_by(SafetySession.id)
        .limit(limit)
        .with_for_update(of=SafetySession, skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()


def _mates(visitor_id: uuid.UUID, visit: Visit) -> sa.Select[uuid.UUID]:
    """Who goes with this visitor to this visit by the published plan: on the same route, or with the other crew that
    meets theirs at the door."""
    goes = (
        sa.select(CrewMember.visitor_id)
        .join(Route, Route.id == CrewMember.route_id)
        .join(DayPlan, DayPlan.id == Route.plan_id)
        .join(Stop, Stop.route_id == Route.id)
        .where(
            Stop.visit_id == visit.id,
            DayPlan.id == visit.plan_id,
            DayPlan.state == DayPlanState.PUBLISHED,
        )
    )
    mine = goes.where(CrewMember.visitor_id == visitor_id)
    return goes.where(CrewMember.visitor_id != visitor_id, mine.exists())
