"""When the database refuses a call for help: a file that is forced to the disk, telephones from a list kept at hand,
and later exactly one alert made of it."""

import base64
import datetime as dt
import fcntl
import json
import os
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.clock import database_now
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.errors import FieldVisitError, NotFound
from fieldvisit.models import Account, DutyShift, OfficerContact, Visitor
from fieldvisit.safety.drafts import OLDEST_S, Sos
from fieldvisit.safety.sos import call_under_any_id
from fieldvisit.sealing import Cipher
from fieldvisit.vocabulary import AlarmChannel

BOOK, LIST = "emergency.book", "emergency.list"
PURPOSE = "emergency"

log = structlog.get_logger("fieldvisit.emergency")


@dataclass(frozen=True, kw_only=True)
class Line:
    """A call for help as it is kept: who called, and when by this host's clock."""

    org_id: uuid.UUID
    told: Sos
    at: float


class Book:
    """The calls that no database has taken yet, on this host's disk, sealed. Several processes may write to it."""

    def __init__(self, folder: Path, cipher: Cipher) -> None:
        self._path = folder / BOOK
        self._cipher = cipher

    def append(self, line: Line) -> None:
        """Keep a call; when this returns, it is on the disk. Raises OSError where it cannot be kept."""
        sealed = self._cipher.seal(json.dumps(_plain(line)), PURPOSE)
        is_new = not self._path.exists()
        with self._locked() as file:
            # A line of its own whatever stands before it: half a line that a power cut left spoils no other.
            os.write(file, b"\n" + base64.b64encode(sealed) + b"\n")
            os.fsync(file)
        if is_new:
            _sync_folder(self._path.parent)

    def waits(self) -> bool:
        try:
            return self._path.stat().st_size > 0
        except FileNotFoundError:
            return False

    def lines(self) -> Sequence[Line]:
        """The calls that are kept, oldest first."""
        if not self.waits():
            return []
        with self._locked() as file:
            return self._read(file)

    def reconcile(self, sessions: sessionmaker[Session]) -> int:
        """Make of each call its one alert, and empty the book; how many there were. Whatever is raised leaves the book
        as it was: the same calls again are the same alerts."""
        if not self.waits():
            return 0
        with self._locked() as file:
            lines = self._read(file)
            for line in lines:
                _raise_late(sessions, line)
            os.ftruncate(file, 0)
            os.fsync(file)
        log.warning("emergency_reconciled", calls=len(lines))
        return len(lines)

    @contextmanager
    def seen_to(self) -> Iterator[bool]:
        """Whether it is for this process to see to the book until the end of the block: of those on this host, one."""
        file = os.open(self._path.with_suffix(".seen_to"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            mine = False
        else:
            mine = True
        try:
            yield mine
        finally:
            os.close(file)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
        finally:
            os.close(file)

    def _read(self, file: int) -> list[Line]:
        os.lseek(file, 0, os.SEEK_SET)
        with os.fdopen(os.dup(file), "rb") as stream:
            written = [each for each in stream.read().split(b"\n") if each]
        return [line for each in written if (line := self._open(each)) is not None]

    def _open(self, written: bytes) -> Line | None:
        try:
            return _line(json.loads(self._cipher.open(base64.b64decode(written, validate=True), PURPOSE)))
        except (FieldVisitError, ValueError, KeyError, TypeError, IndexError):
            # Half a line. Its call was never answered with a success.
            log.error("emergency_line_unreadable", bytes=len(written))
            return None


def _raise_late(sessions: sessionmaker[Session], line: Line) -> None:
    waited_s = max(0, int(time.time() - line.at))
    told = replace(line.told, age_s=min(OLDEST_S, line.told.age_s + waited_s))
    try:
        with acting_for(sessions, line.org_id) as session:
            call_under_any_id(session, told)
    except NotFound:
        # A visitor whom this database does not know: nothing more can be made of it, and others wait behind it.
        log.error("emergency_visitor_unknown", event_id=str(told.event_id))


@dataclass(frozen=True, kw_only=True)
class Address:
    channel: AlarmChannel
    to: str
    language: str


@dataclass(frozen=True, kw_only=True)
class Known:
    """Whom to call for an organisation, and what its visitors are called: id → name and staff number."""

    addresses: tuple[Address, ...]
    visitors: dict[str, str]


class DutyList:
    """The list that is called from when there is no database: asked for each minute, kept in memory and on the disk."""

    FRESH_S = 60.0

    def __init__(self, folder: Path, cipher: Cipher) -> None:
        self._path = folder / LIST
        self._cipher = cipher
        self._asked_at = -self.FRESH_S
        self._known: dict[str, Known] | None = None

    def keep_fresh(self, sessions: sessionmaker[Session]) -> None:
        """Ask again where the list is older than a minute. Never raises: it is asked in passing."""
        if time.monotonic() - self._asked_at < self.FRESH_S:
            return
        self._asked_at = time.monotonic()
        try:
            with acting_for_all(sessions) as session:
                self._known = _ask(session)
            self._store()
        except (sa.exc.SQLAlchemyError, OSError, FieldVisitError) as error:
            log.warning("duty_list_not_refreshed", error=type(error).__name__)

    def of(self, org_id: uuid.UUID) -> Known:
        if self._known is None:
            self._known = self._load()
        return self._known.get(str(org_id), Known(addresses=(), visitors={}))

    def _store(self) -> None:
        said = json.dumps({org: asdict(known) for org, known in (self._known or {}).items()})
        part = self._path.with_suffix(f".{os.getpid()}.part")
        part.touch(mode=0o600)
        part.write_bytes(self._cipher.seal(said, PURPOSE))
        part.replace(self._path)

    def _load(self) -> dict[str, Known]:
        try:
            stored = json.loads(self._cipher.open(self._path.read_bytes(), PURPOSE))
        except (OSError, FieldVisitError, ValueError) as error:
            log.error("duty_list_missing", error=type(error).__name__)
            return {}
        return {org: _known(each) for org, each in stored.items()}


def _known(stored: dict[str, list[dict[str, str]] | dict[str, str]]) -> Known:
    addresses = tuple(
        Address(channel=AlarmChannel(each["channel"]), to=each["to"], language=each["language"])
        for each in stored["addresses"]
        if isinstance(each, dict)
    )
    return Known(addresses=addresses, visitors={**stored["visitors"]} if isinstance(stored["visitors"], dict) else {})


def _ask(session: Session) -> dict[str, Known]:
    on_duty = (
        sa.select(OfficerContact)
        .join(Account, Account.id == OfficerContact.account_id)
        .join(DutyShift, DutyShift.account_id == Account.id)
        .where(
            Account.active,
            OfficerContact.active,
            DutyShift.starts_at <= database_now(),
            DutyShift.ends_at > database_now(),
        )
        .order_by(OfficerContact.id)
    )
    addresses: dict[str, list[Address]] = {}
    for contact in session.scalars(on_duty).unique():
        told = Address(channel=contact.channel, to=contact.address, language=contact.language)
        addresses.setdefault(str(contact.org_id), []).append(told)
    visitors: dict[str, dict[str, str]] = {}
    for each in session.scalars(sa.select(Visitor).where(Visitor.active)):
        visitors.setdefault(str(each.org_id), {})[str(each.id)] = f"{each.name} ({each.staff_number})"
    return {
        org: Known(addresses=tuple(addresses.get(org, ())), visitors=visitors.get(org, {}))
        for org in addresses.keys() | visitors.keys()
    }


def _plain(line: Line) -> dict[str, object]:
    told = {name: str(value) if isinstance(value, uuid.UUID) else value for name, value in asdict(line.told).items()}
    if line.told.device_at is not None:
        told["device_at"] = line.told.device_at.isoformat()
    return {"org_id": str(line.org_id), "at": line.at, "told": told}


def _line(stored: dict[str, dict[str, str]]) -> Line:
    told: dict[str, object] = dict(stored["told"])
    for name in ("visitor_id", "actor_id", "event_id", "session_id", "visit_id"):
        told[name] = uuid.UUID(str(told[name])) if told[name] else None
    if told["device_at"]:
        told["device_at"] = dt.datetime.fromisoformat(str(told["device_at"]))
    return Line(org_id=uuid.UUID(str(stored["org_id"])), at=float(str(stored["at"])), told=Sos(**told))  # type: ignore[arg-type]


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
