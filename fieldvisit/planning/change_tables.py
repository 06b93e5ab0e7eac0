"""What a change of a day would mean, as tables for a terminal."""

import datetime as dt
from zoneinfo import ZoneInfo

from rich.table import Table

from fieldvisit.languages import Message, say
from fieldvisit.listing import table as new_table
from fieldvisit.planning.choosing import Options
from fieldvisit.planning.effects import Effect, Effects, VisitEffect

OPTIONS = (
    Message("Crew"),
    Message("No."),
    Message("Begins"),
    Message("Dearer by"),
    Message("Comes at another time"),
    Message("Falls out"),
)
EFFECTS = (
    Message("Reference"),
    Message("What changes"),
    Message("Before"),
    Message("After"),
    Message("Debtor was told"),
)
WORDS = {
    Effect.ADDED: Message("joins"),
    Effect.LEFT_OUT: Message("falls out"),
    Effect.MOVED: Message("goes to other people"),
    Effect.RETIMED: Message("comes at another time"),
}


def options_table(options: Options, language: str) -> Table:
    """A line an option, the cheapest first."""
    zone = options.rest.standing.origin.tzinfo
    table = new_table(OPTIONS, language)
    for told in map(options.told, options.found):
        table.add_row(
            _crews(told["crew"], told["partner"]),
            str(told["position"]),
            f"{told['begin_at'].astimezone(zone):%H:%M}",
            say(Message("{minutes} min", {"minutes": round(told["more_s"] / 60)}), language),
            ", ".join(shift["reference"] for shift in told["shifts"]),
            ", ".join(other["reference"] for other in told["displaces"]),
        )
    return table


def effects_table(effects: Effects, zone: ZoneInfo, language: str) -> Table:
    """A line a visit."""
    table = new_table(EFFECTS, language)
    for one in effects.visits:
        before = _place(_crews(one.crew_before, one.partner_before), one.begin_before, zone)
        after = _place(_crews(one.crew_after, one.partner_after), one.begin_after, zone)
        table.add_row(one.reference, say(WORDS[one.effect], language), before, after, _told(one, zone, language))
    return table


def _told(one: VisitEffect, zone: ZoneInfo, language: str) -> str:
    if one.notice is None:
        return "-"
    begins, ends = (at.astimezone(zone) for at in (one.notice.from_at, one.notice.until_at))
    hours = f"{begins:%H:%M}–{ends:%H:%M}"
    return say(Message("{hours}, would break", {"hours": hours}), language) if one.breaks_notice else hours


def _crews(crew: str | None, partner: str | None) -> str:
    return " + ".join(each for each in (crew, partner) if each is not None)


def _place(crews: str, at: dt.datetime | None, zone: ZoneInfo) -> str:
    return "-" if at is None else f"{crews} {at.astimezone(zone):%H:%M}"
