"""The closed lists of the domain, each value under the name the wire, the database and the tests use.

Every member has a text in zh-CN and in English: the message id is ``<list>.<value>``, for example
``attempt_result.no_answer`` (see `fieldvisit.languages.label`). A test holds both catalogues against this file.
"""

from enum import StrEnum


class OrganisationKind(StrEnum):
    LENDER = "lender"
    AGENCY = "agency"


class Role(StrEnum):
    VISITOR = "visitor"
    DISPATCHER = "dispatcher"
    SAFETY_OFFICER = "safety_officer"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"
    INTEGRATOR = "integrator"
    ADMIN = "admin"
    PRIVACY_OFFICER = "privacy_officer"


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


class DebtorParty(StrEnum):
    BORROWER = "borrower"
    GUARANTOR = "guarantor"


class CaseStage(StrEnum):
    REMIND = "remind"
    PHONE = "phone"
    LETTER = "letter"
    VISIT = "visit"
    LEGAL = "legal"
    CLOSED = "closed"


class PlaceKind(StrEnum):
    HOME = "home"
    WORK = "work"
    CHOSEN = "chosen"
    HOSPITAL = "hospital"
    SCHOOL = "school"
    PUBLIC = "public"


class WithdrawalReason(StrEnum):
    """Why a visit counts no more as the contact it was first taken for."""

    ARRIVAL_UNDONE = "arrival_undone"
    TOLD_LATE = "told_late"
    LEAD_REPORTED = "lead_reported"


class BlockTrigger(StrEnum):
    DISPUTE = "dispute"
    COMPLAINT_OPEN = "complaint_open"
    CEASE_REQUEST = "cease_request"
    REPRESENTED = "represented"
    VULNERABILITY = "vulnerability"
    NO_CAPACITY = "no_capacity"
    MINOR = "minor"
    DECEASED = "deceased"
    BANKRUPTCY = "bankruptcy"
    MORATORIUM = "moratorium"
    HARDSHIP_PLAN = "hardship_plan"
    MEDIUM_REFUSED = "medium_refused"
    PLACE_REFUSED = "place_refused"
    TIME_BARRED = "time_barred"
    PAID = "paid"
    BEREAVEMENT = "bereavement"
    CALAMITY = "calamity"
    CELEBRATION = "celebration"
    HOSPITALISED = "hospitalised"
    LITIGATION = "litigation"


class BlockScope(StrEnum):
    """What a contact block stops: everything, visits only, one channel, or one place."""

    ALL = "all"
    VISITS = "visits"
    CHANNEL = "channel"
    PLACE = "place"


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


class UnservedReason(StrEnum):
    """Why a visit is not in a day plan: the reasons of the planning format, and those the day itself adds."""

    UNREACHABLE = "unreachable"
    NO_CREW_OFFERS = "no_crew_offers"
    NO_CREW_LARGE_ENOUGH = "no_crew_large_enough"
    OUTSIDE_EVERY_SHIFT = "outside_every_shift"
    WINDOW_TOO_SHORT = "window_too_short"
    OVER_LIMIT = "over_limit"
    PIN_CONTRADICTS = "pin_contradicts"
    GROUP_TAKEN = "group_taken"
    QUOTA_FULL = "quota_full"
    NO_ROOM = "no_room"
    NOT_WORTH_ITS_COST = "not_worth_its_cost"
    NOT_PERMITTED = "not_permitted"
    PLACE_UNKNOWN = "place_unknown"
    TAKEN_MEANWHILE = "taken_meanwhile"


class CredentialKind(StrEnum):
    BADGE = "badge"
    ID_CARD = "id_card"
    AUTHORISATION_LETTER = "authorisation_letter"
    NOTICE_COPY = "notice_copy"
    LICENCE = "licence"
    APPROVAL_LETTER = "approval_letter"
    CERTIFICATE = "certificate"


class CheckMoment(StrEnum):
    """When a policy decision or a credential check was made."""

    ELIGIBLE = "eligible"
    PLANNING = "planning"
    PUBLISHING = "publishing"
    DOOR = "door"
    DEBTOR = "debtor"


class Verdict(StrEnum):
    """The answer of the policy engine."""

    ALLOWED = "allowed"
    NEEDS_OVERRIDE = "needs_override"
    BLOCKED = "blocked"


class RejudgingState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"


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


class PromiseState(StrEnum):
    OPEN = "open"
    KEPT = "kept"
    PARTLY_KEPT = "partly_kept"
    BROKEN = "broken"


class RepaymentState(StrEnum):
    """Where a repayment plan stands. Once somebody else has approved it, it runs, and what is paid settles it."""

    PROPOSED = "proposed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    RUNNING = "running"
    KEPT = "kept"
    PARTLY_KEPT = "partly_kept"
    BROKEN = "broken"


class PaymentMethod(StrEnum):
    TRANSFER = "transfer"
    DIRECT_DEBIT = "direct_debit"
    CARD = "card"
    MOBILE = "mobile"
    BRANCH = "branch"


class ReceiptState(StrEnum):
    """Of a receipt's number: given out for money, or spoilt."""

    ISSUED = "issued"
    VOID = "void"


class ReceiptFlaw(StrEnum):
    """What is wrong with money that was taken at a door. It was taken all the same, and counts."""

    NOT_ALLOWED = "not_allowed"
    NO_NUMBER = "no_number"
    NOT_YOURS = "not_yours"
    USED_BEFORE = "used_before"
    OTHER_CURRENCY = "other_currency"
    BLOCK_CLOSED = "block_closed"


class DepositWay(StrEnum):
    OFFICE = "office"
    BANK = "bank"


class DepositState(StrEnum):
    """Of money that a visitor says to have handed in: somebody else counts it."""

    STATED = "stated"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


class CashFault(StrEnum):
    """What keeps a day from being closed without a reason."""

    NUMBER_SKIPPED = "number_skipped"
    DEPOSIT_UNCOUNTED = "deposit_uncounted"
    CASH_IN_HAND = "cash_in_hand"
    RECEIPT_FLAWED = "receipt_flawed"


class DebtorRequestKind(StrEnum):
    """What a debtor asks for about their own data."""

    EXPORT = "export"
    CORRECTION = "correction"
    ERASURE = "erasure"


class DebtorRequestState(StrEnum):
    OPEN = "open"
    DONE = "done"
    REFUSED = "refused"


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


class ProposalState(StrEnum):
    """What became of contact data that were heard at a door."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REFUSED = "refused"


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


class DayPlanState(StrEnum):
    REQUESTED = "requested"
    SOLVING = "solving"
    DRAFT = "draft"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"
    DROPPED = "dropped"
    FAILED = "failed"


class CrewSource(StrEnum):
    """Who named the crew of a shift."""

    FILE = "file"
    PROPOSED = "proposed"
    DISPATCHER = "dispatcher"


class FormingState(StrEnum):
    REQUESTED = "requested"
    FORMING = "forming"
    FORMED = "formed"
    FAILED = "failed"


class WeekState(StrEnum):
    REQUESTED = "requested"
    PLANNING = "planning"
    PLANNED = "planned"
    FAILED = "failed"


class PartState(StrEnum):
    WAITING = "waiting"
    SOLVING = "solving"
    SOLVED = "solved"
    FAILED = "failed"


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


class ResolutionProof(StrEnum):
    VOICE_CONTACT = "voice_contact"
    SEEN_IN_PERSON = "seen_in_person"
    EMERGENCY_SERVICE = "emergency_service"


class DutyRank(StrEnum):
    """Who is called when: the order in which people join a ladder."""

    DUTY = "duty"
    BACKUP = "backup"
    TEAM_LEAD = "team_lead"
    SAFETY_MANAGER = "safety_manager"


class AlarmChannel(StrEnum):
    """How an alarm reaches a person."""

    SMS = "sms"
    VOICE = "voice"
    PUSH = "push"
    MAIL = "mail"


class MessagePurpose(StrEnum):
    ALARM = "alarm"
    REMINDER = "reminder"
    OVERDUE = "overdue"
    ALL_CLEAR = "all_clear"
    TAKEN = "taken"
    CONTACT_TEST = "contact_test"
    WATCH_FAILS = "watch_fails"


class MessageRecipient(StrEnum):
    OFFICER = "officer"
    VISITOR = "visitor"
    EXTERNAL = "external"


class MessageState(StrEnum):
    """`sent` is what a provider says; `delivered` and `answered` are what a signed receipt says."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    ANSWERED = "answered"
    UNDELIVERABLE = "undeliverable"
    DROPPED = "dropped"


class NoticeState(StrEnum):
    """`queued` waits for a provider, or for a person who hands the letter over; `sent` is what they say; `delivered`
    and `undeliverable` are what a receipt says. `dead`: given up. `held_back`: a contact block forbids it.
    `withdrawn`: it no longer holds."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERABLE = "undeliverable"
    DEAD = "dead"
    HELD_BACK = "held_back"
    WITHDRAWN = "withdrawn"


class NoteBreach(StrEnum):
    """What was wrong with a note that was left at a door."""

    NOT_ALLOWED = "not_allowed"
    NOT_SEALED = "not_sealed"


class NoticeOffence(StrEnum):
    """Why a phrase may not stand in a notice; the last two only where others read along."""

    THREAT = "threat"
    DISGUISE = "disguise"
    DEBT = "debt"
    LEGAL = "legal"


class Datum(StrEnum):
    """The geodetic datum in which a coordinate was given. Stored coordinates are WGS-84, always."""

    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    BD09 = "bd09"


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
    OTHER_PLACE = "other_place"
    NOT_BY_CAMERA = "not_by_camera"


class LookupResult(StrEnum):
    """What the page behind a visitor's code said. `forged`: it names one of ours, and was not signed by us; whoever
    looked it up was told that it is unknown."""

    CONFIRMED = "confirmed"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    FORGED = "forged"
    UNKNOWN = "unknown"


class ReminderRecipient(StrEnum):
    """Who is reminded that a paper runs out: whose it is, and the office that has to see to it."""

    HOLDER = "holder"
    OFFICE = "office"


class PointSource(StrEnum):
    """How the point of a place was found."""

    GIVEN = "given"
    GEOCODED = "geocoded"
    NONE = "none"
