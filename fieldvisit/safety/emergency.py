"""When the database refuses a call for help: a file that is forced to the disk, and later exactly one alert made of
it. Whom to telephone meanwhile stands in `emergency_list`."""

import base64
import datetime as dt
import fcntl
import json
import os
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import structlog
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for
from fieldvisit.errors import FieldVisitError, NotFound
from fieldvisit.on_disk import sync_folder
from fieldvisit.safety.drafts import OLDEST_S, Sos
from fieldvisit.safety.sos import call_under_any_id
from fieldvisit.safety.stored import as_stored
from fieldvisit.sealing import Cipher

BOOK = "emergency.book"
PURPOSE = "emergency"
HELD_S = 2.0
"""So long the book is waited for."""
SILENT_S = 30.0
"""Whoever sees to the book and gave no sign for longer does not."""

log = structlog.get_logger("fieldvisit.emergency")


@dataclass(frozen=True, kw_only=True)
class Line:
    """A call for help as it is kept: who called, and when by this host's clock."""

    org_id: uuid.UUID
    told: Sos
    at: float


class Book:
    """The calls that no database has taken yet, on this host's disk, sealed. Several processes may write to it."""

    def __init__(self, folder: Path, cipher: Cipher, *, held_s: float = HELD_S) -> None:
        self._path = folder / BOOK
        self._cipher = cipher
        self._held_s = held_s
        self._made: set[tuple[uuid.UUID, float]] = set()

    def append(self, line: Line) -> None:
        """Keep a call; when this returns, it is on the disk. Raises OSError where it cannot be kept."""
        sealed = self._cipher.seal(json.dumps(_plain(line)), PURPOSE)
        is_new = not self._path.exists()
        with self._locked(os.O_RDWR | os.O_CREAT | os.O_APPEND) as file:
            # A line of its own whatever stands before it: half a line that a power cut left spoils no other.
            _write_whole(file, b"\n" + base64.b64encode(sealed) + b"\n")
        if is_new:
            sync_folder(self._path.parent)

    def waits(self) -> bool:
        try:
            return self._path.stat().st_size > 0
        except OSError:
            return False

    def lines(self) -> Sequence[Line]:
        """The calls that are kept, oldest first. Raises OSError where the book cannot be read."""
        return self._opened(self._read())[0]

    def reconcile(self, sessions: sessionmaker[Session]) -> set[uuid.UUID]:
        """Make of each call its one alert, and empty the book; the ids of those of which one was made.

        The book is not held meanwhile: however long a database takes, others write to it. It stays as it was where of
        one call none could be made, another one came, or it cannot be written to: the same calls again are the same
        alerts.
        """
        written = self._read()
        lines, unreadable = self._opened(written)
        raised = {line.told.event_id for line in lines if self._is_made(sessions, line)}
        if len(raised) < len({line.told.event_id for line in lines}):
            return raised
        try:
            self._empty(written, unreadable)
        except OSError as error:
            # They are alerts all the same, and the engine goes on with them.
            log.critical("emergency_book_not_emptied", error=type(error).__name__, calls=len(raised))
        else:
            log.warning("emergency_reconciled", calls=len(raised))
        return raised

    def _is_made(self, sessions: sessionmaker[Session], line: Line) -> bool:
        """Whether there is its alert. Of a call without an id of its own one is made once: when that is closed, the
        same words would be another call."""
        key = (line.told.event_id, line.at)
        if key in self._made:
            return True
        is_made = _raise_late(sessions, line)
        if is_made and line.told.made_up:
            self._made.add(key)
        return is_made

    @contextmanager
    def seen_to(self) -> Iterator[bool]:
        """Whether it is for this process to see to the book until the end of the block: of those on this host, one.
        Where that one lives and does nothing, or it cannot be told, another: rather two call than nobody."""
        try:
            file = os.open(self._seen_to, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            yield True
            return
        try:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                mine = time.time() - os.fstat(file).st_mtime > SILENT_S
            else:
                mine = True
                self.give_sign()
            yield mine
        finally:
            os.close(file)

    def give_sign(self) -> None:
        """Whoever sees to the book says that it does."""
        with suppress(OSError):
            os.utime(self._seen_to)

    @property
    def _seen_to(self) -> Path:
        return self._path.with_suffix(".seen_to")

    @contextmanager
    def _locked(self, flags: int) -> Iterator[int]:
        """The book, held; raises OSError where another one, that was stopped perhaps, holds it for too long."""
        file = os.open(self._path, flags, 0o600)
        try:
            _hold(file, self._held_s)
            yield file
        finally:
            os.close(file)

    def _read(self) -> bytes:
        if not self.waits():
            return b""
        # For reading only: a disk that takes nothing any more may still tell.
        with self._locked(os.O_RDONLY) as file, os.fdopen(os.dup(file), "rb") as stream:
            return stream.read()

    def _empty(self, written: bytes, unreadable: bytes) -> None:
        """Unless there is more in the book than was read. What nobody can read is kept beside it: it may be a call,
        under another key."""
        with self._locked(os.O_RDWR) as file:
            # Byte for byte: while this process stood still another one may have emptied it, and a new call have come
            # that is as long.
            if os.fstat(file).st_size != len(written) or os.pread(file, len(written), 0) != written:
                return
            if unreadable:
                aside = os.open(self._path.with_suffix(".unreadable"), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
                try:
                    _write_whole(aside, unreadable)
                finally:
                    os.close(aside)
            os.ftruncate(file, 0)
            os.fsync(file)

    def _opened(self, written: bytes) -> tuple[list[Line], bytes]:
        """The lines, and what is none."""
        lines, unreadable = [], bytearray()
        for each in filter(None, written.split(b"\n")):
            try:
                lines.append(_line(json.loads(self._cipher.open(base64.b64decode(each, validate=True), PURPOSE))))
            except (FieldVisitError, ValueError, KeyError, TypeError, IndexError):
                log.critical("emergency_line_unreadable", bytes=len(each))
                unreadable += each + b"\n"
        return lines, bytes(unreadable)


def _write_whole(file: int, text: bytes) -> None:
    """On the disk, whole, or not at all. A disk that is nearly full takes half a line and raises nothing."""
    stood = os.fstat(file).st_size
    try:
        rest = text
        while rest:
            rest = rest[os.write(file, rest) :]
        os.fsync(file)
    except OSError:
        with suppress(OSError):
            os.ftruncate(file, stood)
        raise


def _hold(file: int, for_s: float) -> None:
    until = time.monotonic() + for_s
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _raise_late(sessions: sessionmaker[Session], line: Line) -> bool:
    """Whether nothing more is to be done for this call. One that cannot be raised stands in no other's way."""
    waited_s, event_id = max(0, int(time.time() - line.at)), str(line.told.event_id)
    try:
        told = replace(line.told, age_s=min(OLDEST_S, line.told.age_s + waited_s))
        with acting_for(sessions, line.org_id) as session:
            call_under_any_id(session, told)
    except NotFound:
        # A visitor whom this database does not know: nothing more can be made of it.
        log.error("emergency_visitor_unknown", event_id=event_id)
    except Exception as error:
        log.error("emergency_not_reconciled", event_id=event_id, error=type(error).__name__)
        return False
    return True


def _plain(line: Line) -> dict[str, object]:
    told = {name: str(value) if isinstance(value, uuid.UUID) else value for name, value in asdict(line.told).items()}
    if line.told.device_at is not None:
        told["device_at"] = line.told.device_at.isoformat()
    return {"org_id": str(line.org_id), "at": line.at, "told": told}


def _line(stored: dict[str, dict[str, str]]) -> Line:
    """As another version on this host may have written it: what this one does not know of costs no call."""
    told: dict[str, object] = {**stored["told"]}
    visitor_id, event_id = uuid.UUID(str(told["visitor_id"])), uuid.UUID(str(told["event_id"]))
    for name in ("actor_id", "session_id", "visit_id"):
        told[name] = uuid.UUID(str(told[name])) if told.get(name) else None
    device_at = told.get("device_at")
    told["device_at"] = dt.datetime.fromisoformat(str(device_at)) if device_at else None
    sos = as_stored(Sos, told | {"visitor_id": visitor_id, "event_id": event_id})
    return Line(org_id=uuid.UUID(str(stored["org_id"])), at=float(str(stored["at"])), told=sos)
