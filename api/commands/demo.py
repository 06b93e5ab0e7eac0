"""`fieldvisit demo`."""

import os
import signal
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
from rich.console import Console

from api.commands.context import Context
from api.commands.spoken import SpokenGroup
from fieldvisit.demo.screen import Screen
from fieldvisit.errors import FieldVisitError, Kind

if TYPE_CHECKING:
    from fieldvisit.demo.story import Stage


class DemoRefused(FieldVisitError):
    """The demo's shifted clock, drill timers and embedded server have no place beside real people."""

    code, kind = "demo_refused", Kind.FORBIDDEN
    says = "ENVIRONMENT is production: the demo does not run here."


class ClientMissing(FieldVisitError):
    """Every phone of the demo speaks through the typed client, which is generated where it is used."""

    code, kind = "client_missing", Kind.UNAVAILABLE
    says = "The typed client of the phone's API is not installed: `make client` generates it."


def _interrupt(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


@click.group(cls=SpokenGroup, invoke_without_command=True)
@click.option("--once", is_flag=True, help="End when the story is told, instead of staying.")
@click.option("--port", default=8000, show_default=True, help="Where the server listens; a free port if it is taken.")
@click.pass_context
def demo(ctx: click.Context, once: bool, port: int) -> None:
    """Run a made-up field day in the real streets of Helsinki, end to end.

    Every run begins the day again, in the data folder (DATA_FOLDER, .data otherwise), on a PostgreSQL of its own with a
    clock of its own: it touches nothing else, whatever DATABASE_URL says. Server, worker and watcher stay until Ctrl-C.
    """
    if ctx.invoked_subcommand is not None:
        return
    story = _with_client("fieldvisit.demo.story")
    stage, screen = _set("demo", port), Screen(Console(), ctx.obj.language)
    try:
        story.play(stage, screen, once=once)
    except KeyboardInterrupt:
        screen.tell("Stopping server, worker and watcher.")


@demo.command("fleet")
@click.option("--phones", default=300, show_default=True, type=click.IntRange(1, 999), help="How many phones.")
@click.option(
    "--at-once", default=24, show_default=True, type=click.IntRange(1, 300), help="How many have signal at once."
)
@click.option("--visits", default=4, show_default=True, type=click.IntRange(1, 16), help="Visits for each crew.")
@click.option("--revoked", default=3, show_default=True, help="So many phones the office takes back at work.")
@click.option("--seed", default=1, show_default=True, help="The same seed is the same day.")
@click.option("--lost-requests", default=0.10, show_default=True, help="The share of requests that never arrive.")
@click.option("--lost-answers", default=0.15, show_default=True, help="The share of answers that never come back.")
@click.option("--port", default=8001, show_default=True, help="Where the server listens; a free port if it is taken.")
@click.pass_obj
def fleet(context: Context, /, lost_requests: float, lost_answers: float, port: int, **numbers: int) -> None:
    """Let a fleet of phones live through a day with a bad connection, and compare what the server holds.

    It speaks through the typed client, over real HTTP. It ends by itself: with 1 where anything was lost or doubled.

    \b
      make client && fieldvisit demo fleet --phones 300
    """
    story = _with_client("fieldvisit.demo.fleet.story")
    weather = import_module("fieldvisit.demo.fleet.line").Weather(request_lost=lost_requests, answer_lost=lost_answers)
    stage, screen = _set("fleet", port), Screen(Console(), context.language)
    if not story.play(stage, screen, story.Fleet(weather=weather, **numbers)):
        sys.exit(1)


def _with_client(name: str) -> Any:
    """A module that the phones of the demo are in. Raises ClientMissing where they have nothing to speak through."""
    if find_spec("fieldvisit_client") is None:
        raise ClientMissing()
    return import_module(name)


def _set(name: str, port: int) -> "Stage":
    """Where it plays: an own folder, on a port that is free. Raises DemoRefused beside real people."""
    if os.environ.get("ENVIRONMENT") == "production":
        raise DemoRefused()
    # Ended from outside, it still stops what it has started.
    signal.signal(signal.SIGTERM, _interrupt)
    folder = Path(os.environ.get("DATA_FOLDER") or f".data/{name}").absolute()
    stage: Stage = import_module("fieldvisit.demo.story").make_stage(folder, port, [sys.executable, "-m", "api"])
    return stage
