"""`fieldvisit demo`."""

import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

import click
from rich.console import Console

from api.commands.context import Context
from api.commands.spoken import Spoken
from fieldvisit.demo.screen import Screen
from fieldvisit.demo.story import make_stage, play
from fieldvisit.errors import FieldVisitError, Kind


class DemoRefused(FieldVisitError):
    """The demo's shifted clock, drill timers and embedded server have no place beside real people."""

    code, kind = "demo_refused", Kind.FORBIDDEN
    says = "ENVIRONMENT is production: the demo does not run here."


def _interrupt(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


@click.command(cls=Spoken)
@click.option("--once", is_flag=True, help="End when the story is told, instead of staying.")
@click.option("--port", default=8000, show_default=True, help="Where the server listens; a free port if it is taken.")
@click.pass_obj
def demo(context: Context, once: bool, port: int) -> None:
    """Run a made-up field day in the real streets of Helsinki, end to end.

    Every run begins the day again, in the data folder (DATA_FOLDER, .data otherwise), on a PostgreSQL of its own with a
    clock of its own: it touches nothing else, whatever DATABASE_URL says. Server, worker and watcher stay until Ctrl-C.
    """
    if os.environ.get("ENVIRONMENT") == "production":
        raise DemoRefused()
    # Ended from outside, it still stops what it has started.
    signal.signal(signal.SIGTERM, _interrupt)
    folder = Path(os.environ.get("DATA_FOLDER") or ".data/demo").absolute()
    stage = make_stage(folder, port, [sys.executable, "-m", "api"])
    screen = Screen(Console(), context.language)
    try:
        play(stage, screen, once=once)
    except KeyboardInterrupt:
        screen.tell("Stopping server, worker and watcher.")
