"""`fieldvisit watch`."""

import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import asdict
from threading import Event, Thread

import click
import sqlalchemy as sa
import structlog
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from api.commands.context import Context
from api.commands.sender import SendingProcess, gives_signs, obey
from api.commands.spoken import Spoken
from api.logs import configure_logs
from fieldvisit.apart import LeftUndone
from fieldvisit.database import acting_for_all, app_engine, plain_url, refuse_unsafe, session_factory
from fieldvisit.outgoing.gateways import Channels, get_ready
from fieldvisit.safety.alive import UNSENT_S, unsent_s_as, unsent_s_on
from fieldvisit.safety.beats import OUTAGE_S, keep_up
from fieldvisit.safety.engine import RETRY_S, Fired, watch_once
from fieldvisit.safety.engine import watch as watch_until
from fieldvisit.safety.hints import Hint, listen
from fieldvisit.safety.pace import PACE
from fieldvisit.safety.sending import Sender, run_alone, run_sender
from fieldvisit.vocabulary import AlarmChannel

# A connection that has died without a word must be noticed in seconds, not in the hours that TCP takes by itself.
IMPATIENT = {
    "connect_timeout": "3",
    "keepalives_idle": "3",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}

NOT_BEATING = 1
FEWEST_PROVIDERS = 2
BEHIND = 5
"""The priority of the process that sends, as `nice` counts it."""
# For each channel one that claims and one that writes down; the process that raises needs fewer.
CONNECTIONS = 1 + 2 * len(AlarmChannel)

log = structlog.get_logger("fieldvisit.watch")


@click.command(cls=Spoken)
@click.option("--once", is_flag=True, help="One turn, its figures as JSON, then end.")
@click.option("--check", is_flag=True, help="Only see whether an engine of this host, or of this name, is at its work.")
@click.option("--name", default=None, help="What this engine is called in its beats; host and process otherwise.")
@click.option("--only", type=click.Choice(["send"]), help="Only call people; raise nothing. What the child does.")
@click.option(
    "--until", type=int, nargs=2, hidden=True, help="Pipes: end with the first; say that you live by the other."
)
@click.pass_obj
def watch(
    context: Context, *, once: bool, check: bool, name: str | None, only: str | None, until: tuple[int, int] | None
) -> None:
    """Raise the alarm for visitors who do not report back, and call people, until told to stop (SIGTERM).

    Looks at least once a second. Run two or more, on different machines: each deadline is decided by one of them, and
    one that dies is not missed. A database that is away is waited for. People are called by a process of its own, which
    this one starts, and starts again should it end. Figures of a turn: `raised` alerts, `lost` contacts that were only
    marked, `climbed` alerts nobody had answered, `failed` rows to be tried again, `reminded` sessions whose visitors
    were reminded of a deadline, `sent` attempts to reach somebody.

    \b
      fieldvisit watch
      fieldvisit watch --once          exit 0; 1 where a row failed; 75 where the database is away
      fieldvisit watch --check         exit 0 where a turn was finished lately and what is due was sent, 1 otherwise
    """
    if check:
        sys.exit(_checked(context, name))
    configure_logs(context.settings.log_level)
    called = name or f"{socket.gethostname()}-{os.getpid()}"
    if once:
        fired = _one_turn(context, _sessions(context), called)
        click.echo(json.dumps(asdict(fired)))
        sys.exit(1 if fired.failed else 0)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    (_send_until_told if only else _raise_until_told)(context, called, stop, until)


def _checked(context: Context, name: str | None) -> int:
    engine = _engine(context)
    try:
        with acting_for_all(session_factory(engine)) as session:
            unsent_s = unsent_s_as(session, name) if name else unsent_s_on(session, socket.gethostname())
    finally:
        engine.dispose()
    if unsent_s is None:
        click.echo(context.say("No engine has finished a turn here within {seconds} s.", seconds=OUTAGE_S), err=True)
        return NOT_BEATING
    if unsent_s > UNSENT_S:
        said = context.say(
            "A message of an alarm has been due for {seconds} s, and is not sent.", seconds=int(unsent_s)
        )
        click.echo(said, err=True)
        return NOT_BEATING
    return 0


def _one_turn(context: Context, sessions: sessionmaker[Session], name: str) -> Fired:
    undone = Fired()
    try:
        keep_up(sessions)
    except LeftUndone as error:
        # In the log, each. Whoever does not come back is looked for all the same.
        log.error("upkeep_failed", engine=name, error=str(error))
        undone = Fired(failed=1)
    return undone + watch_once(sessions, name=name) + Fired(sent=_sender(context, sessions).send_due())


def _sender(context: Context, sessions: sessionmaker[Session]) -> Sender:
    providers = context.settings.alarm_providers
    for channel in AlarmChannel:
        if len([each for each in providers if each.channel is channel]) < FEWEST_PROVIDERS:
            log.warning("fewer_than_two_providers", channel=channel.value)
    get_ready(providers)
    return Sender(sessions, Channels.of(providers, PACE.timeout_s, mail_s=PACE.mail_s))


def _raise_until_told(context: Context, name: str, stop: Event, _until: tuple[int, int] | None) -> None:
    sessions = _sessions_when_there(context, stop)
    if sessions is not None:
        log.info("watch_started", engine=name)
        hint = SendingProcess(["--only", "send", "--name", name])
        Thread(target=listen, args=(plain_url(context.urls.app), hint, stop), name="listen", daemon=True).start()
        watch_until(sessions, stop, name=name, hint=hint)
        hint.close()
    log.info("watch_stopped", engine=name)


def _send_until_told(context: Context, name: str, stop: Event, until: tuple[int, int] | None) -> None:
    hint = Hint()
    alive: Callable[[AlarmChannel], None] = run_alone
    if until is not None:
        # Raising alarms goes first, where there is too much to do for both: what is not raised is not sent either.
        os.nice(BEHIND)
        Thread(target=obey, args=(until[0], hint, stop), name="obey", daemon=True).start()
        alive = gives_signs(until[1])
    sessions = _sessions_when_there(context, stop, alive)
    if sessions is not None:
        log.info("sender_started", engine=name)
        run_sender(_sender(context, sessions), stop, hint, alive=alive)()
    log.info("sender_stopped", engine=name)


def _sessions_when_there(
    context: Context, stop: Event, alive: Callable[[AlarmChannel], None] = run_alone
) -> sessionmaker[Session] | None:
    """Sessions on a database that may be used; waits for one that is away, and gives None when told to stop first."""
    while not stop.is_set():
        for channel in AlarmChannel:
            alive(channel)
        try:
            return _sessions(context)
        except OperationalError as error:
            log.error("database_unavailable", error=type(error.orig).__name__)
            stop.wait(RETRY_S)
    return None


def _sessions(context: Context) -> sessionmaker[Session]:
    return session_factory(_engine(context))


def _engine(context: Context) -> sa.Engine:
    url = make_url(context.urls.app).update_query_dict(IMPATIENT)
    engine: sa.Engine = app_engine(url.render_as_string(hide_password=False), context.settings, pool_size=CONNECTIONS)
    refuse_unsafe(engine, context.settings)
    return engine
