"""`fieldvisit import`."""

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from api.commands.context import Context
from api.commands.page import RAW
from api.commands.spoken import Spoken, SpokenGroup
from fieldvisit.geocoding import geocoder_from
from fieldvisit.imports import KINDS, READERS, ImportResult, import_file
from fieldvisit.languages import Message, say
from fieldvisit.listing import table

SOME_REFUSED = 1
EXAMPLES = {
    "cases": "C-1,D-1,Meri Example,+358457000001,car_loan,EUR,900.00,50.00,5.00,955.00,2026-03-02,2026-01-02,59,visit",
    "contacts": "A-1,C-1,call,2026-03-01T09:30:00+02:00,no_answer,dialer",
    "visitors": "V-1,Ilta Example,4100",
    "shifts": "V-1,2026-03-03,08:30,16:30,yes,office",
    "credentials": "K-1,V-1,authorisation_letter,N-77,Aurora,2026-01-01,2026-12-31",
    "payments": "P-1,C-1,12.50,EUR,2026-02-24",
    "wishes": "D-1,avoid,Mon;Tue,08:00,10:00",
    "consents": "E-1,D-1,written,2026-03-01T09:30:00+02:00",
}
# Columns that may be left out, and that the example shows all the same.
SHOWN = {"cases": ("phone",)}
HEADS = (Message("Line"), Message("Column"), Message("Value"), Message("Reason"))


@click.group(cls=SpokenGroup)
def import_group() -> None:
    """Read CSV and XLSX files.

    UTF-8 or GB18030, separated by commas, semicolons or tabs; column names in English or Chinese. The same file twice
    changes nothing. A bad row is listed with its line, column and reason, and nothing of it is stored.

    \b
      fieldvisit import cases cases.csv --organisation aurora-lend --dry-run
      fieldvisit import cases cases.csv --organisation aurora-lend

    Exit codes: 0 all rows are in, 1 some were refused, 2 the file cannot be used.
    """


def run(context: Context, /, *, kind: str, file: Path, code: str | None, dry_run: bool, all_or_nothing: bool) -> None:
    org_id = context.organisation(code)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(file.name, total=None)
        result = import_file(
            context.sessions,
            org_id,
            kind,
            file,
            now=context.clock(),
            geocoder=geocoder_from(context.settings),
            dry_run=dry_run,
            all_or_nothing=all_or_nothing,
            on_progress=lambda done, total: progress.update(bar, completed=done, total=total),
        )
    tell(context, result, dry_run=dry_run)
    if result.refused:
        sys.exit(SOME_REFUSED)


def tell(context: Context, result: ImportResult, *, dry_run: bool) -> None:
    """What the run did, and each refused row."""
    if result.faults:
        Console().print(fault_table(context, result))
    counts = {name: getattr(result, name) for name in ("added", "changed", "unchanged", "refused")}
    click.echo(context.say("{added} added, {changed} changed, {unchanged} unchanged, {refused} refused.", **counts))
    if result.unlocated:
        click.echo(context.say("{count} addresses have no point on the map.", count=result.unlocated))
    if not result.stored:
        click.echo(
            context.say("A dry run: nothing was stored.")
            if dry_run
            else context.say("Nothing was stored: all or nothing.")
        )


def fault_table(context: Context, result: ImportResult) -> Table:
    listed = table(HEADS, context.language)
    for fault in result.faults:
        listed.add_row(str(fault.line), fault.column, fault.value, say(fault.reason, context.language))
    if result.refused > len(result.faults):
        listed.caption = context.say("The first {count} faults.", count=len(result.faults))
    return listed


class ImportCommand(Spoken):
    """Its help is made of the kind's reader: the columns, and an example with those that every file needs."""

    def blocks(self) -> Iterator[Message | str]:
        kind = str(self.name)
        columns = READERS[kind].columns
        needed = [column.name for column in columns if column.needed or column.name in SHOWN.get(kind, ())]
        others = [column.name for column in columns if column.name not in needed]
        yield Message(READERS[kind].summary)
        yield f"{RAW}{','.join(needed)}\n{EXAMPLES[kind]}"
        if others:
            yield Message("Also, where known: {columns}.", {"columns": ", ".join(others)})


def command(kind: str) -> click.Command:
    parameters: list[click.Parameter] = [
        click.Argument(["file"], type=click.Path(exists=True, dir_okay=False, path_type=Path)),
        click.Option(
            ["--organisation", "code"],
            envvar="ORGANISATION",
            metavar="CODE",
            help="Whose file it is; the only organisation where there is one. Or the variable ORGANISATION.",
        ),
        click.Option(["--dry-run"], is_flag=True, help="Store nothing, but report the same."),
        click.Option(["--all-or-nothing"], is_flag=True, help="Store nothing at all where any row is refused."),
    ]
    return ImportCommand(kind, params=parameters, callback=click.pass_obj(partial(run, kind=kind)))


for each in KINDS:
    import_group.add_command(command(each))
