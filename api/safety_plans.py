"""Before anybody sets out: the questions before a visit, and sessions that are planned, started later, or cancelled."""

import uuid
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from api.auth import NoVisitor, actor, visitor_id
from api.context import settings
from api.db import session
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.paging import Keyset
from api.phone_events import release_held
from api.roles import Permission
from api.schemas.safety import SafetySessionOut
from api.schemas.safety_plans import (
    AssessmentFileOut,
    AssessmentIn,
    AssessmentOut,
    PlannedCancelIn,
    PlannedSessionIn,
    PlannedSessionOut,
    PlannedSessionsOut,
    PlannedStartIn,
    QuestionnaireOut,
)
from api.showing import Shows
from api.sos import stay_ready
from fieldvisit.models import SafetyAssessment
from fieldvisit.safety import sessions
from fieldvisit.safety.assessments import Answered, AssessmentDraft, answer_assessment, assessments_of
from fieldvisit.safety.drafts import SessionDraft
from fieldvisit.safety.markers import Reader
from fieldvisit.safety.questionnaire import Questionnaire, newest
from fieldvisit.safety.seeming import as_shown
from fieldvisit.safety.standing import Standing

bp = Blueprint("safety_plans", __name__, url_prefix="/safety", description=__doc__)


@bp.get("/questionnaire")
@endpoint(may=Permission.PLAN_SESSIONS, returns=QuestionnaireOut())
def read_questionnaire() -> Questionnaire:
    """What is asked before a visit now."""
    return newest()


@bp.post("/assessments")
@endpoint(may=Permission.PLAN_SESSIONS, body=AssessmentIn(), returns=AssessmentOut(), status=201)
def assess_visit(body: dict[str, Any]) -> Answered:
    """Answer the questions before a visit. The same id again is the same assessment.

    How long it is good for, and from which level of risk on nobody starts without one, is the house's to say.
    """
    return answer_assessment(session(), AssessmentDraft(**body | {"visitor_id": _who(body)}), _reader())


@bp.get("/visits/<uuid:visit_id>/assessments")
@endpoint(
    may=Permission.READ_SAFETY,
    returns=AssessmentFileOut(),
    order=Keyset(SafetyAssessment.answered_at, SafetyAssessment.id, descending=True),
    shows=Shows.WORK,
)
def list_assessments(visit_id: uuid.UUID) -> sa.Select[SafetyAssessment]:
    """What was answered before this visit, the newest first."""
    return assessments_of(session(), visit_id)


@bp.post("/planned-sessions")
@endpoint(may=Permission.PLAN_SESSIONS, body=PlannedSessionIn(), returns=PlannedSessionOut(), status=201, safety=True)
def plan_safety_session(body: dict[str, Any]) -> Standing:
    """Plan a session: its level, timers and cover are decided now. Nothing of it is watched until it starts.

    Whoever plans has read the markers that count; the start asks besides that who goes has confirmed them.
    """
    told = {name: value for name, value in body.items() if name != "id"}
    draft = SessionDraft(**told | {"event_id": body["id"], "visitor_id": _who(body), "actor_id": actor().account_id})
    return sessions.plan_session(session(), draft, _reader(), allow_drill=not settings().is_production)


@bp.get("/planned-sessions")
@endpoint(may=Permission.PLAN_SESSIONS, returns=PlannedSessionsOut(), safety=True)
def list_planned_sessions() -> dict[str, Any]:
    """What is planned and not started: of a visitor the own ones, of the office all."""
    return {"items": sessions.planned_sessions(session(), visitor_id() if _reader().is_visitor else None)}


@bp.post("/planned-sessions/<uuid:session_id>/start")
@endpoint(
    may=Permission.USE_PHONE,
    body=PlannedStartIn(),
    returns=SafetySessionOut(),
    safety=True,
    even_expired=True,
    even_unknown=True,
)
def start_planned_session(session_id: uuid.UUID, body: dict[str, Any]) -> Standing:
    """Start what was planned: as POST /safety/sessions with its id, for as long as it was planned."""
    stay_ready()
    told = {name: value for name, value in body.items() if name != "event_id"}
    planned = sessions.planned_for_start(session(), session_id, visitor_id(), planned_s=told.pop("planned_s"))
    draft = replace(planned, actor_id=actor().account_id, **told)
    started = sessions.start_session(session(), draft, allow_drill=not settings().is_production, covered=True)
    release_held(started.session.id, session_id)
    return as_shown(session(), started)


@bp.post("/planned-sessions/<uuid:session_id>/cancellation")
@endpoint(may=Permission.PLAN_SESSIONS, body=PlannedCancelIn(), returns=PlannedSessionOut(), safety=True)
def cancel_planned_session(session_id: uuid.UUID, body: dict[str, uuid.UUID]) -> Standing:
    """Nobody sets out by it after all. What was started is ended instead."""
    return sessions.cancel_session(session(), session_id, body["event_id"], _reader())


def _who(body: dict[str, Any]) -> uuid.UUID:
    """Who goes: who is logged in, unless the office says it for somebody."""
    named: uuid.UUID | None = body["visitor_id"]
    if _reader().is_visitor or named is None:
        own = actor().visitor_id
        if own is None:
            raise NoVisitor()
        return own
    return named


def _reader() -> Reader:
    asks = actor()
    return Reader(account_id=asks.account_id, roles=frozenset(asks.roles), visitor_id=asks.visitor_id)
