"""An alarm in words, for each of those who are told: an officer, the number outside, a colleague."""

import datetime as dt
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from fieldvisit.languages import Message
from fieldvisit.safety.message_facts import Facts
from fieldvisit.vocabulary import MessageRecipient

LATE_S = 120
"""An alarm this much later than its cause says how old it is."""
HALF_A_DAY = dt.timedelta(hours=12)
"""Of a position that was older when the alarm was raised the day is told too."""


def officers(facts: Facts) -> Message:
    """To an officer of the house."""
    assert facts.deadline_at is not None
    assert facts.opened_at is not None
    assert facts.zone is not None
    values = {
        "kind": facts.kind,
        "name": facts.name,
        "staff_number": facts.staff_number,
        "visit": _either(facts.visit, facts.other_visit),
        "at": clock(facts.deadline_at, facts.zone),
        "place": _place(facts),
    }
    late_s = (facts.opened_at - facts.deadline_at).total_seconds()
    if facts.covert:
        return _covert_alarm(values, late_s)
    if facts.unverified:
        return Message(
            "ALARM after an outage of our own watch, not verified: {kind}. {name} ({staff_number}), visit {visit}, "
            "since {at}, last position {place}.",
            values,
        )
    if late_s >= LATE_S:
        return Message(
            "LATE ALARM, {minutes} min old: {kind}. {name} ({staff_number}), visit {visit}, since {at}, last position "
            "{place}.",
            values | {"minutes": int(late_s // 60)},
        )
    return Message(
        "ALARM: {kind}. {name} ({staff_number}), visit {visit}, since {at}, last position {place}.",
        values,
    )


def _covert_alarm(values: Mapping[str, object], late_s: float) -> Message:
    """An officer's first thought is to ring the visitor: not beside whoever must not learn of the call."""
    if late_s >= LATE_S:
        return Message(
            "LATE COVERT ALARM, {minutes} min old: {kind}. {name} ({staff_number}), visit {visit}, since {at}, last "
            "position {place}. Do not call the visitor: nobody at the door may learn of it.",
            {**values, "minutes": int(late_s // 60)},
        )
    return Message(
        "COVERT ALARM: {kind}. {name} ({staff_number}), visit {visit}, since {at}, last position {place}. Do not call "
        "the visitor: nobody at the door may learn of it.",
        values,
    )


def outsiders(facts: Facts) -> Message:
    """To who is not of the house: what is needed to go there, and of whoever lives there nothing but the address."""
    assert facts.deadline_at is not None
    assert facts.zone is not None
    values = {
        "house": facts.house,
        "kind": facts.kind,
        "level": facts.level,
        "name": facts.name,
        "staff_number": facts.staff_number,
        "door": _either(facts.door, facts.other_door),
        "at": clock(facts.deadline_at, facts.zone),
        "place": _place(facts),
    }
    if facts.covert:
        return Message(
            "ALARM of {house}, which none of its own officers has answered: {kind}, risk {level}. {name} "
            "({staff_number}), at {door}, since {at}, last position {place}. Act as agreed. Do not call the visitor: "
            "nobody at the door may learn of it.",
            values,
        )
    return Message(
        "ALARM of {house}, which none of its own officers has answered: {kind}, risk {level}. {name} ({staff_number}), "
        "at {door}, since {at}, last position {place}. Act as agreed.",
        values,
    )


def new_door(facts: Facts) -> Message:
    """To who acts on it already, and may be on the way to the door that was told before."""
    outside = facts.recipient is MessageRecipient.EXTERNAL
    door = (facts.other_door or facts.door) if outside else (facts.other_visit or facts.visit)
    values = {
        "kind": facts.kind,
        "name": facts.name,
        "staff_number": facts.staff_number,
        "door": door or "-",
        "place": _place(facts),
    }
    if outside:
        said = Message(
            "ANOTHER DOOR than you were told before, in the alarm of {house}: {kind}. {name} ({staff_number}) has "
            "called for help again and names {door}. Last position {place}.",
            values | {"house": facts.house},
        )
    else:
        said = Message(
            "ANOTHER DOOR than you were told before: {kind}. {name} ({staff_number}) has called for help again and "
            "names visit {door}. Last position {place}.",
            values,
        )
    if not facts.covert:
        return said
    return Message("{said} Do not call the visitor: nobody at the door may learn of it.", {"said": said})


def buddys(facts: Facts) -> Message:
    """A colleague: rings, and tells the office what they know. Neither why nor where, but that somebody is at work."""
    assert facts.deadline_at is not None
    assert facts.zone is not None
    values = {
        "kind": facts.kind,
        "name": facts.name,
        "staff_number": facts.staff_number,
        "at": clock(facts.deadline_at, facts.zone),
    }
    return Message(
        "ALARM: {kind}, since {at}. {name} ({staff_number}) named you as buddy. Ring them, and tell your safety "
        "officer what you know: the officers are being called.",
        values,
    )


def _either(one: str | None, other: str | None) -> Message | str:
    """Of the session, and of what the call for help named besides: the visitor may be at either."""
    if one and other:
        return Message("{one} or {other}", {"one": one, "other": other})
    return one or other or "-"


def _place(facts: Facts) -> str:
    """And when the phone was there."""
    if facts.last_lat is None:
        return "-"
    place, at = f"{facts.last_lat:.5f},{facts.last_lon:.5f}", facts.last_located_at
    if at is None or facts.opened_at is None or facts.zone is None:
        return place
    form = "%H:%M" if facts.opened_at - at < HALF_A_DAY else "%Y-%m-%d %H:%M"
    return f"{place} ({clock(at, facts.zone, form)})"


def clock(moment: dt.datetime, zone: str, form: str = "%H:%M") -> str:
    try:
        return moment.astimezone(ZoneInfo(zone)).strftime(form)
    except (KeyError, ValueError, OSError):
        # A zone that this host does not know keeps nobody from being told.
        return utc(moment, form)


def utc(moment: dt.datetime, form: str = "%H:%M") -> str:
    return moment.astimezone(dt.UTC).strftime(f"{form} UTC")
