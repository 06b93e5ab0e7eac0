"""`fieldvisit serve`."""

import dataclasses
import gc
import logging
import os
import shutil
import sys
import threading
from pathlib import Path
from typing import Any

import click
import structlog
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger as GunicornLogger
from sqlalchemy.exc import OperationalError

from api.app import Siblings, create_app, load_resources
from api.commands.context import Context
from api.commands.spoken import Spoken
from api.huge_pages import gather_memory
from api.lanes import Lane, LanedThreads
from api.logs import configure_logs
from api.metrics import forget_process, share_numbers
from api.open_files import connections_within, raise_limit
from api.ready_threads import HAS_EPOLL
from api.shared import Counts, Places
from fieldvisit.files import FileStore, FileStoreRefused, FilesUnavailable
from fieldvisit.settings import Settings

STOP_S = 20
"""How long a running request may still take when the server is told to stop."""
KEPT_S = 5
"""So long a connection is kept on which nobody says anything."""
BEHIND_CALLS = 5
"""The priority of a process that answers everything but calls for help, as `nice` counts it."""
FEWEST_THREADS = 4
"""Of one process: fewer would leave no room for streams beside requests."""

log = structlog.get_logger("fieldvisit.serve")


@click.command(cls=Spoken)
@click.option("--host", help="Where to listen; HOST otherwise.")
@click.option("--port", type=click.IntRange(1, 65535), help="PORT otherwise.")
@click.pass_obj
def serve(context: Context, host: str | None, port: int | None) -> None:
    """Answer the API, until told to stop (SIGTERM): running requests are finished first. PROCESSES says in how many
    processes.

    Refuses a database that must not be served: a role above row-level security, or a schema that is behind. Where the
    database does not answer yet, the server starts all the same, answers 503 and recovers by itself. So it is with
    the store of the files: keys that it does not take end the start, one that is away does not.

    \b
      curl http://127.0.0.1:8000/health/ready
      open http://127.0.0.1:8000/docs
    """
    settings = context.settings
    configure_logs(settings.log_level)
    try:
        context.engine.dispose()
    except OperationalError:
        log.warning("database_away", consequence="answering 503 until it is there")
    Server(settings, bind=f"{host or settings.host}:{port or settings.port}").run()


class JoinedLogger(GunicornLogger):
    """Gunicorn's own words go the way of ours, as JSON, instead of replacing the handlers of `configure_logs`."""

    def setup(self, cfg: Any) -> None:
        self.error_log.setLevel(logging.INFO)
        self.error_log.propagate = True

    def exception(self, msg: object, *args: object, **kwargs: Any) -> None:
        if isinstance(sys.exc_info()[1], BlockingIOError | TimeoutError):
            # An ordinary event: the signal was lost in the middle of a request.
            self.debug("a caller went silent")
        else:
            super().exception(msg, *args, **kwargs)


class Server(BaseApplication):
    """Gunicorn with a few processes of many threads each: streams and waiting cost a thread, work costs a processor.
    Beside them one for calls for help alone (`api.lanes`)."""

    def __init__(self, settings: Settings, *, bind: str) -> None:
        processes = settings.processes
        # Connections to the database are as many as threads in all, however many processes share them.
        threads = max(FEWEST_THREADS, -(-settings.threads // processes))
        self._settings = dataclasses.replace(settings, threads=threads)
        self._bind = bind
        # Nothing is ever written into it. Its end, when the process that listens is no more, is the sign.
        self._lifeline = os.pipe()
        # The last of them takes calls for help and nothing else.
        self._workers = processes + HAS_EPOLL
        self.places = Places(self._workers)
        self.silence_s = settings.silence_s
        self.lane = Lane(place=processes)
        self._counts = Counts()
        self._numbers: Path | None = None
        super().__init__()

    def load_config(self) -> None:
        values: dict[str, Any] = {
            "bind": [self._bind],
            # What epoll does for them other systems than Linux do not have; there gunicorn's own way is taken.
            "worker_class": LanedThreads if HAS_EPOLL else "gthread",
            "workers": self._workers,
            "threads": self._settings.threads,
            "worker_connections": connections_within(raise_limit(), threads=self._settings.threads),
            "keepalive": KEPT_S,
            "graceful_timeout": STOP_S,
            # Without this it writes a socket into the home folder.
            "control_socket_disable": True,
            "proc_name": "fieldvisit",
            "errorlog": "-",
            "accesslog": None,
            "logger_class": JoinedLogger,
            "pre_fork": self._give_place,
            "post_fork": self._begin,
            "child_exit": self._take_place_back,
            "on_exit": self._clear_away,
        }
        for name, value in values.items():
            self.cfg.set(name, value)

    def run(self) -> None:
        self._numbers = share_numbers()
        load_resources()
        # What is there by now stays where it is, and stays shared.
        gc.collect()
        gc.freeze()
        super().run()

    def load(self) -> Any:
        if self._settings.file_store is not None:
            # Here and not before the fork, which no store survives that was used.
            _prove_store(self._settings)
        assert self._numbers is not None
        app = create_app(self._settings, Siblings(counts=self._counts, numbers=self._numbers))
        # Beside the first requests: it takes half a second, and nobody needs to wait for it.
        threading.Thread(target=gather_memory, name="gather", daemon=True).start()
        return app

    def _give_place(self, arbiter: Any, worker: Any) -> None:
        taken = [other.place for other in arbiter.WORKERS.values()]
        # While old processes end beside the new ones, two may have the same.
        worker.place = min(range(self._workers), key=lambda place: (taken.count(place), place))

    def _take_place_back(self, arbiter: Any, worker: Any) -> None:
        if worker.place not in {other.place for other in arbiter.WORKERS.values()}:
            self.places.leave(worker.place)
            if worker.place == self.lane.place:
                self.lane.leave()
        if self._numbers is not None:
            forget_process(self._numbers, worker.pid)

    def _clear_away(self, arbiter: Any) -> None:
        if self._numbers is not None:
            shutil.rmtree(self._numbers, ignore_errors=True)

    def _begin(self, arbiter: Any, worker: Any) -> None:
        """Let the process that begins to answer end at once with the one that listens: by itself it would hold the port
        for as long as anybody keeps a connection open, and whoever starts the server again would find it taken. And
        let it stand behind the one for calls, and behind who watches, wherever there are too few processors for all."""
        if HAS_EPOLL and worker.place != self.lane.place:
            os.nice(BEHIND_CALLS)
        reading, writing = self._lifeline
        os.close(writing)
        threading.Thread(target=_end_after, args=(reading,), daemon=True).start()


def _prove_store(settings: Settings) -> None:
    try:
        FileStore(settings).prove()
    except FilesUnavailable:
        log.warning("file_store_away", consequence="whoever sends a file is answered 503 until it is there")
    except FileStoreRefused as error:
        log.error("file_store_refused", reason=str(error))
        sys.exit(Arbiter.APP_LOAD_ERROR)


def _end_after(reading: int) -> None:
    os.read(reading, 1)
    os._exit(1)
