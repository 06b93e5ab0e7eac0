"""The chain of a session's events shows every later change, whoever made it."""

import uuid

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from fieldvisit import embedded
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import SafetyEvent, SafetySession
from fieldvisit.safety.events import Break, find_break, history
from fieldvisit.sealing import cipher_of
from tests.safety.worlds import MINUTE, Door


@pytest.fixture
def session_id(door: Door) -> uuid.UUID:
    """started, checked_in, alert_opened, step_begun, acknowledged, noted."""
    session_id = door.start()
    door.check_in(session_id, lat=60.169857, lon=24.938379, age_s=3)
    door.pass_under_watch_s(18 * MINUTE - 5)
    door.beat(session_id)
    door.pass_under_watch_s(5)
    door.watch()
    door.acknowledge()
    door.note(text="Called, the line is busy.")
    return session_id


def tamper(server: embedded.Server, door: Door, statement: str) -> None:
    """As nobody but the owner of the whole server can."""
    database = door.sessions.kw["bind"].url.database
    with psycopg.connect(server.url("postgres", database).replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(statement)


def broken_at(door: Door, session_id: uuid.UUID) -> Break | None:
    with acting_for(door.sessions, door.world.agency) as session:
        row = session.get_one(SafetySession, session_id)
        return find_break(row, history(session, row))


def test_an_untouched_chain_holds_and_is_numbered_without_gaps(door: Door, session_id: uuid.UUID) -> None:
    assert door.told_events(session_id) == [
        "started",
        "checked_in",
        "alert_opened",
        "step_begun",
        "acknowledged",
        "noted",
    ]
    assert [event.sequence for event in door.events(session_id)] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("update safety_events set detail = '{\"age_s\": 300}' where sequence = 2", Break(2, "altered")),
        ("update safety_events set actor_id = null where sequence = 2", Break(2, "altered")),
        ("update safety_events set at = at + interval '1 second' where sequence = 3", Break(3, "altered")),
        ("update safety_events set kind = 'checked_in' where sequence = 3", Break(3, "altered")),
        ("delete from safety_events where sequence = 3", Break(3, "missing")),
        ("delete from safety_events where sequence = 6", Break(6, "missing")),
        ("delete from safety_events", Break(1, "missing")),
        (
            "update safety_events set previous_hash = '\\x00', hash = '\\x00' where sequence = 4",
            Break(4, "not joined to the one before"),
        ),
    ],
)
def test_a_changed_chain_is_found_at_its_first_wrong_event(
    server: embedded.Server, door: Door, session_id: uuid.UUID, statement: str, found: Break
) -> None:
    tamper(server, door, statement)
    assert broken_at(door, session_id) == found


def test_an_inserted_event_is_found(server: embedded.Server, door: Door, session_id: uuid.UUID) -> None:
    columns = "org_id, session_id, at, kind, detail, previous_hash, hash"
    tamper(
        server,
        door,
        f"insert into safety_events (sequence, {columns}) select 7, {columns} from safety_events where sequence = 6",
    )
    assert broken_at(door, session_id) == Break(7, "not joined to the one before")


def test_the_application_can_neither_change_nor_delete_an_event(door: Door, session_id: uuid.UUID) -> None:
    for statement in (sa.update(SafetyEvent).values(kind="noted"), sa.delete(SafetyEvent)):
        with pytest.raises(ProgrammingError, match="permission denied"), acting_for_all(door.sessions) as session:
            session.execute(statement)


def test_a_note_is_sealed_and_the_chain_holds_its_digest(door: Door, session_id: uuid.UUID) -> None:
    with acting_for(door.sessions, door.world.agency) as session:
        noted = door.events(session_id)[-1]
        digest = cipher_of(session.connection().dialect).digest("Called, the line is busy.").hex()
        stored = session.scalar(sa.text("select note from safety_events where note is not null"))
    assert (noted.note, noted.detail["note_digest"]) == ("Called, the line is busy.", digest)
    assert b"busy" not in bytes(stored)


def test_another_organisation_reads_no_event(door: Door, session_id: uuid.UUID) -> None:
    with acting_for(door.sessions, door.world.stranger) as session:
        assert session.scalars(sa.select(SafetyEvent)).all() == []
