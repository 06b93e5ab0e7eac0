"""What keeps a visit out of a plan and what would help, as it is stored with the plan and as people are told.

Stored in the detail of an unserved visit: `crews` (crew → why it can never go) or `held_by` (the visits in its place),
`put_in` (what the plan would cost more with it, and which visits would fall out) and `remedy` (the same for a changed
day, which was planned and judged).
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from fieldvisit.compliance.inquiry import joined
from fieldvisit.languages import Message
from fieldvisit.models import UnservedVisit
from fieldvisit.planning.crews import AT_MOST
from fieldvisit.planning.needs import need_words
from fieldvisit.vocabulary import UnservedReason
from routing.changes import Change, Kind
from routing.plan import Unserved

CREW = Message("crew {crew}: {reason}")
MOST_CREWS = 5
"""Of how many crews it is told why they cannot go: more would not be read."""


def lendable(tasks: Iterable[Mapping[str, Any]]) -> list[str]:
    """What a crew could be given on a day: whatever a visit needs, but to be smaller than it is."""
    wanted = {skill for task in tasks for skill in task["requires"]}
    return sorted(skill for skill in wanted if not skill.startswith(AT_MOST))


def detail_of(left: Unserved, cost: int, put_in: Mapping[str, Any] | None) -> dict[str, Any]:
    """The detail to store. `cost`: of the plan as it is, since people are told what a change adds to it."""
    detail: dict[str, Any] = {}
    if isinstance(left.detail, Mapping):
        detail["crews"] = dict(left.detail)
    elif isinstance(left.detail, tuple):
        detail["held_by"] = list(left.detail)
    if put_in is not None:
        detail["put_in"] = {"more_s": put_in["cost"] - cost, "displaces": list(put_in["displaces"])}
    if left.remedy is not None:
        displaces = list(left.remedy.displaces)
        detail["remedy"] = {"change": left.remedy.change, "more_s": left.remedy.cost - cost, "displaces": displaces}
    return detail


def crew_words(left: UnservedVisit) -> list[Message]:
    """Why each of the crews cannot go, where they are not all in the same case; the first few."""
    crews: Mapping[str, str] = left.detail.get("crews", {})
    if len(set(crews.values())) < 2:
        return []
    return [
        Message(CREW.text, {"crew": crew, "reason": UnservedReason(reason)})
        for crew, reason in list(crews.items())[:MOST_CREWS]
    ]


def put_in_words(left: UnservedVisit, references: Mapping[str, str]) -> Message | None:
    """What it would cost to put the visit in as the day is; None where there is no way."""
    put_in = left.detail.get("put_in")
    if put_in is None:
        return None
    values = {"minutes": _minutes(put_in["more_s"])}
    if not put_in["displaces"]:
        return Message("putting it in would make the plan {minutes} min dearer", values)
    out = ", ".join(references.get(name, name) for name in put_in["displaces"])
    if put_in["more_s"] > 0:
        return Message(
            "putting it in would push {visits} out and make the plan {minutes} min dearer", values | {"visits": out}
        )
    return Message("putting it in would push {visits} out", {"visits": out})


def remedy_words(left: UnservedVisit, references: Mapping[str, str], origin: dt.datetime) -> Message | None:
    """The change that was tried and works, None where none is known. `origin`: second 0 of the plan."""
    remedy = left.detail.get("remedy")
    if remedy is None:
        return None
    change = Change.parse(remedy["change"])
    place = left.visit.place
    zone = ZoneInfo(place.zone) if place is not None else origin.tzinfo

    def clock(name: str) -> str:
        at = origin.astimezone(dt.UTC) + dt.timedelta(seconds=change.seconds(name))
        return f"{at.astimezone(zone):%H:%M}"

    return _remedy(change, remedy, references, clock)


def _remedy(change: Change, remedy: Mapping[str, Any], references: Mapping[str, str], clock: Any) -> Message:
    kind = change.kind
    if kind is Kind.PUT_IN:
        visits = ", ".join(references.get(name, name) for name in remedy["displaces"])
        return Message("it would fit if {visits} made room", {"visits": visits})
    if kind is Kind.WORTH:
        return Message("it would be planned at a value of {value_s} s", {"value_s": change.seconds("value_s")})
    if kind is Kind.OTHER_HOURS:
        values = {"from": clock("from_s"), "until": clock("until_s")}
        return Message("it would fit if the debtor agreed to a time from {from} to {until}", values)
    if kind is Kind.FREE_PIN:
        return Message("it would fit if it were not held to its crew or its time")
    if kind is Kind.EXTRA_CREW:
        return Message("it would fit if there were one more crew like {crew}", {"crew": change["like"]})
    return _of_a_crew(change, clock)


def _of_a_crew(change: Change, clock: Any) -> Message:
    kind, crew = change.kind, {"crew": change["crew"]}
    if kind is Kind.OFFER:
        needs = joined([need_words(skill) for skill in change.skills], ", ")
        return Message("it would fit if crew {crew} had this: {needs}", crew | {"needs": needs})
    if kind is Kind.MORE_PEOPLE:
        people = change.seconds("people")
        return Message("it would fit if crew {crew} had {people} people", crew | {"people": people})
    if kind is Kind.LONGER_SHIFT:
        values = crew | {"from": clock("from_s"), "until": clock("until_s")}
        return Message("it would fit if crew {crew} worked from {from} to {until}", values)
    return Message("it would fit if crew {crew} could do more in a day", crew)


def _minutes(seconds: int) -> int:
    return round(seconds / 60)
