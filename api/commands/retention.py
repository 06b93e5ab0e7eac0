"""`fieldvisit retention`: what has to go, and what went."""

import getpass
import sys

import click
import sqlalchemy as sa
from rich.console import Console
from sqlalchemy.orm import Session, sessionmaker

from api.commands.context import Context
from api.commands.spoken import SpokenGroup
from fieldvisit.apart import Apart, LeftUndone
from fieldvisit.database import acting_for_all, owner_engine, session_factory
from fieldvisit.languages import Message
from fieldvisit.listing import table
from fieldvisit.models import Organisation, Purge, SafetySession
from fieldvisit.retention import loose, runs, watched
from fieldvisit.retention.judging import Fate

FATES = {
    Fate.DUE: Message("Has to go"),
    Fate.NOT_ASKED: Message("May go, nobody asks for it"),
    Fate.UNDER_MINIMUM: Message("Has to be kept still"),
    Fate.HELD: Message("On legal hold"),
    Fate.CONFLICT: Message("Policies contradict each other"),
    Fate.IN_USE: Message("In use"),
}


@click.group(cls=SpokenGroup)
def retention() -> None:
    """How long records are kept, and how they go."""


@retention.command("run")
@click.option("--dry-run", is_flag=True, help="Say what would go; nothing changes.")
@click.option("--organisation", metavar="CODE", help="One lender alone; otherwise everyone that owns cases.")
@click.option("--reason", default="retention", show_default=True, help="Why, for the proof.")
@click.pass_obj
def run(context: Context, dry_run: bool, organisation: str | None, reason: str) -> None:
    """Purge what the policies say has to go, case by case, and store the proof.

    Runs as the owner of the tables (DATABASE_OWNER_URL). Nothing goes that is on legal hold, in use, or under the least
    time of any policy. A run that was killed is simply started again. What cannot be purged stops nothing else: it
    is in the log, and the exit code is 1.

    \b
      fieldvisit retention run --dry-run
      fieldvisit retention run --organisation aurora-lend --reason "yearly"
    """
    engine = owner_engine(context.urls)
    try:
        touched: set[str] = set()
        owners, why, apart = session_factory(engine), None if dry_run else reason, Apart()
        for lender in _lenders(context, organisation):
            with apart.each("retention", org_id=lender.id):
                touched |= _run(context, owners, lender, reason=why, apart=apart)
        if organisation is None:
            for part in (_run_loose, _run_watched):
                with apart.each(part.__name__.removeprefix("_run_")):
                    touched |= part(context, owners, reason=why)
        _give_back_room(engine, touched)
    finally:
        engine.dispose()
    _say_what_is_undone(context, apart)


def _say_what_is_undone(context: Context, apart: Apart) -> None:
    try:
        apart.end()
    except LeftUndone as error:
        click.echo(context.say("Not everything could be purged: {what}. The log says of what.", what=error), err=True)
        sys.exit(1)


def _lenders(context: Context, code: str | None) -> list[Organisation]:
    if code is None:
        with acting_for_all(context.sessions) as session:
            return list(runs.lenders(session))
    wanted = context.organisation(code)
    with acting_for_all(context.sessions) as session:
        return [session.get_one(Organisation, wanted)]


def _run(
    context: Context, owners: sessionmaker[Session], lender: Organisation, *, reason: str | None, apart: Apart
) -> set[str]:
    """Look only, where no reason is given. The tables of which rows went."""
    tally = runs.look(owners, lender.id, today=context.clock().date())
    listed = table((Message("Record"), *FATES.values()), context.language, title=lender.name)
    for kind in sorted({kind for kind, _ in tally.fates}):
        listed.add_row(kind, *(str(tally.fates[kind, fate.value]) for fate in FATES))
    Console().print(listed)
    click.echo(context.say("SHA-256 over what has to go: {digest}", digest=tally.ids_sha256))
    if reason is None:
        return set()
    proof = runs.purge(owners, lender.id, made_by=getpass.getuser(), reason=reason, clock=context.clock, apart=apart)
    rows = sum(proof.rows.values())
    click.echo(context.say("Gone: {rows} rows. The proof is {proof_id}.", rows=rows, proof_id=proof.id))
    click.echo(context.say("SHA-256 over what went: {digest}", digest=proof.ids_sha256))
    return set(proof.rows)


def _run_loose(context: Context, owners: sessionmaker[Session], *, reason: str | None) -> set[str]:
    """The same for what belongs to no case: replaced files, and look-ups of nobody's codes."""
    found: list[tuple[loose.Loose, Purge | None]]
    if reason is None:
        with acting_for_all(owners) as session:
            found = [(each, None) for each in loose.look_for_loose(session, now=context.clock())]
    else:
        found = loose.purge_loose(owners, made_by=getpass.getuser(), reason=reason, clock=context.clock)
    for each, proof in found:
        whose = context.say("nobody") if each.org_id is None else str(each.org_id)
        for name, count in each.count.items():
            click.echo(context.say("Of no case, {whose}: {table} {count}", whose=whose, table=name, count=count))
        if proof is not None:
            click.echo(context.say("The proof is {proof_id}.", proof_id=proof.id))
    return set() if reason is None else {name for each, _ in found for name in each.count}


def _run_watched(context: Context, owners: sessionmaker[Session], *, reason: str | None) -> set[str]:
    """The same for where visitors were, and for their sessions."""
    found: list[tuple[watched.Watched, Purge | None]]
    if reason is None:
        with acting_for_all(owners) as session:
            found = [(each, None) for each in watched.look_for_watched(session, now=context.clock())]
    else:
        found = watched.purge_watched(owners, made_by=getpass.getuser(), reason=reason, clock=context.clock)
    for each, proof in found:
        for name, count in each.count.items():
            click.echo(
                context.say("Of visitors, {whose}: {what} {count}", whose=str(each.org_id), what=name, count=count)
            )
        if each.held:
            click.echo(context.say("Of visitors, {whose}: held {count}", whose=str(each.org_id), count=each.held))
        if proof is not None:
            click.echo(context.say("The proof is {proof_id}.", proof_id=proof.id))
    return {name for _, proof in found if proof is not None for name in (SafetySession.__tablename__, *proof.rows)}


def _give_back_room(engine: sa.Engine, tables: set[str]) -> None:
    """What was deleted is still in the files of the database until it is vacuumed."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        quoted = connection.dialect.identifier_preparer.quote
        for table in sorted(tables):
            connection.execute(sa.text(f"vacuum {quoted(table)}"))
