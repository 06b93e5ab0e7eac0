"""Whether a visit may begin, by somebody who has the texts on the desk, a calendar on the wall and no engine.

Written from the words of the house policy, of 12 CFR 1006 and of 209 CMR 18.17(6)-(7), and slow on purpose: it walks
minute by minute and day by day, counts with loops, and knows its own list of holidays. Nothing of the product is used.
A crew that was at a door and never said what happened there is on the desk as a visit at which the debtor was met.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

SERVICE = dt.timedelta(minutes=20)
MARGIN = dt.timedelta(minutes=15)
MINUTE = dt.timedelta(minutes=1)
FAILED = {"no_answer", "busy", "voicemail", "switched_off", "number_invalid", "wrong_person"}
# Days off in Finland and in Massachusetts in the spring of 2026, from their calendars.
HOLIDAYS = {
    "FI": {dt.date(2026, 4, 3), dt.date(2026, 4, 5), dt.date(2026, 4, 6), dt.date(2026, 5, 1)},
    "US": {dt.date(2026, 4, 20), dt.date(2026, 5, 25)},
}


@dataclass
class Attempt:
    at: dt.datetime
    channel: str
    result: str
    case: str


@dataclass
class Block:
    id: str
    case: str | None
    since: dt.datetime
    until: dt.datetime | None = None


@dataclass
class Consent:
    id: str
    place: str | None
    visit: str | None
    form: str
    withdrawn: bool = False


@dataclass
class Wish:
    """Never on these weekdays from and until."""

    weekdays: set[int]
    opens: dt.time
    closes: dt.time


@dataclass
class Paper:
    kind: str
    valid_from: dt.date
    valid_until: dt.date
    revoked: bool = False


@dataclass
class House:
    """Hours that somebody added: no visit outside of them, from a day on, until they are withdrawn."""

    opens: dt.time
    closes: dt.time
    since: dt.date
    withdrawn: bool = False


@dataclass
class Debtor:
    id: str
    case: str
    country: str
    zone: str
    place: str
    kind: str
    attempts: list[Attempt] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    consents: list[Consent] = field(default_factory=list)
    wishes: list[Wish] = field(default_factory=list)


def unlawful(
    debtor: Debtor, visit: str, at: dt.datetime, *, crew: Iterable[list[Paper]], houses: Iterable[House]
) -> list[str]:
    """Everything that the texts have against a visit that begins at this instant; nothing where it is lawful."""
    zone = ZoneInfo(debtor.zone)
    today = at.astimezone(zone).date()
    found = []
    minute = at
    while minute < at + SERVICE + MARGIN:
        inside_visit = minute < at + SERVICE
        found += _hour(debtor, minute.astimezone(zone), inside_visit=inside_visit, houses=houses)
        minute += MINUTE
    # The last instant before the end, to the second.
    for end, inside_visit in ((at + SERVICE, True), (at + SERVICE + MARGIN, False)):
        last = (end - dt.timedelta(seconds=1)).astimezone(zone)
        found += _hour(debtor, last, inside_visit=inside_visit, houses=houses)
    found += _caps(debtor, visit, today, zone)
    found += _effort(debtor, at, zone)
    found += [f"block {block.id}" for block in debtor.blocks if _stops(block, debtor, at)]
    found += _place(debtor, visit)
    found += _papers(list(crew), today)
    return sorted(set(found))


def _hour(debtor: Debtor, wall: dt.datetime, *, inside_visit: bool, houses: Iterable[House]) -> list[str]:
    found = []
    clock = wall.time()
    if wall.weekday() == 6 or not dt.time(8) <= clock < dt.time(20):
        found.append("house hours")
    if wall.date() in HOLIDAYS[debtor.country]:
        found.append("holiday")
    if debtor.country == "US" and not dt.time(8) <= clock < dt.time(21):
        found.append("federal hours")
    for house in houses:
        if not house.withdrawn and house.since <= wall.date() and not house.opens <= clock < house.closes:
            found.append("added hours")
    for wish in debtor.wishes:
        if wall.weekday() in wish.weekdays and wish.opens <= clock < wish.closes:
            found.append("wish")
    return found


def _caps(debtor: Debtor, visit: str, today: dt.date, zone: ZoneInfo) -> list[str]:
    visits = [a for a in debtor.attempts if a.channel == "visit"]
    days = [a.at.astimezone(zone).date() for a in visits]
    found = []
    if _fullest(days, today, 7) >= 1:
        found.append("one visit in seven days")
    if debtor.country == "US":
        met = [a.at.astimezone(zone).date() for a in visits if a.result != "nobody_home" and a.case == debtor.case]
        agreed = any(c.visit == visit and c.form != "any" and not c.withdrawn for c in debtor.consents)
        if _fullest(met, today, 30) >= 1 and not agreed:
            found.append("one visit in thirty days")
    return found


def _fullest(days: list[dt.date], today: dt.date, length: int) -> int:
    """The most that any span of so many days holds of which today is one."""
    most = 0
    for back in range(length):
        first = today - dt.timedelta(days=back)
        span = {first + dt.timedelta(days=shift) for shift in range(length)}
        most = max(most, sum(day in span for day in days))
    return most


def _effort(debtor: Debtor, at: dt.datetime, zone: ZoneInfo) -> list[str]:
    told = sorted((a for a in debtor.attempts if a.at <= at), key=lambda a: a.at)
    reached = [a.at for a in told if a.result in ("reached", "refused_call")]
    earliest = at.astimezone(zone).date() - dt.timedelta(days=29)
    calls = [
        a
        for a in told
        if a.channel == "call" and a.at.astimezone(zone).date() >= earliest and (not reached or a.at > max(reached))
    ]
    failed = [a for a in calls if a.result in FAILED]
    days = {a.at.astimezone(zone).date() for a in failed}
    parts = {_part(a.at.astimezone(zone).time()) for a in failed}
    return [] if len(failed) >= 3 and len(days) >= 2 and len(parts) >= 2 else ["the phone has not failed"]


def _part(clock: dt.time) -> str:
    if dt.time(5) <= clock < dt.time(12):
        return "morning"
    return "afternoon" if dt.time(12) <= clock < dt.time(17) else "evening"


def _stops(block: Block, debtor: Debtor, at: dt.datetime) -> bool:
    over = block.until is not None and block.until <= at
    return block.case in (None, debtor.case) and block.since < at + SERVICE and not over


def _place(debtor: Debtor, visit: str) -> list[str]:
    if debtor.kind == "home":
        return []
    agreed = any((c.place == debtor.place or c.visit == visit) and not c.withdrawn for c in debtor.consents)
    return [] if agreed else ["at work without consent"]


def _papers(crew: list[list[Paper]], today: dt.date) -> list[str]:
    found = [] if 1 <= len(crew) <= 3 else ["number of people"]
    for papers in crew:
        for kind in ("id_card", "authorisation_letter"):
            if not any(p.kind == kind and not p.revoked and p.valid_from <= today <= p.valid_until for p in papers):
                found.append(f"no {kind}")
    return found
