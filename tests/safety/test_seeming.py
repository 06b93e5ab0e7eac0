"""Under duress the phone goes on as one that ended as usual would, whatever is done with it."""

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from fieldvisit.database import acting_for
from fieldvisit.errors import FieldVisitError, Refused
from fieldvisit.safety import sessions as use
from fieldvisit.safety.drafts import Extension, Sos
from fieldvisit.safety.pins import set_pins
from fieldvisit.safety.seeming import as_shown
from fieldvisit.safety.sos import call_under_any_id
from fieldvisit.safety.standing import Standing
from fieldvisit.vocabulary import AlertKind, RiskLevel
from tests.safety.worlds import MINUTE, Door, another_door

PIN, DURESS = "4711", "4862"
MOMENTS = ("started_at", "remind_at", "due_at", "grace_until", "end_at", "ended_at")
type Seen = tuple[str, Any]
type Act = Callable[[Any], Standing | Refused]


class Phone:
    """What a phone is told, step by step; ids are its own."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.ids: list[uuid.UUID] = []
        self.seen: list[Seen] = []
        with acting_for(door.sessions, door.world.agency) as session:
            set_pins(session, door.visitor_id, PIN, DURESS)

    def do(self, name: str, act: Act) -> None:
        try:
            with acting_for(self.door.sessions, self.door.world.agency) as session:
                found = act(session)
                self.seen.append((name, found.error.code if isinstance(found, Refused) else self._told(session, found)))
        except FieldVisitError as refused:
            self.seen.append((name, (refused.code, str(refused))))

    def start(self, name: str, level: RiskLevel = RiskLevel.NORMAL, planned_s: int = 60 * MINUTE) -> None:
        self.ids.append(uuid.uuid4())
        told = self.door.told(event_id=self.ids[-1])
        draft = use.starting.SessionDraft(**vars(told), level=level, planned_s=planned_s)
        self.do(name, lambda session: use.start_session(session, draft))

    def end(self, name: str, pin: str | None) -> None:
        self.do(name, lambda session: use.end_session(session, self.ids[-1], self.door.told(pin=pin)))

    def check_in(self, name: str) -> None:
        self.do(name, lambda session: use.check_in(session, self.ids[-1], self.door.told()))

    def beat(self, name: str) -> None:
        self.do(name, lambda session: use.beat(session, self.ids[-1], self.door.told(lat=60.2, lon=24.9)))

    def extend(self, name: str, minutes: int) -> None:
        told = Extension(**vars(self.door.told()), by_s=minutes * MINUTE, reason="Not done yet")
        self.do(name, lambda session: use.extend_session(session, self.ids[-1], told))

    def call(self, name: str) -> None:
        told = Sos(**vars(self.door.told()), session_id=self.ids[-1])
        self.do(name, lambda session: call_under_any_id(session, told))

    def _told(self, session: Any, found: Standing) -> dict[str, Any]:
        shown = as_shown(session, found)
        row = shown.session

        def since(moment: dt.datetime | None) -> float | None:
            return None if moment is None else (moment - shown.now_at).total_seconds()

        return {
            "mine": self.ids.index(row.id),
            "level": row.level,
            "state": row.state,
            "shown": shown.shown,
            "extended_s": row.extended_s,
            "visit_id": row.visit_id,
        } | {name: since(getattr(row, name)) for name in MOMENTS}


@pytest.fixture
def phones(door: Door) -> tuple[Phone, Phone]:
    """One ends as usual, the other under duress; no time passes but by the test."""
    door.clock.stop()
    return Phone(door), Phone(another_door(door))


def both(phones: tuple[Phone, Phone], script: Callable[[Phone, str], None]) -> None:
    for phone, pin in zip(phones, (PIN, DURESS), strict=True):
        script(phone, pin)
    usual, forced = phones
    assert [name for name, _ in usual.seen] == [name for name, _ in forced.seen]
    assert [(one, other) for one, other in zip(usual.seen, forced.seen, strict=True) if one != other] == []


def test_what_has_ended_goes_on_as_what_has_ended(phones: tuple[Phone, Phone]) -> None:
    def script(phone: Phone, pin: str) -> None:
        phone.start("start")
        phone.end("end", pin)
        phone.end("again, without a PIN", None)
        phone.end("again, with a wrong one", "0000")
        phone.extend("extend", 10)
        phone.check_in("check in")
        phone.beat("beat")

    both(phones, script)
    assert [each.kind for each in phones[1].door.alerts()] == [AlertKind.DURESS]


def test_a_session_that_seems_to_start_is_one_of_its_own(phones: tuple[Phone, Phone]) -> None:
    def script(phone: Phone, pin: str) -> None:
        phone.start("start")
        phone.extend("extend", 30)
        phone.end("end", pin)
        phone.start("another one", RiskLevel.RAISED, 20 * MINUTE)
        phone.beat("beat")
        phone.check_in("check in")
        phone.extend("extend", 15)
        phone.extend("extend too far", 50)
        phone.end("with no PIN", None)
        phone.end("with the PIN", PIN)
        phone.extend("extend what has ended", 5)
        phone.start("a third one", RiskLevel.LOW, 45 * MINUTE)
        phone.check_in("check in there")

    both(phones, script)


def test_a_call_for_help_shows_as_one(phones: tuple[Phone, Phone]) -> None:
    def script(phone: Phone, pin: str) -> None:
        phone.start("start")
        phone.end("end", pin)
        phone.start("another one", RiskLevel.LOW, 20 * MINUTE)
        phone.call("call")
        phone.check_in("check in")
        phone.end("end with the PIN", PIN)
        phone.extend("extend", 5)

    both(phones, script)


def test_a_check_in_that_is_missed_shows_as_one(phones: tuple[Phone, Phone]) -> None:
    clock = phones[0].door.clock
    for phone, pin in zip(phones, (PIN, DURESS), strict=True):
        phone.start("start")
        phone.end("end", pin)
        phone.start("another one")
    clock.pass_s(18 * MINUTE)
    phones[0].door.somebody_watches()
    phones[0].door.watch()
    for phone in phones:
        phone.check_in("too late")
        phone.end("end with the PIN", PIN)
    both(phones, lambda phone, pin: None)


@pytest.mark.parametrize("silent", [False, True])
def test_the_third_wrong_pin_moves_nothing_that_the_second_does_not(door: Door, silent: bool) -> None:
    door.clock.stop()
    phone = Phone(door)
    phone.start("start")
    door.pass_under_watch_s(18 * MINUTE if silent else 5 * MINUTE)
    door.watch()
    for _ in range(2):
        phone.end("wrong", "0000")
    phone.beat("look")
    phone.end("wrong", "0000")
    phone.beat("look")
    assert phone.seen[-1] == phone.seen[-3]
    assert AlertKind.DURESS in [each.kind for each in door.alerts()]


def test_three_wrong_pins_within_a_minute_are_counted_from_any_of_them(door: Door) -> None:
    phone = Phone(door)
    phone.start("start")
    for seconds in (0, 50, 20, 5):
        door.clock.pass_s(seconds)
        phone.end("wrong", "0000")
    assert [each.kind for each in door.alerts()] == [AlertKind.DURESS]
