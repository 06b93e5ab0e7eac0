"""What belongs to no case goes too: scans that were replaced, and look-ups of codes that were nobody's."""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.clock import shift_clock_to
from fieldvisit.database import Urls, acting_for, acting_for_all, owner_engine
from fieldvisit.files import FileStore, FilesUnavailable
from fieldvisit.forgotten_files import let_go, users_of_files
from fieldvisit.models import Credential, Purge, StoredFile, VerificationLookup
from fieldvisit.papers import put_paper
from fieldvisit.retention.loose import FILES, LOOKUPS
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import CredentialKind, LookupResult
from tests.api.test_visits_command import call
from tests.conftest import NOW
from tests.worlds import World, make_credential, make_visitor, make_world

DAY = dt.timedelta(days=1)
SCANS = [b"%PDF-1.4 one", b"%PDF-1.4 two"]


def make_paper(sessions: sessionmaker[Session], world: World) -> uuid.UUID:
    with acting_for(sessions, world.agency) as session:
        return make_credential(session, make_visitor(session, world, papers=False), kind=CredentialKind.BADGE).id


def scan(sessions: sessionmaker[Session], world: World, store: FileStore, paper_id: uuid.UUID, content: bytes) -> str:
    with acting_for(sessions, world.agency) as session:
        return put_paper(session, store, paper_id, content).digest


def look_up(sessions: sessionmaker[Session], at: dt.datetime) -> None:
    with acting_for_all(sessions) as session:
        session.add(VerificationLookup(result=LookupResult.UNKNOWN, address="hash", at=at))


def kept(sessions: sessionmaker[Session]) -> tuple[list[str], int]:
    with acting_for_all(sessions) as session:
        lookups = session.scalar(sa.select(sa.func.count()).select_from(VerificationLookup))
        files = sa.select(StoredFile.digest).where(StoredFile.forgotten_at.is_(None))
        return list(session.scalars(files.order_by(StoredFile.created_at))), lookups or 0


def is_there(store: FileStore, world: World, digest: str) -> bool:
    try:
        store.get(world.agency, digest)
    except FilesUnavailable:
        return False
    return True


def test_a_replaced_scan_and_old_lookups_of_nobody_go_with_a_proof(
    settings: Settings, urls: Urls, sessions: sessionmaker[Session]
) -> None:
    world, store = make_world(sessions), FileStore(settings)
    paper_id = make_paper(sessions, world)
    first, second = (scan(sessions, world, store, paper_id, content) for content in SCANS)
    look_up(sessions, NOW - 80 * DAY)
    look_up(sessions, NOW)
    # Asked for once more in time, the first one stays and the second has to go.
    engine = owner_engine(urls)
    shift_clock_to(engine, NOW + 20 * DAY)
    assert call(settings, urls, "retention", "run").exit_code == 0
    assert kept(sessions) == ([first, second], 1)
    scan(sessions, world, store, paper_id, SCANS[0])
    shift_clock_to(engine, NOW + 49 * DAY)
    assert call(settings, urls, "retention", "run").exit_code == 0
    assert kept(sessions)[0] == [first, second]
    shift_clock_to(engine, NOW + 51 * DAY)
    dry = call(settings, urls, "retention", "run", "--dry-run")
    assert (f"{FILES} 1" in dry.output, LOOKUPS in dry.output, kept(sessions)[0]) == (True, False, [first, second])
    assert call(settings, urls, "retention", "run", "--reason", "tidy").exit_code == 0
    assert kept(sessions)[0] == [first]
    with acting_for(sessions, world.agency) as session:
        # The worker's part.
        assert let_go(session, store, now=NOW + 51 * DAY) == 1
    assert (is_there(store, world, first), is_there(store, world, second)) == (True, False)
    with acting_for_all(sessions) as session:
        proof = session.scalars(sa.select(Purge).where(Purge.org_id == world.agency)).one()
        assert session.get_one(Credential, paper_id).file_id is not None
    assert (proof.records, proof.reason, proof.finished_at is not None) == ({FILES: 1}, "tidy", True)
    engine.dispose()


def test_whatever_uses_a_file_keeps_it() -> None:
    found = {f"{column.table.name}.{column.name}" for column in users_of_files()}
    assert {"credentials.file_id", "visitors.photo_id"} <= found
    assert "file_accesses.file_id" not in found
