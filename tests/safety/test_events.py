"""The chain of a session's events shows every later change, whoever made it."""

import uuid
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from fieldvisit import embedded
from fieldvisit.database import acting_for, acting_for_all, app_engine
from fieldvisit.models import SafetyEvent, SafetySession
from fieldvisit.safety.events import Break, find_break, history
from fieldvisit.sealing import cipher_of
from fieldvisit.settings import Settings
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


COLUMNS = "org_id, session_id, at, kind, detail, previous_hash, hash"
TAMPERINGS = {
    "update safety_events set detail = '{\"age_s\": 300}' where sequence = 2": Break(2, "altered"),
    "update safety_events set actor_id = null where sequence = 2": Break(2, "altered"),
    "update safety_events set at = at + interval '1 second' where sequence = 3": Break(3, "altered"),
    "update safety_events set kind = 'checked_in' where sequence = 3": Break(3, "altered"),
    "delete from safety_events where sequence = 3": Break(3, "missing"),
    "delete from safety_events where sequence = 6": Break(6, "missing"),
    "delete from safety_events": Break(1, "missing"),
    "update safety_events set previous_hash = '\\x00', hash = '\\x00' where sequence = 4": Break(
        4, "not joined to the one before"
    ),
    f"insert into safety_events (sequence, {COLUMNS}) select 7, {COLUMNS} from safety_events where sequence = 6": Break(
        7, "not joined to the one before"
    ),
}


@pytest.fixture
def master(server: embedded.Server, door: Door, settings: Settings) -> Iterator[sa.Engine]:
    """As nobody but the master of the whole server can: above row-level security and every right."""
    engine = app_engine(server.url("postgres", door.sessions.kw["bind"].url.database), settings, pool_size=1)
    yield engine
    engine.dispose()


def found_after(master: sa.Engine, session_id: uuid.UUID, tampering: str) -> Break | None:
    """What the check finds in a transaction that tampers and is undone."""
    with Session(master) as session:
        session.execute(sa.text(tampering))
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


def test_a_changed_chain_is_found_at_its_first_wrong_event(master: sa.Engine, session_id: uuid.UUID) -> None:
    assert {tampering: found_after(master, session_id, tampering) for tampering in TAMPERINGS} == TAMPERINGS


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
