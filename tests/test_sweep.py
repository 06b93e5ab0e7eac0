"""What becomes of the jobs of a worker that was killed, in the queue itself."""

import asyncio

import procrastinate
import pytest
import sqlalchemy as sa

from fieldvisit.database import Urls, plain_url
from fieldvisit.planning.jobs import FAILED_KEPT_H, forget_failed, sweep_stalled

BEGUN = """insert into procrastinate_jobs (queue_name, task_name, lock, queueing_lock, status, args)
           values ('notices', 'send_notices', :name, :name, 'doing', '{}')"""
"""By a worker of which nothing is left."""


@pytest.mark.parametrize("next_one_waits", [False, True])
def test_a_turn_that_a_killed_worker_has_begun_holds_up_no_other(urls: Urls, next_one_waits: bool) -> None:
    owner = sa.create_engine(urls.owner, poolclass=sa.NullPool)
    with owner.begin() as connection:
        connection.execute(sa.text(BEGUN), {"name": "send_notices"})
        if next_one_waits:
            connection.execute(sa.text(BEGUN.replace("doing", "todo")), {"name": "send_notices"})
    assert asyncio.run(_swept_and_taken_up(plain_url(urls.app))) == (1, ["send_notices", None])


async def _swept_and_taken_up(conninfo: str) -> tuple[int, list[str | None]]:
    """How many jobs the sweep took over, and what two free hands find to do then."""
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=conninfo))
    async with app.open_async():
        taken_over = await sweep_stalled(app)
        worker = await app.job_manager.register_worker()
        found = [await app.job_manager.fetch_job(["notices"], worker) for _ in range(2)]
    return taken_over, [job and job.task_name for job in found]


FAILED = """with job as (insert into procrastinate_jobs (queue_name, task_name, status, args)
                          values ('notices', 'send_notices', cast(:status as procrastinate_job_status), '{}')
                          returning id)
            insert into procrastinate_events (job_id, type, at)
            select id, 'failed', now() - make_interval(hours => :hours) from job"""


def test_what_failed_is_kept_for_a_week_and_not_for_ever(urls: Urls) -> None:
    owner = sa.create_engine(urls.owner, poolclass=sa.NullPool)
    with owner.begin() as connection:
        for status, hours in (
            ("failed", FAILED_KEPT_H + 1),
            ("failed", FAILED_KEPT_H - 1),
            ("todo", 2 * FAILED_KEPT_H),
        ):
            connection.execute(sa.text(FAILED), {"status": status, "hours": hours})
    asyncio.run(_forgotten(plain_url(urls.app)))
    with owner.connect() as connection:
        left = connection.execute(sa.text("select status::text from procrastinate_jobs order by id")).scalars().all()
    assert left == ["failed", "todo"]


async def _forgotten(conninfo: str) -> None:
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=conninfo))
    async with app.open_async():
        await forget_failed(app)
