"""The jobs of `fieldvisit worker`: solving days, and the upkeep of what time passes by.

A job is enqueued in the transaction that makes it necessary. A worker may be killed at any moment: its job is found by
another worker's sweep and done again; what it had written is either whole or not there.
"""

import asyncio
import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import procrastinate
import sqlalchemy as sa
import structlog
from procrastinate import JobContext, RetryStrategy
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.clock import Clock
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.gate import open_visits
from fieldvisit.models import Organisation
from fieldvisit.planning.drafting import accept_plan
from fieldvisit.planning.judging import PlanFaulty
from fieldvisit.planning.plans import Claimed, claim_plan, fail_plan, fail_silent_plans, note_progress
from fieldvisit.planning.search import search, work_of
from fieldvisit.planning.work import Answer
from fieldvisit.settings import Settings
from fieldvisit.visits import expire_visits, return_unbegun
from routing.errors import InvalidPlan, InvalidProblem

SOLVES, UPKEEP = "solves", "upkeep"
SILENT_S = 30
"""A worker whose heartbeat (each 10 s) is older than this is taken for dead, and its jobs are done again."""

log = structlog.get_logger(__name__)

# Never opened and without a task: it only writes into the caller's own transaction.
_queue = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What the jobs work with; made once by the worker."""

    settings: Settings
    sessions: sessionmaker[Session]
    clock: Clock


def enqueue_solve(session: Session, org_id: uuid.UUID, plan_id: uuid.UUID) -> None:
    """Have a worker solve this plan; the job exists if, and only if, this transaction commits."""
    connection = session.connection().connection.driver_connection
    job = _queue.configure_task("solve", queue=SOLVES, connection=connection)
    job.defer(org_id=str(org_id), plan_id=str(plan_id))


def worker_app(conninfo: str, tools: Tools) -> procrastinate.App:
    """The app that a worker runs."""
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=conninfo))

    # What a solve can go wrong with is an answer, not an exception: an exception is a part that is away for a while.
    @app.task(name="solve", queue=SOLVES, retry=RetryStrategy(max_attempts=8, exponential_wait=2))
    async def solve(org_id: str, plan_id: str) -> None:
        await solve_plan(tools, uuid.UUID(org_id), uuid.UUID(plan_id))

    @app.periodic(cron="* * * * * */15")
    @app.task(name="sweep", queue=UPKEEP, queueing_lock="sweep", pass_context=True)
    async def sweep(context: JobContext, timestamp: int) -> None:
        await sweep_stalled(app)

    @app.periodic(cron="*/10 * * * *")
    @app.task(name="keep_up", queue=UPKEEP, queueing_lock="keep_up")
    async def keep_up(timestamp: int) -> None:
        await asyncio.to_thread(pass_time, tools)

    return app


async def sweep_stalled(app: procrastinate.App) -> int:
    """Put the jobs of workers that went silent back into the queue; how many."""
    stalled = list(await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=SILENT_S))
    for job in stalled:
        log.warning("job_taken_over", job_id=job.id, task=job.task_name)
        await app.job_manager.retry_job(job)
    return len(stalled)


async def solve_plan(tools: Tools, org_id: uuid.UUID, plan_id: uuid.UUID) -> None:
    """Claim, let go, search, look again, write."""
    claimed = await asyncio.to_thread(_claim, tools, org_id, plan_id)
    if claimed is None:
        return

    async def tell(progress: Mapping[str, Any]) -> bool:
        return await asyncio.to_thread(_note, tools, claimed, progress)

    log.info("solve_begun", plan_id=str(plan_id), visits=len(claimed.day.visits), crews=len(claimed.day.crews))
    answer = await search(work_of(claimed, tools.settings), tell)
    code = await asyncio.to_thread(_finish, tools, claimed, answer)
    log.info("solve_ended", plan_id=str(plan_id), failure=code)


def pass_time(tools: Tools) -> None:
    """For each organisation: what was not begun waits again, what waited too long expires, and the gate looks again."""
    now = tools.clock()
    with acting_for_all(tools.sessions) as session:
        zones = session.execute(sa.select(Organisation.id, Organisation.zone)).tuples().all()
    for org_id, zone in zones:
        today = now.astimezone(ZoneInfo(zone)).date()
        with acting_for(tools.sessions, org_id) as session:
            returned = return_unbegun(session, now, today)
            expired = expire_visits(session, now, today)
            fail_silent_plans(session, now)
            opened = open_visits(session, org_id, now)
        if returned or expired or opened.visits:
            log.info("time_passed", org_id=str(org_id), returned=returned, expired=expired, opened=len(opened.visits))


def _claim(tools: Tools, org_id: uuid.UUID, plan_id: uuid.UUID) -> Claimed | None:
    with acting_for(tools.sessions, org_id) as session:
        return claim_plan(session, plan_id, tools.clock())


def _note(tools: Tools, claimed: Claimed, progress: Mapping[str, Any]) -> bool:
    try:
        with acting_for(tools.sessions, claimed.org_id) as session:
            return note_progress(session, claimed, progress)
    except OperationalError:
        # Progress is a courtesy. The database may be back before the search is over.
        log.warning("progress_not_noted", plan_id=str(claimed.plan_id))
        return True


def _finish(tools: Tools, claimed: Claimed, answer: Answer) -> str | None:
    """Write the draft, or why there is none; the code of the failure."""
    now = tools.clock()
    code, says = answer.failure, answer.says
    if code is None:
        try:
            _accept(tools, claimed, answer, now)
        except PlanFaulty as error:
            code, says = error.code, str(error)
        except (InvalidProblem, InvalidPlan) as error:
            code, says = "plan_unreadable", str(error)
    if code is not None:
        with acting_for(tools.sessions, claimed.org_id) as session:
            fail_plan(session, claimed, code=code, says=says, now=now)
    return code


def _accept(tools: Tools, claimed: Claimed, answer: Answer, now: dt.datetime) -> None:
    with acting_for(tools.sessions, claimed.org_id) as session:
        accept_plan(
            session,
            claimed,
            problem=answer.problem or {},
            plan=answer.plan or {},
            travel_source=answer.travel_source or "",
            paths=answer.paths or {},
            now=now,
        )
