"""`fieldvisit account`."""

import secrets
import sys

import click

from api.commands.context import Context
from api.commands.spoken import SpokenGroup
from fieldvisit.accounts import AccountDraft, create_account
from fieldvisit.database import acting_for
from fieldvisit.people import get_visitor
from fieldvisit.vocabulary import Role


@click.group(cls=SpokenGroup)
def account() -> None:
    """Who may log in."""


@account.command("add")
@click.argument("organisation")
@click.argument("username")
@click.option(
    "--role",
    "roles",
    type=click.Choice([role.value for role in Role]),
    multiple=True,
    required=True,
    help="Repeatable.",
)
@click.option("--visitor", metavar="EXTERNAL-ID", help="Whose account it is; needed for the role visitor.")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of standard input.")
@click.option("--generate", is_flag=True, help="Make a password and print it, once.")
@click.pass_obj
def add_account(
    context: Context, /, organisation: str, username: str, *, roles: tuple[str, ...], visitor: str | None, **how: bool
) -> None:
    """Open an account for USERNAME in ORGANISATION (its code).

    The password is asked for, unless it comes from standard input or is generated. It is never given on the command
    line, where every other user of the machine could read it.

    \b
      fieldvisit account add aurora-lend aino --role dispatcher --generate
    """
    password = _password(context, **how)
    org_id = context.organisation(organisation)
    with acting_for(context.sessions, org_id) as session:
        draft = AccountDraft(
            username=username,
            password=password,
            roles=tuple(Role(role) for role in roles),
            visitor_id=get_visitor(session, visitor).id if visitor else None,
        )
        create_account(session, org_id, draft, context.passwords)
    click.echo(context.say("Added {username} to {organisation}.", username=username, organisation=organisation))
    if how["generate"]:
        click.echo(context.say("Password, shown this once: {password}", password=password))


def _password(context: Context, *, password_stdin: bool, generate: bool) -> str:
    if generate:
        return secrets.token_urlsafe(15)
    if password_stdin:
        return sys.stdin.readline().rstrip("\n")
    asked: str = click.prompt(context.say("Password"), hide_input=True, confirmation_prompt=True)
    return asked
