"""What a visitor announces and never sends to its end takes only so much room, and an honest phone gets over it."""

import base64
import dataclasses
import uuid
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.test import TestResponse

from fieldvisit.database import acting_for
from fieldvisit.evidence import EvidenceDraft, Room, TooManyUnfinished, announce
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import EvidenceKind, Role
from tests.api.conftest import ClientFor
from tests.conftest import NOW
from tests.locks import until_somebody_waits
from tests.phone.worlds import Morning, make_morning

TUS = {"Tus-Resumable": "1.0.0"}
SOUND = b"OggS" + bytes(6)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return dataclasses.replace(settings, unfinished_files=3, unfinished_mb=100)


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    return make_morning(sessions)


@pytest.fixture
def phone(client_for: ClientFor, morning: Morning) -> FlaskClient:
    return client_for(Role.VISITOR, org=morning.world.agency, visitor_id=morning.ilta)


def told(phone: FlaskClient, morning: Morning, *, size: int, id_: str | None = None) -> TestResponse:
    said = {"id": id_ or str(uuid.uuid4()), "visit_id": str(morning.visit), "kind": "audio"}
    said["captured_at"] = NOW.isoformat()
    pairs = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())
    return phone.post("/phone/evidence", headers=TUS | {"Upload-Length": str(size), "Upload-Metadata": pairs})


def path_of(answer: TestResponse) -> str:
    assert answer.status_code == 201
    return urlsplit(answer.headers["Location"]).path


def test_too_many_unfinished_files_are_named_and_one_that_becomes_whole_makes_room(
    phone: FlaskClient, client_for: ClientFor, morning: Morning
) -> None:
    first, second, third = (path_of(told(phone, morning, size=size)) for size in (len(SOUND), 50 * 2**20, 10))
    new = str(uuid.uuid4())
    full = told(phone, morning, size=10, id_=new)
    assert (full.status_code, full.json["code"]) == (409, "too_many_unfinished")
    assert full.json["details"]["evidence_ids"] == [path.rsplit("/", 1)[1] for path in (first, second, third)]
    # What was announced before goes on, and another's room is their own.
    assert told(phone, morning, size=10, id_=third.rsplit("/", 1)[1]).status_code == 201
    mate = client_for(Role.VISITOR, org=morning.world.agency, visitor_id=morning.oona)
    assert told(mate, morning, size=10).status_code == 201
    parts = TUS | {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    assert phone.patch(first, headers=parts, data=SOUND).status_code == 204
    assert told(phone, morning, size=50 * 2**20).json["code"] == "too_many_unfinished"
    assert told(phone, morning, size=10, id_=new).status_code == 201
    assert phone.delete(second, headers=TUS).status_code == 204
    assert told(phone, morning, size=50 * 2**20).status_code == 201


def test_two_announcements_at_once_count_each_other(sessions: sessionmaker[Session], morning: Morning) -> None:
    def one_more(session: Session) -> None:
        draft = EvidenceDraft(
            id=uuid.uuid4(), visit_id=morning.visit, kind=EvidenceKind.AUDIO, captured_at=NOW, size_bytes=10
        )
        announce(session, draft, visitor_id=morning.ilta, room=Room(files=1, most_bytes=2**20))

    def beside() -> None:
        with acting_for(sessions, morning.world.agency) as session:
            one_more(session)

    with ThreadPoolExecutor(1) as threads:
        with acting_for(sessions, morning.world.agency) as session:
            one_more(session)
            second = threads.submit(beside)
            until_somebody_waits(sessions)
        with pytest.raises(TooManyUnfinished):
            second.result()
