"""`fieldvisit visits`."""

import click
import sqlalchemy as sa
from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session, joinedload

from api.commands.context import Context
from api.commands.spoken import SpokenGroup
from fieldvisit.database import acting_for
from fieldvisit.gate import Opened
from fieldvisit.gate import open_visits as run_gate
from fieldvisit.languages import Message, say
from fieldvisit.listing import table
from fieldvisit.models import Visit

HEADS = (Message("Reference"), Message("Case"), Message("State"), Message("Evidence"))
DONE = Message("{looked} cases looked at, {opened} visits opened, {held} wait for a point.")


@click.group(cls=SpokenGroup)
def visits() -> None:
    """The visits of an organisation."""


@visits.command("open")
@click.option("--organisation", "code", required=True, metavar="CODE", help="Who goes: the agency, or the lender.")
@click.pass_obj
def open_visits(context: Context, code: str) -> None:
    """Run the failed-contact gate: open a visit for everybody whom the phone did not reach, and for nobody else.

    Each visit is listed with the number of failed attempts that it rests on. Running it again opens nothing twice.

    \b
      fieldvisit visits open --organisation pohjola-field
    """
    org_id = context.organisation(code)
    with acting_for(context.sessions, org_id) as session:
        opened = run_gate(session, org_id, context.clock())
        table = _table(session, opened, context.language)
    # Told only now: what is on the screen is stored.
    if table.row_count:
        Console().print(table)
    counts = {"looked": opened.looked_at, "opened": len(opened.visits), "held": len(opened.held)}
    click.echo(say(Message(DONE.text, counts), context.language))


def _table(session: Session, opened: Opened, language: str) -> Table:
    listed = table(HEADS, language)
    found = session.scalars(
        sa.select(Visit)
        .where(Visit.reference.in_((*opened.visits, *opened.held)))
        .options(joinedload(Visit.case))
        .order_by(Visit.reference)
    )
    for visit in found:
        listed.add_row(visit.reference, visit.case.external_id, say(visit.state, language), str(len(visit.evidence)))
    return listed
