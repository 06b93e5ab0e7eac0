"""The closed lists of the policy format, each value as it is written in TOML."""

from enum import StrEnum


class PolicyStatus(StrEnum):
    """Only a policy in force is enforced; a draft law can be loaded and looked at, no more."""

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
    """How the source was seen. What nobody read is no rule: there is no member for it."""

    READ = "read"
    READ_SECOND_HAND = "read_second_hand"
    HOUSE = "house"


class Breach(StrEnum):
    BLOCK = "block"
    NEEDS_OVERRIDE = "needs_override"
    WARN = "warn"


class VisitsAllowed(StrEnum):
    YES = "yes"
    LAST_RESORT = "last_resort"
    CONSENT_EACH_TIME = "consent_each_time"
    FORBIDDEN = "forbidden"


class HolidayEffect(StrEnum):
    """What a holiday does to the hours. OWN_WINDOW: only windows that name `holiday` count on it."""

    NONE = "none"
    OWN_WINDOW = "own_window"
    AS_SUNDAY = "as_sunday"
    FORBIDDEN = "forbidden"


class ZoneBasis(StrEnum):
    VISIT_PLACE = "visit_place"
    FIXED = "fixed"


class Counts(StrEnum):
    """What a cap counts: every attempt, or those in which somebody was met or spoken to."""

    ATTEMPT = "attempt"
    CONTACT_MADE = "contact_made"


class CapScope(StrEnum):
    DEBTOR = "debtor"
    CASE = "case"


class CapPeriod(StrEnum):
    ROLLING_DAYS = "rolling_days"
    CALENDAR_DAY = "calendar_day"
    CALENDAR_WEEK = "calendar_week"
    CALENDAR_MONTH = "calendar_month"


class PlaceDemand(StrEnum):
    """In the order of strictness."""

    OK = "ok"
    CONSENT = "consent"
    FORBIDDEN = "forbidden"


class HeldBy(StrEnum):
    EACH = "each"
    ONE = "one"
