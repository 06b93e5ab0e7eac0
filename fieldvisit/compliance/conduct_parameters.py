"""The closed lists of the rules of conduct: what is done, said, recorded and kept.

Where an order of strictness is meant, the members stand in it, the mildest first.
"""

from enum import StrEnum


class Entry(StrEnum):
    NOT_STATED = "n/a"
    WITH_CONSENT = "with_consent"
    OUTSIDE_UNLESS_INVITED = "outside_unless_invited"


class ThirdPartyContact(StrEnum):
    """What may be asked of somebody else than the debtor."""

    LOCATE = "locate"
    PASS_MESSAGE = "pass_message"  # noqa: S105 - no password
    NONE = "none"


class RevealEmployer(StrEnum):
    ON_REQUEST = "on_request"
    NEVER = "never"


class RecordingNeed(StrEnum):
    """What of the contact is recorded. FORBIDDEN contradicts every need of a recording."""

    NONE = "none"
    OPTIONAL = "optional"
    AUDIO = "audio"
    AUDIO_OR_VIDEO = "audio_or_video"
    AUDIO_AND_VIDEO = "audio_and_video"
    FORBIDDEN = "forbidden"


class Recorded(StrEnum):
    """What a device is recording."""

    AUDIO = "audio"
    VIDEO = "video"


class RecordType(StrEnum):
    CONTACT = "contact"
    CALL_RECORDING = "call_recording"
    VISIT_RECORDING = "visit_recording"
    COMPLAINT = "complaint"
    ASSESSMENT = "assessment"
    CASE = "case"


class RetentionClock(StrEnum):
    """`CONTRACT_END` is the end of the last placement with an agency; an open one has not ended."""

    CREATED = "created"
    LAST_ACTIVITY = "last_activity"
    CLOSED = "closed"
    VISIT = "visit"
    CONTRACT_END = "contract_end"


class RecordField(StrEnum):
    """What the record of a visit has to hold."""

    CASE = "case"
    DECISION = "decision"
    PLANNED_TIMES = "planned_times"
    ACTUAL_TIMES = "actual_times"
    ZONE = "zone"
    PLACE = "place"
    STAFF = "staff"
    CREDENTIALS_SHOWN = "credentials_shown"
    NOTICE_PROOF = "notice_proof"
    CONSENT = "consent"
    MET = "met"
    IDENTITY = "identity"
    OUTCOME = "outcome"
    DISCLOSURE = "disclosure"
    NOTES_LEFT = "notes_left"
    ASKED_TO_LEAVE_AT = "asked_to_leave_at"
    WISHES = "wishes"
    PAYMENT = "payment"
    RECORDING = "recording"
    INCIDENT = "incident"
    COMPLAINT = "complaint"
    AUTHOR = "author"


class DoorDuty(StrEnum):
    """What ends a visit at once."""

    LEAVE_WHEN_ASKED = "leave_when_asked"
    DISTRESSED = "distressed"
    CAPACITY_DOUBT = "capacity_doubt"
    THIRD_PARTY_ONLY = "third_party_only"


class Introduction(StrEnum):
    """What the visitor says of themselves to the debtor."""

    NAME = "name"
    INSTITUTION = "institution"
    PURPOSE = "purpose"


class Dress(StrEnum):
    """How one is dressed at a door."""

    PROPER = "proper"
    NOT_MISLEADING = "not_misleading"


class MoneyAtDoor(StrEnum):
    OK = "ok"
    RECEIPT_NEEDED = "receipt_needed"
    FORBIDDEN = "forbidden"
