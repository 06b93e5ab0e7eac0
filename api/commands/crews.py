"""`fieldvisit crews`."""

import asyncio
import datetime as dt

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session

from api.commands.context import Context
from api.commands.spoken import SpokenGroup
from fieldvisit.database import acting_for
from fieldvisit.errors import InvalidValue
from fieldvisit.languages import Message, say
from fieldvisit.listing import table
from fieldvisit.people import get_visitor
from fieldvisit.planning import forming
from fieldvisit.planning.forming import CrewDraft, NamedCrews
from fieldvisit.planning.forming_words import CrewsOfDay, crews_of_day, undone_words
from fieldvisit.planning.jobs import form_crews
from fieldvisit.planning.tools import Tools

HEADS = (Message("Crew"), Message("Named by"), Message("Members"))
AT_HOME = Message("{number} rides in no crew: {reason}.")
UNKNOWN = Message("nobody has placed them yet")
organisation = click.option("--organisation", "code", required=True, metavar="CODE", help="Whose crews they are.")
on_day = click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The day.")


@click.group(cls=SpokenGroup)
def crews() -> None:
    """Who rides with whom: have crews proposed, look at them, keep or change them.

    \b
      fieldvisit crews propose --organisation pohjola-field --on 2026-03-03
      fieldvisit crews name --organisation pohjola-field --on 2026-03-03 N1=V-03,V-07
      fieldvisit crews keep --organisation pohjola-field --on 2026-03-03
    """


@crews.command()
@organisation
@on_day
@click.pass_obj
def propose(context: Context, code: str, day: dt.datetime) -> None:
    """Form crews of those whose crew neither the shift file nor a dispatcher has named, and show them."""
    org_id = context.organisation(code)
    with acting_for(context.sessions, org_id) as session:
        forming.request_forming(session, org_id, day.date(), now=context.clock())
    tools = Tools(settings=context.settings, sessions=context.sessions, clock=context.clock)
    asyncio.run(form_crews(tools, org_id, day.date()))
    _show(context, code, day.date())


@crews.command()
@organisation
@on_day
@click.pass_obj
def show(context: Context, code: str, day: dt.datetime) -> None:
    """Show the crews of a day, and why others ride in none."""
    _show(context, code, day.date())


@crews.command()
@organisation
@on_day
@click.pass_obj
def keep(context: Context, code: str, day: dt.datetime) -> None:
    """Keep the proposal: no later one changes these crews."""
    org_id = context.organisation(code)
    with acting_for(context.sessions, org_id) as session:
        forming.keep_proposal(session, org_id, day.date())
    _show(context, code, day.date())


@crews.command()
@organisation
@on_day
@click.argument("named", nargs=-1, required=True, metavar="CREW=VISITOR,...")
@click.pass_obj
def name(context: Context, code: str, day: dt.datetime, named: tuple[str, ...]) -> None:
    """Name crews oneself: a code and its visitors by their external ids, the lead first."""
    org_id = context.organisation(code)
    with acting_for(context.sessions, org_id) as session:
        drafts = tuple(_draft(session, one) for one in named)
        forming.name_crews(session, org_id, NamedCrews(works_on=day.date(), crews=drafts))
    _show(context, code, day.date())


def _draft(session: Session, named: str) -> CrewDraft:
    crew, given, members = named.partition("=")
    if not given or not crew:
        raise InvalidValue(path=named, reason="must be like N1=V-03,V-07")
    ids = tuple(get_visitor(session, one.strip()).id for one in members.split(","))
    return CrewDraft(code=crew, visitor_ids=ids)


def _show(context: Context, code: str, on: dt.date) -> None:
    org_id = context.organisation(code)
    with acting_for(context.sessions, org_id) as session:
        day = crews_of_day(session, org_id, on)
        Console().print(_table(day, context.language))
        lines = [_at_home(shift.visitor.staff_number, words) for shift, words in day.home]
        lines += [undone_words(left) for left in day.undone]
        lines += [day.failure] if day.failure else []
    for line in lines:
        click.echo(say(line, context.language))


def _table(day: CrewsOfDay, language: str) -> Table:
    listed = table(HEADS, language, title=str(day.works_on))
    for members in day.crews:
        by = members[0].crew_by
        numbers = ", ".join(shift.visitor.staff_number for shift in members)
        listed.add_row(members[0].crew_code, say(by, language) if by else "", numbers)
    return listed


def _at_home(number: str, words: Message | None) -> Message:
    return Message(AT_HOME.text, {"number": number, "reason": words or UNKNOWN})
