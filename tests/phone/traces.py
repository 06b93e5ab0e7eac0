"""Random days of a crew of two with three phones: what happened, how it may be told, and where it has to end.

With promises, plans and money at the door, files that are sent beside the events, and looks at the cards in between.
"""

import dataclasses
import datetime as dt
import random
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.models import (
    ContactAttempt,
    ContactProposal,
    Evidence,
    FieldRules,
    HeldEvent,
    IdentityCheck,
    PhoneEventKey,
    Receipt,
    ReportAddition,
    Visit,
    VisitEvent,
    VisitReport,
)
from fieldvisit.receipts import hand_block, written
from fieldvisit.vocabulary import Channel, HeldState, OrderRule
from tests.conftest import NOW
from tests.phone.worlds import Morning
from tests.worlds import HELSINKI, TODAY

MINUTE = dt.timedelta(minutes=1)
HERE = {"lat": HELSINKI[0], "lon": HELSINKI[1], "datum": "wgs84", "accuracy_m": 12, "mock": False}
FAR = HERE | {"lat": HELSINKI[0] + 0.009}
PHONES = {"ilta": "ilta", "ilta's other": "ilta", "oona": "oona"}
"""Whose each phone is."""
BESIDE = frozenset({"evidence", "look"})
"""What is no event: a file, and a look at a visit's card."""
REFUSED = {"outcome": "refused", "next_step": "call"}
HEARD = {"contact_changes": [{"kind": "phone", "value": "+358401112223"}]}
SOUND = b"OggS" + bytes(60)


@dataclass(frozen=True)
class Told:
    """One event of one phone: `at` is when it happened, in minutes before NOW."""

    phone: str
    kind: str
    visit: int
    at: int
    event_id: str
    facts: dict[str, Any]

    @property
    def who(self) -> str:
        return PHONES[self.phone]


@dataclass(frozen=True)
class Piece:
    """What one phone sends at once. `lost`: nobody hears the answer, so it is sent again later."""

    phone: str
    told: tuple[Told, ...]

    @property
    def beside(self) -> Told | None:
        """The one thing in it that is no event; else there are events alone."""
        return self.told[0] if self.told[0].kind in BESIDE else None


def open_the_till(session: Session, morning: Morning) -> None:
    """The house takes money, and Ilta's phone holds the first numbers of the series."""
    rules = {"order_rule": OrderRule.ALLOW, "may_reject": True, "undo_minutes": 10, "may_take_money": True}
    session.merge(FieldRules(org_id=morning.world.agency, **rules))
    session.flush()
    hand_block(session, morning.ilta, None, now=NOW)


def a_day(chance: random.Random, visits: int) -> list[Told]:
    """What the phones tell of a day, in the order of its time. The lead reports; the other adds, or reports too."""
    told: list[Told] = []

    def add(who: str, kind: str, visit: int, at: int, **facts: Any) -> None:
        phone = "ilta's other" if who == "ilta" and chance.random() < 0.3 else who
        told.append(Told(phone, kind, visit, at, str(uuid.UUID(int=chance.getrandbits(128), version=4)), facts))

    for visit in range(visits):
        begin = 400 - 100 * visit
        if chance.random() < 0.8:
            add("ilta", "set_out", visit, begin)
        if chance.random() < 0.2:
            add("ilta", "arrival", visit, begin - 5, position=FAR)
            add("ilta", "arrival_undo", visit, begin - 8, reason="wrong_door")
        confirmed = False
        if chance.random() < 0.8:
            add("ilta", "arrival", visit, begin - 10, position=chance.choice([HERE, FAR]))
            if chance.random() < 0.5:
                add("oona", "arrival", visit, begin - 11, position=HERE)
            for minute in range(chance.randint(0, 2)):
                confirmed = chance.random() < 0.7
                result = "confirmed" if confirmed else "not_confirmed"
                who = chance.choice(["ilta", "oona"])
                add(who, "identity_check", visit, begin - 15 - minute, method="two_facts", result=result)
        left = {"left_minutes": begin - 40}
        if chance.random() < 0.3:
            seen: list[dict[str, Any]] = [{"outcome": "met_other"}, {"outcome": "nobody"}, REFUSED | HEARD]
            add("oona", "report", visit, begin - 39, **chance.choice(seen), **left)
        if confirmed:
            met = {"outcome": "met_debtor", "disclosed": True, "willing": True, "next_step": "call"}
            add("ilta", "report", visit, begin - 40, **met, **left, **_agreed(chance, visit))
            if chance.random() < 0.3:
                # Trouble when all was said: what was agreed stands, whichever of the two is told first.
                reason = chance.choice(["other", "asked_to_leave", "distress"])
                add("ilta", "abort", visit, begin - 42, reason=reason)
        elif chance.random() < 0.3:
            add("ilta", "abort", visit, begin - 40, reason="other", met=chance.choice(["nobody", None]))
        else:
            add("ilta", "report", visit, begin - 40, outcome="nobody", **left)
        for _ in range(chance.randint(0, 2)):
            add(chance.choice(["ilta", "oona"]), "addition", visit, begin - 41, text="More.")
        for number in range(chance.randint(0, 2)):
            file = {"captured_minutes": begin - 20, "content": SOUND + bytes([visit, number])}
            add(chance.choice(["ilta", "oona"]), "evidence", visit, begin - 42, **file)
        for _ in range(chance.randint(0, 1)):
            add(chance.choice(["ilta", "oona"]), "look", visit, begin - 12)
    return told


def _agreed(chance: random.Random, visit: int) -> dict[str, Any]:
    """What a debtor who was met may say and do besides: promise, propose to pay in parts, give a number, pay."""
    agreed: dict[str, Any] = {}
    if chance.random() < 0.4:
        agreed["promises"] = [_sum(chance, days=14) | {"currency": "EUR", "method": "transfer"}]
    if chance.random() < 0.3:
        parts = [_sum(chance, days=30 * month) for month in (1, 2)]
        agreed["plan"] = {"instalments": parts, "currency": "EUR", "method": "transfer", "grace_days": 3}
    if chance.random() < 0.3:
        agreed |= HEARD
    if chance.random() < 0.4:
        # A number of the phone's own block, one that nobody ever had, or none at all.
        receipt = chance.choice([written(visit + 1), "R-999999", None])
        agreed["door"] = {"payment": {"amount_minor": chance.randint(1, 5_000), "currency": "EUR"}}
        agreed["door"]["payment"] |= {"receipt_number": receipt} if receipt else {}
    return agreed


def _sum(chance: random.Random, *, days: int) -> dict[str, Any]:
    return {"amount_minor": chance.randint(1, 5_000), "due_on": (TODAY + dt.timedelta(days=days)).isoformat()}


def drifts(chance: random.Random) -> dict[str, dt.timedelta]:
    """How wrong each phone's clock is."""
    return {phone: chance.randint(-300, 300) * MINUTE for phone in PHONES}


def pieces(chance: random.Random, told: Iterable[Told]) -> list[Piece]:
    """The same, out of order, cut anywhere, some of it sent two or three times."""
    waiting = some_again(chance, told)
    chance.shuffle(waiting)
    return cut_anywhere(chance, waiting)


def some_again(chance: random.Random, told: Iterable[Told]) -> list[Told]:
    """All of it, and some of it two or three times."""
    once = list(told)
    again = [each for each in once if chance.random() < 0.4]
    return [*once, *again, *(each for each in again if chance.random() < 0.3)]


def cut_anywhere(chance: random.Random, waiting: list[Told]) -> list[Piece]:
    cut: list[Piece] = []
    while waiting:
        size = chance.randint(1, 6)
        piece, waiting = waiting[:size], waiting[size:]
        cut += sendings(piece)
    return cut


def events_of(told: Iterable[Told]) -> list[Told]:
    return [each for each in told if each.kind not in BESIDE]


def sendings(told: Iterable[Told]) -> list[Piece]:
    """All of it, each phone's events at once."""
    once = list(told)
    events = events_of(once)
    of_phones = [Piece(phone, tuple(each for each in events if each.phone == phone)) for phone in PHONES]
    beside = [Piece(each.phone, (each,)) for each in once if each.kind in BESIDE]
    return [piece for piece in [*of_phones, *beside] if piece.told]


def under_fresh_ids(told: Iterable[Told]) -> list[Told]:
    return [dataclasses.replace(each, event_id=str(uuid.uuid4())) for each in told]


def wire(told: Told, morning: Morning, drift: dt.timedelta) -> dict[str, Any]:
    """As the phone sends an event, by its own clock."""
    facts = dict(told.facts)
    if "left_minutes" in facts:
        facts["left_at"] = (NOW - facts.pop("left_minutes") * MINUTE + drift).isoformat()
    return {
        "event_id": told.event_id,
        "kind": told.kind,
        "visit_id": str(morning.visits[told.visit]),
        "device_at": (NOW - told.at * MINUTE + drift).isoformat(),
        **facts,
    }


def end_of(session: Session, morning: Morning) -> list[Any]:
    """Everything that is stored of the morning's visits, without the ids and the clocks that differ from one telling to
    another."""
    who = {morning.ilta: "ilta", morning.oona: "oona"}
    ends = [_end(session, session.get_one(Visit, visit_id), who) for visit_id in morning.visits]
    open_ = HeldEvent.visitor_id.in_(who), HeldEvent.state.in_((HeldState.WAITING, HeldState.REFUSED))
    held = session.scalars(sa.select(HeldEvent.kind).where(*open_)).all()
    keys = sa.select(sa.func.count()).where(PhoneEventKey.visit_id.in_(morning.visits))
    return [*ends, {"held": held, "keys": session.scalar(keys)}]


def _end(session: Session, visit: Visit, who: dict[uuid.UUID, str]) -> dict[str, Any]:
    events = session.scalars(sa.select(VisitEvent).where(VisitEvent.visit_id == visit.id))
    money = session.scalars(sa.select(Receipt).where(Receipt.visit_id == visit.id))
    files = session.scalars(sa.select(Evidence).where(Evidence.visit_id == visit.id))
    checks = session.scalars(
        sa.select(IdentityCheck).where(IdentityCheck.visit_id == visit.id).order_by(IdentityCheck.at)
    )
    standing = VisitReport.visit_id == visit.id, VisitReport.replaced_by_id.is_(None)
    report = session.scalars(sa.select(VisitReport).where(*standing)).one()
    additions = session.scalars(sa.select(ReportAddition).where(ReportAddition.report_id == report.id))
    heard = session.scalars(sa.select(ContactProposal).where(ContactProposal.report_id == report.id))
    of_visits = ContactAttempt.case_id == visit.case_id, ContactAttempt.channel == Channel.VISIT
    attempts = session.scalars(sa.select(ContactAttempt).where(*of_visits))
    return {
        "state": visit.state,
        "outcome": visit.outcome,
        "times": [minutes(at) for at in (visit.under_way_at, visit.arrived_at, visit.ended_at)],
        # Which of two reports came first is history; which of them stands is not.
        "events": sorted(
            (entry.kind, who[entry.visitor_id])
            for entry in events
            if entry.visitor_id in who and entry.kind not in ("reported", "report_added_to")
        ),
        "checks": [(check.result, who[check.visitor_id], minutes(check.at)) for check in checks],
        "report": (report.outcome, who[report.visitor_id], report.disclosed, minutes(report.left_at)),
        "promises": [(each.amount_minor, each.due_on, each.state) for each in report.promises],
        "plan": report.plan and (report.plan.total_minor, report.plan.grace_days, report.plan.state),
        "money": sorted(
            (who[each.visitor_id], each.amount_minor, each.stated or "", each.number or 0, each.flaws) for each in money
        ),
        "files": sorted((who[each.visitor_id], each.sha256, each.state.value, each.flaws) for each in files),
        "additions": sorted(who[each.visitor_id] for each in additions if each.visitor_id),
        "heard": sorted((who[each.visitor_id], each.value, each.state.value) for each in heard),
        "attempts": [(each.result, each.detail, minutes(each.at)) for each in attempts if not each.withdrawn],
    }


def minutes(at: dt.datetime | None) -> int | None:
    return None if at is None else round((NOW - at) / MINUTE)
