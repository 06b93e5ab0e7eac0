"""`fieldvisit policy`: what the policies say, what one more would change, and what they say of one visit."""

import datetime as dt
from pathlib import Path

import click
from rich.console import Console

from api.commands.context import Context
from api.commands.spoken import SpokenGroup
from fieldvisit.compliance.describing import Clause, clauses_of, confidences, differences, scope_of
from fieldvisit.compliance.loading import load_preset, policy_from_toml, preset_names
from fieldvisit.compliance.policy import Policy
from fieldvisit.database import acting_for
from fieldvisit.errors import InvalidValue
from fieldvisit.explaining import explain_visit
from fieldvisit.languages import Message, say
from fieldvisit.listing import table
from fieldvisit.visits import get_visit_by_reference
from fieldvisit.vocabulary import Verdict

LIST = (
    *(Message("Policy"), Message("Version"), Message("Jurisdiction"), Message("Status"), Message("In force from")),
    *(Message("Rules"), Message("Confidence")),
)
CLAUSES = (Message("Clause"), Message("Says"), Message("Source"), Message("Force"), Message("Confidence"))
CHANGES = (Message("Clause"), Message("Before"), Message("After"))
ANSWER = (Message("Clause"), Message("Verdict"), Message("Why"))
WARNS = Message("warning only")


@click.group(cls=SpokenGroup)
def policy() -> None:
    """The rules of jurisdictions and of the house, and what they say of a visit."""


@policy.command("list")
@click.pass_obj
def list_policies(context: Context) -> None:
    """List the presets with their rules and how far each is to be trusted."""
    listed = table(LIST, context.language)
    for each in (load_preset(name) for name in preset_names()):
        counts = {name.value: count for name, count in confidences(each).items() if count}
        trusted = ", ".join(f"{name} {count}" for name, count in counts.items())
        since = each.effective_from.isoformat()
        rules = str(sum(counts.values()))
        listed.add_row(each.id, str(each.version), each.jurisdiction, each.status.value, since, rules, trusted)
    Console().print(listed)


@policy.command("show")
@click.argument("name")
@click.pass_obj
def show_policy(context: Context, name: str) -> None:
    """Show every rule of a preset, or of a policy in a FILE that ends with .toml, with its source.

    \b
      fieldvisit policy show ie
    """
    _print_policy(_read(name), context)


@policy.command("check")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def check_policy(context: Context, file: Path) -> None:
    """Read a policy from a FILE and say where it is wrong, or show what it says.

    \b
      fieldvisit policy check house-2027.toml
    """
    found = policy_from_toml(file.read_text("utf-8"), file.name)
    _print_policy(found, context)
    click.echo(context.say("{policy} version {version} is usable.", policy=found.id, version=found.version))


@policy.command("diff")
@click.argument("before")
@click.argument("after")
@click.pass_obj
def diff_policies(context: Context, before: str, after: str) -> None:
    """Show the clauses in which two policies differ: names of presets, or files that end with .toml.

    \b
      fieldvisit policy diff house house-2027.toml
    """
    listed = table(CHANGES, context.language)
    for change in differences(_read(before), _read(after)):
        listed.add_row(change.id, _said(change.before), _said(change.after))
    if listed.row_count:
        Console().print(listed)
    else:
        click.echo(context.say("No clause differs."))


@policy.command("explain")
@click.option("--organisation", "code", metavar="CODE", help="Who goes; needed where there are several.")
@click.option("--visit", "reference", required=True, metavar="REFERENCE", help="The visit: V-000001.")
@click.option("--at", "at", metavar="INSTANT", help="When it would begin, with an offset; now otherwise.")
@click.option("--simulate", "drafts", multiple=True, metavar="PRESET", help="A draft to try out; repeatable.")
@click.pass_obj
def explain(context: Context, *, code: str | None, reference: str, at: str | None, drafts: tuple[str, ...]) -> None:
    """Say whether a visit may be made at an instant, by those who are to make it, and which clauses say so.

    \b
      fieldvisit policy explain --visit V-000001 --at 2026-03-04T10:00+02:00
    """
    org_id, now = context.organisation(code), context.clock()
    begins_at = _instant(at) if at else now
    tried = tuple(load_preset(name) for name in drafts)
    with acting_for(context.sessions, org_id) as session:
        visit = get_visit_by_reference(session, reference)
        decision = explain_visit(session, visit, begins_at=begins_at, now=now, simulated=tried)
    listed = table(ANSWER, context.language)
    for clause in decision.clauses:
        verdict = say(WARNS if clause.warning else clause.verdict, context.language)
        listed.add_row(clause.clause_id, verdict, say(clause.message, context.language))
    Console().print(listed)
    click.echo(say(decision.verdict, context.language))
    if decision.verdict is not Verdict.ALLOWED and decision.next_lawful_at is not None:
        click.echo(context.say("Lawful from {at}.", at=decision.next_lawful_at.isoformat(timespec="minutes")))


def _read(name: str) -> Policy:
    path = Path(name)
    return policy_from_toml(path.read_text("utf-8"), path.name) if path.suffix == ".toml" else load_preset(name)


def _instant(text: str) -> dt.datetime:
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidValue(path="at", reason="must be an instant, such as 2026-03-04T10:00+02:00") from error
    if at.tzinfo is None:
        raise InvalidValue(path="at", reason="must name its UTC offset")
    return at


def _print_policy(found: Policy, context: Context) -> None:
    about = f"{found.title} · {found.id} {found.version} · {found.jurisdiction} · {found.status.value}"
    click.echo(f"{about} · {found.effective_from} · {scope_of(found)}")
    listed = table(CLAUSES, context.language)
    for each in clauses_of(found):
        listed.add_row(each.id, _said(each), each.source, each.legal_force, each.confidence)
    Console().print(listed)


def _said(clause: Clause | None) -> str:
    if clause is None:
        return "—"
    return clause.says if clause.on_breach == "block" else f"{clause.says} [{clause.on_breach}]"
