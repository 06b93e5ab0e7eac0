"""Long files: judged by their head, hashed and sealed piece by piece, so that memory stays flat."""

import hashlib
import tracemalloc
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.contents import SEGMENT_BYTES, Content, open_segments, seal_segments, sealed_bytes
from fieldvisit.database import acting_for
from fieldvisit.errors import Refused
from fieldvisit.evidence import EvidenceDraft, Part, Room, announce, take_part
from fieldvisit.files import FileStore
from fieldvisit.models import Evidence, EvidencePart, StoredFile
from fieldvisit.sealing import Cipher, Unsealable
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import EvidenceKind, EvidenceState, FileKind
from tests.conftest import NOW
from tests.phone.worlds import Morning, make_morning

MB = 2**20
FILM = b"\0\0\0\x20ftypisom".ljust(MB, b"\1")
MOST_MB = 8
ORG = uuid.UUID(int=1)


@pytest.fixture
def store(settings: Settings) -> FileStore:
    return FileStore(settings)


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    return make_morning(sessions)


def film(megabytes: int, last: bytes = b"") -> Content:
    def pieces() -> Iterator[bytes]:
        yield FILM
        yield from (bytes([number]) * MB for number in range(1, megabytes))
        yield last

    return Content.read(pieces)


def most_memory(done: Callable[[], object]) -> float:
    """Megabytes of Python's, at the most, beside what there was."""
    tracemalloc.start()
    try:
        done()
        return tracemalloc.get_traced_memory()[1] / MB
    finally:
        tracemalloc.stop()


def lying(settings: Settings) -> Path:
    (found,) = (path for path in Path(settings.data_folder, "stored_files", str(ORG)).rglob("*") if path.is_file())
    return found


def test_a_film_is_never_whole_in_memory(store: FileStore, settings: Settings) -> None:
    content = film(32)

    def read() -> None:
        hashed = hashlib.sha256()
        for piece in store.pieces(ORG, content.digest):
            hashed.update(piece)
        assert hashed.hexdigest() == content.digest

    assert most_memory(lambda: store.keep(ORG, content)) < MOST_MB
    assert most_memory(read) < MOST_MB
    written = lying(settings).read_bytes()
    assert (len(written), FILM[:1_000] in written) == (sealed_bytes(32 * MB), False)
    # And again, where it is there: what is whole is written over by nobody.
    assert most_memory(lambda: store.keep(ORG, content)) < MOST_MB
    assert lying(settings).read_bytes() == written


def test_a_film_in_parts_is_judged_piece_by_piece(
    sessions: sessionmaker[Session], morning: Morning, store: FileStore
) -> None:
    content, last = film(12, last=b"the end"), 12 * MB
    with acting_for(sessions, morning.world.agency) as session:
        draft = EvidenceDraft(
            id=uuid.uuid4(),
            visit_id=morning.visit,
            kind=EvidenceKind.VIDEO,
            captured_at=NOW,
            size_bytes=last + 7,
            sha256=content.digest,
        )
        row = announce(session, draft, visitor_id=morning.ilta, room=Room(files=9, most_bytes=2**40))
        parts = [piece for piece in content.pieces() if len(piece) == MB]
        whose = {"org_id": row.org_id, "evidence_id": row.id}
        session.execute(
            sa.insert(EvidencePart), [whose | {"begin": at * MB, "content": part} for at, part in enumerate(parts)]
        )
        row.received_bytes = last
    del parts
    with acting_for(sessions, morning.world.agency) as session:
        end = Part(evidence_id=draft.id, begin=last, content=b"the end")
        taken: list[Evidence | Refused] = []
        spent = most_memory(lambda: taken.append(take_part(session, store, end, visitor_id=morning.ilta, now=NOW)))
        assert spent < MOST_MB
        (kept,) = taken
        assert isinstance(kept, Evidence)
        assert (kept.state, kept.sha256) == (EvidenceState.ACCEPTED, content.digest)
        file = session.get_one(StoredFile, kept.file_id)
        assert (file.kind, file.size_bytes) == (FileKind.MP4, last + 7)
        assert Content.read(lambda: store.pieces(file.org_id, file.digest)).digest == content.digest


@pytest.mark.parametrize("size", [0, 1, SEGMENT_BYTES - 1, SEGMENT_BYTES, SEGMENT_BYTES + 1, 3 * SEGMENT_BYTES])
def test_what_is_sealed_in_segments_opens_as_it_was(size: int) -> None:
    cipher, content = Cipher(bytes(32)), bytes(size)
    sealed = b"".join(seal_segments(cipher, (content[:5], content[5:]), "film"))
    assert len(sealed) == sealed_bytes(size)
    for step in (1_000, 10**6):
        chunks = (sealed[at : at + step] for at in range(0, len(sealed), step))
        assert b"".join(open_segments(cipher, chunks, "film")) == content
    # What was sealed in one still opens.
    assert b"".join(open_segments(cipher, [cipher.seal_bytes(content, "film")], "film")) == content


@pytest.mark.parametrize(
    "harm",
    [
        lambda sealed: sealed[:-1],
        lambda sealed: sealed[: 33 + SEGMENT_BYTES + 16],
        lambda sealed: sealed + sealed[-SEGMENT_BYTES - 16 :],
        lambda sealed: sealed[:33] + sealed[33 + SEGMENT_BYTES + 16 :],
        lambda sealed: sealed[:33],
        lambda sealed: b"\1" + sealed[1:],
        lambda sealed: sealed[:1] + bytes(32) + sealed[33:],
        lambda sealed: bytes(len(sealed)),
        lambda sealed: b"",
    ],
    ids=["cut", "without its last", "its last twice", "without its first", "empty", "version", "salt", "zeros", "gone"],
)
def test_segments_that_were_altered_moved_or_left_out_do_not_open(harm: Callable[[bytes], bytes]) -> None:
    cipher = Cipher(bytes(32))
    sealed = b"".join(seal_segments(cipher, [bytes(2 * SEGMENT_BYTES)], "film"))
    with pytest.raises(Unsealable):
        list(open_segments(cipher, [harm(sealed)], "film"))
    with pytest.raises(Unsealable):
        list(open_segments(cipher, [sealed], "another"))


def test_what_a_power_cut_left_of_a_film_is_mended_by_sending_it_again(store: FileStore, settings: Settings) -> None:
    content = film(2)
    store.keep(ORG, content)
    whole = lying(settings).read_bytes()
    for left in (b"", whole[:-1], bytes(len(whole)), whole[:MB] + bytes(len(whole) - MB)):
        lying(settings).write_bytes(left)
        store.keep(ORG, content)
        assert store.get(ORG, content.digest) == content.whole()


def test_a_film_whose_parts_cannot_be_read_leaves_nothing(store: FileStore, settings: Settings) -> None:
    content, begun = film(3), []

    def broken() -> Iterator[bytes]:
        begun.append(1)
        yield FILM
        raise RuntimeError("the database went away")

    bad = Content(digest=content.digest, size_bytes=content.size_bytes, head=content.head, pieces=broken)
    with pytest.raises(RuntimeError, match="went away"):
        store.keep(ORG, bad)
    assert begun == [1]
    assert [path for path in Path(settings.data_folder, "stored_files").rglob("*") if path.is_file()] == []
