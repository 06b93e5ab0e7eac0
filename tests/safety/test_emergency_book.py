"""Calls for help that no database takes: the disk is full, the book is held, the database hangs, somebody calls again
and again. People are called, and later each call is in one alert."""

import base64
import fcntl
import json
import os
import resource
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import Urls, acting_for_all
from fieldvisit.models import Account, DutyShift
from fieldvisit.outgoing.gateways import Channels, Handed, Letter
from fieldvisit.safety.drafts import Sos
from fieldvisit.safety.emergency import BOOK, SILENT_S, Book, Line
from fieldvisit.safety.emergency_calls import Caller
from fieldvisit.safety.emergency_list import LIST, DutyList
from fieldvisit.sealing import Cipher
from fieldvisit.vocabulary import AlarmChannel, AlertKind, AlertState
from tests.processes import wait_until
from tests.safety.providers import Providers
from tests.safety.worlds import Door, another_door, rewrite

CIPHER = Cipher(b"k" * 32)


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path, CIPHER, held_s=0.05)


def line(door: Door | None = None, *, at: float = 1.0, **given: Any) -> Line:
    org_id, visitor_id = (door.world.agency, door.visitor_id) if door else (uuid.uuid4(), uuid.uuid4())
    told = Sos(**{"visitor_id": visitor_id, "actor_id": None, "event_id": uuid.uuid4()} | given)
    return Line(org_id=org_id, told=told, at=at)


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """Like a disk with so much room: it takes what fits, and only then refuses."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_call_of_which_the_disk_takes_half_is_not_kept_and_leaves_nothing(book: Book, tmp_path: Path) -> None:
    first, second, third = line(), line(), line()
    book.append(first)
    size = (tmp_path / BOOK).stat().st_size
    with no_file_longer_than(size + 20), pytest.raises(OSError, match="File too large"):
        book.append(second)
    assert (tmp_path / BOOK).stat().st_size == size
    book.append(third)
    assert book.lines() == [first, third]


@contextmanager
def held(path: Path) -> Iterator[None]:
    """By somebody who was stopped in the midst of it."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(file)


def test_a_book_that_somebody_holds_is_not_waited_for(book: Book, tmp_path: Path) -> None:
    book.append(line())
    with held(tmp_path / BOOK), pytest.raises(OSError, match="unavailable"):
        book.append(line())
    book.append(line())
    assert len(book.lines()) == 2


def test_who_sees_to_the_book_and_gives_no_sign_is_not_waited_for(book: Book, tmp_path: Path) -> None:
    with book.seen_to() as first, book.seen_to() as second:
        assert (first, second) == (True, False)
        stopped_at = (tmp_path / BOOK).with_suffix(".seen_to").stat().st_mtime - SILENT_S - 1
        os.utime((tmp_path / BOOK).with_suffix(".seen_to"), (stopped_at, stopped_at))
        with book.seen_to() as third:
            assert third
        book.give_sign()
        with book.seen_to() as fourth:
            assert not fourth


def test_what_cannot_be_read_is_kept_aside_and_the_others_are_raised(book: Book, door: Door, tmp_path: Path) -> None:
    Book(tmp_path, Cipher(b"o" * 32)).append(line(door))
    book.append(line(door))
    with (tmp_path / BOOK).open("ab") as file:
        file.write(b"half a li")
    assert len(book.reconcile(door.sessions)) == 1
    assert [each.kind for each in door.alerts()] == [AlertKind.SOS]
    assert not book.waits()
    aside = Book(tmp_path, Cipher(b"o" * 32))
    aside._path = aside._path.with_suffix(".unreadable")
    assert [each.told.visitor_id for each in aside.lines()] == [door.visitor_id]


def test_a_call_that_nobody_has_read_is_not_emptied_with_others_that_were_as_long(
    book: Book, door: Door, tmp_path: Path
) -> None:
    """One process reads and is stopped; another makes the alert and empties the book; then somebody calls again."""
    other, later = Book(tmp_path, CIPHER), line(door, at=2.0)
    book.append(line(door, at=1.0))
    size = (tmp_path / BOOK).stat().st_size

    def stopped(**asked: Any) -> Session:
        """Where the first asks for the database: all of that happens, and then it goes on."""
        if other.reconcile(door.sessions):
            other.append(later)
        return door.sessions(**asked)

    book.reconcile(cast("sessionmaker[Session]", stopped))
    assert (tmp_path / BOOK).stat().st_size == size
    assert book.lines() == [later]


@pytest.fixture
def full(book: Book, tmp_path: Path) -> Book:
    """A book that cannot be emptied: what is no call in it can be put nowhere."""
    (tmp_path / BOOK).with_suffix(".unreadable").mkdir()
    (tmp_path / BOOK).write_bytes(b"half a line\n")
    return book


@pytest.mark.parametrize("made_up", [False, True])
def test_a_call_that_is_an_alert_is_called_about_and_raised_no_more_where_the_book_cannot_be_emptied(
    full: Book, door: Door, tmp_path: Path, made_up: bool
) -> None:
    full.append(line(door, at=time.time(), made_up=made_up))
    caller = caller_through(full, door, tmp_path, Passing(back_at=0))
    assert len(caller._due()) == 1
    caller._called.clear()
    caller._reconcile()
    assert caller._due() == []
    door.acknowledge()
    door.resolve(resume=False)
    caller._reconcile()
    assert [each.state for each in door.alerts()] == [AlertState.RESOLVED]
    assert full.waits()


@pytest.fixture
def refused(door: Door, urls: Urls) -> Iterator[Door]:
    """A visitor of whom the database takes nothing."""
    owner = sa.create_engine(urls.owner, poolclass=sa.NullPool)
    with owner.begin() as connection:
        connection.execute(
            sa.text(
                f"alter table safety_sessions add constraint nobody check (visitor_id <> '{door.visitor_id}') not valid"
            )
        )
    yield door
    owner.dispose()


def test_a_call_that_cannot_be_raised_stays_and_stands_in_no_other_s_way(book: Book, refused: Door) -> None:
    stuck, other = line(refused), line(another_door(refused))
    for each in (stuck, other):
        book.append(each)
    for _ in range(2):
        assert book.reconcile(refused.sessions) == {other.told.event_id}
    assert [each.kind for each in refused.alerts()] == [AlertKind.SOS]
    assert book.lines() == [stuck, other]


def test_a_call_at_which_the_product_fails_stands_in_no_other_s_way(book: Book, door: Door) -> None:
    """The policy of the session by which its visitor is out is one that nobody can read."""
    rewrite(door, door.start(), policy=[])
    stuck, other = line(door), line(another_door(door))
    for each in (stuck, other):
        book.append(each)
    assert book.reconcile(door.sessions) == {other.told.event_id}
    assert [each.kind for each in door.alerts()] == [AlertKind.SOS]
    assert book.lines() == [stuck, other]


def test_a_call_that_another_version_has_written_is_raised(book: Book, door: Door, tmp_path: Path) -> None:
    said = {"visitor_id": str(door.visitor_id), "event_id": str(uuid.uuid4()), "covert": True, "of_a_later_version": 1}
    written = json.dumps({"org_id": str(door.world.agency), "at": 1.0, "told": said, "of_a_later_version": 1})
    (tmp_path / BOOK).write_bytes(base64.b64encode(CIPHER.seal(written, "emergency")))
    assert book.reconcile(door.sessions) == {uuid.UUID(said["event_id"])}
    assert (door.alert().kind, door.alert().covert) == (AlertKind.SOS, True)


@pytest.mark.parametrize("more", [{}, {"together": {"a": 1}, "visitors": 1}], ids=["an earlier one", "a later one"])
def test_a_list_that_another_version_has_kept_is_called_from(
    door: Door, tmp_path: Path, more: dict[str, object]
) -> None:
    known = {"channel": "sms", "to": "+358401234567", "language": "en", "of_a_later_version": 1}
    later = known | {"channel": "of_a_later_version"}
    kept = {"addresses": [later, known, {"channel": "sms"}], "others": [known | {"visitor_id": [1]}]} | more
    said = json.dumps({str(door.world.agency): kept})
    (tmp_path / LIST).write_bytes(CIPHER.seal(said, "emergency"))
    found = DutyList(tmp_path, CIPHER).of(door.world.agency).about(door.visitor_id)
    assert [each.to for each in found.called(everybody=True)] == ["+358401234567"] * 2


@contextmanager
def database_that_hangs(urls: Urls) -> Iterator[None]:
    """For whoever wants a session of a visitor, as under a migration that waits for something."""
    owner = sa.create_engine(urls.owner, poolclass=sa.NullPool)
    with owner.begin() as connection:
        connection.execute(sa.text("lock table safety_sessions in access exclusive mode"))
        yield
    owner.dispose()


def test_while_the_database_hangs_people_are_called_about_each_visitor_once_and_more_calls_are_kept(
    book: Book, door: Door, urls: Urls, providers: Providers, tmp_path: Path
) -> None:
    duty = DutyList(tmp_path, CIPHER)
    duty.keep_fresh(door.sessions)
    channels = Channels.of(providers.all(), 1.0)
    caller = Caller(book, duty, channels, door.sessions)
    other = another_door(door)
    providers.forget()
    with database_that_hangs(urls):
        for each in [line(door) for _ in range(9)]:
            book.append(each)
            caller.wake()
        wait_until(lambda: len(providers.heard()) == 4)
        book.append(line(other))
        caller.wake()
        wait_until(lambda: len(providers.heard()) == 8)
    wait_until(lambda: not book.waits())
    caller.join(30)
    channels.close()
    assert [each.kind for each in door.alerts()] == [AlertKind.SOS] * 2
    assert len(providers.heard()) == 8


class Passing:
    """Seconds that pass only while somebody waits; from `back_at` on every provider is there."""

    name, receipts = "sms-away", False

    def __init__(self, back_at: float) -> None:
        self.s, self.back_at = 0.0, back_at
        self.asked: list[float] = []
        self.took: list[str] = []

    def now(self) -> float:
        return self.s

    def wait(self, seconds: float) -> None:
        self.s += seconds

    def hand_over(self, letter: Letter) -> Handed:
        self.asked.append(self.s)
        if self.s < self.back_at:
            return Handed(provider=self.name, error="ConnectError")
        self.took.append(str(letter.id))
        return Handed(provider=self.name)

    def close(self) -> None:
        """Nothing is open."""


def caller_through(book: Book, door: Door, tmp_path: Path, way: Passing) -> Caller:
    duty = DutyList(tmp_path, CIPHER)
    duty.keep_fresh(door.sessions)
    return Caller(book, duty, Channels({AlarmChannel.SMS: [way]}), door.sessions, now=way.now, wait=way.wait)


def test_providers_that_are_away_are_asked_again_until_the_turn_is_over(book: Book, door: Door, tmp_path: Path) -> None:
    """The switch that took the database away took them too."""
    soon, never = Passing(back_at=40), Passing(back_at=9_999)
    assert caller_through(book, door, tmp_path, soon).call_people(line(door), False, "one")
    assert (sorted(set(soon.asked)), len(soon.took)) == ([0, 1, 3, 7, 15, 30, 60], 2)
    assert not caller_through(book, door, tmp_path, never).call_people(line(door), False, "one")
    assert never.asked[-1] == 90


def test_a_call_that_the_disk_takes_neither_is_told_turn_after_turn_until_somebody_is_rung(
    book: Book, door: Door, tmp_path: Path
) -> None:
    way = Passing(back_at=300)
    caller = caller_through(book, door, tmp_path, way)
    for _ in range(2):
        caller.call_at_once(line(door))
    caller.join(30)
    assert len(way.took) == 2, "the two on duty, once"


def test_whom_nobody_could_be_rung_about_is_called_about_again_before_the_two_minutes_are_over(
    book: Book, door: Door, tmp_path: Path
) -> None:
    way = Passing(back_at=9_999)
    caller = caller_through(book, door, tmp_path, way)
    call = line(door)
    assert (caller._is_due(call), caller._is_due(call)) == (True, False)
    caller._ring(call, everybody=False)
    assert caller._is_due(call)


@pytest.mark.parametrize("on_duty", [True, False])
def test_with_nobody_on_duty_everybody_who_answers_alarms_is_called(door: Door, tmp_path: Path, on_duty: bool) -> None:
    with acting_for_all(door.sessions) as session:
        gone = sa.delete(DutyShift)
        session.execute(gone.where(DutyShift.account_id == door.officer.account_id) if on_duty else gone)
        names = dict(session.execute(sa.select(Account.id, Account.username)).all())
    DutyList(tmp_path, CIPHER).keep_fresh(door.sessions)
    known = DutyList(tmp_path, CIPHER).of(door.world.agency)

    def called(*, everybody: bool) -> set[str]:
        return {address.to.partition(":")[2] for address in known.called(everybody=everybody)}

    both = {names[door.officer.account_id], names[door.other_officer.account_id]}
    assert called(everybody=False) == ({names[door.other_officer.account_id]} if on_duty else both)
    assert called(everybody=True) == both
