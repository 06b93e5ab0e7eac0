"""`fieldvisit auditor`."""

import json
import signal
import sys
from dataclasses import asdict
from threading import Event

import click
import psycopg

from api.commands.context import Context
from api.commands.spoken import Spoken
from api.logs import configure_logs
from fieldvisit.database import plain_url
from fieldvisit.safety import auditing
from fieldvisit.safety.chains import altered


@click.command(cls=Spoken)
@click.option("--once", is_flag=True, help="One audit, what does not hold as JSON, then end.")
@click.option("--chains", is_flag=True, help="Verify the record of every session there is, then end.")
@click.pass_obj
def auditor(context: Context, *, once: bool, chains: bool) -> None:
    """Watch the watcher: ask each half minute whether every invariant holds, until told to stop (SIGTERM).

    Only when all of them hold is DEAD_MAN_URL called: the service behind it has to raise an alarm when the calls stop.
    Run it on another machine than the watchers.

    \b
      fieldvisit auditor
      fieldvisit auditor --once        exit 0 where all holds, 1 otherwise
      fieldvisit auditor --chains      exit 0 where no record was altered, 1 otherwise
    """
    url = plain_url(context.urls.app)
    configure_logs(context.settings.log_level)
    if chains:
        sys.exit(_verify(url))
    if once:
        violations = auditing.once(url, context.settings.dead_man_url)
        click.echo(json.dumps([asdict(each) for each in violations]))
        sys.exit(1 if violations else 0)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    auditing.run(url, context.settings.dead_man_url, stop)


def _verify(url: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("select set_config('app.sees_all', 'on', false)")
        found = altered(connection, everything=True)
    for _, session_id, sequence in found:
        click.echo(json.dumps({"session_id": str(session_id), "first_altered": sequence}))
    return 1 if found else 0
