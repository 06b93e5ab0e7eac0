"""Files: judged by what they hold, kept once under the hash of their content, sealed, handed out by short links.

The bytes lie in a folder or in a bucket, under ``<organisation>/<first two of the digest>/<digest>``; what they belong
to stands in the database. Nobody is believed who says what a file is: its first bytes tell.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import unquote

import obstore
import sqlalchemy as sa
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    UnauthenticatedError,
    UnknownConfigurationKeyError,
)
from obstore.store import LocalStore, ObjectStore, from_url
from sqlalchemy.orm import Session

from fieldvisit.contents import Content, open_segments, seal_segments, sealed_bytes
from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.file_kinds import kind_of
from fieldvisit.finding import get_by_id
from fieldvisit.languages import Message
from fieldvisit.models import FileAccess, StoredFile
from fieldvisit.on_disk import sync_file, sync_folder
from fieldvisit.sealing import Cipher, Unsealable
from fieldvisit.settings import Settings
from fieldvisit.signing import TAG_BYTES, Signer, as_text, from_text
from fieldvisit.vocabulary import FileKind

LINK_S = 300
"""So long may a link be opened that shows a file: to click it, not to keep it."""
IMAGES = frozenset({FileKind.JPEG, FileKind.PNG, FileKind.WEBP})
MEDIA: Mapping[FileKind, str] = {
    FileKind.JPEG: "image/jpeg",
    FileKind.PNG: "image/png",
    FileKind.WEBP: "image/webp",
    FileKind.PDF: "application/pdf",
    FileKind.MP4: "video/mp4",
    FileKind.M4A: "audio/mp4",
    FileKind.WEBM: "video/webm",
    FileKind.OGG: "audio/ogg",
    FileKind.MP3: "audio/mpeg",
    FileKind.WAV: "audio/wav",
}
LONG_BYTES, PIECE_BYTES, LEAST_PART_BYTES = 2**20, 2**20, 5 * 2**20
"""What has more than the first is never whole in memory; what comes from the store does so in pieces of the second, and
buckets take no smaller parts than of the third."""
PROOF = "written-at-the-start"
"""What shows that something may be put there."""
PATIENCE: Mapping[str, Any] = {"connect_timeout": "5s", "timeout": "30s"}
RETRIES: Mapping[str, Any] = {"max_retries": 2, "retry_timeout": dt.timedelta(seconds=30)}


class FileNotTaken(FieldVisitError):
    code, kind = "file_not_taken", Kind.INVALID
    says = "The file is none of these: {kinds}. Its content is judged, not its name."


class FileTooLarge(FieldVisitError):
    code, kind = "file_too_large", Kind.TOO_LARGE
    says = "The file is larger than {most_mb} MiB."


class FileLinkRefused(FieldVisitError):
    code, kind = "file_link_refused", Kind.FORBIDDEN
    says = "This link is not ours or has expired. Ask for a new one."


class FilesUnavailable(FieldVisitError):
    code, kind = "files_unavailable", Kind.UNAVAILABLE
    says = "The store of the files does not answer just now, or lacks this file. Nothing was stored; try again."


class FileStoreRefused(FieldVisitError):
    code, kind = "file_store_refused", Kind.INVALID
    says = "Nothing can be kept at FILE_STORE: {reason}"


@dataclass(frozen=True, kw_only=True)
class FileTerms:
    """What is taken somewhere: which kinds, and how many bytes at most."""

    kinds: frozenset[FileKind]
    most_bytes: int

    def judged(self, content: bytes, *, size: int | None = None) -> FileKind:
        """The kind of this content, of which the first bytes are enough where its size is given. Raises FileTooLarge,
        FileNotTaken."""
        if (len(content) if size is None else size) > self.most_bytes:
            raise FileTooLarge(most_mb=self.most_bytes // 2**20)
        found = kind_of(content)
        if found is None or found not in self.kinds:
            raise FileNotTaken(kinds=", ".join(sorted(self.kinds)))
        return found


class FileStore:
    """The bytes, sealed under the data key and bound to their organisation and digest. Opened at the first use: an
    opened one does not survive a fork."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.file_store or (settings.data_folder / "stored_files").as_uri()
        self._options = settings.file_store_options
        self._cipher = Cipher(settings.data_key)
        self._opening = Lock()
        self._opened: ObjectStore | None = None

    def prove(self) -> None:
        """Put something small where the files will lie. Raises FileStoreRefused for what no waiting mends,
        FilesUnavailable for a store that does not answer just now."""
        try:
            obstore.put(self._store(), PROOF, b"", mode="overwrite")
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise FileStoreRefused(reason=Message("its keys are not taken, or may not write there.")) from error
        except FileNotFoundError as error:
            raise FileStoreRefused(reason=Message("there is no such bucket.")) from error
        except (UnknownConfigurationKeyError, TypeError, ValueError) as error:
            raise FileStoreRefused(reason=Message("one of FILE_STORE_OPTIONS is not known or not a text.")) from error
        except (BaseError, OSError) as error:
            raise FilesUnavailable() from error

    def put(self, org_id: uuid.UUID, content: bytes) -> str:
        """Keep the content, once; its digest. When this returns, it is on the disk, or the bucket has it. Whoever sends
        again what lies there half mends it. Raises FilesUnavailable."""
        kept = Content.of(content)
        self.keep(org_id, kept)
        return kept.digest

    def keep(self, org_id: uuid.UUID, content: Content) -> None:
        """The same for one that may be long: of that a few pieces are in memory at any time."""
        write = self._write_long if content.size_bytes > LONG_BYTES else self._write
        try:
            written = write(org_id, content)
            self._force(_key(org_id, content.digest), written=written)
        except (BaseError, OSError) as error:
            raise FilesUnavailable() from error

    def get(self, org_id: uuid.UUID, digest: str) -> bytes:
        """The content again. Raises FilesUnavailable, Unsealable."""
        return b"".join(self.pieces(org_id, digest))

    def pieces(self, org_id: uuid.UUID, digest: str) -> Iterator[bytes]:
        """The same piece by piece, where it lies in segments."""
        try:
            sealed = obstore.get(self._store(), _key(org_id, digest)).stream(min_chunk_size=PIECE_BYTES)
            yield from open_segments(self._cipher, map(bytes, sealed), _purpose(org_id, digest))
        except (BaseError, OSError) as error:
            raise FilesUnavailable() from error

    def delete(self, org_id: uuid.UUID, digest: str) -> None:
        """Let the content go; nothing where it is gone. Raises FilesUnavailable."""
        key = _key(org_id, digest)
        try:
            with suppress(FileNotFoundError):
                obstore.delete(self._store(), key)
            if (folder := self._folder()) is not None:
                with suppress(FileNotFoundError):
                    sync_folder((folder / key).parent)
        except (BaseError, OSError) as error:
            raise FilesUnavailable() from error

    def _write(self, org_id: uuid.UUID, content: Content) -> bool:
        """Whether it had to be written."""
        key, purpose = _key(org_id, content.digest), _purpose(org_id, content.digest)
        sealed = self._cipher.seal_bytes(content.whole(), purpose)
        try:
            obstore.put(self._store(), key, sealed, mode="create")
        except AlreadyExistsError:
            if self._is_whole(org_id, content):
                return False
            obstore.put(self._store(), key, sealed, mode="overwrite")
        return True

    def _write_long(self, org_id: uuid.UUID, content: Content) -> bool:
        """The same in parts, which no store can be told to make only where there is nothing: it is looked at before."""
        with suppress(FileNotFoundError):
            if self._is_whole(org_id, content):
                return False
        sealed = seal_segments(self._cipher, content.pieces(), _purpose(org_id, content.digest))
        part = LEAST_PART_BYTES if self._folder() is None else PIECE_BYTES
        key = _key(org_id, content.digest)
        obstore.put(self._store(), key, sealed, use_multipart=True, chunk_size=part, max_concurrency=1)
        return True

    def _is_whole(self, org_id: uuid.UUID, content: Content) -> bool:
        """Whether what lies there is what it is called. A power cut leaves files empty, short, or full of zeros; in a
        bucket a thing is whole or is not there, so its size says enough. Raises FileNotFoundError."""
        size = obstore.head(self._store(), _key(org_id, content.digest))["size"]
        if size not in (content.size_bytes + Cipher.MORE_BYTES, sealed_bytes(content.size_bytes)):
            return False
        if self._folder() is not None:
            try:
                for _ in self.pieces(org_id, content.digest):
                    pass
            except Unsealable:
                return False
        return True

    def _force(self, key: str, *, written: bool) -> None:
        """Onto the disk; a bucket has done it by itself. Raises OSError."""
        folder = self._folder()
        if folder is None:
            return
        try:
            sync_file(folder / key, below=folder)
        except OSError:
            if written:
                # What a disk has refused reads as if it were there, and is forced a second time without a word.
                with suppress(BaseError, OSError):
                    obstore.delete(self._store(), key)
            raise

    def _folder(self) -> Path | None:
        """Where the files lie on a disk; None for a bucket."""
        store = self._store()
        return store.prefix if isinstance(store, LocalStore) else None

    def _store(self) -> ObjectStore:
        with self._opening:
            if self._opened is None:
                self._opened = _open(self._url, self._options)
        return self._opened


def _open(url: str, options: Mapping[str, Any]) -> ObjectStore:
    if url.startswith("file://"):
        folder = Path(unquote(url.removeprefix("file://")))
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            sync_folder(folder.parent)
        return from_url(url)
    # The options are of whichever store it is, which the library tells apart by the address.
    open_any: Any = from_url
    # Whoever names an address without TLS means it: a store within one's own network.
    client = {**PATIENCE, "allow_http": str(options.get("endpoint", "")).startswith("http://")}
    opened: ObjectStore = open_any(url, config=dict(options), client_options=client, retry_config=RETRIES)
    return opened


def keep_file(session: Session, store: FileStore, content: bytes | Content, terms: FileTerms) -> StoredFile:
    """Judge the content and keep it for the acting organisation; the same content again is the same file.

    Raises FileTooLarge, FileNotTaken, FilesUnavailable.
    """
    if isinstance(content, bytes):
        content = Content.of(content)
    kind = terms.judged(content.head, size=content.size_bytes)
    org_id: uuid.UUID = session.info["org"]
    there = StoredFile.org_id == org_id, StoredFile.digest == content.digest
    # Under lock before the bytes are put: whoever lets forgotten ones go has done it, or sees that they are wanted.
    row = session.scalar(sa.select(StoredFile).where(*there).with_for_update())
    store.keep(org_id, content)
    if row is not None and row.forgotten_at is not None:
        row.forgotten_at = row.gone_at = None
    if row is None:
        row = StoredFile(org_id=org_id, digest=content.digest, kind=kind, size_bytes=content.size_bytes)
        session.add(row)
    row.unused_since = None
    session.flush()
    return row


@dataclass(frozen=True, kw_only=True)
class FileLink:
    """What opens a file without a login, until it expires."""

    token: str
    expires_at: dt.datetime


@dataclass(frozen=True)
class Opened:
    """A file as it is handed out."""

    file: StoredFile
    content: bytes
    account_id: uuid.UUID
    """Who asked for the link."""

    @property
    def media(self) -> str:
        return MEDIA[self.file.kind]


def link_to(file_id: uuid.UUID, *, key: bytes, account_id: uuid.UUID, now: dt.datetime) -> FileLink:
    """A link for this account: whoever opens it, the record says to whom it was given."""
    expires_at = now + dt.timedelta(seconds=LINK_S)
    message = file_id.bytes + account_id.bytes + int(expires_at.timestamp()).to_bytes(5)
    return FileLink(token=as_text(message + _signer(key).tag(message)), expires_at=expires_at)


def open_link(session: Session, store: FileStore, token: str, *, key: bytes, now: dt.datetime) -> Opened:
    """The file behind a link, with a line in the record of who looked. Raises FileLinkRefused, FilesUnavailable.

    The session sees all organisations: the signature says whose file it is.
    """
    size = 16 + 16 + 5
    raw = from_text(token, size=size + TAG_BYTES)
    if raw is None or not _signer(key).is_good(raw[:size], raw[size:]):
        raise FileLinkRefused()
    file_id, account_id = uuid.UUID(bytes=raw[:16]), uuid.UUID(bytes=raw[16:32])
    if int.from_bytes(raw[32:size]) <= now.timestamp():
        raise FileLinkRefused()
    file = get_by_id(session, StoredFile, file_id)
    if file.forgotten_at is not None:
        raise FileLinkRefused()
    content = store.get(file.org_id, file.digest)
    session.add(FileAccess(org_id=file.org_id, file_id=file.id, account_id=account_id, at=now))
    session.flush()
    return Opened(file, content, account_id)


def accesses_of(file_id: uuid.UUID) -> sa.Select[FileAccess]:
    """Who looked at the file; the caller states the order."""
    return sa.select(FileAccess).where(FileAccess.file_id == file_id)


def terms_for(kinds: Collection[FileKind], *, most_mb: int) -> FileTerms:
    return FileTerms(kinds=frozenset(kinds), most_bytes=most_mb * 2**20)


def _signer(key: bytes) -> Signer:
    return Signer(key, "file link")


def _key(org_id: uuid.UUID, digest: str) -> str:
    return f"{org_id}/{digest[:2]}/{digest}"


def _purpose(org_id: uuid.UUID, digest: str) -> str:
    return f"file {org_id} {digest}"
