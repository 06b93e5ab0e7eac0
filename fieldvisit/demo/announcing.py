"""The debtor's part of the story: a visit of next week is announced, in words that the product has looked at first."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import product
from typing import Any

from fieldvisit.demo.client import ApiRefused, Client
from fieldvisit.demo.processes import DemoStopped
from fieldvisit.demo.screen import Screen
from fieldvisit.demo.world import MORNING

type Json = dict[str, Any]

PASSAGES = [
    {"text": "Dear {debtor_name},"},
    {"names": "purpose", "text": "{organisation} would like to talk with you in private."},
    {"names": "date", "text": "We would come on {date}"},
    {"names": "time", "text": "between {from_time} and {until_time}."},
    {"text": "Call us if another time suits you: {organisation_phone}"},
]
THREAT = {"text": "Or else we tell your neighbours."}
LETTER = {"code": "visit", "about": "visit", "channel": "letter", "language": "en", "subject": "An appointment"}


def announce_visit(supervisor: Client, dispatcher: Client, screen: Screen) -> None:
    """Save the words, a threat refused; announce a visit that waits, by letter; hand the letter over."""
    try:
        supervisor.post("/notice-templates", **LETTER, passages=[*PASSAGES, THREAT])
    except ApiRefused as refused:
        screen.tell("A text with a threat is refused: {why}", why=refused.details["detail"])
    else:
        raise DemoStopped(what="notices", reason="a text with a threat was saved")
    supervisor.post("/notice-templates", **LETTER, passages=PASSAGES)
    waiting = dispatcher.get("/visits", state="eligible", limit=10)["items"]
    announced = next(_announced(dispatcher, waiting), None)
    if announced is None:
        return
    visit, begins, notice = announced
    dispatcher.post(f"/notices/{notice['id']}/hand-over", at=notice["created_at"], evidence="RR 4711 FI")
    screen.tell(
        "{reference} is announced by letter for {begins}: its plan is held to these two hours.",
        reference=visit["reference"],
        begins=f"{begins:%Y-%m-%d %H:%M}",
    )


def _announced(dispatcher: Client, waiting: Sequence[Json]) -> Iterator[tuple[Json, datetime, Json]]:
    """The visits that can be announced, for the first two hours of the next days that law and wishes leave to them."""
    for visit, days, hour in product(waiting, range(7, 12), (10, 16)):
        begins = MORNING.replace(hour=hour, minute=0) + timedelta(days=days)
        hours = {"announced_from": begins.isoformat(), "announced_until": (begins + timedelta(hours=2)).isoformat()}
        try:
            yield visit, begins, dispatcher.post("/notices", about="visit", visit_id=visit["id"], **hours)
        except ApiRefused as refused:
            if refused.details["problem_code"] != "invalid_value":
                raise
