"""What is told of a visit afterwards, and the files that show it."""

from enum import StrEnum


class NoteForm(StrEnum):
    """What was left at a door."""

    CARD = "card"
    LETTER = "letter"
    STATUTORY_NOTICE = "statutory_notice"


class AdditionReason(StrEnum):
    """Why something is added to a report. The first words stay, whatever is added."""

    FURTHER = "further"
    CORRECTION = "correction"
    CREW_REPORT = "crew_report"


class RecordingGap(StrEnum):
    """Why a visit was not recorded, or not throughout."""

    BATTERY = "battery"
    DEVICE_FAULT = "device_fault"
    NO_PERMISSION = "no_permission"
    DEBTOR_REFUSED = "debtor_refused"
    STORAGE_FULL = "storage_full"
    OTHER = "other"


class NextStep(StrEnum):
    CALL = "call"
    VISIT_AGAIN = "visit_again"
    APPROVE_PLAN = "approve_plan"
    HAND_OVER = "hand_over"
    LEGAL_STEP = "legal_step"
    STOP = "stop"


class FileKind(StrEnum):
    """What a file is by its content."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    PDF = "pdf"
    MP4 = "mp4"
    M4A = "m4a"
    WEBM = "webm"
    OGG = "ogg"
    MP3 = "mp3"
    WAV = "wav"


class EvidenceKind(StrEnum):
    """What a file from the field is."""

    PHOTO = "photo"
    SIGNATURE = "signature"
    AUDIO = "audio"
    VIDEO = "video"
    DOCUMENT = "document"


class EvidenceState(StrEnum):
    UPLOADING = "uploading"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class EvidenceFlaw(StrEnum):
    """What of a file does not fit the visit, or the question it answers. It is evidence all the same."""

    OTHER_TIME = "other_time"
    UNLIKELY_TIME = "unlikely_time"
    """The phone's clock says that it was taken tomorrow, or longer ago than a phone is away."""
    OTHER_PLACE = "other_place"
    NOT_BY_CAMERA = "not_by_camera"
    NOTES_UNREADABLE = "notes_unreadable"
    """What stands where the camera writes its notes is none: neither time nor place is compared."""
