"""The route behind a person in alarm: taken off their crew and proposed to others, as a draft for the dispatcher.

Asked again each minute from what is stored, and never by the alarm itself: nothing that planning does or fails to do
may stand in an alarm's way. Nothing is published by it.
"""

import asyncio
import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import procrastinate
import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session, aliased, sessionmaker

from fieldvisit.apart import Apart
from fieldvisit.clock import Clock
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.errors import FieldVisitError
from fieldvisit.models import CrewMember, DayPlan, Route, SafetyAlert, SafetySession, Stop, Visit
from fieldvisit.planning.latest import drafts_of_people
from fieldvisit.planning.repairing import RepairRequest, request_repair
from fieldvisit.vocabulary import AlertState, DayPlanState, RiskLevel, SafetyState, VisitState

SEARCH_S = 10
UPKEEP = "upkeep"
HALF_A_DAY = dt.timedelta(hours=12)
PAUSE_S = 120
"""So long after one that failed relief is asked for again, and longer the older the alert is: a worker that was busy
or lost soon works again, and a day that cannot be repaired is not to fill the list of its plans."""

log = structlog.get_logger(__name__)


type Enqueue = Callable[[Session, uuid.UUID, uuid.UUID], None]
"""Has a worker solve the plan of this organisation, in the transaction of this session."""


def add_relief(app: procrastinate.App, sessions: sessionmaker[Session], clock: Clock, enqueue: Enqueue) -> None:
    """Let a worker look each minute for routes behind those who are in alarm."""

    @app.periodic(cron="* * * * *")
    @app.task(name="relieve", queue=UPKEEP, queueing_lock="relieve")
    async def relieve(timestamp: int) -> None:
        await asyncio.to_thread(relieve_crews, sessions, clock, enqueue)


def relieve_crews(sessions: sessionmaker[Session], clock: Clock, enqueue: Enqueue) -> None:
    """For each organisation: have the routes behind those who are in alarm proposed to others. What fails for one, or
    for one day of it, stops no other. Raises LeftUndone at the end where any did."""
    with acting_for_all(sessions) as session:
        alarmed = sa.select(SafetySession.org_id).distinct().where(SafetySession.state == SafetyState.ALARM)
        in_alarm = session.scalars(alarmed.order_by(SafetySession.org_id)).all()
    apart = Apart()
    for org_id in in_alarm:
        with apart.each("relief", org_id=org_id), acting_for(sessions, org_id) as session:
            for plan_id in propose_relief(session, clock(), apart):
                enqueue(session, org_id, plan_id)
                log.info("relief_asked_for", org_id=str(org_id), plan_id=str(plan_id))
    apart.end()


def propose_relief(session: Session, now: dt.datetime, apart: Apart) -> list[uuid.UUID]:
    """Ask for a repair of each published day on which somebody is in alarm with visits still ahead, once for each alert
    and crew, and again after one that failed; the plans that were asked for. The caller enqueues them in the same
    transaction.

    A day of which somebody works on a draft is left alone until that is published or dropped.
    """
    asked = []
    for plan_id, crews in _to_be_relieved(session, now).items():
        request = RepairRequest(seconds=SEARCH_S, without=tuple(sorted(crews)))
        with apart.each("relief", plan_id=plan_id):
            try:
                with session.begin_nested():
                    asked.append(request_repair(session, plan_id, request, by=None, now=now).id)
            except FieldVisitError as error:
                log.warning("relief_not_asked_for", plan_id=str(plan_id), code=error.code)
    return asked


def _asked(now: dt.datetime) -> sa.Select[uuid.UUID]:
    """The repairs of a plan that were asked for without a crew since an alert, around a question after the three."""
    repair = aliased(DayPlan)
    return sa.select(repair.id).where(
        repair.repairs_id == DayPlan.id,
        repair.asked["without"].contains(sa.func.jsonb_build_array(Route.crew_code)),
        repair.requested_at >= SafetyAlert.opened_at,
        # Two minutes at first, then a quarter of the alert's age: some twenty tries in eight hours.
        sa.or_(
            repair.state != DayPlanState.FAILED,
            _seconds(now - repair.finished_at) < sa.func.greatest(PAUSE_S, _seconds(now - SafetyAlert.opened_at) / 4),
        ),
    )


def _to_be_relieved(session: Session, now: dt.datetime) -> dict[uuid.UUID, set[str]]:
    """Published plan → its crews with a member in alarm and visits ahead of which no repair was asked since, or one
    that failed some time ago. None of a day that somebody has a draft of."""
    ahead = (
        sa.select(Stop.id)
        .join(Visit, Visit.id == Stop.visit_id)
        .where(Stop.route_id == Route.id, Visit.plan_id == DayPlan.id, Visit.state == VisitState.PUBLISHED)
    )
    found = session.execute(
        sa.select(DayPlan.id, Route.crew_code)
        .distinct()
        .join(Route, Route.plan_id == DayPlan.id)
        .join(CrewMember, CrewMember.route_id == Route.id)
        .join(SafetySession, SafetySession.visitor_id == CrewMember.visitor_id)
        .join(SafetyAlert, SafetyAlert.session_id == SafetySession.id)
        .where(
            DayPlan.state == DayPlanState.PUBLISHED,
            DayPlan.problem.is_not(None),
            SafetyAlert.state.not_in((AlertState.PRE, AlertState.RESOLVED)),
            # Whoever plans the day is not to learn of a call that nobody may see.
            ~SafetyAlert.covert,
            SafetySession.level != RiskLevel.DRILL,
            SafetySession.drill.is_(None),
            SafetySession.started_at.between(Route.depart_at - HALF_A_DAY, Route.return_at + HALF_A_DAY),
            ahead.exists(),
            ~_asked(now).exists(),
            ~drafts_of_people(DayPlan.area_id, DayPlan.planned_on).exists(),
        )
    )
    crews: dict[uuid.UUID, set[str]] = defaultdict(set)
    for plan_id, crew in found:
        crews[plan_id].add(crew)
    return crews


def _seconds(interval: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    return sa.extract("epoch", interval)
