"""`fieldvisit week`."""

import datetime as dt
import time
import uuid

import click
import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from api.commands.context import Context
from api.commands.spoken import SpokenGroup
from fieldvisit.database import acting_for
from fieldvisit.errors import NotFound
from fieldvisit.languages import Message, say
from fieldvisit.listing import table
from fieldvisit.models import Area
from fieldvisit.planning import weeks
from fieldvisit.planning.jobs import enqueue_week
from fieldvisit.planning.week_words import WeekOfPlans, week_of_plans
from fieldvisit.vocabulary import WeekState

POLL_S = 0.5
HEADS = (Message("Day"), Message("State"), Message("Visits"), Message("Plan"))
WAITS = Message("{reference}, due by {last}, waits: {reason}.")
organisation = click.option("--organisation", "code", required=True, metavar="CODE", help="Whose plan it is.")


@click.group(cls=SpokenGroup)
def week() -> None:
    """Plan several days of an area together.

    \b
      fieldvisit week make --organisation pohjola-field --area centre --from 2026-03-02 --days 5
      fieldvisit week show WEEK --organisation pohjola-field
    """


@week.command()
@organisation
@click.option("--area", required=True, metavar="CODE", help="The area to plan.")
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The first day.")
@click.option("--days", type=click.IntRange(1, 31), default=5, show_default=True, help="How many days.")
@click.option("--seconds", type=click.IntRange(1, 3600), help="How long to search for each day; SOLVE_S otherwise.")
@click.option("--no-wait", is_flag=True, help="Ask for the plans and end; a worker makes them.")
@click.pass_obj
def make(
    context: Context, code: str, area: str, first: dt.datetime, *, days: int, seconds: int | None, no_wait: bool
) -> None:
    """Ask for the plans of several days and wait until a worker (`fieldvisit worker`) has made them.

    Ends with 0 and the week's id, or with 1 where it could not be planned, and says why.
    """
    org_id = context.organisation(code)
    with acting_for(context.sessions, org_id) as session:
        area_id = session.scalar(sa.select(Area.id).where(Area.org_id == org_id, Area.code == area))
        if area_id is None:
            raise NotFound(what="area", id=area)
        request = weeks.WeekRequest(
            area_id=area_id, first_on=first.date(), days=days, seconds=seconds or context.settings.solve_s
        )
        made = weeks.request_week(session, org_id, request, now=context.clock())
        enqueue_week(session, org_id, made.id)
        week_id = made.id
    if not no_wait:
        _wait(context, org_id, week_id)
    click.echo(week_id)


@week.command()
@click.argument("week_id", type=click.UUID)
@organisation
@click.pass_obj
def show(context: Context, week_id: uuid.UUID, code: str) -> None:
    """Show the days of a week with their plans, and which visits have no day and why."""
    with acting_for(context.sessions, context.organisation(code)) as session:
        found = week_of_plans(session, week_id)
        table, lines = _table(found, context.language), _lines(found)
    Console().print(table)
    for line in lines:
        click.echo(say(line, context.language))


def _wait(context: Context, org_id: uuid.UUID, week_id: uuid.UUID) -> None:
    while True:
        with acting_for(context.sessions, org_id) as session:
            found = week_of_plans(session, week_id)
            state, failure = found.week.state, found.failure
        if state in (WeekState.PLANNED, WeekState.FAILED):
            break
        time.sleep(POLL_S)
    if failure is not None:
        raise click.ClickException(say(failure, context.language))


def _table(found: WeekOfPlans, language: str) -> Table:
    listed = table(HEADS, language)
    for plan in found.plans:
        listed.add_row(str(plan.planned_on), say(plan.state, language), str(found.stops.get(plan.id, 0)), str(plan.id))
    return listed


def _lines(found: WeekOfPlans) -> list[Message]:
    lines = [
        Message(
            WAITS.text, {"reference": visit.reference, "last": visit.last_on.isoformat(), "reason": found.why(visit)}
        )
        for visit in found.waiting
    ]
    return lines if found.failure is None else [*lines, found.failure]
