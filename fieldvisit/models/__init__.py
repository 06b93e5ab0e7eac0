"""All tables. A model is columns, constraints and verbs; queries and rules live in the modules above."""

from fieldvisit.models.accesses import DebtorAccess
from fieldvisit.models.alarms import CoverOverride, DutyShift, OfficerContact, OutboxMessage, VisitorPin
from fieldvisit.models.answers import KeptAnswer
from fieldvisit.models.assessments import SafetyAssessment
from fieldvisit.models.audit import AuditEvent, ClockShift
from fieldvisit.models.base import Base
from fieldvisit.models.cases import Case, Payment, Placement
from fieldvisit.models.cash import CashClosing, CashDeposit, Receipt, ReceiptBlock
from fieldvisit.models.compliance import AgencyReview, CapSlot, LegalHold, Override, PolicyVersion, Rejudging
from fieldvisit.models.contacts import ContactAttempt, ContactAttemptKey, ContactBlock, WithdrawnAttempt
from fieldvisit.models.crews import CrewForming
from fieldvisit.models.debtors import Consent, ContactPoint, Debtor, Place, Wish
from fieldvisit.models.door_records import DoorRecord
from fieldvisit.models.evidence import Evidence, EvidencePart
from fieldvisit.models.field_rules import FieldRules
from fieldvisit.models.files import FileAccess, StoredFile
from fieldvisit.models.forms import FormVersion
from fieldvisit.models.looks import LocationLook
from fieldvisit.models.markers import Marker, MarkerRead, SafetyIncident
from fieldvisit.models.notice_rules import NoticeRules
from fieldvisit.models.notice_services import NoticeService
from fieldvisit.models.notices import Notice, NoticeReceipt, NoticeTemplate, NoticeTry
from fieldvisit.models.organisations import Account, Area, Organisation, RefreshToken
from fieldvisit.models.parts import PlanPart
from fieldvisit.models.people import Credential, CredentialCheck, CredentialReminder, Shift, Visitor
from fieldvisit.models.phone import Device, HeldEvent
from fieldvisit.models.planning_rules import PlanningRules
from fieldvisit.models.plans import CrewMember, DayPlan, Route, Stop, UnservedVisit
from fieldvisit.models.repayments import RepaymentPlan, RepaymentRules
from fieldvisit.models.reports import ContactProposal, Promise, ReportAddition, VisitReport
from fieldvisit.models.retention import DebtorRequest, Purge
from fieldvisit.models.safety import (
    DatabaseEpoch,
    EngineBeat,
    SafetyAlert,
    SafetyEvent,
    SafetyKey,
    SafetySession,
    WatchOutage,
)
from fieldvisit.models.safety_rules import SafetyRules
from fieldvisit.models.timers import SafetyTimers
from fieldvisit.models.verification import VerificationCode, VerificationLookup
from fieldvisit.models.visits import IdentityCheck, PhoneEventKey, StoredDecision, Visit, VisitEvent
from fieldvisit.models.weeks import WeekPlan, WeekVisit

__all__ = [
    "Account",
    "AgencyReview",
    "Area",
    "AuditEvent",
    "Base",
    "CapSlot",
    "Case",
    "CashClosing",
    "CashDeposit",
    "ClockShift",
    "Consent",
    "ContactAttempt",
    "ContactAttemptKey",
    "ContactBlock",
    "ContactPoint",
    "ContactProposal",
    "CoverOverride",
    "Credential",
    "CredentialCheck",
    "CredentialReminder",
    "CrewForming",
    "CrewMember",
    "DatabaseEpoch",
    "DayPlan",
    "Debtor",
    "DebtorAccess",
    "DebtorRequest",
    "Device",
    "DoorRecord",
    "DutyShift",
    "EngineBeat",
    "Evidence",
    "EvidencePart",
    "FieldRules",
    "FileAccess",
    "FormVersion",
    "HeldEvent",
    "IdentityCheck",
    "KeptAnswer",
    "LegalHold",
    "LocationLook",
    "Marker",
    "MarkerRead",
    "Notice",
    "NoticeReceipt",
    "NoticeRules",
    "NoticeService",
    "NoticeTemplate",
    "NoticeTry",
    "OfficerContact",
    "Organisation",
    "OutboxMessage",
    "Override",
    "Payment",
    "PhoneEventKey",
    "Place",
    "Placement",
    "PlanPart",
    "PlanningRules",
    "PolicyVersion",
    "Promise",
    "Purge",
    "Receipt",
    "ReceiptBlock",
    "RefreshToken",
    "Rejudging",
    "RepaymentPlan",
    "RepaymentRules",
    "ReportAddition",
    "Route",
    "SafetyAlert",
    "SafetyAssessment",
    "SafetyEvent",
    "SafetyIncident",
    "SafetyKey",
    "SafetyRules",
    "SafetySession",
    "SafetyTimers",
    "Shift",
    "Stop",
    "StoredDecision",
    "StoredFile",
    "UnservedVisit",
    "VerificationCode",
    "VerificationLookup",
    "Visit",
    "VisitEvent",
    "VisitReport",
    "Visitor",
    "VisitorPin",
    "WatchOutage",
    "WeekPlan",
    "WeekVisit",
    "Wish",
    "WithdrawnAttempt",
]
