"""`fieldvisit organisation`."""

import click
from rich.console import Console

from api.commands.context import Context
from api.commands.spoken import SpokenGroup
from fieldvisit.database import acting_for_all
from fieldvisit.languages import Message, say
from fieldvisit.listing import table
from fieldvisit.organisations import OrganisationDraft, create_organisation, every_organisation
from fieldvisit.vocabulary import OrganisationKind

HEADS = (
    *(Message("Code"), Message("Name"), Message("Kind")),
    *(Message("Country"), Message("Time zone"), Message("Policies")),
)


@click.group(cls=SpokenGroup)
def organisation() -> None:
    """The lenders and agencies that use this installation."""


@organisation.command("add")
@click.argument("code")
@click.option("--name", help="What people call it; the code otherwise.")
@click.option(
    "--kind", type=click.Choice([kind.value for kind in OrganisationKind]), required=True, help="Who lends, who visits."
)
@click.option("--country", required=True, help="ISO 3166, two letters: FI, CN.")
@click.option("--zone", required=True, help="IANA time zone: Europe/Helsinki, Asia/Shanghai.")
@click.option("--policy", "policies", multiple=True, help="A policy preset for its visits, such as house; repeatable.")
@click.option("--debtor-phone", help="The number a debtor may call about a visit.")
@click.option("--emergency-number", default="112", show_default=True, help="What a visitor in danger calls.")
@click.pass_obj
def add_organisation(context: Context, /, code: str, kind: str, name: str | None, **values: object) -> None:
    """Add an organisation. Its CODE (a-z, 0-9, -) names it in every other command.

    Where no policy applies to its visits, nothing is permitted: give at least one.

    \b
      fieldvisit organisation add pohjola-field --kind agency --country FI --zone Europe/Helsinki --policy house
    """
    draft = OrganisationDraft(code=code, name=name or code, kind=OrganisationKind(kind), **values)  # type: ignore[arg-type]  # click has checked the types
    with acting_for_all(context.sessions) as session:
        made = create_organisation(session, draft)
        click.echo(context.say("Added {code}: {id}", code=made.code, id=made.id))


@organisation.command("list")
@click.pass_obj
def list_organisations(context: Context) -> None:
    """List all of them."""
    listed = table(HEADS, context.language)
    with acting_for_all(context.sessions) as session:
        for each in session.scalars(every_organisation()):
            kind, policies = say(each.kind, context.language), ", ".join(each.policies)
            listed.add_row(each.code, each.name, kind, each.country, each.zone, policies)
    Console().print(listed)
