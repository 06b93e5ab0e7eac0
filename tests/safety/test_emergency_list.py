"""Whom the emergency line rings: the list on the disk and in memory, and who is left out."""

import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from fieldvisit.database import Urls, acting_for_all, plain_url
from fieldvisit.models import Account, DutyShift, OfficerContact, Visitor
from fieldvisit.outgoing.gateways import Channels
from fieldvisit.safety.drafts import Sos
from fieldvisit.safety.emergency import PURPOSE, Book, Line
from fieldvisit.safety.emergency_calls import Caller
from fieldvisit.safety.emergency_list import LIST, DutyList
from fieldvisit.sealing import Cipher
from fieldvisit.vocabulary import AlarmChannel, DutyRank, Role
from tests.phone.worlds import make_visit_on_evidence
from tests.safety.test_crews import two_crews
from tests.safety.test_external import GUARD, agree
from tests.safety.test_where_a_call_is_from import doorstep
from tests.safety.worlds import Door, another_door, make_account, put_on_duty
from tests.worlds import make_shift

CIPHER = Cipher(b"k" * 32)


def fresh(door: Door, folder: Path) -> DutyList:
    duty = DutyList(folder, CIPHER)
    duty.keep_fresh(door.sessions)
    return duty


def rung(door: Door, duty: DutyList, folder: Path, *, everybody: bool = False) -> set[str]:
    """Where a covert call of the visitor rings."""
    told = Sos(visitor_id=door.visitor_id, actor_id=None, event_id=uuid.uuid4(), covert=True)
    caller = Caller(Book(folder, CIPHER), duty, Channels({}), door.sessions)
    rings = caller._rings(Line(org_id=door.world.agency, told=told, at=time.time()), everybody, "one")
    return {each.letter.to.partition(":")[2] or each.letter.to for each in rings}


def answers_too(door: Door, *, on_duty: bool = True) -> str:
    """The visitor has a supervisor's account as well, whose addresses these are."""
    with acting_for_all(door.sessions) as session:
        account = session.get_one(Account, door.account_id)
        account.roles = [*account.roles, Role.SUPERVISOR.value]
        shift = put_on_duty(session, account, DutyRank.TEAM_LEAD)
        if not on_duty:
            session.delete(shift)
        return account.username


def officers(door: Door) -> set[str]:
    with acting_for_all(door.sessions) as session:
        ids = (door.officer.account_id, door.other_officer.account_id)
        return {session.get_one(Account, each).username for each in ids}


def off_duty(door: Door) -> None:
    with acting_for_all(door.sessions) as session:
        session.execute(sa.delete(DutyShift))


def one_crew(door: Door, other: Door) -> None:
    with acting_for_all(door.sessions) as session:
        for each in (door.visitor_id, other.visitor_id):
            make_shift(session, session.get_one(Visitor, each), crew="A", lead=each == door.visitor_id)


def one_door(door: Door, other: Door) -> None:
    with acting_for_all(door.sessions) as session:
        visit_id = make_visit_on_evidence(session, door.world).id
    for each in (door, other):
        each.start(visit_id=visit_id)


def apart(door: Door, other: Door) -> None:
    two_crews(door, other, meet=False)


def meeting(door: Door, other: Door) -> None:
    two_crews(door, other, meet=True)


@pytest.mark.parametrize("on_duty", [True, False])
def test_nobody_is_rung_about_their_own_call(door: Door, tmp_path: Path, on_duty: bool) -> None:
    """Not on the phone that shows nothing of it, either."""
    mine = answers_too(door, on_duty=on_duty)
    duty = fresh(door, tmp_path)
    assert rung(door, duty, tmp_path, everybody=True) == officers(door)
    assert mine in rung(another_door(door), duty, tmp_path, everybody=True)


@pytest.mark.parametrize(("goes", "is_rung"), [(one_crew, False), (meeting, False), (one_door, False), (apart, True)])
def test_who_goes_with_the_caller_is_not_rung(
    door: Door, tmp_path: Path, goes: Callable[[Door, Door], None], is_rung: bool
) -> None:
    mate = another_door(door)
    goes(door, mate)
    name = answers_too(mate)
    fresh(door, tmp_path)
    read_again = DutyList(tmp_path, CIPHER)
    assert (name in rung(door, read_again, tmp_path)) is is_rung
    assert name in rung(another_door(door), read_again, tmp_path)


def test_where_only_who_may_not_take_it_is_on_duty_everybody_else_and_the_number_outside_are_called_at_once(
    door: Door, tmp_path: Path
) -> None:
    agree(door, GUARD)
    off_duty(door)
    answers_too(door)
    assert rung(door, fresh(door, tmp_path), tmp_path) == officers(door) | {GUARD.number}


def test_a_push_alone_on_duty_is_no_alarm_line(door: Door, tmp_path: Path) -> None:
    agree(door, GUARD)
    off_duty(door)
    with acting_for_all(door.sessions) as session:
        account = make_account(session, door.world, Role.SAFETY_OFFICER)
        put_on_duty(session, account, DutyRank.DUTY, AlarmChannel.PUSH)
        name = account.username
    duty = fresh(door, tmp_path)
    assert rung(door, duty, tmp_path) == officers(door) | {name, GUARD.number}
    with acting_for_all(door.sessions) as session:
        session.add(
            OfficerContact(
                org_id=door.world.agency, account_id=account.id, channel=AlarmChannel.MAIL, address=f"mail:{name}"
            )
        )
    assert rung(door, fresh(door, tmp_path), tmp_path) == {name}


def test_while_the_plans_are_held_the_list_is_kept_fresh_and_who_went_together_is_remembered(
    door: Door, urls: Urls, tmp_path: Path
) -> None:
    mate = another_door(door)
    meeting(door, mate)
    name = answers_too(mate)
    duty = fresh(door, tmp_path)
    owner = sa.create_engine(urls.owner, poolclass=sa.NullPool)
    with owner.begin() as connection:
        connection.execute(sa.text("lock table stops in access exclusive mode"))
        off_duty(door)
        duty._asked_at = -DutyList.FRESH_S
        duty.keep_fresh(door.sessions)
    owner.dispose()
    assert rung(door, duty, tmp_path) == officers(door)
    assert name not in rung(door, DutyList(tmp_path, CIPHER), tmp_path)


def test_a_process_that_has_not_asked_for_long_calls_from_the_list_of_another(door: Door, tmp_path: Path) -> None:
    mine = fresh(door, tmp_path)
    off_duty(door)
    with acting_for_all(door.sessions) as session:
        account = make_account(session, door.world, Role.SUPERVISOR)
        put_on_duty(session, account, DutyRank.DUTY)
        name = account.username
    later = another_door(door)
    fresh(door, tmp_path)
    assert rung(door, mine, tmp_path) == {name}
    assert str(later.visitor_id) in mine.of(door.world.agency).visitors


@pytest.mark.parametrize("kept", ["half a li", {"a": []}, None], ids=["broken", "of another version", "none"])
def test_a_list_that_cannot_be_read_costs_nobody_the_one_at_hand(door: Door, tmp_path: Path, kept: object) -> None:
    mine = fresh(door, tmp_path)
    (tmp_path / LIST).unlink()
    if kept is not None:
        (tmp_path / LIST).write_bytes(CIPHER.seal(json.dumps(kept), "emergency"))
    assert rung(door, mine, tmp_path) == officers(door)


def test_a_list_that_this_disk_does_not_take_is_younger_than_the_one_on_it(door: Door, tmp_path: Path) -> None:
    mine = fresh(door, tmp_path)
    fresh(door, tmp_path)
    off_duty(door)
    name = answers_too(another_door(door))
    (tmp_path / LIST).rename(tmp_path / "before")
    (tmp_path / LIST).mkdir()
    mine._asked_at = -DutyList.FRESH_S
    mine.keep_fresh(door.sessions)
    assert rung(door, mine, tmp_path) == {name}


def test_who_is_called_is_told_the_doors(door: Door, tmp_path: Path) -> None:
    agree(door, GUARD)
    here, there = doorstep(door), doorstep(door)
    door.start(visit_id=here.id)
    another_door(door).start(visit_id=there.id)
    off_duty(door)
    fresh(door, tmp_path)
    by_the_disk = DutyList(tmp_path, CIPHER)
    caller = Caller(Book(tmp_path, CIPHER), by_the_disk, Channels({}), door.sessions)

    def said(visit_id: uuid.UUID | None) -> set[str]:
        told = Sos(visitor_id=door.visitor_id, actor_id=None, event_id=uuid.uuid4(), visit_id=visit_id)
        rings = caller._rings(Line(org_id=door.world.agency, told=told, at=time.time()), True, "one")
        assert any(each.letter.to == GUARD.number for each in rings)
        return {each.letter.text.partition(", at ")[0].partition(", visit ")[2] for each in rings}

    own, other = (f"{each.reference}, {each.address}" for each in (here, there))
    assert said(None) == said(here.id) == said(uuid.uuid4()) == {own}
    assert said(there.id) == {f"{own} or {other}"}


def test_without_the_doors_the_list_is_kept_all_the_same(door: Door, urls: Urls, tmp_path: Path) -> None:
    here = doorstep(door)
    door.start(visit_id=here.id)
    duty = fresh(door, tmp_path)
    with psycopg.connect(plain_url(urls.owner)) as owner:
        owner.execute("lock table places in access exclusive mode")
        duty._asked_at = -duty.FRESH_S
        off_duty(door)
        duty.keep_fresh(door.sessions)
        owner.rollback()
    known = duty.of(door.world.agency)
    assert known.addresses == ()
    assert [each.address for each in known.doors_of(door.visitor_id, None)] == [here.address]
    stored = json.loads(CIPHER.open((tmp_path / LIST).read_bytes(), PURPOSE))
    others: tuple[object, ...] = (None, [], {"a": 1}, {"a": {"visit_id": "b"}})
    for of_another_version in others:
        stored[str(door.world.agency)]["doors"] = of_another_version
        (tmp_path / LIST).write_bytes(CIPHER.seal(json.dumps(stored), PURPOSE))
        assert DutyList(tmp_path, CIPHER).of(door.world.agency).doors == {}
