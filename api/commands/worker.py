"""`fieldvisit worker`."""

import asyncio

import click

from api.commands.context import Context
from api.logs import configure_logs
from fieldvisit.database import plain_url
from fieldvisit.planning.jobs import SOLVES, UPKEEP, Tools, sweep_stalled, worker_app


@click.command()
@click.option("--solves", default=1, show_default=True, type=click.IntRange(1, 64), help="Days solved side by side.")
@click.option("--once", is_flag=True, help="Do what waits in the queue, then end.")
@click.pass_obj
def worker(context: Context, solves: int, once: bool) -> None:
    """Do the slow work: solve the days that dispatchers ask for, and the upkeep of what time passes by.

    Run as many as you like, on as many machines as you like. One that is killed loses nothing: another takes its job
    over within a minute. SIGTERM stops a running search, and its job waits for the next worker.
    """
    configure_logs(context.settings.log_level)
    tools = Tools(settings=context.settings, sessions=context.sessions, clock=context.clock)
    asyncio.run(_work(plain_url(context.urls.app), tools, solves=solves, once=once))


async def _work(conninfo: str, tools: Tools, *, solves: int, once: bool) -> None:
    app = worker_app(conninfo, tools)
    async with app.open_async():
        await sweep_stalled(app)
        await asyncio.gather(
            _run(app, SOLVES, concurrency=solves, once=once),
            # A queue of its own: the sweep must not wait behind a solve.
            _run(app, UPKEEP, concurrency=1, once=once),
        )


async def _run(app: object, queue: str, *, concurrency: int, once: bool) -> None:
    await app.run_worker_async(  # type: ignore[attr-defined]  # an App; its module is heavy and only named here
        queues=[queue],
        concurrency=concurrency,
        wait=not once,
        shutdown_graceful_timeout=2,
        name=queue,
        listen_notify=True,
    )
