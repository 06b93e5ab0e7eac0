"""The jobs of `fieldvisit worker`: solving days. What it keeps up beside them is in `fieldvisit.planning.upkeep`.

A job is enqueued in the transaction that makes it necessary. A worker may be killed at any moment: its job is found by
another worker's sweep and done again; what it had written is either whole or not there.
"""

import asyncio
import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

import procrastinate
import sqlalchemy as sa
import structlog
from procrastinate import JobContext, RetryStrategy
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Status
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from fieldvisit.database import IDLE_S, acting_for, connecting, may_think, was_cut_short
from fieldvisit.models import DayPlan
from fieldvisit.notices.jobs import add_notices
from fieldvisit.planning.asking import NoAnswer, ask
from fieldvisit.planning.claiming import claim_plan
from fieldvisit.planning.drafting import Found, accept_plan
from fieldvisit.planning.elsewhere import CrewElsewhere
from fieldvisit.planning.failures import PlanFailure
from fieldvisit.planning.forming import (
    ClaimedForming,
    accept_forming,
    claim_forming,
    fail_forming,
    is_forming_due,
    request_forming,
)
from fieldvisit.planning.judging import PlanFaulty
from fieldvisit.planning.latest import DayMovedOn
from fieldvisit.planning.plans import (
    Claimed,
    fail_plan,
    give_up_plan,
    note_progress,
)
from fieldvisit.planning.relieving import add_relief
from fieldvisit.planning.repairing import accept_repair
from fieldvisit.planning.search import Tell, search, work_of
from fieldvisit.planning.tools import Tools
from fieldvisit.planning.upkeep import pass_time
from fieldvisit.planning.work import Answer
from fieldvisit.rejudgings import TASK, run_rejudging

SOLVES, UPKEEP = "solves", "upkeep"
SILENT_S = 30
"""A worker that has shown no sign of life for so long is taken for dead, and its jobs are done again."""
FAILED_KEPT_H = 7 * 24
"""What failed stays in the queue's table for so long, for whoever looks after it; and some of it fails every minute."""
MOST_ATTEMPTS = 8
"""How often a job is tried: by workers that were told to stop, that died over it, or that lost the database."""
FORMING_S = CHOOSING_S = 60
CLAIMING_S, A_VISIT_S = 300, 0.02
"""So long a worker may think between two statements: over a day that it takes up, and for each visit of a plan that it
judges before it is stored."""
MOST_SEARCHES = 3
"""How often a day is searched for when the plans of other areas take its people while the search runs."""

log = structlog.get_logger(__name__)

# Never opened and without a task: it only writes into the caller's own transaction.
_queue = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())


def enqueue_solve(session: Session, org_id: uuid.UUID, plan_id: uuid.UUID) -> None:
    """Have a worker solve this plan; the job exists if, and only if, this transaction commits."""
    connection = session.connection().connection.driver_connection
    job = _queue.configure_task("solve", queue=SOLVES, connection=connection)
    job.defer(org_id=str(org_id), plan_id=str(plan_id))


def enqueue_forming(session: Session, org_id: uuid.UUID, on: dt.date) -> None:
    """Have a worker propose the crews of this day."""
    connection = session.connection().connection.driver_connection
    job = _queue.configure_task("form_crews", queue=SOLVES, connection=connection)
    job.defer(org_id=str(org_id), works_on=on.isoformat())


def enqueue_week(session: Session, org_id: uuid.UUID, week_id: uuid.UUID) -> None:
    """Have a worker plan this week, day by day."""
    connection = session.connection().connection.driver_connection
    job = _queue.configure_task("plan_week", queue=SOLVES, connection=connection)
    job.defer(org_id=str(org_id), week_id=str(week_id))


def enqueue_help(session: Session, org_id: uuid.UUID, plan_id: uuid.UUID) -> None:
    """Call another worker to a plan in parts."""
    connection = session.connection().connection.driver_connection
    job = _queue.configure_task("help_with_parts", queue=SOLVES, connection=connection)
    job.defer(org_id=str(org_id), plan_id=str(plan_id))


def worker_app(conninfo: str, tools: Tools, *, silent_s: int = SILENT_S) -> procrastinate.App:
    """The app that a worker runs."""
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=conninfo, kwargs=connecting()))

    # What a solve can go wrong with is an answer, not an exception. What leaves as an exception was cut short, by a
    # worker told to stop or by a database that went away, and is tried again; `solve_or_give_up` sees to the rest.
    cut_short = RetryStrategy(max_attempts=MOST_ATTEMPTS, exponential_wait=2)

    @app.task(name="solve", queue=SOLVES, retry=cut_short, pass_context=True)
    async def solve(context: JobContext, org_id: str, plan_id: str) -> None:
        await solve_or_give_up(tools, uuid.UUID(org_id), uuid.UUID(plan_id), attempts=context.job.attempts)

    _add_larger_searches(app, tools, cut_short)
    add_notices(app, tools)
    add_relief(app, tools.sessions, tools.clock, enqueue_solve)

    @app.periodic(cron=f"* * * * * */{max(1, min(silent_s // 2, 30))}")
    @app.task(name="sweep", queue=UPKEEP, queueing_lock="sweep")
    async def sweep(timestamp: int) -> None:
        await sweep_stalled(app, silent_s=silent_s)

    # Its own slot of the queue is enough: a run reports its progress and may be done again from its beginning.
    @app.task(name=TASK, queue=UPKEEP, retry=cut_short)
    async def rejudge(org_id: str, rejudging_id: str) -> None:
        ids = uuid.UUID(org_id), uuid.UUID(rejudging_id)
        await asyncio.to_thread(run_rejudging, tools.sessions, tools.clock, *ids)

    @app.periodic(cron="*/10 * * * *")
    @app.task(name="keep_up", queue=UPKEEP, queueing_lock="keep_up")
    async def keep_up(timestamp: int) -> None:
        await asyncio.to_thread(pass_time, tools)

    @app.periodic(cron="5 * * * *")
    @app.task(name="forget_failed", queue=UPKEEP, queueing_lock="forget_failed")
    async def forget(timestamp: int) -> None:
        await forget_failed(app)

    return app


async def forget_failed(app: procrastinate.App, *, kept_h: int = FAILED_KEPT_H) -> None:
    """Take the jobs that ended without success so many hours ago out of the queue's table."""
    await app.job_manager.delete_old_jobs(kept_h, include_failed=True, include_cancelled=True, include_aborted=True)


def _add_larger_searches(app: procrastinate.App, tools: Tools, cut_short: RetryStrategy) -> None:
    """The crews of a day, the days of a week, and the parts of a large day."""

    @app.task(name="form_crews", queue=SOLVES, retry=cut_short)
    async def form(org_id: str, works_on: str) -> None:
        await form_crews(tools, uuid.UUID(org_id), dt.date.fromisoformat(works_on))

    @app.task(name="plan_week", queue=SOLVES, retry=cut_short)
    async def week(org_id: str, week_id: str) -> None:
        # Imported here: the job of a week is made of the jobs in this module.
        from fieldvisit.planning.week_jobs import plan_week

        await plan_week(tools, uuid.UUID(org_id), uuid.UUID(week_id))

    @app.task(name="help_with_parts", queue=SOLVES)
    async def help_out(org_id: str, plan_id: str) -> None:
        from fieldvisit.planning.split_jobs import help_with_parts

        await help_with_parts(tools, uuid.UUID(org_id), uuid.UUID(plan_id))


async def sweep_stalled(app: procrastinate.App, *, silent_s: int = SILENT_S) -> int:
    """Put the jobs of workers that went silent back into the queue; how many."""
    taken_over = 0
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=silent_s):
        try:
            try:
                await app.job_manager.retry_job(job)
            except UniqueViolation:
                # The next of its kind waits already: for the lock of this one, which nobody would ever give back.
                await app.job_manager.finish_job(job, Status.FAILED, delete_job=True)
        except ConnectorException:
            # Another worker's sweep was quicker, or the job has come to its end after all.
            continue
        log.warning("job_taken_over", job_id=job.id, task=job.task_name)
        taken_over += 1
    return taken_over


async def solve_or_give_up(tools: Tools, org_id: uuid.UUID, plan_id: uuid.UUID, *, attempts: int) -> None:
    """Solve the plan. Where nobody will try again, the plan says so: it must not seem to be in the making for ever."""
    if attempts >= MOST_ATTEMPTS:
        await asyncio.to_thread(_give_up, tools, org_id, plan_id, PlanFailure.WORKER_LOST)
        return
    try:
        await solve_plan(tools, org_id, plan_id)
    except Exception as error:
        if was_cut_short(error):
            raise
        log.exception("solve_failed", plan_id=str(plan_id))
        await asyncio.to_thread(_give_up, tools, org_id, plan_id, PlanFailure.WORKER_FAILED)


async def solve_plan(tools: Tools, org_id: uuid.UUID, plan_id: uuid.UUID) -> None:
    """Claim, let go, search, look again, write. Where another area took one of its people meanwhile: again, without."""
    for left in range(MOST_SEARCHES, 0, -1):
        if await _solve_once(tools, org_id, plan_id, last=left == 1):
            return


async def _solve_once(tools: Tools, org_id: uuid.UUID, plan_id: uuid.UUID, *, last: bool) -> bool:
    """True where that was the end of it."""
    if (on := await asyncio.to_thread(_to_form, tools, org_id, plan_id)) is not None:
        await form_crews(tools, org_id, on)
    claimed = await asyncio.to_thread(_claim, tools, org_id, plan_id)
    if claimed is None:
        return True

    async def tell(progress: Mapping[str, Any]) -> bool:
        return await asyncio.to_thread(_note, tools, claimed, progress)

    log.info("solve_begun", plan_id=str(plan_id), visits=len(claimed.day.visits), crews=len(claimed.day.crews))
    answer = await _searched(tools, claimed, tell)
    if answer.called_off:
        log.info("solve_called_off", plan_id=str(plan_id))
        return True
    try:
        failure = await asyncio.to_thread(_finish, tools, claimed, answer)
    except CrewElsewhere as error:
        log.info("crews_taken", plan_id=str(plan_id), says=str(error))
        if not last:
            return False
        failure, taken = PlanFailure.CREWS_TAKEN, Answer(failure=PlanFailure.CREWS_TAKEN, says=str(error))
        await asyncio.to_thread(_finish, tools, claimed, taken)
    log.info("solve_ended", plan_id=str(plan_id), failure=failure, says=answer.says)
    return True


async def _searched(tools: Tools, claimed: Claimed, tell: Tell) -> Answer:
    if len(claimed.day.visits) <= tools.settings.split_visits:
        return await search(work_of(claimed, tools.settings), tell)
    # Imported here: the job of a large day is made of the jobs in this module.
    from fieldvisit.planning.split_jobs import solve_in_parts

    return await solve_in_parts(tools, claimed, tell)


async def form_crews(tools: Tools, org_id: uuid.UUID, on: dt.date) -> None:
    """Propose the crews of a day: claim, let go, ask, write. What goes wrong is told by the proposal."""
    claimed = await asyncio.to_thread(_claim_forming, tools, org_id, on)
    if claimed is None:
        return
    try:
        answer = await ask(
            "crews", claimed.question.document, seconds=FORMING_S, memory_mb=tools.settings.solve_memory_mb
        )
    except NoAnswer as error:
        log.warning("crews_not_formed", on=str(on), says=str(error))
        with acting_for(tools.sessions, org_id) as session:
            fail_forming(session, claimed, error.failure, says=str(error), now=tools.clock())
        return
    with acting_for(tools.sessions, org_id) as session:
        accept_forming(session, claimed, answer, now=tools.clock())
    log.info("crews_formed", on=str(on), crews=len(answer["crews"]), home=len(answer["home"]))


def _to_form(tools: Tools, org_id: uuid.UUID, plan_id: uuid.UUID) -> dt.date | None:
    """The day of the plan where somebody works whose crew nobody has named."""
    with acting_for(tools.sessions, org_id) as session:
        on = session.scalar(sa.select(DayPlan.planned_on).where(DayPlan.id == plan_id))
        if on is None or not is_forming_due(session, org_id, on):
            return None
        request_forming(session, org_id, on, now=tools.clock())
        return on


def _claim_forming(tools: Tools, org_id: uuid.UUID, on: dt.date) -> ClaimedForming | None:
    with acting_for(tools.sessions, org_id) as session:
        return claim_forming(session, org_id, on, tools.clock())


def _claim(tools: Tools, org_id: uuid.UUID, plan_id: uuid.UUID) -> Claimed | None:
    with acting_for(tools.sessions, org_id) as session:
        # Under lock is nothing but the plan, and a day may be of any size.
        may_think(session, CLAIMING_S)
        return claim_plan(session, plan_id, tools.clock())


def _note(tools: Tools, claimed: Claimed, progress: Mapping[str, Any]) -> bool:
    try:
        with acting_for(tools.sessions, claimed.org_id) as session:
            return note_progress(session, claimed, progress)
    except DBAPIError as error:
        if not was_cut_short(error):
            raise
        # Progress is a courtesy. The database may be back before the search is over.
        log.warning("progress_not_noted", plan_id=str(claimed.plan_id))
        return True


def _finish(tools: Tools, claimed: Claimed, answer: Answer) -> PlanFailure | None:
    """Write the draft, or why there is none. Raises CrewElsewhere."""
    now = tools.clock()
    failure, says = answer.failure, answer.says
    if failure is None:
        found = Found(
            problem=answer.problem or {},
            plan=answer.plan or {},
            travel_source=answer.travel_source or "",
            paths=answer.paths or {},
            set_aside=answer.set_aside or {},
            put_in=answer.put_in or {},
        )
        try:
            with acting_for(tools.sessions, claimed.org_id) as session:
                may_think(session, IDLE_S + A_VISIT_S * len(claimed.day.visits))
                accept = accept_repair if claimed.asked else accept_plan
                accept(session, claimed, found, now=now)
        except DayMovedOn as error:
            failure, says = PlanFailure.DAY_MOVED_ON, str(error)
        except PlanFaulty as error:
            failure, says = PlanFailure.PLAN_FAULTY, str(error)
    if failure is not None:
        with acting_for(tools.sessions, claimed.org_id) as session:
            fail_plan(session, claimed, failure, says=says, now=now)
    return failure


def _give_up(tools: Tools, org_id: uuid.UUID, plan_id: uuid.UUID, failure: PlanFailure) -> None:
    with acting_for(tools.sessions, org_id) as session:
        give_up_plan(session, plan_id, failure, says="", now=tools.clock())
