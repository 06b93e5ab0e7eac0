"""`fieldvisit migrate`."""

import click

from api.commands.context import Context
from api.commands.spoken import Spoken
from fieldvisit import database, migrating


@click.command(cls=Spoken)
@click.option("--to", "revision", default="head", show_default=True, metavar="REVISION", help="base removes everything")
@click.option("--yes", is_flag=True, help="Do not ask before everything is removed.")
@click.pass_obj
def migrate(context: Context, revision: str, yes: bool) -> None:
    """Bring the database to the schema that this version needs.

    Runs as the owner of the tables (DATABASE_OWNER_URL) and makes the application's role where it may. Running it again
    changes nothing. Take a backup first; a step back (--to base) removes every table with all that is in it.
    """
    if revision == "base" and not yes:
        click.confirm(context.say("This removes every table. Go on?"), abort=True)
    migrating.migrate(context.urls, revision)
    reached = database.head_revision() if revision == "head" else revision
    click.echo(context.say("The database is at revision {revision}.", revision=reached))
