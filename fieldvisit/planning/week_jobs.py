"""The job of a week: choose, plan the first day that is open, choose anew; until every day has its plan.

Several transactions and searches, in one job: a worker that takes over goes on where the other one was.
"""

import asyncio
import datetime as dt
import uuid

import structlog

from fieldvisit.database import acting_for, was_cut_short
from fieldvisit.planning.asking import NoAnswer, ask
from fieldvisit.planning.failures import PlanFailure
from fieldvisit.planning.forming import is_forming_due, request_forming
from fieldvisit.planning.jobs import CHOOSING_S, form_crews, solve_plan
from fieldvisit.planning.tools import Tools
from fieldvisit.planning.weeks import ClaimedWeek, accept_days, claim_week, end_week, fail_week, next_dates

log = structlog.get_logger(__name__)


async def plan_week(tools: Tools, org_id: uuid.UUID, week_id: uuid.UUID) -> None:
    """Plan every day that has no plan yet. What the database did not cut short ends the week, and the week says so."""
    try:
        await _plan_days(tools, org_id, week_id)
    except Exception as error:
        if was_cut_short(error):
            raise
        log.exception("week_failed", week_id=str(week_id))
        with acting_for(tools.sessions, org_id) as session:
            fail_week(session, week_id, PlanFailure.WORKER_FAILED, says="", now=tools.clock())


async def _plan_days(tools: Tools, org_id: uuid.UUID, week_id: uuid.UUID) -> None:
    while dates := await asyncio.to_thread(_next_dates, tools, org_id, week_id):
        for on in dates:
            if await asyncio.to_thread(_to_form, tools, org_id, on):
                await form_crews(tools, org_id, on)
        if not await _plan_first(tools, org_id, week_id, dates):
            return
    with acting_for(tools.sessions, org_id) as session:
        end_week(session, week_id, now=tools.clock())
    log.info("week_planned", week_id=str(week_id))


async def _plan_first(tools: Tools, org_id: uuid.UUID, week_id: uuid.UUID, dates: list[dt.date]) -> bool:
    """Choose for all of these days, and plan the first; False where the week goes no further here."""

    def claim() -> ClaimedWeek:
        with acting_for(tools.sessions, org_id) as session:
            return claim_week(session, week_id, dates, tools.clock())

    claimed = await asyncio.to_thread(claim)
    try:
        answer = await ask(
            "week", claimed.question.document, seconds=CHOOSING_S, memory_mb=tools.settings.solve_memory_mb
        )
    except NoAnswer as error:
        with acting_for(tools.sessions, org_id) as session:
            fail_week(session, week_id, error.failure, says=str(error), now=tools.clock())
        return False
    with acting_for(tools.sessions, org_id) as session:
        plan_id = accept_days(session, claimed, answer)
    if plan_id is None:
        return False
    log.info("days_chosen", week_id=str(week_id), day=str(dates[0]), later=len(answer["later"]))
    await solve_plan(tools, org_id, plan_id)
    return True


def _next_dates(tools: Tools, org_id: uuid.UUID, week_id: uuid.UUID) -> list[dt.date]:
    with acting_for(tools.sessions, org_id) as session:
        return next_dates(session, week_id)


def _to_form(tools: Tools, org_id: uuid.UUID, on: dt.date) -> bool:
    with acting_for(tools.sessions, org_id) as session:
        due = is_forming_due(session, org_id, on)
        if due:
            request_forming(session, org_id, on, now=tools.clock())
        return due
