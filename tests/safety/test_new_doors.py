"""A call for help that names another door than the one before, in an alarm that is up: who acts on it is told."""

import uuid
from dataclasses import replace

import pytest
import sqlalchemy as sa

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import OfficerContact, OutboxMessage
from fieldvisit.safety.live import read_wall
from fieldvisit.safety.pins import set_pins
from fieldvisit.vocabulary import AlertKind, DutyRank, MessagePurpose, MessageRecipient, MessageState, Role
from tests.safety.offices import Office
from tests.safety.test_external import GUARD, agree
from tests.safety.test_held_tables import Hold, hold
from tests.safety.test_where_a_call_is_from import Doorstep, doorstep, here, there
from tests.safety.worlds import MINUTE, Door, another_door, make_account, put_on_duty

__all__ = ["here", "hold", "there"]


def told(office: Office) -> list[OutboxMessage]:
    return [each for each in office.messages() if each.purpose is MessagePurpose.NEW_DOOR]


def said(office: Office, door: Doorstep) -> dict[str, str]:
    """What is said of this door anew, by address."""
    new = [each for each in office.heard() if "ANOTHER DOOR" in each["text"]]
    return {each["to"]: each["text"] for each in new if f"names visit {door.reference}." in each["text"]}


def another_officer(door: Door) -> str:
    with acting_for_all(door.sessions) as session:
        account = make_account(session, door.world, Role.SAFETY_OFFICER)
        put_on_duty(session, account, DutyRank.DUTY)
        return account.username


def addresses(door: Door) -> set[str]:
    """Of whoever has the alarm."""
    with acting_for_all(door.sessions) as session:
        mine = sa.select(OfficerContact.address).where(OfficerContact.account_id == door.officer.account_id)
        return set(session.scalars(mine))


def test_who_has_the_alarm_is_told_each_change_of_door_once(office: Office, here: Doorstep, there: Doorstep) -> None:
    door, third = office.door, doorstep(office.door)
    another_officer(door)
    session_id = door.start(visit_id=here.id)
    door.call_for_help()
    office.send()
    door.acknowledge()
    for visit_id in (there.id, there.id, None, here.id, third.id):
        door.call_for_help(visit_id=visit_id)
        office.send()
    for new in (there, here, third):
        assert set(said(office, new)) == addresses(door)
    assert (len(door.alerts()), len(told(office))) == (1, 3 * len(addresses(door)))
    before = len(office.heard())
    door.call_for_help(visit_id=there.id)
    office.send()
    assert {each["to"] for each in office.heard()[before:]} == addresses(door), "they are on the way to the third"
    assert len(told(office)) == 4 * len(addresses(door))
    events = [each.detail for each in door.events(session_id) if each.kind == "new_door_told"]
    assert [each["visit_id"] for each in events] == [str(each.id) for each in (there, here, third, there)]


def test_a_door_that_was_never_told_because_another_came_between_is_told_when_it_is_named_again(
    office: Office, here: Doorstep, there: Doorstep
) -> None:
    door, third = office.door, doorstep(office.door)
    door.start(visit_id=here.id)
    door.call_for_help()
    office.send()
    door.acknowledge()
    door.call_for_help(visit_id=there.id)
    door.call_for_help(visit_id=third.id)
    office.send()
    assert said(office, there) == {}
    door.call_for_help(visit_id=there.id)
    office.send()
    assert set(said(office, there)) == addresses(door)


def test_what_still_waits_to_tell_a_door_is_not_put_out_again(office: Office, here: Doorstep, there: Doorstep) -> None:
    door, third = office.door, doorstep(office.door)
    door.start(visit_id=here.id)
    door.call_for_help()
    office.send()
    door.acknowledge()
    for visit_id in (there.id, third.id, there.id):
        door.call_for_help(visit_id=visit_id)
    assert len(told(office)) == 2 * len(addresses(door))
    before = len(office.heard())
    office.send()
    assert len(office.heard()) - before == len(addresses(door))
    assert set(said(office, there)) == addresses(door)


def test_while_it_climbs_everybody_is_who_was_told_before(office: Office, here: Doorstep, there: Doorstep) -> None:
    door = office.door
    agree(door)
    door.start(visit_id=here.id)
    door.call_for_help()
    for _ in range(3):
        office.turn(2 * MINUTE + 1)
    before = {each["to"] for each in office.heard()}
    assert GUARD.number in before
    door.call_for_help(visit_id=there.id)
    office.send()
    outside = {each.id for each in told(office) if each.recipient is MessageRecipient.EXTERNAL}
    assert len(outside) == 2
    assert set(said(office, there)) == before - {GUARD.number}
    (guard,) = {
        each["text"] for each in office.heard() if "ANOTHER DOOR" in each["text"] and each["to"] == GUARD.number
    }
    assert there.address in guard


def test_what_has_not_gone_out_yet_tells_the_new_door_by_itself(
    office: Office, here: Doorstep, there: Doorstep
) -> None:
    office.door.start(visit_id=here.id)
    office.door.call_for_help()
    office.door.call_for_help(visit_id=there.id)
    office.send()
    assert told(office) == []
    assert all(f"{here.reference} or {there.reference}" in each["text"] for each in office.heard())


@pytest.mark.parametrize("again", [{"man_down": True}, {"covert": True}])
def test_of_whatever_kind_the_call_is(office: Office, here: Doorstep, there: Doorstep, again: dict[str, bool]) -> None:
    door = office.door
    door.start(visit_id=here.id)
    door.call_for_help(visit_id=here.id)
    office.send()
    door.call_for_help(visit_id=there.id, **again)
    office.send()
    (text,) = set(said(office, there).values())
    assert ("Do not call the visitor" in text) is bool(again.get("covert"))


def test_a_stronger_alarm_that_takes_over_tells_it_by_its_own_ladder(
    office: Office, here: Doorstep, there: Doorstep
) -> None:
    door = office.door
    session_id = door.start(visit_id=here.id)
    door.pass_under_watch_s(20 * MINUTE)
    door.watch()
    office.send()
    assert door.alert().kind is AlertKind.LOST_CONTACT
    door.call_for_help(visit_id=there.id)
    office.send()
    assert told(office) == []
    assert any(f"{here.reference} or {there.reference}" in each["text"] for each in office.heard())
    assert door.row(session_id).visit_id == here.id


def test_a_call_that_may_still_be_taken_back_tells_nobody_before_its_time(
    office: Office, here: Doorstep, there: Doorstep
) -> None:
    door = office.door
    with acting_for_all(door.sessions) as session:
        set_pins(session, door.visitor_id, "4711", "4862")
    door.start(visit_id=here.id)
    door.call_for_help(visit_id=here.id)
    door.call_for_help(visit_id=there.id)
    office.send()
    assert office.messages() == []
    office.turn(6)
    assert told(office) == []
    assert {f"{here.reference} or {there.reference}" in each["text"] for each in office.heard()} == {True}


def test_what_waited_too_long_is_not_told_any_more(office: Office, here: Doorstep, there: Doorstep) -> None:
    door, third = office.door, doorstep(office.door)
    door.start(visit_id=here.id)
    door.call_for_help()
    office.send()
    door.acknowledge()
    door.call_for_help(visit_id=there.id)
    door.call_for_help(visit_id=third.id)
    office.send()
    assert said(office, there) == {}
    assert set(said(office, third)) == addresses(door)
    door.call_for_help(visit_id=here.id)
    door.resolve(resume=False)
    office.send()
    assert {each.state for each in told(office)} == {MessageState.SENT, MessageState.DROPPED}
    assert said(office, here) == {}


def test_the_officer_reads_it_in_chinese(office: Office, here: Doorstep, there: Doorstep) -> None:
    door = office.door
    agree(door, replace(GUARD, language="zh_CN"))
    with acting_for_all(door.sessions) as session:
        session.execute(sa.update(OfficerContact).values(language="zh_CN"))
    door.start(visit_id=here.id)
    door.call_for_help()
    office.send()
    door.call_for_help(visit_id=there.id)
    office.send()
    texts = {each["text"] for each in office.heard() if there.reference in each["text"]}
    assert len(texts) == 1
    assert all("地点与此前告知的不同" in text for text in texts)


def test_the_wall_shows_both_doors(door: Door, here: Doorstep, there: Doorstep) -> None:
    calm = another_door(door)
    calm.start(visit_id=here.id)
    session_id = door.start(visit_id=here.id)

    def tile() -> tuple[uuid.UUID | None, uuid.UUID | None]:
        with acting_for(door.sessions, door.world.agency) as session:
            tiles = {each.id: each for each in read_wall(session).tiles}
        (other,) = (each for each in tiles.values() if each.visitor_id == calm.visitor_id)
        assert other.other_visit_id is None
        return tiles[session_id].visit_id, tiles[session_id].other_visit_id

    door.call_for_help()
    assert tile() == (here.id, None)
    door.call_for_help(visit_id=there.id)
    assert tile() == (here.id, there.id)
    door.call_for_help(visit_id=here.id)
    assert tile() == (here.id, None)


def test_a_record_that_somebody_holds_keeps_no_door_from_being_told_and_visits_are_waited_for(
    office: Office, here: Doorstep, there: Doorstep, hold: Hold
) -> None:
    door = office.door
    door.start(visit_id=here.id)
    door.call_for_help()
    office.send()
    door.call_for_help(visit_id=there.id)
    with hold("visits"):
        office.send()
    assert {each.error for each in told(office)} == {"not written: held"}
    with acting_for_all(door.sessions) as session:
        session.execute(sa.update(OutboxMessage).values(lease=None, lease_until=None))
    door.pass_under_watch_s(2)
    with hold("safety_events"):
        office.send()
    assert set(said(office, there)) == addresses(door)
