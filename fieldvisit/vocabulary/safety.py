"""Sessions, markers, alerts, and who answers for them."""

from enum import StrEnum


class RiskLevel(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    RAISED = "raised"
    HIGH = "high"
    DRILL = "drill"


class IncidentKind(StrEnum):
    """What happened to a visitor."""

    THREAT = "threat"
    VIOLENCE = "violence"
    WEAPON = "weapon"
    DOG = "dog"
    ACCIDENT = "accident"
    HAZARD = "hazard"
    OTHER = "other"


class MarkerKind(StrEnum):
    """What a visitor has to know before the door."""

    VIOLENCE = "violence"
    THREAT = "threat"
    WEAPON = "weapon"
    DOG = "dog"
    HAZARD = "hazard"
    OTHER = "other"


class SafetyState(StrEnum):
    PLANNED = "planned"
    ACTIVE = "active"
    ALARM = "alarm"
    ENDED = "ended"
    CANCELLED = "cancelled"


class SessionCover(StrEnum):
    """Who is at the door besides: nobody, as it should be; a partner; nobody, although there should be one."""

    SOLO = "solo"
    PAIR = "pair"
    NONE = "none"


class AlertKind(StrEnum):
    MISSED_CHECKIN = "missed_checkin"
    OVERRUN = "overrun"
    LOST_CONTACT = "lost_contact"
    NOT_ARRIVED = "not_arrived"
    LEFT_WITHOUT_ENDING = "left_without_ending"
    PARTNER_CALLS = "partner_calls"
    UNWATCHED = "unwatched"
    SOS = "sos"
    MAN_DOWN = "man_down"
    DURESS = "duress"


class AlertState(StrEnum):
    PRE = "pre"
    OPEN = "open"
    NOTIFYING = "notifying"
    ACKNOWLEDGED = "acknowledged"
    EXHAUSTED = "exhausted"
    RESOLVED = "resolved"


class AlertOutcome(StrEnum):
    GENUINE_INJURY = "genuine_injury"
    GENUINE_THREAT = "genuine_threat"
    GENUINE_OTHER = "genuine_other"
    FALSE_ACCIDENTAL = "false_accidental"
    FALSE_FORGOT = "false_forgot"
    FALSE_DEVICE = "false_device"
    FALSE_OUR_OUTAGE = "false_our_outage"
    CANCELLED_BY_VISITOR = "cancelled_by_visitor"
    DRILL = "drill"


class CallResult(StrEnum):
    """What came of calling the visitor. A wrong answer to the challenge may mean: I am not free to speak."""

    NO_ANSWER = "no_answer"
    VOICEMAIL = "voicemail"
    SPOKE_SAFE = "spoke_safe"
    SPOKE_NEEDS_HELP = "spoke_needs_help"
    WRONG_ANSWER = "wrong_answer"
    DURESS_WORD = "duress_word"


class PoliceDecision(StrEnum):
    """What the owner of a call for help decided about the police."""

    CALLED = "called"
    NOT_CALLED = "not_called"


class ResolutionProof(StrEnum):
    VOICE_CONTACT = "voice_contact"
    SEEN_IN_PERSON = "seen_in_person"
    EMERGENCY_SERVICE = "emergency_service"


class DrillKind(StrEnum):
    """What a drill rehearses: the answer to an alert of this kind."""

    MISSED_CHECKIN = "missed_checkin"
    SOS = "sos"
    DURESS = "duress"


class DutyRank(StrEnum):
    """Who is called when: the order in which people join a ladder."""

    DUTY = "duty"
    BACKUP = "backup"
    TEAM_LEAD = "team_lead"
    SAFETY_MANAGER = "safety_manager"
