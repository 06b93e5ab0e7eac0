"""`fieldvisit worker`."""

import asyncio
import signal
from collections.abc import Callable
from functools import partial

import click
import structlog
from procrastinate import App
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import DeleteJobCondition
from sqlalchemy.exc import OperationalError

from api.commands.context import Context
from api.commands.spoken import Spoken
from api.event_reading import desk_of_held
from api.logs import configure_logs
from fieldvisit.database import plain_url
from fieldvisit.notices.jobs import NOTICES
from fieldvisit.planning.jobs import SILENT_S, SOLVES, UPKEEP, sweep_stalled, worker_app
from fieldvisit.planning.tools import Tools

GRACE_S = 2
"""How long a running job may still take when the worker is told to stop; then it goes back into the queue."""
BEATS = 3
"""Signs of life before a silent worker is taken for dead: one that is late must not cost it its jobs."""
AGAIN_AFTER_S = 2

log = structlog.get_logger(__name__)


@click.command(cls=Spoken)
@click.option("--solves", default=1, show_default=True, type=click.IntRange(1, 64), help="Days solved side by side.")
@click.option(
    "--silent-s",
    default=SILENT_S,
    show_default=True,
    type=click.IntRange(3, 600),
    help="Without a sign of life for so long, another worker is taken for dead. The same for all workers.",
)
@click.option("--once", is_flag=True, help="Do what waits in the queue, then end.")
@click.pass_obj
def worker(context: Context, solves: int, silent_s: int, once: bool) -> None:
    """Do the slow work: solve the days that dispatchers ask for, send notices, and the upkeep of what time passes by.

    Run as many as you like, on as many machines as you like. One that is killed loses nothing: another takes its job
    over. A database that is away is waited for. SIGTERM stops a running search, and its job waits for the next
    worker.
    """
    configure_logs(context.settings.log_level)
    asyncio.run(_work(partial(_app, context, silent_s), solves=solves, silent_s=silent_s, once=once))


def _app(context: Context, silent_s: int) -> App:
    """The jobs, on a database that may be used; raises OperationalError where it is away."""
    tools = Tools(
        settings=context.settings,
        sessions=context.sessions,
        clock=context.clock,
        desk=partial(desk_of_held, context.settings),
    )
    return worker_app(plain_url(context.urls.app), tools, silent_s=silent_s)


async def _work(make_app: Callable[[], App], *, solves: int, silent_s: int, once: bool) -> None:
    """Run until told to stop, or with `once` until the queue is empty; over and over where the database is away."""
    told_to_stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        # Not by the library: its two workers below would take the handler from each other.
        loop.add_signal_handler(wanted, told_to_stop.set)
    while not told_to_stop.is_set():
        try:
            app = await asyncio.to_thread(make_app)
            await _serve_queues(app, told_to_stop, solves=solves, silent_s=silent_s, once=once)
        except (OperationalError, ConnectorException, OSError) as error:
            if once:
                raise
            log.warning("database_unavailable", error=type(error).__name__)
        if once:
            return
        await _pause(told_to_stop, AGAIN_AFTER_S)


async def _serve_queues(app: App, told_to_stop: asyncio.Event, *, solves: int, silent_s: int, once: bool) -> None:
    async with app.open_async():
        await sweep_stalled(app, silent_s=silent_s)
        # A queue of its own for the upkeep: the sweep must not wait behind a solve. Two slots, each of its jobs being
        # there once at most: nor behind the passing of time, which takes long in a large house.
        # And one for the notices, which wait for mail servers.
        queues = {SOLVES: solves, UPKEEP: 2, NOTICES: 1}
        running = [
            asyncio.create_task(_run(app, name, concurrency=count, silent_s=silent_s, once=once))
            for name, count in queues.items()
        ]
        # One that ends by itself has lost the database: the other must not go on alone.
        ended = asyncio.wait(running, return_when=asyncio.ALL_COMPLETED if once else asyncio.FIRST_COMPLETED)
        waiting = [asyncio.create_task(ended), asyncio.create_task(told_to_stop.wait())]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in (*waiting, *running):
            task.cancel()
        for result in await asyncio.gather(*running, return_exceptions=True):
            if isinstance(result, Exception):
                raise result


async def _run(app: App, queue: str, *, concurrency: int, silent_s: int, once: bool) -> None:
    await app.run_worker_async(
        queues=[queue],
        concurrency=concurrency,
        wait=not once,
        shutdown_graceful_timeout=GRACE_S,
        name=queue,
        # What a job was is told by its plan; the queue keeps only what failed.
        delete_jobs=DeleteJobCondition.SUCCESSFUL,
        install_signal_handlers=False,
        update_heartbeat_interval=silent_s / BEATS,
        stalled_worker_timeout=silent_s,
    )


async def _pause(told_to_stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(told_to_stop.wait(), seconds)
    except TimeoutError:
        return
