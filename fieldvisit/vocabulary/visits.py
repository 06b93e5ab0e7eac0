"""The life of a visit, as office and phone tell it."""

from enum import StrEnum


class VisitState(StrEnum):
    REQUESTED = "requested"
    ELIGIBLE = "eligible"
    PLANNED = "planned"
    PUBLISHED = "published"
    UNDER_WAY = "under_way"
    ARRIVED = "arrived"
    REPORTED = "reported"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class VisitOutcome(StrEnum):
    MET_DEBTOR = "met_debtor"
    MET_OTHER = "met_other"
    NOBODY = "nobody"
    MOVED = "moved"
    REFUSED = "refused"
    ASKED_TO_LEAVE = "asked_to_leave"
    ABORTED = "aborted"
    UNSAFE = "unsafe"
    NOT_REACHED = "not_reached"


class AbortReason(StrEnum):
    SAFETY = "safety"
    ASKED_TO_LEAVE = "asked_to_leave"
    DISTRESS = "distress"
    WRONG_PERSON = "wrong_person"
    MINOR_ALONE = "minor_alone"
    DISPUTE = "dispute"
    VULNERABLE = "vulnerable"
    OTHER = "other"


class IdentityMethod(StrEnum):
    DOCUMENT_SEEN = "document_seen"
    TWO_FACTS = "two_facts"
    KNOWN_BEFORE = "known_before"


class IdentityResult(StrEnum):
    CONFIRMED = "confirmed"
    SOMEONE_ELSE = "someone_else"
    NOT_CONFIRMED = "not_confirmed"


class HeldState(StrEnum):
    """Where an event of a phone stands that could not be taken when it came."""

    WAITING = "waiting"
    REFUSED = "refused"
    TAKEN = "taken"
    DISMISSED = "dismissed"


class WaitsFor(StrEnum):
    """What an event has to come after."""

    REPORT = "report"
    IDENTITY_CHECK = "identity_check"
    SAFETY_SESSION = "safety_session"


class NotDone(StrEnum):
    """Why a visit that was planned for a day waits to be planned again."""

    DAY_OVER = "day_over"
    NOT_ARRIVED = "not_arrived"
    SENT_BACK = "sent_back"


class OrderRule(StrEnum):
    """What a house makes of a visit that is begun before an earlier one: takes it, asks why, or refuses it."""

    ALLOW = "allow"
    ASK = "ask"
    REFUSE = "refuse"


class OrderReason(StrEnum):
    """Why a visit was begun before an earlier one."""

    DEBTOR_ASKED = "debtor_asked"
    WAY_BLOCKED = "way_blocked"
    RUNNING_LATE = "running_late"
    SAFETY = "safety"
    OTHER = "other"


class RejectionReason(StrEnum):
    """Why a visitor sent a visit back before it had begun."""

    UNSAFE = "unsafe"
    KNOWS_DEBTOR = "knows_debtor"
    UNWELL = "unwell"
    NO_TIME = "no_time"
    PAPERS_MISSING = "papers_missing"
    OTHER = "other"


class UndoReason(StrEnum):
    """Why an arrival was none."""

    WRONG_DOOR = "wrong_door"
    SLIP = "slip"
    CALLED_AWAY = "called_away"
