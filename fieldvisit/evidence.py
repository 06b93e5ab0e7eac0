"""Evidence files, sent in parts over a bad connection and accepted once, whole: judged by what they hold, kept under
their hash, immutable from then on.

A part is in the database before it is acknowledged, so that whatever breaks off, the phone goes on where the server
stands. The protocol itself (tus 1.0) is at the edge: `api.evidence`.
"""

import datetime as dt
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.camera_notes import CameraNotes, camera_notes
from fieldvisit.contents import Content
from fieldvisit.distances import metres_between
from fieldvisit.errors import FieldVisitError, InvalidValue, Kind, NotFound, Refused
from fieldvisit.files import IMAGES, PIECE_BYTES, FileStore, FileTerms, FileTooLarge, keep_file, terms_for
from fieldvisit.finding import get_by_id
from fieldvisit.form_versions import form_of
from fieldvisit.languages import Message
from fieldvisit.models import Case, Evidence, EvidencePart, Visit, VisitReport
from fieldvisit.phone.clocks import LATEST
from fieldvisit.phone.routes import get_told_stop
from fieldvisit.vocabulary import EvidenceFlaw, EvidenceKind, EvidenceState, FileKind

MOST_MB = 64
SHA256 = re.compile("[0-9a-f]{64}")
FAR_M = 500
"""A photo that says to be taken farther than this from the visit's place is flagged."""
APART = dt.timedelta(minutes=10)
"""So far may the camera's clock and the phone's word of it be apart."""
SOUND = frozenset({FileKind.M4A, FileKind.MP4, FileKind.OGG, FileKind.MP3, FileKind.WAV, FileKind.WEBM})
TAKES: Mapping[EvidenceKind, FileTerms] = {
    EvidenceKind.PHOTO: terms_for(IMAGES, most_mb=20),
    EvidenceKind.SIGNATURE: terms_for(IMAGES, most_mb=2),
    EvidenceKind.AUDIO: terms_for(SOUND, most_mb=MOST_MB),
    EvidenceKind.VIDEO: terms_for({FileKind.MP4, FileKind.WEBM}, most_mb=MOST_MB),
    EvidenceKind.DOCUMENT: terms_for(IMAGES | {FileKind.PDF}, most_mb=20),
}


class EvidenceDiffers(FieldVisitError):
    code, kind = "evidence_differs", Kind.CONFLICT
    says = "The id {evidence_id} is on file with other terms. Another file has another id."


class EvidenceSettled(FieldVisitError):
    code, kind = "evidence_settled", Kind.CONFLICT
    says = "This file is {state}: it takes no more bytes, and is never changed."


class OffsetDiffers(FieldVisitError):
    code, kind = "offset_differs", Kind.CONFLICT
    says = "The file stands at byte {offset}, the part begins at {given}."


class ContentDiffers(FieldVisitError):
    code, kind = "content_differs", Kind.INVALID
    says = "What came is not what was announced: its SHA-256 is another. Send the file again, under a new id."


class TooManyUnfinished(FieldVisitError):
    code, kind = "too_many_unfinished", Kind.CONFLICT
    says = (
        "{files} files of {mb} MB in all are announced and not whole. Send one to its end, or delete it; then announce "
        "this one again."
    )


@dataclass(frozen=True, kw_only=True)
class Room:
    """So many files of one visitor may be announced and not whole, and to so many bytes may they come."""

    files: int
    most_bytes: int


@dataclass(frozen=True, kw_only=True)
class EvidenceDraft:
    """What a phone announces of a file before its bytes. The id is the phone's."""

    id: uuid.UUID
    visit_id: uuid.UUID
    kind: EvidenceKind
    captured_at: dt.datetime
    size_bytes: int
    by_camera: bool = False
    sha256: str | None = None

    def __post_init__(self) -> None:
        most = TAKES[self.kind].most_bytes
        if self.size_bytes > most:
            raise FileTooLarge(most_mb=most // 2**20)
        if self.size_bytes < 1:
            raise InvalidValue(path="Upload-Length", reason=Message("must be from 1 to {most} bytes", {"most": most}))
        if self.sha256 is not None and SHA256.fullmatch(self.sha256) is None:
            raise InvalidValue(path="sha256", reason="must be 64 digits of hexadecimal")


def announce(session: Session, draft: EvidenceDraft, *, visitor_id: uuid.UUID, room: Room) -> Evidence:
    """Make room for a file of a visit of the visitor's own. The same again is the same file.

    Raises NotFound, InvalidValue, EvidenceDiffers where the id was announced with other terms, and TooManyUnfinished
    where others have to become whole first.
    """
    visit = get_told_stop(session, visitor_id, draft.visit_id).visit
    terms = {
        "visit_id": visit.id,
        "visitor_id": visitor_id,
        "kind": draft.kind,
        "captured_at": draft.captured_at,
        "by_camera": draft.by_camera,
        "size_bytes": draft.size_bytes,
        "stated_sha256": draft.sha256,
    }
    there = session.get(Evidence, draft.id)
    if there is not None:
        if any(getattr(there, name) != value for name, value in terms.items()):
            raise EvidenceDiffers(evidence_id=draft.id)
        return there
    _demand_room(session, draft, visitor_id, room)
    row = Evidence(id=draft.id, org_id=visit.org_id, lender_id=visit.lender_id, flaws=[], **terms)
    session.add(row)
    session.flush()
    return row


def _demand_room(session: Session, draft: EvidenceDraft, visitor_id: uuid.UUID, room: Room) -> None:
    """Parts lie in the database until their file is whole, or for months. Who is full is told which are not."""
    # One announcement of a visitor at a time: of two at once, neither would count the other.
    session.execute(
        sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"unfinished of {visitor_id}", 0)))
    )
    begun = sa.select(Evidence.id, Evidence.size_bytes).where(
        Evidence.visitor_id == visitor_id, Evidence.state == EvidenceState.UPLOADING
    )
    rows = session.execute(begun.order_by(Evidence.created_at, Evidence.id)).all()
    size = sum(row.size_bytes for row in rows)
    if len(rows) >= room.files or size + draft.size_bytes > room.most_bytes:
        ids = [str(row.id) for row in rows]
        raise TooManyUnfinished(files=len(rows), mb=-(-size // 2**20), evidence_ids=ids)


def standing(session: Session, evidence_id: uuid.UUID, *, visitor_id: uuid.UUID) -> Evidence:
    """How far a file of one's own has come. Raises NotFound."""
    row = session.get(Evidence, evidence_id)
    if row is None or row.visitor_id != visitor_id:
        raise NotFound(what="evidence", id=evidence_id)
    return row


@dataclass(frozen=True, kw_only=True)
class Part:
    """Bytes of a file from `begin` on, as many as came before the connection broke off."""

    evidence_id: uuid.UUID
    begin: int
    content: bytes


def take_part(
    session: Session, store: FileStore, part: Part, *, visitor_id: uuid.UUID, now: dt.datetime
) -> Evidence | Refused:
    """Keep these bytes; with the last of them the file is judged, and accepted or refused for good.

    Raises NotFound, EvidenceSettled, OffsetDiffers, FilesUnavailable (then nothing was kept of this part).
    """
    standing(session, part.evidence_id, visitor_id=visitor_id)
    row = session.get_one(Evidence, part.evidence_id, with_for_update=True, populate_existing=True)
    if row.state is not EvidenceState.UPLOADING:
        raise EvidenceSettled(state=row.state)
    if part.begin != row.received_bytes:
        raise OffsetDiffers(offset=row.received_bytes, given=part.begin)
    if row.received_bytes + len(part.content) > row.size_bytes:
        raise InvalidValue(path="Upload-Length", reason="is less than what was sent")
    if part.content:
        kept = EvidencePart(org_id=row.org_id, evidence_id=row.id, begin=part.begin, content=part.content)
        session.add(kept)
        row.received_bytes += len(part.content)
        session.flush()
    return _judge(session, store, row, now=now) if row.received_bytes == row.size_bytes else row


def abandon(session: Session, evidence_id: uuid.UUID, *, visitor_id: uuid.UUID) -> None:
    """Forget a file that is not whole. Raises NotFound, and EvidenceSettled for one that is."""
    standing(session, evidence_id, visitor_id=visitor_id)
    row = session.get_one(Evidence, evidence_id, with_for_update=True, populate_existing=True)
    if row.state is EvidenceState.ACCEPTED:
        raise EvidenceSettled(state=row.state)
    _forget_parts(session, row)
    session.delete(row)
    session.flush()


def drop_unfinished(session: Session, now: dt.datetime) -> int:
    """Forget what was announced, by phones of the acting organisation, and never became whole; how many files.

    A phone may be away for as long as its words are taken; then it has as long again to send the rest.
    """
    late = sa.select(Evidence).where(
        Evidence.org_id == session.info["org"],
        Evidence.state == EvidenceState.UPLOADING,
        Evidence.created_at < now - 2 * LATEST,
    )
    rows = session.scalars(late.order_by(Evidence.id).with_for_update(skip_locked=True)).all()
    for row in rows:
        _forget_parts(session, row)
        session.delete(row)
    session.flush()
    return len(rows)


def evidence_of(visit_id: uuid.UUID) -> sa.Select[Evidence]:
    """The files of a visit that one may see, whole or not; the caller states the order."""
    return sa.select(Evidence).where(Evidence.visit_id == visit_id)


def file_of(session: Session, evidence_id: uuid.UUID) -> uuid.UUID:
    """The stored file of one that is whole. Raises NotFound."""
    file_id = get_by_id(session, Evidence, evidence_id).file_id
    if file_id is None:
        raise NotFound(what="evidence", id=evidence_id)
    return file_id


def _judge(session: Session, store: FileStore, row: Evidence, *, now: dt.datetime) -> Evidence | Refused:
    content = Content.read(partial(_pieces, session, row.id))
    row.sha256 = content.digest
    try:
        if row.stated_sha256 not in (None, row.sha256):
            raise ContentDiffers()
        kind = TAKES[row.kind].judged(content.head, size=content.size_bytes)
        # Of films and sound a few pieces are in memory at any time; a picture is looked into.
        notes = camera_notes(content.whole()) if kind in IMAGES else None
        file = keep_file(session, store, content, TAKES[row.kind])
    except FieldVisitError as error:
        if error.kind is Kind.UNAVAILABLE:
            raise
        row.state, row.refused_for = EvidenceState.REFUSED, error.code
        _forget_parts(session, row)
        return Refused(error)
    row.camera_notes, row.flaws = _compared(session, row, notes)
    if not row.created_at - LATEST <= row.captured_at <= row.created_at + dt.timedelta(days=1):
        # The clock of the phone is wrong: the file is not.
        row.flaws = [*row.flaws, EvidenceFlaw.UNLIKELY_TIME.value]
    if not row.by_camera and str(row.id) in _wanted_by_camera(session, row.visit_id):
        row.flaws = [*row.flaws, EvidenceFlaw.NOT_BY_CAMERA.value]
    _forget_parts(session, row)
    # The last that is ever written into it.
    row.file_id, row.state, row.accepted_at = file.id, EvidenceState.ACCEPTED, now
    session.flush()
    return row


def _pieces(session: Session, evidence_id: uuid.UUID) -> Iterator[bytes]:
    """What came, a megabyte or a part at a time: phones send parts of any size."""
    of_it = EvidencePart.evidence_id == evidence_id
    parts = sa.select(EvidencePart.content).where(of_it).order_by(EvidencePart.begin)
    begins = session.scalars(sa.select(EvidencePart.begin).where(of_it).order_by(EvidencePart.begin)).all()
    first = begins[0]
    for begin in begins[1:]:
        if begin - first >= PIECE_BYTES:
            yield from session.scalars(parts.where(EvidencePart.begin >= first, EvidencePart.begin < begin))
            first = begin
    yield from session.scalars(parts.where(EvidencePart.begin >= first))


def _compared(session: Session, row: Evidence, notes: CameraNotes | None) -> tuple[dict[str, object] | None, list[str]]:
    """What the camera wrote, and what of it does not fit the visit. It is flagged: what was sent is evidence."""
    if notes is None:
        return None, []
    said: dict[str, object] = {"taken_at": notes.taken_at.isoformat() if notes.taken_at else None}
    flaws = [] if notes.readable else [EvidenceFlaw.NOTES_UNREADABLE.value]
    if notes.taken_at is not None and abs(notes.taken_at - row.captured_at) > APART:
        flaws.append(EvidenceFlaw.OTHER_TIME.value)
    if notes.lat is not None and notes.lon is not None:
        metres = _metres_from_place(session, row, notes.lat, notes.lon)
        said |= {"lat": notes.lat, "lon": notes.lon, "metres": metres}
        if metres is not None and metres > FAR_M:
            flaws.append(EvidenceFlaw.OTHER_PLACE.value)
    return said, flaws


def _wanted_by_camera(session: Session, visit_id: uuid.UUID) -> set[str]:
    """The files that the visit's report names where its form wants the camera."""
    reports = sa.select(VisitReport).where(VisitReport.visit_id == visit_id, VisitReport.form_id.is_not(None))
    return {
        file_id
        for report in session.scalars(reports)
        if report.form is not None and report.answers is not None
        for file_id in form_of(report.form).by_camera(json.loads(report.answers))
    }


def _metres_from_place(session: Session, row: Evidence, lat: float, lon: float) -> int | None:
    visit = session.get_one(Visit, row.visit_id)
    known: Case | None = visit.case
    if known is None or visit.place.lat is None or visit.place.lon is None:
        return None
    return round(metres_between((visit.place.lat, visit.place.lon), (lat, lon)))


def _forget_parts(session: Session, row: Evidence) -> None:
    session.flush()
    session.execute(sa.delete(EvidencePart).where(EvidencePart.evidence_id == row.id))
