"""Evidence comes by a real tus client over a real connection that breaks, is judged by what it holds, and stays."""

import base64
import datetime as dt
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from PIL import ExifTags, Image
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError, TusUploadFailed
from werkzeug.serving import make_server

from fieldvisit.camera_notes import camera_notes
from fieldvisit.database import Urls, acting_for, acting_for_all, owner_engine, session_factory
from fieldvisit.evidence import TAKES, drop_unfinished
from fieldvisit.files import FileStore, FilesUnavailable, keep_file
from fieldvisit.forgotten_files import let_go
from fieldvisit.models import Evidence, EvidencePart, FileAccess, StoredFile, Visit
from fieldvisit.photos import PhotoUnusable
from fieldvisit.recordings import Span, gaps_of
from fieldvisit.retention.purging import purge_visits
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import EvidenceKind, EvidenceState, Role
from tests.api.conftest import ClientFor
from tests.conftest import NOW
from tests.phone.worlds import Morning, make_morning
from tests.pictures import BAD_NOTES, claiming, picture, with_bad_notes

MINUTE = dt.timedelta(minutes=1)
HERE = {"lat": 60.1699, "lon": 24.9384, "datum": "wgs84", "accuracy_m": 12}


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    return make_morning(sessions, visits=2)


@pytest.fixture
def phone(client_for: ClientFor, morning: Morning) -> FlaskClient:
    return client_for(Role.VISITOR, org=morning.world.agency, visitor_id=morning.ilta)


@pytest.fixture
def served(app: Flask) -> Iterator[str]:
    """The application on a port of its own."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class Sender:
    """A phone with a tus client."""

    def __init__(self, served: str, phone: FlaskClient, visit_id: uuid.UUID) -> None:
        self.headers = {"Authorization": phone.environ_base["HTTP_AUTHORIZATION"]}
        self.served, self.visit_id = served, visit_id
        self.client = TusClient(f"{served}/phone/evidence", headers=self.headers)

    def uploader(self, content: bytes, *, part: int = 1_000, url: str | None = None, **said: Any) -> Any:
        told = {"id": str(uuid.uuid4()), "visit_id": str(self.visit_id), "kind": "photo"} | said
        told.setdefault("captured_at", NOW.isoformat())
        # As tus clients do, whoever they send to.
        told |= {"filename": "../../照片.jpg", "filetype": "image/jpeg", "relativePath": ""}
        more: dict[str, Any] = {"url": url} if url else {"metadata": told}
        return self.client.uploader(file_stream=BytesIO(content), chunk_size=part, upload_checksum=True, **more)

    def offset(self, url: str) -> str:
        answer = requests.head(url, headers=self.headers | {"Tus-Resumable": "1.0.0"}, timeout=10)
        return answer.headers["Upload-Offset"]


@pytest.fixture
def sender(served: str, phone: FlaskClient, morning: Morning) -> Sender:
    return Sender(served, phone, morning.visit)


def taken(*, at: str = "2026:03:03 09:00:00", north: float = 10.2) -> bytes:
    """A photo as a telephone makes it: with the time, and the place in degrees, minutes and seconds."""
    notes = Image.Exif()
    place, more = notes.get_ifd(ExifTags.IFD.GPSInfo), notes.get_ifd(ExifTags.IFD.Exif)
    place |= {1: "N", 2: (60.0, north, 0.0), 3: "E", 4: (24.0, 56.3, 0.0)}
    more |= {ExifTags.Base.DateTimeOriginal: at, ExifTags.Base.OffsetTimeOriginal: "+02:00"}
    return picture(200, 200, exif=notes)


def stored(sessions: sessionmaker[Session]) -> list[Evidence]:
    with acting_for_all(sessions) as session:
        assert session.scalars(sa.select(EvidencePart.begin)).all() == []
        return list(session.scalars(sa.select(Evidence).order_by(Evidence.created_at)))


def test_a_file_is_sent_on_where_the_connection_broke_off_and_kept_once(
    sender: Sender, client_for: ClientFor, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    photo = taken()
    begun = sender.uploader(photo, sha256=sha256(photo).hexdigest(), by_camera="true")
    begun.upload(stop_at=1_000)
    # The phone is started anew and asks how far it had come; then the connection breaks in the middle of a part.
    assert sender.offset(begun.url) == "1000"
    break_off(sender, begun.url, photo[1_000:1_700], announced=1_500)
    assert sender.offset(begun.url) == "1700"
    again = sender.uploader(photo, url=begun.url)
    again.upload()
    # The same content under another id is another file of the visit, and the same bytes.
    sender.uploader(photo, part=100_000).upload()
    first, second = stored(sessions)
    assert (first.state, first.flaws, first.sha256) == (EvidenceState.ACCEPTED, [], sha256(photo).hexdigest())
    assert first.file_id == second.file_id
    assert first.camera_notes is not None
    assert first.camera_notes["metres"] < 500

    office = client_for(Role.DISPATCHER, org=morning.world.agency)
    listed = office.get(f"/visits/{morning.visit}/evidence").json["items"]
    assert [(each["state"], each["by_camera"]) for each in listed] == [("accepted", True), ("accepted", False)]
    # The lender reads what was found at its debtor's door.
    lender = client_for(Role.AUDITOR, org=morning.world.lender)
    asked = lender.post(f"/evidence/{first.id}/links", headers={"Access-Reason": "A complaint."})
    link = asked.json["url"]
    opened = office.get(urlsplit(link).path, headers={"Authorization": ""})
    assert (opened.status_code, opened.mimetype, opened.data == photo) == (200, "image/jpeg", True)
    privacy = client_for(Role.PRIVACY_OFFICER, org=morning.world.lender)
    looks = privacy.get("/debtor-accesses", query_string={"debtor_id": listed_debtor(sessions, morning)}).json["items"]
    told = [(each["action"], each["reason"]) for each in reversed(looks) if "evidence" in each["action"]]
    assert told[-2:] == [("link_evidence", "A complaint."), ("open_evidence", "A complaint.")]
    with acting_for_all(sessions) as session:
        assert len(session.scalars(sa.select(FileAccess.id)).all()) == 1
        assert len(session.scalars(sa.select(StoredFile.id)).all()) == 1


def listed_debtor(sessions: sessionmaker[Session], morning: Morning) -> str:
    with acting_for_all(sessions) as session:
        return str(session.get_one(Visit, morning.visit).debtor_id)


def break_off(sender: Sender, url: str, sent: bytes, *, announced: int) -> None:
    """Announce so many bytes of a part, send fewer, and be gone."""
    address = urlsplit(url)
    head = (
        f"PATCH {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 1000\r\n"
        f"Authorization: {sender.headers['Authorization']}\r\nContent-Type: application/offset+octet-stream\r\n"
        f"Content-Length: {announced}\r\n\r\n"
    )
    with socket.create_connection((str(address.hostname), int(address.port or 80))) as connection:
        connection.sendall(head.encode() + sent)
        connection.shutdown(socket.SHUT_WR)
        # Until the server has taken what came: it answers, or hangs up.
        while connection.recv(4_096):
            pass


def test_a_file_goes_with_the_last_visit_that_it_belongs_to(
    sender: Sender, sessions: sessionmaker[Session], settings: Settings, urls: Urls, morning: Morning
) -> None:
    photo, store, org_id = taken(), FileStore(settings), morning.world.agency
    for visit_id in morning.visits:
        sender.visit_id = visit_id
        sender.uploader(photo, part=100_000).upload()
    digest = sha256(photo).hexdigest()
    engine, there = owner_engine(urls), []
    for visit_id in morning.visits:
        with acting_for_all(session_factory(engine)) as session:
            purge_visits(session, [visit_id])
        with acting_for(sessions, org_id) as session:
            let_go(session, store, now=NOW)
        with suppress(FilesUnavailable):
            there.append(store.get(org_id, digest) == photo)
    engine.dispose()
    assert there == [True]
    # The same content may come again, for another visit.
    with acting_for(sessions, org_id) as session:
        assert keep_file(session, store, photo, TAKES[EvidenceKind.PHOTO]).gone_at is None
        assert let_go(session, store, now=NOW) == 0
    assert store.get(org_id, digest) == photo


def test_what_never_became_whole_is_forgotten_and_what_is_whole_is_not(
    sender: Sender, sessions: sessionmaker[Session], morning: Morning
) -> None:
    sender.uploader(taken(), part=100_000).upload()
    unfinished = sender.uploader(picture(300, 300), part=100)
    unfinished.upload_chunk()
    org_id, days = morning.world.agency, dt.timedelta(days=1)
    counts = []
    for after in (59 * days, 61 * days, 61 * days):
        with acting_for(sessions, org_id) as session:
            counts.append(drop_unfinished(session, NOW + after))
    assert counts == [0, 1, 0]
    assert [row.state for row in stored(sessions)] == [EvidenceState.ACCEPTED]


def test_what_was_accepted_is_never_changed(
    sender: Sender, phone: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    done = sender.uploader(picture(200, 200), part=100_000)
    done.upload()
    (row,) = stored(sessions)
    path, tus = f"/phone/evidence/{row.id}", {"Tus-Resumable": "1.0.0"}
    parts = tus | {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    more = phone.patch(path, headers=parts, data=b"other")
    assert (more.status_code, more.json["code"]) == (409, "evidence_settled")
    gone = phone.delete(path, headers=tus)
    assert (gone.status_code, gone.json["code"]) == (409, "evidence_settled")
    with pytest.raises(TusCommunicationError, match="409"):
        sender.uploader(b"another", id=str(row.id)).upload()
    for change in (sa.update(Evidence).values(sha256="0" * 64), sa.delete(Evidence)):
        with pytest.raises(DBAPIError, match="never changed"), acting_for_all(sessions) as session:
            session.execute(change)


def test_the_content_decides_and_what_does_not_fit_is_flagged(sender: Sender, sessions: sessionmaker[Session]) -> None:
    for content, said in (
        (b"#!/bin/sh\n" * 200, {}),
        (picture(200, 200)[:900], {}),
        (picture(200, 200), {"kind": "audio"}),
        (picture(200, 200), {"sha256": "0" * 64}),
    ):
        with pytest.raises(TusUploadFailed):
            sender.uploader(content, part=100_000, **said).upload()
    sender.uploader(b"OggS" + bytes(2_000), kind="audio").upload()
    sender.uploader(taken(at="2026:03:02 09:00:00", north=40.0), part=100_000).upload()
    rows = stored(sessions)
    assert [(row.state.value, row.refused_for) for row in rows[:4]] == [
        ("refused", "file_not_taken"),
        ("refused", "photo_unusable"),
        ("refused", "file_not_taken"),
        ("refused", "content_differs"),
    ]
    assert [(row.state.value, row.flaws) for row in rows[4:]] == [
        ("accepted", []),
        ("accepted", ["other_time", "other_place"]),
    ]


def wild(hours: int) -> bytes:
    """A photo whose satellites tell an hour of the day with nine digits."""
    notes = Image.Exif()
    notes.get_ifd(ExifTags.IFD.GPSInfo).update({7: (hours, 0, 0), 29: "9999:12:31"})
    return picture(200, 200, exif=notes)


def test_no_clock_and_no_camera_keeps_a_file_from_being_taken(sender: Sender, sessions: sessionmaker[Session]) -> None:
    for captured_at in ("2021-03-03T09:00:00-12:00", "2031-02-28T23:59:59+05:45"):
        sender.uploader(picture(200, 200), part=100_000, captured_at=captured_at).upload()
    sender.uploader(wild(hours=4_000_000_000), part=100_000).upload()
    rows = stored(sessions)
    assert [(row.state.value, row.flaws) for row in rows] == [
        ("accepted", ["unlikely_time"]),
        ("accepted", ["unlikely_time"]),
        ("accepted", []),
    ]


def test_notes_that_are_none_are_a_flaw_and_the_photo_is_accepted(
    sender: Sender, sessions: sessionmaker[Session]
) -> None:
    assert [camera_notes(with_bad_notes(notes, form=form)).readable for form, notes in BAD_NOTES] == [False] * 12
    for form, notes in (BAD_NOTES[2], BAD_NOTES[4], BAD_NOTES[-1]):
        sender.uploader(with_bad_notes(notes, form=form), part=100_000).upload()
    assert [(row.state.value, row.flaws) for row in stored(sessions)] == [("accepted", ["notes_unreadable"])] * 3


def test_a_photo_of_many_pixels_is_accepted_and_none_is_unpacked(
    sender: Sender, sessions: sessionmaker[Session]
) -> None:
    # As 50, 64, 108 and 200 megapixels are written; and a PNG that would take 40 GB.
    for photo in (claiming(8192, 6144), claiming(16320, 12240), claiming(100_000, 100_000, form="PNG")):
        sender.uploader(photo, part=100_000).upload()
    assert [(row.state.value, row.flaws) for row in stored(sessions)] == [("accepted", [])] * 3


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_photo_that_was_cut_off_is_told_from_a_whole_one(form: str) -> None:
    whole = picture(200, 200, form=form)
    assert camera_notes(whole).readable
    for length in (40, len(whole) // 2, len(whole) - 20):
        with pytest.raises(PhotoUnusable):
            camera_notes(whole[:length])


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Tus-Resumable": "0.2.2"}, 412, "tus_version"),
        ({"Upload-Offset": "7"}, 409, "offset_differs"),
        ({"Upload-Offset": "minus"}, 422, "invalid_value"),
        ({"Content-Type": "text/plain"}, 415, "wrong_content_type"),
        ({"Upload-Checksum": "sha256 " + base64.b64encode(bytes(32)).decode()}, 460, "checksum_differs"),
        ({"Upload-Checksum": "crc32 AAAA"}, 422, "invalid_value"),
    ],
)
def test_a_part_that_cannot_be_is_refused_and_nothing_is_kept(
    phone: FlaskClient, morning: Morning, headers: dict[str, str], status: int, code: str
) -> None:
    said = {"id": str(uuid.uuid4()), "visit_id": str(morning.visit), "kind": "photo", "captured_at": NOW.isoformat()}
    pairs = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())
    tus = {"Tus-Resumable": "1.0.0"}
    for _ in range(2):
        made = phone.post("/phone/evidence", headers=tus | {"Upload-Length": "10", "Upload-Metadata": pairs})
        assert (made.status_code, made.headers["Upload-Offset"]) == (201, "0")
    path = urlsplit(made.headers["Location"]).path
    right = tus | {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    refused = phone.patch(path, headers=right | headers, data=b"12345")
    assert (refused.status_code, refused.json["code"]) == (status, code)
    assert phone.head(path, headers=tus).headers["Upload-Offset"] == "0"
    assert phone.delete(path, headers=tus).status_code == 204
    assert phone.head(path, headers=tus).status_code == 404


def test_nobody_sends_to_a_visit_or_a_file_of_others(
    phone: FlaskClient, client_for: ClientFor, morning: Morning
) -> None:
    tus = {"Tus-Resumable": "1.0.0"}
    said = {"id": str(uuid.uuid4()), "visit_id": str(morning.visit), "kind": "photo", "captured_at": NOW.isoformat()}
    pairs = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())
    announced = tus | {"Upload-Length": "3", "Upload-Metadata": pairs}
    outsider = client_for(Role.VISITOR, org=morning.world.agency, visitor_id=morning.outsider)
    assert outsider.post("/phone/evidence", headers=announced).status_code == 404
    large = phone.post("/phone/evidence", headers=announced | {"Upload-Length": str(2**31)})
    assert (large.status_code, large.json["code"]) == (413, "file_too_large")
    path = urlsplit(phone.post("/phone/evidence", headers=announced).headers["Location"]).path
    parts = tus | {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    mate = client_for(Role.VISITOR, org=morning.world.agency, visitor_id=morning.oona)
    for other in (outsider, mate):
        answers = [other.patch(path, headers=parts, data=b"abc"), other.head(path, headers=tus)]
        assert {each.status_code for each in [*answers, other.delete(path, headers=tus)]} == {404}
    spoken = phone.options("/phone/evidence").headers
    assert (spoken["Tus-Version"], spoken["Tus-Extension"]) == ("1.0.0", "creation,termination,checksum")


def test_a_recording_covers_what_it_covers() -> None:
    whole = Span(NOW, NOW + 30 * MINUTE)
    parts = [Span(NOW + begin * MINUTE, NOW + end * MINUTE) for begin, end in ((20, 40), (2, 8), (5, 10), (6, 7))]
    assert gaps_of(whole, parts) == (Span(NOW, NOW + 2 * MINUTE), Span(NOW + 10 * MINUTE, NOW + 20 * MINUTE))
    assert gaps_of(whole, []) == (whole,)
    assert gaps_of(whole, [Span(NOW - MINUTE, NOW + 31 * MINUTE)]) == ()


def test_a_photo_without_notes_says_nothing() -> None:
    notes = camera_notes(picture(200, 200))
    assert (notes.taken_at, notes.lat, notes.lon) == (None, None, None)


def test_the_report_says_how_much_was_recorded_and_which_file_is_missing(
    sender: Sender, phone: FlaskClient, client_for: ClientFor, morning: Morning
) -> None:
    path = f"/phone/visits/{morning.visit}"
    assert phone.post(f"{path}/arrival", json={"event_id": str(uuid.uuid4()), "position": HERE}).status_code == 201
    sound = b"OggS" + bytes(500)
    came, lost = str(uuid.uuid4()), str(uuid.uuid4())
    made = [
        {"recording_id": id_, "kind": "audio", "sha256": sha256(sound).hexdigest()}
        | {"from_at": (NOW + begin * MINUTE).isoformat(), "until_at": (NOW + end * MINUTE).isoformat()}
        for id_, begin, end in ((came, 0, 2), (lost, 3, 4))
    ]
    left_at = (NOW + 4 * MINUTE).isoformat()
    told = {"id": str(uuid.uuid4()), "outcome": "refused", "next_step": "call", "left_at": left_at}
    told["door"] = {"recordings": made, "recording_gap": "device_fault"}  # type: ignore[assignment]
    assert phone.post(f"{path}/report", json=told).status_code == 201
    sender.uploader(sound, id=came, kind="audio").upload()
    office = client_for(Role.DISPATCHER, org=morning.world.agency)
    recording = office.get(f"/visits/{morning.visit}/report").json["recording"]
    assert recording["covered_s"] == recording["visit_s"] - 60
    assert [each["from_at"] for each in recording["gaps"]] == [(NOW + 2 * MINUTE).isoformat()]
    assert (recording["reason"], recording["missing_files"]) == ("device_fault", [lost])
