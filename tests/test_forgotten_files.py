"""The bytes of a file go with its last owner, also where the same content is brought for another at that moment."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import Urls, acting_for, acting_for_all, owner_engine, session_factory
from fieldvisit.evidence import EvidenceDraft, Part, Room, announce, take_part
from fieldvisit.files import FileStore
from fieldvisit.forgotten_files import let_go
from fieldvisit.models import Evidence, StoredFile
from fieldvisit.retention.purging import purge_visits
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import EvidenceKind
from tests.conftest import NOW
from tests.locks import until_somebody_waits
from tests.phone.worlds import Morning, make_morning
from tests.pictures import picture

PHOTO = picture(200, 200)
DIGEST = sha256(PHOTO).hexdigest()


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    return make_morning(sessions, visits=2)


def bring(session: Session, store: FileStore, morning: Morning, visit_id: uuid.UUID) -> None:
    """The photo as evidence of the visit, up to the commit."""
    draft = EvidenceDraft(
        id=uuid.uuid4(), visit_id=visit_id, kind=EvidenceKind.PHOTO, captured_at=NOW, size_bytes=len(PHOTO)
    )
    announce(session, draft, visitor_id=morning.ilta, room=Room(files=2, most_bytes=2**20))
    part = Part(evidence_id=draft.id, begin=0, content=PHOTO)
    take_part(session, store, part, visitor_id=morning.ilta, now=NOW)


def test_bytes_that_are_brought_again_beside_a_purge_stay(
    sessions: sessionmaker[Session], settings: Settings, urls: Urls, morning: Morning
) -> None:
    store, org_id, engine = FileStore(settings), morning.world.agency, owner_engine(urls)
    owners = session_factory(engine)
    first, second = morning.visits

    def purge() -> None:
        with acting_for_all(owners) as session:
            purge_visits(session, [first])

    with acting_for(sessions, org_id) as session:
        bring(session, store, morning, first)
    with ThreadPoolExecutor(1) as beside:
        with acting_for(sessions, org_id) as session:
            bring(session, store, morning, second)
            purged = beside.submit(purge)
            # Seen by the owner of the tables: one role is not told for what another waits.
            until_somebody_waits(owners)
        purged.result()
    engine.dispose()
    with acting_for(sessions, org_id) as session:
        assert session.scalars(sa.select(Evidence.visit_id)).all() == [second]
        assert session.scalars(sa.select(StoredFile.forgotten_at)).all() == [None]
        assert let_go(session, store, now=NOW) == 0
    assert store.get(org_id, DIGEST) == PHOTO


def test_a_file_that_something_refers_to_again_is_taken_back_before_its_bytes_go(
    sessions: sessionmaker[Session], settings: Settings, morning: Morning
) -> None:
    store, org_id = FileStore(settings), morning.world.agency
    with acting_for(sessions, org_id) as session:
        bring(session, store, morning, morning.visit)
        session.execute(sa.update(StoredFile).values(forgotten_at=NOW))
    with acting_for(sessions, org_id) as session:
        assert let_go(session, store, now=NOW) == 1
        row = session.scalars(sa.select(StoredFile)).one()
        assert (row.forgotten_at, row.gone_at) == (None, None)
    assert store.get(org_id, DIGEST) == PHOTO
