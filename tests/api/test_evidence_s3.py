"""Evidence in a bucket: a real tus client, the product, and a server of its own that speaks S3 over HTTP."""

import dataclasses
import json
import subprocess
import uuid
from collections.abc import Iterator
from hashlib import sha256
from urllib.parse import urlsplit

import pytest
import requests
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker
from tusclient.exceptions import TusUploadFailed

from fieldvisit.contents import Content
from fieldvisit.database import Urls, acting_for, acting_for_all, owner_engine, session_factory
from fieldvisit.files import FileStore, FileStoreRefused, FilesUnavailable
from fieldvisit.forgotten_files import let_go
from fieldvisit.models import Evidence, FileAccess
from fieldvisit.retention.purging import purge_visits
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import EvidenceState, Role
from tests.api.conftest import ClientFor
from tests.api.test_evidence import Sender, morning, phone, sender, served, stored, taken
from tests.conftest import NOW
from tests.phone.worlds import Morning
from tests.processes import call
from tests.s3_server import Bucket, running_bucket

__all__ = ["morning", "phone", "sender", "served"]
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    with running_bucket() as bucket:
        yield bucket


@pytest.fixture
def settings(settings: Settings, bucket: Bucket) -> Settings:
    return dataclasses.replace(settings, file_store=bucket.url, file_store_options=bucket.options)


def standing(sessions: sessionmaker[Session]) -> list[tuple[str, int]]:
    with acting_for_all(sessions) as session:
        rows = session.scalars(sa.select(Evidence).order_by(Evidence.created_at))
        return [(row.state.value, row.received_bytes) for row in rows]


def test_a_file_lies_sealed_and_once_in_the_bucket_is_shown_by_a_link_and_goes_with_its_visit(
    sender: Sender, client_for: ClientFor, morning: Morning, sessions: sessionmaker[Session], bucket: Bucket,
    settings: Settings, urls: Urls,
) -> None:  # fmt: skip
    photo, org = taken(), morning.world.agency
    digest = sha256(photo).hexdigest()
    for _ in range(2):
        sender.uploader(photo, part=1_500).upload()
    key = f"files/{org}/{digest[:2]}/{digest}"
    assert key in bucket.objects()
    assert len([each for each in bucket.objects() if digest in each]) == 1
    lying = bucket.client("s3").get_object(Bucket="evidence", Key=key)["Body"].read()
    assert photo[:100] not in lying
    first, second = stored(sessions)
    assert (first.state, first.file_id) == (EvidenceState.ACCEPTED, second.file_id)

    office = client_for(Role.DISPATCHER, org=org)
    link = office.post(f"/evidence/{first.id}/links").json["url"]
    opened = office.get(urlsplit(link).path, headers={"Authorization": ""})
    assert (opened.status_code, opened.data) == (200, photo)
    with acting_for_all(sessions) as session:
        assert len(session.scalars(sa.select(FileAccess.id)).all()) == 1

    engine = owner_engine(urls)
    with acting_for_all(session_factory(engine)) as session:
        purge_visits(session, [morning.visit])
    engine.dispose()
    with acting_for(sessions, org) as session:
        assert let_go(session, FileStore(settings), now=NOW) == 1
    assert key not in bucket.objects()
    assert office.get(urlsplit(link).path, headers={"Authorization": ""}).status_code == 403


def test_what_lies_in_the_bucket_is_written_over_by_nobody(settings: Settings, bucket: Bucket) -> None:
    store, org = FileStore(settings), uuid.uuid4()
    digest = store.put(org, b"the first and only")
    key = f"files/{org}/{digest[:2]}/{digest}"

    def tag() -> object:
        return bucket.client("s3").head_object(Bucket="evidence", Key=key)["ETag"]

    before = tag()
    # Sealed again it would have other bytes.
    assert store.put(org, b"the first and only") == digest
    assert tag() == before
    assert store.get(org, digest) == b"the first and only"
    # Unless it is not what it is called.
    bucket.client("s3").put_object(Bucket="evidence", Key=key, Body=b"half")
    store.put(org, b"the first and only")
    assert store.get(org, digest) == b"the first and only"


def test_a_film_goes_to_the_bucket_in_parts_once(settings: Settings, bucket: Bucket) -> None:
    store, org = FileStore(settings), uuid.uuid4()
    film = Content.read(lambda: (bytes([number]) * 2**20 for number in range(7)))
    store.keep(org, film)
    key = f"files/{org}/{film.digest[:2]}/{film.digest}"
    before = bucket.client("s3").head_object(Bucket="evidence", Key=key)["ETag"]
    assert before.strip('"').endswith("-2")
    store.keep(org, film)
    assert bucket.client("s3").head_object(Bucket="evidence", Key=key)["ETag"] == before
    assert Content.read(lambda: store.pieces(org, film.digest)).digest == film.digest


def test_while_the_store_is_away_the_last_part_waits_on_the_phone_and_no_other(
    sender: Sender, sessions: sessionmaker[Session], bucket: Bucket, served: str
) -> None:
    photo = taken()
    begun = sender.uploader(photo, part=1_000)
    begun.upload(stop_at=1_000)
    bucket.stop()
    try:
        with pytest.raises(TusUploadFailed) as failed:
            sender.uploader(photo, part=len(photo), url=begun.url).upload()
        assert failed.value.status_code == 503
        headers = sender.headers | {"Tus-Resumable": "1.0.0", "Upload-Offset": "1000"}
        said = requests.patch(
            begun.url,
            data=photo[1_000:],
            headers=headers | {"Content-Type": "application/offset+octet-stream"},
            timeout=60,
        )
        assert (said.status_code, said.json()["code"]) == (503, "files_unavailable")
        assert int(said.headers["Retry-After"]) > 0
        assert standing(sessions) == [("uploading", 1_000)]
        assert sender.offset(begun.url) == "1000"
        bucket.start_forgetting()
        sender.uploader(photo, part=len(photo), url=begun.url).upload()
        assert standing(sessions) == [("accepted", len(photo))]
        assert any(sha256(photo).hexdigest() in each for each in bucket.objects())
    finally:
        bucket.stop()
        bucket.start()


def test_a_store_that_refuses_its_keys_ends_the_start_and_one_that_is_away_does_not(
    settings: Settings, bucket: Bucket
) -> None:
    for wrong, says in (
        ({"secret_access_key": "another"}, "keys"),
        ({"access_key_id": "AKIAANOTHER"}, "keys"),
        ({"nonsense": "?"}, "not known"),
    ):
        refused = dataclasses.replace(settings, file_store_options=bucket.options | wrong)
        with pytest.raises(FileStoreRefused, match=says):
            FileStore(refused).prove()
    with pytest.raises(FileStoreRefused, match="no such bucket"):
        FileStore(dataclasses.replace(settings, file_store="s3://nowhere")).prove()
    away = bucket.options | {"endpoint": "http://127.0.0.1:9"}
    with pytest.raises(FilesUnavailable):
        FileStore(dataclasses.replace(settings, file_store_options=away)).prove()
    FileStore(settings).prove()
    served = serve(settings, bucket, secret_access_key="another")
    assert served.returncode != 0
    assert "file_store_refused" in served.stdout


def serve(settings: Settings, bucket: Bucket, **wrong: str) -> subprocess.CompletedProcess[str]:
    more = {"FILE_STORE": bucket.url, "FILE_STORE_OPTIONS": json.dumps(bucket.options | wrong)}
    return call(settings, "serve", "--port", "8", **more)
