"""`fieldvisit plan`."""

import datetime as dt
import json
import time
import uuid
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import sqlalchemy as sa
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy.orm import Session

from api.commands.context import Context
from api.commands.spoken import SpokenGroup
from fieldvisit.database import acting_for
from fieldvisit.errors import InvalidValue, NotFound
from fieldvisit.languages import Message, say
from fieldvisit.models import Area, DayPlan, Organisation, Visit
from fieldvisit.planning import choosing, drawing, editing, judging, plans, publishing, repairing, telling
from fieldvisit.planning.change_tables import effects_table, options_table
from fieldvisit.planning.failures import failure_words
from fieldvisit.planning.jobs import enqueue_solve
from fieldvisit.planning.tables import route_table, stop_table, unserved_table
from fieldvisit.vocabulary import DayPlanState
from routing.options import MOST

POLL_S = 0.5
MAKING = (DayPlanState.REQUESTED, DayPlanState.SOLVING)
FAULTY = 1
DROPPED = Message("This plan was dropped before it was made.")
organisation = click.option("--organisation", "code", required=True, metavar="CODE", help="Whose plan it is.")
plan_id = click.argument("plan_id", type=click.UUID)


@click.group(cls=SpokenGroup)
def plan() -> None:
    """Plan a day, look at the plan, publish it.

    \b
      fieldvisit plan make --organisation pohjola-field --area centre --on 2026-03-03
      fieldvisit plan show PLAN --organisation pohjola-field
      fieldvisit plan publish PLAN --organisation pohjola-field
    """


@plan.command()
@organisation
@click.option("--area", required=True, metavar="CODE", help="The area to plan.")
@click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The day to plan.")
@click.option("--seconds", type=click.IntRange(1, 3600), help="How long to search; SOLVE_S otherwise.")
@click.option("--no-wait", is_flag=True, help="Ask for the plan and end; a worker makes it.")
@click.pass_obj
def make(context: Context, code: str, area: str, day: dt.datetime, *, seconds: int | None, no_wait: bool) -> None:
    """Ask for a plan and wait until a worker (`fieldvisit worker`) has made it.

    Ends with 0 and the plan's id, or with 1 where there is no plan, and says why.
    """
    org_id = context.organisation(code)
    with acting_for(context.sessions, org_id) as session:
        area_id = session.scalar(sa.select(Area.id).where(Area.org_id == org_id, Area.code == area))
        if area_id is None:
            raise NotFound(what="area", id=area)
        request = plans.PlanRequest(area_id=area_id, planned_on=day.date(), seconds=seconds or context.settings.solve_s)
        made = plans.request_plan(session, org_id, request, requested_by_id=None, now=context.clock())
        enqueue_solve(session, org_id, made.id)
    if not no_wait:
        _wait(context, org_id, made.id)
    click.echo(made.id)


@plan.command()
@plan_id
@organisation
@click.option("--stops", is_flag=True, help="Every stop of every crew too.")
@click.pass_obj
def show(context: Context, plan_id: uuid.UUID, code: str, *, stops: bool) -> None:
    """Show a plan as tables: crews, and why each other visit is left out."""
    with acting_for(context.sessions, context.organisation(code)) as session:
        view = telling.view_of(session, plan_id)
    console = Console()
    console.print(route_table(view, context.language))
    for route in view.routes if stops else ():
        console.print(stop_table(view, route, context.language))
    console.print(unserved_table(view, context.language))


@plan.command()
@plan_id
@organisation
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="An HTML file.")
@click.pass_obj
def picture(context: Context, plan_id: uuid.UUID, code: str, *, output: Path) -> None:
    """Draw a plan as one page: streets, routes, stops with their times. It needs no network to be read."""
    with acting_for(context.sessions, context.organisation(code)) as session:
        page = drawing.picture_of(session, plan_id, context.settings.map_file, language=context.language)
    output.write_text(page, encoding="utf-8")
    click.echo(output)


@plan.command()
@plan_id
@organisation
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), required=True, help="A folder.")
@click.pass_obj
def export(context: Context, plan_id: uuid.UUID, code: str, *, folder: Path) -> None:
    """Write problem.json and plan.json in the open planning format, for any judge: python -m routing check."""
    with acting_for(context.sessions, context.organisation(code)) as session:
        found = plans.get_plan(session, plan_id)
    if found.problem is None or found.plan is None:
        raise InvalidValue(path="plan", reason="has no routes yet: it is not made, or was not found")
    folder.mkdir(parents=True, exist_ok=True)
    for name, document in (("problem", found.problem), ("plan", found.plan)):
        (folder / f"{name}.json").write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
        click.echo(folder / f"{name}.json")


@plan.command()
@plan_id
@organisation
@click.pass_obj
def check(context: Context, plan_id: uuid.UUID, code: str) -> None:
    """Have the stored plan judged again by the independent checker. Ends with 1 where it finds a fault."""
    with acting_for(context.sessions, context.organisation(code)) as session:
        found = judging.faults_of(plans.get_plan(session, plan_id))
    for fault in found:
        click.echo(say(fault, context.language))
    if found:
        raise click.exceptions.Exit(FAULTY)
    click.echo(context.say("No fault found."))


@plan.command()
@plan_id
@organisation
@click.pass_obj
def publish(context: Context, plan_id: uuid.UUID, code: str) -> None:
    """Publish a draft: every stop is judged once more, then the phones show it."""
    with acting_for(context.sessions, context.organisation(code)) as session:
        published = publishing.publish_plan(session, plan_id, published_by_id=None, now=context.clock())
        version = published.version
    click.echo(context.say("Published as version {version}.", version=version))


@plan.command()
@plan_id
@organisation
@click.option("--seconds", type=click.IntRange(1, 3600), help="How long to search; SOLVE_S otherwise.")
@click.option("--most-changed", type=click.IntRange(0), help="How many visits may change hands or fall out.")
@click.option("--add", "references", multiple=True, metavar="REFERENCE", help="A visit that joined since; repeatable.")
@click.option("--no-wait", is_flag=True, help="Ask for the plan and end; a worker makes it.")
@click.pass_obj
def replan(
    context: Context,
    plan_id: uuid.UUID,
    code: str,
    *,
    seconds: int | None,
    most_changed: int | None,
    references: tuple[str, ...],
    no_wait: bool,
) -> None:
    """Have a worker plan the rest of a published day anew, with few changes. What has begun stays as it is."""
    org_id = context.organisation(code)
    with acting_for(context.sessions, org_id) as session:
        add = tuple(visit_called(session, reference) for reference in references)
        request = repairing.RepairRequest(
            seconds=seconds or context.settings.solve_s, most_changed=most_changed, add=add
        )
        made = repairing.request_repair(session, plan_id, request, by=None, now=context.clock())
        enqueue_solve(session, org_id, made.id)
    if not no_wait:
        _wait(context, org_id, made.id)
    click.echo(made.id)


@plan.command()
@plan_id
@click.argument("reference")
@organisation
@click.pass_obj
def options(context: Context, plan_id: uuid.UUID, reference: str, code: str) -> None:
    """Where one visit could go from now on, the cheapest place first: an urgent one, or one that might move."""
    with acting_for(context.sessions, context.organisation(code)) as session:
        visit_id = visit_called(session, reference)
        found = choosing.options_of(session, plan_id, visit_id, most=MOST, now=context.clock())
        table = options_table(found, context.language)
    Console().print(table)


@plan.command()
@plan_id
@organisation
@click.pass_obj
def effects(context: Context, plan_id: uuid.UUID, code: str) -> None:
    """What publishing the plan would change for people, against what the phones show."""
    with acting_for(context.sessions, context.organisation(code)) as session:
        zone = ZoneInfo(session.get_one(Organisation, session.info["org"]).zone)
        found = choosing.effects_on_phones(session, plan_id)
    Console().print(effects_table(found, zone, context.language))


@plan.command()
@plan_id
@organisation
@click.pass_obj
def undo(context: Context, plan_id: uuid.UUID, code: str) -> None:
    """Drop a draft made by hand, and bring back the plan it was made from; or, of the published plan, make the version
    before it the day's draft. Prints that one's id."""
    with acting_for(context.sessions, context.organisation(code)) as session:
        before = editing.undo(session, plan_id, by=None, now=context.clock()).id
    click.echo(before)


def visit_called(session: Session, reference: str) -> uuid.UUID:
    """The visit that people call so. Raises NotFound."""
    visit_id = session.scalar(sa.select(Visit.id).where(Visit.reference == reference))
    if visit_id is None:
        raise NotFound(what="visit", id=reference)
    return visit_id


def _wait(context: Context, org_id: uuid.UUID, wanted: uuid.UUID) -> None:
    """Show how far the search is until it is over; exit where it ended without a plan."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task(context.say("waiting for a worker"), total=None)
        while (found := _look(context, org_id, wanted)).state in MAKING:
            if found.progress:
                said = context.say("{served} visits in, cost {cost}", **found.progress)
                progress.update(bar, description=said, total=found.seconds, completed=found.progress["seconds"])
            time.sleep(POLL_S)
    if found.state is not DayPlanState.DRAFT:
        click.echo(say(failure_words(found.failure) or DROPPED, context.language), err=True)
        raise click.exceptions.Exit(FAULTY)


def _look(context: Context, org_id: uuid.UUID, wanted: uuid.UUID) -> DayPlan:
    with acting_for(context.sessions, org_id) as session:
        return session.get_one(DayPlan, wanted)
