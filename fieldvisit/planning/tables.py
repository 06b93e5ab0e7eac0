"""A plan as tables for a terminal."""

import datetime as dt
from zoneinfo import ZoneInfo

from rich.table import Table

from fieldvisit.languages import Message, say
from fieldvisit.listing import table as new_table
from fieldvisit.planning.picture_views import PlanView, RouteView, UnservedView

CREWS = (
    Message("Crew"),
    Message("People"),
    Message("Visits"),
    Message("From"),
    Message("To"),
    Message("Travel"),
    Message("Waiting"),
)
STOPS = (
    Message("No."),
    Message("Arrives"),
    Message("Begins"),
    Message("Ends"),
    Message("Reference"),
    Message("Address"),
)
LEFT_OUT = (Message("Reference"), Message("Why it is left out"))


def route_table(view: PlanView, language: str) -> Table:
    """A line a crew: how many visits, from when to when, how much of it on the road."""
    table = new_table(CREWS, language)
    for route in view.routes:
        table.add_row(
            route.crew,
            str(route.members),
            str(len(route.stops)),
            _clock(route.depart_at, view.zone),
            _clock(route.return_at, view.zone),
            _minutes(route.travel_s, language),
            _minutes(route.wait_s, language),
        )
    return table


def stop_table(view: PlanView, route: RouteView, language: str) -> Table:
    """One crew's day, stop by stop; beside a visit that two crews make, the other one."""
    table = new_table(STOPS, language, title=route.crew)
    for stop in route.stops:
        table.add_row(
            str(stop.number),
            _clock(stop.arrive_at, view.zone),
            _clock(stop.begin_at, view.zone),
            _clock(stop.end_at, view.zone),
            stop.reference if stop.with_crew is None else f"{stop.reference} + {stop.with_crew}",
            stop.address,
        )
    return table


def unserved_table(view: PlanView, language: str) -> Table:
    """Every visit left out, with its reason in words."""
    table = new_table(LEFT_OUT, language)
    for left in view.unserved:
        table.add_row(left.reference, words_of(left, language))
    return table


def words_of(left: UnservedView, language: str) -> str:
    """``No room in the day: its place is held by V-000012``."""
    said = [say(part, language) for part in (left.reason, *left.remarks)]
    return ": ".join([said[0], "; ".join(said[1:])]) if len(said) > 1 else said[0]


def _clock(at: dt.datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%H:%M}"


def _minutes(seconds: int, language: str) -> str:
    return say(Message("{minutes} min", {"minutes": round(seconds / 60)}), language)
