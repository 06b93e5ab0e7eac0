"""Ways to reach a debtor, and what came of trying."""

from enum import StrEnum


class Channel(StrEnum):
    """The way in which a contact was, or may be, tried."""

    CALL = "call"
    SMS = "sms"
    EMAIL = "email"
    LETTER = "letter"
    VISIT = "visit"


class ContactPointKind(StrEnum):
    PHONE = "phone"
    EMAIL = "email"
    POST = "post"


class AttemptResult(StrEnum):
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    VOICEMAIL = "voicemail"
    NUMBER_INVALID = "number_invalid"
    SWITCHED_OFF = "switched_off"
    REFUSED_CALL = "refused_call"
    WRONG_PERSON = "wrong_person"
    THIRD_PARTY = "third_party"
    REACHED = "reached"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    READ = "read"
    NOBODY_HOME = "nobody_home"


class ReachedDetail(StrEnum):
    """What came of an attempt whose result is `reached`."""

    TALKED = "talked"
    PROMISED = "promised"
    DISPUTED = "disputed"
    ASKED_TO_STOP = "asked_to_stop"
    OTHER = "other"


class WithdrawalReason(StrEnum):
    """Why a visit counts no more as the contact it was first taken for."""

    ARRIVAL_UNDONE = "arrival_undone"
    TOLD_LATE = "told_late"
    LEAD_REPORTED = "lead_reported"
