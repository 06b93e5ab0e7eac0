"""The command line. A command's module is imported when the command is called, so that `fieldvisit --help` is quick
and a server never loads a solver."""

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any, NoReturn

import click
from sqlalchemy.exc import SQLAlchemyError

from api.commands.context import Context
from api.commands.spoken import SpokenGroup, reader_language, teach_click
from api.sentences import sentence
from api.storage import translated
from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.languages import say

# Name → where it is, and what `--help` says of it without loading it.
LAZY: Mapping[str, tuple[str, str]] = {
    "account": ("api.commands.accounts:account", "Open accounts: who may log in."),
    "canary": ("api.commands.canary:canary", "Walk the way of an alarm all day, so that a broken one is noticed."),
    "crews": ("api.commands.crews:crews", "Who rides with whom: propose, keep or name crews."),
    "demo": ("api.commands.demo:demo", "Run a made-up day in Helsinki, end to end."),
    "import": ("api.commands.imports:import_group", "Read CSV and XLSX files; bad rows are listed, not stored."),
    "migrate": ("api.commands.migrate:migrate", "Bring the database to the schema that this version needs."),
    "organisation": ("api.commands.organisations:organisation", "Add and list lenders and agencies."),
    "policy": ("api.commands.policies:policy", "Show the policies, check one, explain what they say of a visit."),
    "plan": ("api.commands.plans:plan", "Plan a day, show the plan, publish it."),
    "retention": ("api.commands.retention:retention", "Purge what has to go, with a proof."),
    "serve": ("api.commands.serve:serve", "Answer the API."),
    "visits": ("api.commands.visits:visits", "Open visits on the evidence of failed contact."),
    "auditor": ("api.commands.auditor:auditor", "Watch the watcher: whether every alarm is answered for."),
    "watch": ("api.commands.watch:watch", "Raise alarms for visitors who do not report back."),
    "week": ("api.commands.weeks:week", "Plan several days together, show them."),
    "worker": ("api.commands.worker:worker", "Do the long jobs: plans above all."),
}
# What a script can rely on. 75 is EX_TEMPFAIL: the same call may succeed later.
REFUSED, WRONG_USAGE, TRY_AGAIN = 1, 2, 75
EXIT_CODES: Mapping[Kind, int] = {Kind.INVALID: WRONG_USAGE, Kind.UNAVAILABLE: TRY_AGAIN}


class LazyGroup(SpokenGroup):
    """Knows its commands by name and loads the one that is called; tells every fault of ours in one sentence."""

    def main(self, *arguments: Any, **extra: Any) -> Any:
        teach_click()
        return super().main(*arguments, **extra)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(LAZY)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in LAZY:
            return None
        module, _, name = LAZY[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        spoken = reader_language()
        with formatter.section(say("Commands", spoken)):
            formatter.write_dl([(name, say(text, spoken)) for name, (_, text) in sorted(LAZY.items())])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except FieldVisitError as error:
            fail(error, ctx.obj)
        except SQLAlchemyError as error:
            known = translated(error)
            if known is None:
                raise
            fail(known, ctx.obj)


def fail(error: FieldVisitError, context: Context) -> NoReturn:
    """Say what is wrong, in the reader's language, and end with the exit code of its kind."""
    click.echo(f"{say(sentence(error), context.language)} [{error.code}]", err=True)
    sys.exit(EXIT_CODES.get(error.kind, REFUSED))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.pass_context
def main(ctx: click.Context) -> None:
    """Lawful, safe field visits: import, plan, publish, serve, watch.

    A first day by hand:

    \b
      fieldvisit migrate                              make the tables
      fieldvisit organisation add aurora-lend --kind lender --country FI --zone Europe/Helsinki
      fieldvisit account add aurora-lend aino --role integrator
      fieldvisit import cases cases.csv --dry-run     see what would happen
      fieldvisit serve                                answer the API

    Settings come from the environment; docs/operators.md lists them. Messages follow LANG (English, Chinese).

    Exit codes: 0 done, 1 refused, 2 wrong usage or wrong values, 75 not available now (try again).
    """
    ctx.obj = Context()
    ctx.call_on_close(ctx.obj.close)
