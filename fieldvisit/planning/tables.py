"""A plan as tables for a terminal."""

import datetime as dt
from zoneinfo import ZoneInfo

from rich.table import Table

from fieldvisit.languages import Message, say
from fieldvisit.planning.picture_views import PlanView, RouteView, UnservedView

NUMBER_STYLE = "bold"


def route_table(view: PlanView, language: str) -> Table:
    """A line a crew: how many visits, from when to when, how much of it on the road."""
    table = Table(
        *(say(Message(head), language) for head in ("Crew", "People", "Visits", "From", "To", "Travel", "Wait"))
    )
    for route in view.routes:
        table.add_row(
            route.crew,
            str(route.members),
            str(len(route.stops)),
            _clock(route.depart_at, view.zone),
            _clock(route.return_at, view.zone),
            _minutes(route.travel_s),
            _minutes(route.wait_s),
        )
    return table


def stop_table(view: PlanView, route: RouteView, language: str) -> Table:
    """One crew's day, stop by stop."""
    heads = ("No.", "Arrive", "Begin", "End", "Visit", "Address")
    table = Table(*(say(Message(head), language) for head in heads), title=route.crew)
    for stop in route.stops:
        table.add_row(
            str(stop.number),
            _clock(stop.arrive_at, view.zone),
            _clock(stop.begin_at, view.zone),
            _clock(stop.end_at, view.zone),
            stop.reference,
            stop.address,
        )
    return table


def unserved_table(view: PlanView, language: str) -> Table:
    """Every visit left out, with its reason in words."""
    table = Table(*(say(Message(head), language) for head in ("Visit", "Why it is left out")))
    for left in view.unserved:
        table.add_row(left.reference, words_of(left, language))
    return table


def words_of(left: UnservedView, language: str) -> str:
    said = [say(left.reason, language), *(say(remark, language) for remark in left.remarks)]
    return ": ".join([said[0], "; ".join(said[1:])]) if len(said) > 1 else said[0]


def _clock(at: dt.datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%H:%M}"


def _minutes(seconds: int) -> str:
    return f"{round(seconds / 60)} min"
