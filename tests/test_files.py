"""Files are judged by their content, kept once, sealed, and handed out by links that soon close."""

import datetime as dt
import errno
import os
import uuid
from io import BytesIO
from pathlib import Path

import pytest
import sqlalchemy as sa
from PIL import Image
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.file_kinds import kind_of
from fieldvisit.files import (
    LINK_S,
    FileLinkRefused,
    FileNotTaken,
    FileStore,
    FilesUnavailable,
    FileTooLarge,
    accesses_of,
    keep_file,
    link_to,
    open_link,
)
from fieldvisit.models import StoredFile
from fieldvisit.papers import SCANS
from fieldvisit.photos import LARGEST, PhotoUnusable, portrait
from fieldvisit.sealing import Unsealable
from fieldvisit.settings import Settings
from fieldvisit.signing import Signer, as_text, from_text
from fieldvisit.vocabulary import FileKind
from tests.conftest import NOW
from tests.pictures import BAD_NOTES, PLACE, claiming, picture, with_bad_notes, with_notes
from tests.worlds import World, make_world

K = FileKind
PAPER = b"%PDF-1.4\n% an authorisation letter\n"
ASKER = uuid.UUID(int=7)
SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def world(sessions: sessionmaker[Session]) -> World:
    return make_world(sessions)


@pytest.fixture
def store(settings: Settings) -> FileStore:
    return FileStore(settings)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PAPER, K.PDF),
        (picture(130, 130), K.JPEG),
        (picture(130, 130, form="PNG"), K.PNG),
        (picture(130, 130, form="WEBP"), K.WEBP),
        (b"GIF89a", None),
        (b"<html>%PDF-1.4", None),
        (b"RIFF0000AVI ", None),
        (b"\0\0\0\x20ftypisom", K.MP4),
        (b"\0\0\0\x18ftypheic", None),
        (b"PK\x03\x04", None),
        (b"", None),
        (b"%PD", None),
    ],
)
def test_the_content_says_what_a_file_is(content: bytes, kind: FileKind | None) -> None:
    assert kind_of(content) is kind


def test_what_is_too_large_or_of_no_known_kind_is_not_taken() -> None:
    assert SCANS.judged(PAPER.ljust(SCANS.most_bytes)) is K.PDF
    with pytest.raises(FileTooLarge):
        SCANS.judged(PAPER.ljust(SCANS.most_bytes + 1))
    with pytest.raises(FileNotTaken, match="jpeg, pdf, png, webp"):
        SCANS.judged(b"#!/bin/sh\n")


def test_a_portrait_is_small_upright_and_says_nothing_of_where_it_was_taken() -> None:
    sent = with_notes(orientation=6)
    assert PLACE.encode() in sent
    kept = portrait(sent)
    assert PLACE.encode() not in kept
    with Image.open(BytesIO(kept)) as image:
        assert (image.format, image.getexif().get(0x010E), "icc_profile" in image.info) == ("JPEG", None, False)
        # It lay on its side: 600 wide and 800 high became 800 wide and 600 high.
        assert image.size == (300, 225)
    assert len(kept) < 20_000


@pytest.mark.parametrize(("form", "notes"), BAD_NOTES)
def test_notes_that_cannot_be_read_keep_no_portrait_away(form: str, notes: bytes) -> None:
    with Image.open(BytesIO(portrait(with_bad_notes(notes, form=form)))) as image:
        assert image.size == (200, 200)


@pytest.mark.parametrize(
    "sent",
    [picture(form="PNG", mode="RGBA"), picture(form="PNG", mode="P"), picture(form="WEBP"), picture(mode="CMYK")],
)
def test_every_form_of_photo_becomes_the_same(sent: bytes) -> None:
    with Image.open(BytesIO(portrait(sent))) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", LARGEST)


@pytest.mark.parametrize(
    "sent",
    [
        picture(119, 500),
        picture()[:400],
        b"\xff\xd8\xff" + bytes(100),
        b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR\x00\x01\x00\x00\x00\x01\x00\x00\x08\x02\x00\x00\x00",
        claiming(4_001, 4_000, form="PNG"),
    ],
    ids=["small", "cut", "broken", "bomb", "large"],
)
def test_a_photo_that_is_none_is_refused(sent: bytes) -> None:
    with pytest.raises(PhotoUnusable):
        portrait(sent)


def test_the_same_content_is_one_file_and_each_organisation_has_its_own(
    sessions: sessionmaker[Session], world: World, store: FileStore, settings: Settings
) -> None:
    kept: list[tuple[uuid.UUID, str]] = []
    for org_id in (world.agency, world.agency, world.stranger):
        with acting_for(sessions, org_id) as session:
            file = keep_file(session, store, PAPER, SCANS)
            kept.append((file.id, file.digest))
    assert kept[0] == kept[1]
    assert (kept[2][1], kept[2][0] != kept[0][0]) == (kept[0][1], True)
    objects = [path for path in (settings.data_folder / "stored_files").rglob("*") if path.is_file()]
    assert len(objects) == 2
    assert [path for path in objects if b"authorisation" in path.read_bytes()] == []
    with acting_for(sessions, world.stranger) as session:
        assert session.scalars(sa.select(StoredFile.org_id)).all() == [world.stranger]


def test_a_content_that_was_altered_or_moved_is_not_handed_out(store: FileStore, settings: Settings) -> None:
    ours, theirs = uuid.uuid4(), uuid.uuid4()
    digest = store.put(ours, PAPER)
    (stored,) = (path for path in Path(settings.data_folder, "stored_files").rglob("*") if path.is_file())
    moved = Path(settings.data_folder, "stored_files", str(theirs), digest[:2], digest)
    moved.parent.mkdir(parents=True)
    moved.write_bytes(stored.read_bytes())
    with pytest.raises(Unsealable):
        store.get(theirs, digest)
    stored.write_bytes(stored.read_bytes()[:-1] + b"\x00")
    with pytest.raises(Unsealable):
        store.get(ours, digest)
    stored.unlink()
    with pytest.raises(FilesUnavailable):
        store.get(ours, digest)


@pytest.mark.parametrize("left", [b"", b"short", None], ids=["empty", "short", "zeros"])
def test_what_a_power_cut_left_of_a_file_is_mended_by_sending_it_again(
    store: FileStore, settings: Settings, left: bytes | None
) -> None:
    org_id = uuid.uuid4()
    digest = store.put(org_id, PAPER)
    lying = settings.data_folder / "stored_files" / str(org_id) / digest[:2] / digest
    whole = lying.read_bytes()
    lying.write_bytes(bytes(len(whole)) if left is None else left)
    with pytest.raises(Unsealable):
        store.get(org_id, digest)
    assert store.put(org_id, PAPER) == digest
    assert store.get(org_id, digest) == PAPER
    # What is whole is written over by nobody: sealed again it would have other bytes.
    mended = lying.read_bytes()
    store.put(org_id, PAPER)
    assert lying.read_bytes() == mended != whole


def test_what_is_kept_and_what_is_gone_is_so_on_the_disk(
    store: FileStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    forced: list[str] = []
    force = os.fsync

    def seen(file: int) -> None:
        forced.append(os.readlink(f"/proc/self/fd/{file}"))
        force(file)

    monkeypatch.setattr(os, "fsync", seen)
    org_id, root = uuid.uuid4(), (settings.data_folder / "stored_files").resolve()
    digest = store.put(org_id, PAPER)
    way = [str(root / str(org_id) / digest[:2] / digest), str(root / str(org_id) / digest[:2]), str(root / str(org_id))]
    assert forced == [str(root.parent), *way, str(root)]
    forced.clear()
    # Whoever finds it there does not know whether the first has forced it yet.
    store.put(org_id, PAPER)
    assert forced == [*way, str(root)]
    forced.clear()
    store.delete(org_id, digest)
    assert forced == way[1:2]


def test_what_the_disk_refused_is_not_taken_for_kept_the_next_time(
    store: FileStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(file: int) -> None:
        raise OSError(errno.EIO, "the disk")

    org_id = uuid.uuid4()
    store.prove()
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", refuse)
        with pytest.raises(FilesUnavailable):
            store.put(org_id, PAPER)
    assert [path for path in (settings.data_folder / "stored_files" / str(org_id)).rglob("*") if path.is_file()] == []
    store.get(org_id, store.put(org_id, PAPER))


def test_a_link_opens_for_five_minutes_and_each_opening_is_kept(
    sessions: sessionmaker[Session], world: World, store: FileStore, settings: Settings
) -> None:
    with acting_for(sessions, world.agency) as session:
        file = keep_file(session, store, PAPER, SCANS)
        link = link_to(file.id, key=settings.token_key, account_id=ASKER, now=NOW)
    last = NOW + dt.timedelta(seconds=LINK_S) - SECOND
    with acting_for_all(sessions) as session:
        opened = open_link(session, store, link.token, key=settings.token_key, now=last)
        assert (opened.content, opened.media) == (PAPER, "application/pdf")
        with pytest.raises(FileLinkRefused):
            open_link(session, store, link.token, key=settings.token_key, now=last + SECOND)
    with acting_for(sessions, world.agency) as session:
        assert [(each.account_id, each.at) for each in session.scalars(accesses_of(file.id))] == [(ASKER, last)]


@pytest.mark.parametrize("forged", ["", "x", "A" * 71, "=" * 71, "ü" * 71, "A" * 100_000])
def test_a_link_that_is_none_opens_nothing(
    sessions: sessionmaker[Session], store: FileStore, settings: Settings, forged: str
) -> None:
    with acting_for_all(sessions) as session, pytest.raises(FileLinkRefused):
        open_link(session, store, forged, key=settings.token_key, now=NOW)


def test_what_was_signed_for_one_purpose_opens_no_other() -> None:
    key, message = bytes(32), b"a file and an account"
    tag = Signer(key, "file link").tag(message)
    assert Signer(key, "file link").is_good(message, tag)
    assert not Signer(key, "another").is_good(message, tag)
    assert not Signer(key, "file link").is_good(message + b"!", tag)


def test_one_content_has_one_spelling() -> None:
    raw = bytes(range(37))
    text = as_text(raw)
    assert from_text(text, size=37) == raw
    # Of the last character two bits count; what the other four say has to be nothing.
    others = [text[:-1] + last for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"]
    read = [raw for other in others if (raw := from_text(other, size=37)) is not None]
    assert (len(read), len(set(read))) == (4, 4)
    assert from_text(text + "=", size=37) is None
