"""The closed lists of the policy format, each value as it is written in TOML.

Where an order of strictness is meant, the members stand in it, the mildest first.
"""

from enum import StrEnum


class PolicyStatus(StrEnum):
    """Only a policy in force is enforced; a draft law can be loaded, looked at and tried out, no more."""

    DRAFT = "draft"
    IN_FORCE = "in_force"


class LegalForce(StrEnum):
    LAW = "law"
    REGULATION = "regulation"
    GUIDELINE = "guideline"
    STANDARD = "standard"
    CODE = "code"
    HOUSE = "house"


class Confidence(StrEnum):
    """How the source was seen. UNCONFIRMED: remembered, not read again; such a rule may only warn."""

    READ = "read"
    READ_SECOND_HAND = "read_second_hand"
    HOUSE = "house"
    UNCONFIRMED = "unconfirmed"


class Breach(StrEnum):
    BLOCK = "block"
    NEEDS_OVERRIDE = "needs_override"
    WARN = "warn"


class CollectorRole(StrEnum):
    """In whose right one collects."""

    FIRST_PARTY = "first_party"
    THIRD_PARTY = "third_party"
    PURCHASER = "purchaser"


class Party(StrEnum):
    """Whom the visit is to."""

    BORROWER = "borrower"
    GUARANTOR = "guarantor"
    THIRD = "third"


class VisitsAllowed(StrEnum):
    YES = "yes"
    LAST_RESORT = "last_resort"
    CONSENT_EACH_TIME = "consent_each_time"
    FORBIDDEN = "forbidden"


class ConsentContent(StrEnum):
    """What a consent to one visit has to name."""

    PURPOSE = "purpose"
    DATE = "date"
    TIME = "time"


class Fit(StrEnum):
    START_INSIDE = "start_inside"
    WHOLE_VISIT_INSIDE = "whole_visit_inside"


class HolidayEffect(StrEnum):
    """What a holiday does to the hours. OWN_WINDOW: only windows that name `holiday` count on it. AS_WEEKEND: the hours
    that Saturday and Sunday have in common."""

    NONE = "none"
    OWN_WINDOW = "own_window"
    AS_WEEKEND = "as_weekend"
    AS_SUNDAY = "as_sunday"
    FORBIDDEN = "forbidden"


class ZoneBasis(StrEnum):
    """Whose clock counts. ALL_CANDIDATES: that of the place and of wherever else the debtor may be; all must allow."""

    VISIT_PLACE = "visit_place"
    DEBTOR_HOME = "debtor_home"
    ALL_CANDIDATES = "all_candidates"
    FIXED = "fixed"


class WidenBy(StrEnum):
    """What opens hours beyond the windows. ONLY_WORKABLE: the debtor named times and said that no others do."""

    CONSENT = "consent"
    OVERDUE_DAYS = "overdue_days"
    ONLY_WORKABLE = "only_workable"


class Counts(StrEnum):
    """What a cap counts: every attempt; those that got through to a person or a machine; those in which somebody was
    met or spoken to."""

    ATTEMPT = "attempt"
    CONNECTED = "connected"
    CONTACT_MADE = "contact_made"


class CapScope(StrEnum):
    """Of whom a cap counts. CASE: one overdue account, which the texts call debt, account or claim. CREDITOR: all that
    one lender and its agencies do with the debtor. CONTACT_POINT: one number, one address."""

    DEBTOR = "debtor"
    CREDITOR = "creditor"
    CASE = "case"
    CONTACT_POINT = "contact_point"


class CapPeriod(StrEnum):
    ROLLING_DAYS = "rolling_days"
    CALENDAR_DAY = "calendar_day"
    CALENDAR_WEEK = "calendar_week"
    CALENDAR_MONTH = "calendar_month"


class CooldownAfter(StrEnum):
    """What must be followed by days of rest."""

    CONVERSATION = "conversation"
    CONTACT_MADE = "contact_made"
    ATTEMPT = "attempt"


class NoticeAbout(StrEnum):
    """What the debtor is told of.

    The first four have to be announced before a visit where a policy says so, RESULT after it. That a visit is off, and
    what is left at a door, no policy has to ask for.
    """

    VISIT = "visit"
    ASSIGNMENT = "assignment"
    TRANSFER = "transfer"
    START = "start"
    RESULT = "result"
    CALLED_OFF = "called_off"
    DOOR_NOTE = "door_note"


class NoticeUnit(StrEnum):
    """ADEQUATE: the text gives no number; the house's own hours stand for it."""

    BUSINESS_DAYS = "business_days"
    DAYS = "days"
    HOURS = "hours"
    ADEQUATE = "adequate"


class NoticeForm(StrEnum):
    ANY = "any"
    WRITTEN = "written"


class NoticeFrom(StrEnum):
    """From when a notice counts."""

    SENT = "sent"
    RECEIVED = "received"


class NoticeContent(StrEnum):
    """What a notice must name."""

    DATE = "date"
    TIME = "time"
    PURPOSE = "purpose"
    OUTCOME_WANTED = "outcome_wanted"
    AGENCY_NAME = "agency_name"
    AGENCY_CONTACT = "agency_contact"
    LENDER_CONTACT = "lender_contact"
    AMOUNT = "amount"
    TIME_IN_DEFAULT = "time_in_default"
    RECOVERY_COSTS = "recovery_costs"
    HOW_TO_COMPLAIN = "how_to_complain"
    RECORDING_KEPT = "recording_kept"
    BRANCH_INSTEAD = "branch_instead"
    COMPANION = "companion"
    RIGHT_TO_REFUSE = "right_to_refuse"


class Waiver(StrEnum):
    """ON_THE_SPOT: on a first visit the debtor may say at the door that they are happy to talk now."""

    ON_THE_SPOT = "on_the_spot"


class PlaceDemand(StrEnum):
    """In the order of strictness. LAST: only where no other known place is left to try."""

    OK = "ok"
    LAST = "last"
    CONSENT = "consent"
    FORBIDDEN = "forbidden"


class PlaceCondition(StrEnum):
    """What lifts a demand for a place."""

    LIVES_THERE = "lives_there"
    NO_SHOWS = "no_shows"


class HeldBy(StrEnum):
    EACH = "each"
    ONE = "one"


class Show(StrEnum):
    """How a paper is shown at the door."""

    ON_REQUEST = "on_request"
    PROACTIVELY = "proactively"
    WORN = "worn"


class Disqualifier(StrEnum):
    """What keeps somebody from going out at all."""

    VIOLENT_CRIME = "violent_crime"
    BAD_CREDIT = "bad_credit"
    HARASSMENT = "harassment"


class RedirectTo(StrEnum):
    """Whom one turns to instead."""

    LAWYER = "lawyer"
    LEGAL_ADVISER = "legal_adviser"
    PARENT = "parent"
    ESTATE = "estate"
    TRUSTEE = "trustee"
