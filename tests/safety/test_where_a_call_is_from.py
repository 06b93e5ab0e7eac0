"""A call for help that names a visit is told with the door of that visit, whatever session the visitor is out by."""

import uuid
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import OfficerContact, Place
from fieldvisit.safety import sessions
from fieldvisit.safety.alerts import AlertFile, read_alert
from fieldvisit.safety.drafts import SessionDraft, Sos
from fieldvisit.safety.emergency import Book, Line
from fieldvisit.safety.markers import Reader
from fieldvisit.safety.pins import set_pins
from fieldvisit.sealing import Cipher
from fieldvisit.vocabulary import AlertKind, Role
from tests.safety.offices import Office
from tests.safety.test_external import GUARD, agree
from tests.safety.worlds import ALARM, ENDED, MINUTE, Door
from tests.worlds import make_case, make_visit, make_visitor


@dataclass(frozen=True)
class Doorstep:
    """A visit, what it is called and where it is made."""

    id: uuid.UUID
    reference: str
    address: str


def doorstep(door: Door, *, of: uuid.UUID | None = None) -> Doorstep:
    with acting_for_all(door.sessions) as session:
        world = replace(door.world, agency=of or door.world.agency)
        visit = make_visit(session, world, make_case(session, world))
        place = session.get_one(Place, visit.place_id)
        place.address = f"Uudenmaankatu {visit.reference}, 00120 Helsinki"
        return Doorstep(visit.id, visit.reference, place.address)


@pytest.fixture
def here(door: Door) -> Doorstep:
    return doorstep(door)


@pytest.fixture
def there(door: Door) -> Doorstep:
    return doorstep(door)


def newest_file(door: Door) -> tuple[AlertKind, str | None, str | None]:
    with acting_for(door.sessions, door.world.agency) as session:
        file: AlertFile = read_alert(session, door.alerts()[-1].id)
        return file.alert.kind, file.address, file.other_address


def named(door: Door, session_id: uuid.UUID) -> list[str | None]:
    return [each.detail.get("visit_id") for each in door.events(session_id) if each.kind == "sos_pressed"]


def test_a_session_that_ended_at_another_door_is_not_taken_up(door: Door, here: Doorstep, there: Doorstep) -> None:
    ended_id = door.start(visit_id=here.id)
    door.end(ended_id)
    session_id = door.call_for_help(visit_id=there.id, session_id=ended_id)
    assert (door.row(ended_id).state, door.row(session_id).visit_id) == (ENDED, there.id)
    assert newest_file(door) == (AlertKind.SOS, there.address, None)


@pytest.mark.parametrize("named_too", [True, False])
def test_one_that_ended_at_this_door_is(door: Door, here: Doorstep, named_too: bool) -> None:
    session_id = door.start(visit_id=here.id)
    door.end(session_id)
    assert door.call_for_help(visit_id=here.id if named_too else None) == session_id
    assert door.row(session_id).state is ALARM
    assert newest_file(door) == (AlertKind.SOS, here.address, None)


def test_one_that_is_planned_for_a_third_door_is_left_alone(door: Door, here: Doorstep, there: Doorstep) -> None:
    draft = SessionDraft(
        visitor_id=door.visitor_id,
        actor_id=door.officer.account_id,
        event_id=uuid.uuid4(),
        planned_s=30 * MINUTE,
        visit_id=here.id,
    )
    office = Reader(account_id=door.officer.account_id, roles=frozenset({Role.DISPATCHER}), visitor_id=None)
    with acting_for(door.sessions, door.world.agency) as session:
        planned_id = sessions.plan_session(session, draft, office).session.id
    session_id = door.call_for_help(visit_id=there.id)
    assert session_id != planned_id
    assert newest_file(door) == (AlertKind.SOS, there.address, None)


@pytest.mark.parametrize(("language", "both"), [("en", "{} or {}"), ("zh_CN", "{} 或 {}")])
def test_out_at_one_door_and_calling_from_another_both_are_told(
    office: Office, here: Doorstep, there: Doorstep, language: str, both: str
) -> None:
    door = office.door
    agree(door, replace(GUARD, language=language))
    with acting_for_all(door.sessions) as session:
        session.execute(sa.update(OfficerContact).values(language=language))
    session_id = door.start(visit_id=here.id)
    assert door.call_for_help(visit_id=there.id) == session_id
    assert named(door, session_id) == [str(there.id)]
    assert newest_file(door) == (AlertKind.SOS, here.address, there.address)
    for _ in range(5):
        office.turn(2 * MINUTE + 1)
    said = {each["to"]: each["text"] for each in office.heard()}
    outside = said.pop(GUARD.number)
    assert both.format(here.address, there.address) in outside
    assert said
    assert all(both.format(here.reference, there.reference) in text for text in said.values())
    assert not any(there.address in text for text in said.values())


def test_of_several_calls_the_newest_that_names_a_door_counts(door: Door, here: Doorstep, there: Doorstep) -> None:
    session_id = door.start(visit_id=here.id)
    third = doorstep(door)
    for visit_id in (third.id, there.id, None):
        door.call_for_help(visit_id=visit_id)
    assert named(door, session_id) == [str(third.id), str(there.id), None]
    assert newest_file(door) == (AlertKind.SOS, here.address, there.address)
    door.call_for_help(visit_id=here.id)
    assert newest_file(door) == (AlertKind.SOS, here.address, None)


def test_a_call_of_an_alert_before_this_one_tells_nothing_of_where_she_is(
    door: Door, here: Doorstep, there: Doorstep
) -> None:
    session_id = door.start(visit_id=here.id)
    door.call_for_help(visit_id=there.id)
    door.acknowledge()
    door.resolve(resume=True)
    door.clock.pass_s(5 * MINUTE)
    assert door.call_for_help() == session_id
    assert newest_file(door) == (AlertKind.SOS, here.address, None)


def test_the_stronger_alert_that_takes_over_a_call_tells_its_door_too(
    door: Door, here: Doorstep, there: Doorstep
) -> None:
    with acting_for(door.sessions, door.world.agency) as session:
        set_pins(session, door.visitor_id, "4711", "4862")
    session_id = door.start(visit_id=here.id)
    door.call_for_help(visit_id=there.id, covert=True)
    door.clock.pass_s(MINUTE)
    door.check_in(session_id, pin="4862")
    assert newest_file(door) == (AlertKind.DURESS, here.address, there.address)


def test_a_running_session_without_a_visit_is_told_with_the_door_that_the_call_names(
    office: Office, there: Doorstep
) -> None:
    office.door.start()
    office.door.call_for_help(visit_id=there.id)
    assert newest_file(office.door) == (AlertKind.SOS, None, there.address)
    office.send()
    assert {f"visit {there.reference}," in each["text"] for each in office.heard()} == {True}


@pytest.mark.parametrize("whose", ["nobody's", "a stranger's"])
def test_a_visit_that_is_not_of_this_house_counts_as_none(door: Door, here: Doorstep, whose: str) -> None:
    visit_id = doorstep(door, of=door.world.stranger).id if whose == "a stranger's" else uuid.uuid4()
    session_id = door.start(visit_id=here.id)
    door.end(session_id)
    assert door.call_for_help(visit_id=visit_id) == session_id
    assert named(door, session_id) == [None]
    assert newest_file(door) == (AlertKind.SOS, here.address, None)


def test_nor_does_one_that_is_seen_only_since_it_is_made_for_this_house(door: Door, here: Doorstep) -> None:
    lender = replace(door.world, agency=door.world.lender)
    with acting_for_all(door.sessions) as session:
        visitor_id = make_visitor(session, lender).id
    session_id = replace(door, world=lender, visitor_id=visitor_id).call_for_help(visit_id=here.id)
    assert replace(door, world=lender).row(session_id).visit_id is None


def test_a_call_that_waited_in_the_emergency_book_says_from_which_door(
    door: Door, here: Doorstep, there: Doorstep, tmp_path: Path
) -> None:
    book = Book(tmp_path, Cipher(b"k" * 32), held_s=0.05)
    session_id = door.start(visit_id=here.id)
    told = Sos(visitor_id=door.visitor_id, actor_id=None, event_id=uuid.uuid4(), visit_id=there.id)
    book.append(Line(org_id=door.world.agency, told=told, at=1.0))
    book.reconcile(door.sessions)
    assert named(door, session_id) == [str(there.id)]
    assert newest_file(door) == (AlertKind.SOS, here.address, there.address)
