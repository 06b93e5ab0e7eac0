"""What a visitor adds to a report so that the record of the visit is whole: notes left, money taken, recordings, the
moment they were asked to leave, and what was said that somebody has to act on."""

import datetime as dt
import re
import uuid
from dataclasses import dataclass, replace

from fieldvisit.compliance.conduct_parameters import Recorded
from fieldvisit.compliance.decision import plain
from fieldvisit.drafts import check_text
from fieldvisit.errors import InvalidValue
from fieldvisit.models import DoorRecord, Visit
from fieldvisit.vocabulary import NoteForm, RecordingGap

LONGEST_WORDS = 2_000
SHA256 = re.compile("[0-9a-f]{64}")
LAYOUT = str.maketrans("\n\r\t", "   ")


@dataclass(frozen=True, kw_only=True)
class NoteLeft:
    """Something left at the door. `photo_id`: of the picture that shows it, wherever the house keeps it."""

    form: NoteForm
    sealed: bool
    photo_id: uuid.UUID | None = None


@dataclass(frozen=True, kw_only=True)
class MoneyTaken:
    """Money that changed hands at the door, in minor units. It is recorded also where it was not allowed."""

    amount_minor: int
    currency: str
    receipt_number: str | None = None

    def __post_init__(self) -> None:
        if self.amount_minor <= 0:
            raise InvalidValue(path="door.payment.amount_minor", reason="must be more than nothing")


@dataclass(frozen=True, kw_only=True)
class RecordingMade:
    """One recording, kept elsewhere. The hash is of its bytes, so that what is shown later is known to be it."""

    recording_id: uuid.UUID
    kind: Recorded
    from_at: dt.datetime
    until_at: dt.datetime
    sha256: str

    def __post_init__(self) -> None:
        if self.until_at <= self.from_at:
            raise InvalidValue(path="door.recordings.until_at", reason="must lie after its beginning")
        if SHA256.fullmatch(self.sha256) is None:
            raise InvalidValue(path="door.recordings.sha256", reason="must be 64 digits of hexadecimal")


@dataclass(frozen=True, kw_only=True)
class DoorDraft:
    """See `fieldvisit.models.door_records` for what each is."""

    asked_to_leave_at: dt.datetime | None = None
    represented: bool = False
    complaint: str | None = None
    wishes: str | None = None
    spoken_to: str | None = None
    notes_left: tuple[NoteLeft, ...] = ()
    payment: MoneyTaken | None = None
    recordings: tuple[RecordingMade, ...] = ()
    recording_gap: RecordingGap | None = None

    def __post_init__(self) -> None:
        for name in ("complaint", "wishes", "spoken_to"):
            if (text := getattr(self, name)) is not None:
                check_text(f"door.{name}", text.translate(LAYOUT), longest=LONGEST_WORDS)

    def moved(self, by: dt.timedelta) -> "DoorDraft":
        """The same on a clock that is ahead by so much: the phone's own may be wrong, its order is not."""
        asked = self.asked_to_leave_at
        return replace(
            self,
            asked_to_leave_at=asked + by if asked is not None else None,
            recordings=tuple(
                replace(each, from_at=each.from_at + by, until_at=each.until_at + by) for each in self.recordings
            ),
        )

    def demand_before(self, left_at: dt.datetime) -> None:
        """Raise InvalidValue where the visitor left before being asked to."""
        if self.asked_to_leave_at is not None and self.asked_to_leave_at > left_at:
            raise InvalidValue(path="door.asked_to_leave_at", reason="must not lie after leaving")

    def row(self, visit: Visit, report_id: uuid.UUID) -> DoorRecord:
        """The record, for the session to keep."""
        return DoorRecord(
            org_id=visit.org_id,
            lender_id=visit.lender_id,
            report_id=report_id,
            visit_id=visit.id,
            asked_to_leave_at=self.asked_to_leave_at,
            represented=self.represented,
            complaint=self.complaint,
            wishes=self.wishes,
            spoken_to=self.spoken_to,
            notes_left=[_told(each) for each in self.notes_left],
            paid_minor=self.payment.amount_minor if self.payment else None,
            paid_currency=self.payment.currency if self.payment else None,
            receipt_number=self.payment.receipt_number if self.payment else None,
            recordings=[_told(each) for each in self.recordings],
            recording_gap=self.recording_gap,
        )


def _told(each: NoteLeft | RecordingMade) -> dict[str, object]:
    found: dict[str, object] = plain(each)
    return {name: str(value) if isinstance(value, uuid.UUID) else value for name, value in found.items()}


SAID = (
    *("asked_to_leave_at", "represented", "complaint", "wishes", "spoken_to", "notes_left", "paid_minor"),
    *("paid_currency", "receipt_number", "recordings", "recording_gap"),
)


def door_in_words(door: DoorDraft | DoorRecord | None) -> list[str]:
    """What a crew mate told of the door, for the account that their report became: each thing said, by its code."""
    if door is None:
        return []
    said = plain(door) if isinstance(door, DoorDraft) else {name: plain(getattr(door, name)) for name in SAID}
    return [f"door.{name}: {value}" for name, value in said.items() if value]
