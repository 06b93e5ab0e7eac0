"""`fieldvisit canary`."""

import datetime as dt
import json
import secrets
import signal
from dataclasses import asdict
from threading import Event

import click
import structlog
from sqlalchemy.exc import DBAPIError

from api.commands.context import Context
from api.commands.spoken import Spoken
from api.logs import configure_logs
from fieldvisit.database import acting_for_all
from fieldvisit.safety.canary import EVERY_S, flights, fly, make_canary
from fieldvisit.vocabulary import AlarmChannel

RETRY_S = 5
log = structlog.get_logger("fieldvisit.canary")


@click.command(cls=Spoken)
@click.option("--set-up", is_flag=True, help="Make the canary, or give it other addresses, then end.")
@click.option("--sms", help="With --set-up: the number of the test telephone for text messages.")
@click.option("--voice", help="With --set-up: the number of the test telephone for calls.")
@click.option("--push", help="With --set-up: the token of the test telephone.")
@click.option("--mail", help="With --set-up: the test mailbox.")
@click.option("--once", is_flag=True, help="One flight, then end.")
@click.option("--report", is_flag=True, help="What became of each address in the last day as JSON lines, then end.")
@click.pass_obj
def canary(context: Context, /, *, set_up: bool, once: bool, report: bool, **addresses: str | None) -> None:
    """Let a session of nobody miss its check-in every five minutes, until told to stop (SIGTERM).

    Its alarm has to reach a test telephone and a test mailbox like any other; where one was not reached for six
    minutes, the auditor says which. Run one.

    \b
      fieldvisit canary --set-up --sms +358401234567 --voice +358401234567 --mail alarms@example.org
      fieldvisit canary
      fieldvisit canary --report
    """
    if set_up:
        known = {AlarmChannel(name): address for name, address in addresses.items() if address}
        if not known:
            raise click.UsageError("--set-up needs --sms, --voice, --push or --mail.")
        with acting_for_all(context.sessions) as session:
            make_canary(session, known, password_hash=context.passwords.hash(secrets.token_hex()))
    elif report:
        with acting_for_all(context.sessions) as session:
            found = flights(session, since=dt.timedelta(days=1))
        for each in found:
            click.echo(json.dumps(asdict(each), default=str))
    else:
        configure_logs(context.settings.log_level)
        _fly_until_stopped(context, once=once)


def _fly_until_stopped(context: Context, *, once: bool) -> None:
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while not stop.is_set():
        wait_s = EVERY_S
        try:
            with acting_for_all(context.sessions) as session:
                log.info("canary_flies", session_id=str(fly(session)))
        except DBAPIError as error:
            if once:
                raise
            log.error("database_unavailable", error=type(error.orig).__name__)
            wait_s = RETRY_S
        if once:
            return
        stop.wait(wait_s)
